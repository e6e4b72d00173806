/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "et_nego.h"

#define CERT_LIST 256

/* The server as it is, as far as its sessions show it; and what is tried on it. */
struct bench {
	struct et_nego_config config;
	struct et_nego_verdict verdict;
	struct et_tls_profile hello;
	char error[ET_NEGO_ERROR];
	char keys[CERT_LIST]; /* as --cert takes them */
	bool ecdsa, rsa;
	uint16_t lowest; /* version seen; 0: none */
};

static bool is_about_negotiation(const char *code)
{
	return strncmp(code, "no_shared_cipher", 16) == 0 ||
	       strcmp(code, "protocol_version") == 0 ||
	       strcmp(code, "certificate_rejected/curve") == 0;
}

/* "ecdsa-secp384r1" -> "ecdsa:secp384r1"; one of each kind, as OpenSSL has them. */
static bool read_keys(
	struct bench *b, const struct et_archive *archive, const struct et_archive_host *server)
{
	struct evidence_key keys[EVIDENCE_KEYS];
	size_t cnt = evidence_keys(keys, archive, server);

	for (size_t i = 0; i < cnt; i++) {
		bool ecdsa = strncmp(keys[i].name, "ecdsa-", 6) == 0;
		bool rsa = strncmp(keys[i].name, "rsa-", 4) == 0;
		char *dash = ecdsa || rsa ? strchr(keys[i].name, '-') : NULL;
		size_t n = strlen(b->keys);

		if ((ecdsa && b->ecdsa) || (rsa && b->rsa))
			return false; /* which of the two it has now is not known */
		b->ecdsa |= ecdsa;
		b->rsa |= rsa;
		if (dash)
			*dash = ':';
		snprintf(b->keys + n, sizeof(b->keys) - n, "%s%s", n ? "," : "", keys[i].name);
	}
	return cnt > 0;
}

static void read_versions(struct bench *b, const struct et_archive_host *server)
{
	const struct et_archive_map *versions = &server->sums.maps[ET_ARCHIVE_VERSIONS];
	uint16_t version;

	for (size_t i = 0; i < versions->cnt; i++)
		if (et_archive_version_id(&version, versions->v[i].name) && version >= ET_TLSV1_0 &&
			(b->lowest == 0 || version < b->lowest))
			b->lowest = version;
}

/* Judges the hello by a server with these keys and this minimum. */
static bool judge(struct bench *b, const char *keys, uint16_t min_version)
{
	const char *name = min_version ? et_iana_version(min_version) : NULL;
	bool old = min_version && min_version < ET_TLSV1_2;

	if (et_nego_init(&b->config) != 0 ||
		et_nego_set(&b->config, b->error, "security-level", old ? "0" : "1") != 0 ||
		et_nego_set(&b->config, b->error, "cert", keys) != 0 ||
		(name && et_nego_set(&b->config, b->error, "min-version", name) != 0) ||
		et_nego_finish(&b->config, b->error) != 0)
		return false;
	et_nego_judge(&b->verdict, &b->config, &b->hello);
	return true;
}

static void try_one(struct cure *cures, size_t *cnt, struct bench *b, const char *change,
	const char *with, const char *keys, uint16_t min_version)
{
	char text[ET_NEGO_TEXT];
	struct cure *cure = &cures[*cnt];

	if (*cnt == CURES_MAX || !judge(b, keys, min_version) ||
		b->verdict.result == ET_NEGO_UNKNOWN)
		return;
	*cure = (struct cure){
		.side = "server", .change = change, .works = b->verdict.result == ET_NEGO_ACCEPT
	};
	snprintf(cure->with, sizeof(cure->with), "%s", with);
	et_nego_text(text, &b->verdict, &b->config, &b->hello);
	snprintf(cure->verdict, sizeof(cure->verdict), "%.255s", text);
	(*cnt)++;
}

static void try_certificates(struct cure *cures, size_t *cnt, struct bench *b)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521" };
	char keys[CERT_LIST + 32], with[24], *ecdsa;

	if (!b->rsa) {
		snprintf(keys, sizeof(keys), "%s,rsa:2048", b->keys);
		try_one(cures, cnt, b, "certificate_beside", "rsa:2048", keys, b->lowest);
	}
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++) {
		const char *had = strstr(b->keys, "ecdsa:");

		snprintf(with, sizeof(with), "ecdsa:%s", curves[i]);
		if (had &&
			et_iana_group_by_curve(curves[i]) == b->config.certs[ET_NEGO_ECDSA].curve)
			continue;
		snprintf(keys, sizeof(keys), "%s,%s", b->keys, with);
		if (had) { /* OpenSSL holds one ECDSA key */
			size_t n = strcspn(had, ",");

			ecdsa = keys + (had - b->keys);
			memmove(ecdsa, ecdsa + n + (ecdsa[n] == ','),
				strlen(ecdsa + n + (ecdsa[n] == ',')) + 1);
		}
		try_one(cures, cnt, b, b->ecdsa ? "certificate_instead" : "certificate_beside",
			with, keys, b->lowest);
		/* keep the base's curve for the next comparison */
		judge(b, b->keys, b->lowest);
	}
}

static uint16_t highest_offer(const struct et_tls_profile *hello)
{
	uint16_t highest = hello->has_versions ? 0 : hello->legacy_version;

	for (uint16_t i = 0; hello->has_versions && i < hello->versions.n; i++)
		if (hello->versions.v[i] <= ET_TLSV1_3 && hello->versions.v[i] > highest)
			highest = hello->versions.v[i];
	return highest;
}

static size_t try_all(struct cure *cures, struct bench *b, const struct et_archive *archive,
	const struct finding *finding)
{
	uint16_t highest;
	size_t cnt = 0;

	if (!finding_hello(&b->hello, archive, finding) || !read_keys(b, archive, finding->server))
		return 0;
	read_versions(b, finding->server);
	/* a simulation that does not fail where the server did is of no use */
	if (!judge(b, b->keys, b->lowest) || b->verdict.result != ET_NEGO_REFUSE)
		return 0;
	highest = highest_offer(&b->hello);
	if (strcmp(finding->code, "protocol_version") != 0)
		try_certificates(cures, &cnt, b);
	else if (highest >= ET_TLSV1_0 && highest < b->lowest)
		try_one(cures, &cnt, b, "min_version", et_iana_version(highest), b->keys, highest);
	return cnt;
}

/* By server and hello; what finds its place taken takes it. */
#define MEMO_SLOTS 256

struct cures_memo {
	struct memo_slot {
		const void *server, *hello;
		bool versions; /* whether a version was in question, or a certificate */
		size_t cnt;
		struct cure cures[CURES_MAX];
	} slots[MEMO_SLOTS];
};

struct cures_memo *cures_memo_new(void)
{
	return calloc(1, sizeof(struct cures_memo));
}

void cures_memo_free(struct cures_memo *memo)
{
	free(memo);
}

size_t cures_try(struct cure out[static CURES_MAX], struct cures_memo *memo,
	const struct et_archive *archive, const struct finding *finding)
{
	const void *hello = finding->offers_cnt > 0 ? finding->offers[0].hello : NULL;
	bool versions = strcmp(finding->code, "protocol_version") == 0;
	struct memo_slot *slot;
	struct bench *b;

	if (!hello || !is_about_negotiation(finding->code))
		return 0;
	slot = &memo->slots[(((uintptr_t)finding->server >> 4) * 31 + ((uintptr_t)hello >> 4)) %
			    MEMO_SLOTS];
	if (slot->server != finding->server || slot->hello != hello || slot->versions != versions) {
		b = calloc(1, sizeof(*b));
		*slot = (struct memo_slot){ finding->server, hello, versions, 0, { { 0 } } };
		if (b)
			slot->cnt = try_all(slot->cures, b, archive, finding);
		free(b);
	}
	memcpy(out, slot->cures, slot->cnt * sizeof(*out));
	return slot->cnt;
}
