/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct hello_spec exchange = {
	.ciphers = "c02b c02f c023 c027 c013 009d 009c 003d 003c 0035 002f 000a",
	.groups = "0017",
	.sigalgs = "0401 0501 0201 0403 0503 0203 0202 0601 0603",
};
const struct hello_spec modern_12 = {
	.ciphers = "c02b c02f c02c c030 cca9 cca8 009e 009f c013 c014 009c 009d 002f 0035 00ff",
	.groups = "001d 0017 0018 0019",
	.sigalgs = "0403 0503 0603 0807 0804 0805 0806 0401 0501 0601 0201",
};
const struct hello_spec modern_13 = {
	.ciphers = "1302 1303 1301 c02b c02f c02c c030 009e 00ff",
	.groups = "001d 0017 0018",
	.sigalgs = "0403 0503 0603 0807 0804 0805 0806 0401 0501 0601",
	.versions = "0304 0303",
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "world: %s failed\n", what);
	exit(2);
}

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	must(et_books_init(&world->books, 1000, 1 << 20) == 0, "books");
}

void world_free(struct world *world)
{
	et_policy_free(world->policy);
	et_books_free(&world->books);
}

static struct et_view list(uint8_t *out, const char *hex)
{
	struct et_view view = { .p = out };
	char *end;

	while (hex && *hex) {
		unsigned long value = strtoul(hex, &end, 16);

		out[view.n++] = (uint8_t)(value >> 8);
		out[view.n++] = (uint8_t)value;
		hex = end;
	}
	return view;
}

/* A number, a length of one, a byte: a key share; a length of none: an empty extension. */
static struct et_view entries(uint8_t *out, const char *hex, uint8_t len)
{
	uint8_t numbers[512];
	struct et_view all = list(numbers, hex), view = { .p = out };

	for (size_t i = 0; i < all.n; i += 2) {
		out[view.n++] = numbers[i];
		out[view.n++] = numbers[i + 1];
		out[view.n++] = 0;
		out[view.n++] = len;
		for (uint8_t k = 0; k < len; k++)
			out[view.n++] = k;
	}
	return view;
}

uint32_t world_hello(struct world *world, const struct hello_spec *spec)
{
	uint8_t bytes[ET_TLS_PROFILE_MAX], lists[6][1024], alpn[64];
	static const uint8_t null_compression[1];
	struct et_tls_hello hello = {
		.record_version = ET_TLSV1_0,
		.version = spec->legacy ? spec->legacy : ET_TLSV1_2,
		.suites = list(lists[0], spec->ciphers),
		.groups = list(lists[1], spec->groups),
		.sigalgs = list(lists[2], spec->sigalgs),
		.versions = list(lists[3], spec->versions),
		.exts = entries(lists[4], spec->exts, 0),
		.key_shares = entries(lists[5], spec->shares, 1),
		.sslv2 = spec->sslv2,
		.compression = { null_compression, 1 },
		.has_exts = spec->groups || spec->sigalgs || spec->versions,
		.has_groups = spec->groups,
		.has_sigalgs = spec->sigalgs,
		.has_versions = spec->versions,
	};
	size_t n;

	if (spec->alpn) {
		alpn[0] = (uint8_t)strlen(spec->alpn);
		memcpy(alpn + 1, spec->alpn, alpn[0]);
		hello.alpn = (struct et_view){ alpn, (size_t)alpn[0] + 1 };
	}
	n = et_tls_profile_encode(bytes, sizeof(bytes), &hello);
	must(n > 0, "profile");
	return et_dict_put(world->books.hellos, NULL, (struct et_view){ bytes, n });
}

static EVP_PKEY *key_of(const char *kind)
{
	EVP_PKEY *key;

	if (strcmp(kind, "RSA") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	else if (strcmp(kind, "ED25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	must(key != NULL, "key");
	return key;
}

/* Adds an extension in OpenSSL's words; NULL: none. */
static void extend(X509 *x509, int nid, const char *words)
{
	X509_EXTENSION *ext = words ? X509V3_EXT_conf_nid(NULL, NULL, nid, words) : NULL;

	must(!words || (ext && X509_add_ext(x509, ext, -1) == 1), "extension");
	X509_EXTENSION_free(ext);
}

static X509_NAME *name_of(const char *text)
{
	X509_NAME *name = X509_NAME_new();

	must(X509_NAME_add_entry_by_txt(
		     name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0) == 1,
		"name");
	return name;
}

/* Appends one certificate, signed by its own key whoever the issuer is: nobody here verifies. */
static void append(struct et_view *out, uint8_t *buf, const struct cert_spec *spec,
	const char *subject, const char *issuer)
{
	EVP_PKEY *key = key_of(spec->key);
	X509 *x509 = X509_new();
	X509_NAME *name = name_of(subject), *by = name_of(issuer);
	uint8_t *p = buf + out->n + 3;
	char san[128];
	int n;

	X509_set_version(x509, 2);
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, by);
	ASN1_TIME_set_string(
		X509_getm_notBefore(x509), spec->not_before ? spec->not_before : "20260101000000Z");
	ASN1_TIME_set_string(
		X509_getm_notAfter(x509), spec->not_after ? spec->not_after : "20261231000000Z");
	X509_set_pubkey(x509, key);
	snprintf(san, sizeof(san), "DNS:%s", subject);
	extend(x509, NID_subject_alt_name, san);
	extend(x509, NID_ext_key_usage, spec->usage);
	extend(x509, NID_key_usage, spec->key_usage);
	extend(x509, NID_basic_constraints, spec->ca ? "CA:TRUE" : NULL);
	must(X509_sign(x509, key,
		     strcmp(spec->key, "ED25519") == 0 ? NULL
		     : spec->md5                       ? EVP_md5()
						       : EVP_sha256()) > 0,
		"sign");
	n = i2d_X509(x509, &p);
	must(n > 0, "encode");
	buf[out->n] = (uint8_t)(n >> 16);
	buf[out->n + 1] = (uint8_t)(n >> 8);
	buf[out->n + 2] = (uint8_t)n;
	*out = (struct et_view){ buf, out->n + 3 + (size_t)n };
	X509_NAME_free(name);
	X509_NAME_free(by);
	X509_free(x509);
	EVP_PKEY_free(key);
}

uint32_t world_chain(struct world *world, const struct cert_spec *spec)
{
	const char *subject = spec->dns ? spec->dns : "mx.example.net";
	const struct cert_spec ca = { .key = "P-256" };
	struct et_view chain = { 0 };
	uint8_t buf[8192];

	append(&chain, buf, spec, subject, spec->self_signed ? subject : "Example CA");
	if (spec->with_issuer)
		append(&chain, buf, &ca, "Example CA", "Example Root");
	return et_dict_put(world->books.chains, NULL, chain);
}

uint32_t world_name(struct world *world, const char *name)
{
	return et_dict_put(
		world->books.names, NULL, (struct et_view){ (const uint8_t *)name, strlen(name) });
}

struct et_session *world_session(struct world *world, uint8_t client)
{
	struct et_session *s = &world->sessions[world->cnt];
	const uint8_t from[4] = { 198, 51, 100, client }, to[4] = { 192, 0, 2, 25 };

	must(world->cnt < WORLD_MAX, "room for sessions");
	*s = (struct et_session){
		.start_ns = WORLD_START + (int64_t)world->cnt * ET_NS_PER_S,
		.handshake_ns = -1,
		.index = world->cnt++,
		.addr = { et_addr_v4(from), et_addr_v4(to) },
		.port = { 40000, 25 },
		.service = ET_SERVICE_SMTP,
		.mode = ET_MODE_CLEAR,
		.alert_from = -1,
		.alert_code = -1,
		.packets = { 9, 9 },
	};
	s->end_ns = s->decided_ns = s->start_ns + ET_NS_PER_S / 2;
	return s;
}

/* A STARTTLS session of client `client` up to its ClientHello. */
static struct et_session *with_hello(
	struct world *world, uint8_t client, const struct hello_spec *hello)
{
	struct et_session *s = world_session(world, client);

	s->mode = ET_MODE_STARTTLS;
	s->mail.offered = ET_YES;
	s->mail.requested = true;
	s->mail.reply = 220;
	s->tls.hello = world_hello(world, hello);
	s->tls.side[ET_CLIENT].records = 1;
	s->tls.side[ET_CLIENT].seen = ET_TLS_SAW_CLIENT_HELLO;
	return s;
}

static void with_server_hello(
	struct world *world, struct et_session *s, uint16_t version, const struct cert_spec *cert)
{
	s->tls.version = version;
	s->tls.side[ET_SERVER].records = 1;
	s->tls.side[ET_SERVER].seen = ET_TLS_SAW_SERVER_HELLO;
	if (version == ET_TLSV1_3) {
		s->tls.side[ET_SERVER].app_records = 4;
		return;
	}
	if (!cert)
		return;
	s->tls.chain[ET_SERVER] = world_chain(world, cert);
	s->tls.side[ET_SERVER].seen |= ET_TLS_SAW_CERTIFICATE | ET_TLS_SAW_SERVER_HELLO_DONE;
}

static void with_alert(struct et_session *s, enum et_dir from, int code)
{
	s->outcome = ET_OUTCOME_FAILED;
	s->end = from == ET_CLIENT ? ET_END_FIN_CLIENT : ET_END_FIN_SERVER;
	if (code < 0)
		return;
	s->alert_from = (int8_t)from;
	s->alert_code = (int16_t)code;
	s->alert_level = 2;
}

struct et_session *world_established(struct world *world, uint16_t version, uint16_t cipher,
	uint16_t group, const struct cert_spec *cert)
{
	struct et_session *s =
		with_hello(world, 200, version == ET_TLSV1_3 ? &modern_13 : &modern_12);

	with_server_hello(world, s, version, cert);
	s->tls.cipher = cipher;
	s->tls.group = group;
	s->outcome = ET_OUTCOME_ESTABLISHED;
	return s;
}

struct et_session *world_refused(struct world *world, const struct hello_spec *hello, int alert)
{
	struct et_session *s = with_hello(world, 7, hello);

	with_alert(s, ET_SERVER, alert);
	return s;
}

struct et_session *world_rejected(
	struct world *world, uint16_t version, const struct cert_spec *cert, int alert)
{
	struct et_session *s =
		with_hello(world, 7, version == ET_TLSV1_3 ? &modern_13 : &modern_12);

	with_server_hello(world, s, version, cert);
	with_alert(s, ET_CLIENT, alert);
	return s;
}

const struct et_cause *world_cause(struct world *world)
{
	et_policy_free(world->policy);
	world->policy = et_policy_new(&world->books, world->sessions, world->cnt);
	must(world->policy != NULL, "policy");
	return et_policy_cause(world->policy, world->cnt - 1);
}

void world_expect(struct world *world, const char *row, const char *code, enum et_confidence sure)
{
	const struct et_cause *cause = world_cause(world);
	bool same = strcmp(cause->code, code) == 0 && (!code[0] || cause->confidence == sure);

	if (getenv("EHLOTAP_SHOW"))
		printf("\n  %s\n    %s (%s) %zu: %s\n", row, cause->code,
			et_confidence_name(cause->confidence), strlen(cause->why), cause->why);
	if (!same)
		fprintf(stderr, "\n  %s: \"%s\" (%s) instead of \"%s\" (%s)\n    %s\n", row,
			cause->code, et_confidence_name(cause->confidence), code,
			et_confidence_name(sure), cause->why);
	CU_ASSERT(same);
	/* a sentence for every cause, and no code in capitals or with blanks */
	CU_ASSERT_EQUAL(cause->code[0] != '\0', cause->why[0] != '\0');
	/* full, so perhaps cut: the sentence must be shorter */
	CU_ASSERT(strlen(cause->why) < ET_CAUSE_WHY - 1);
	CU_ASSERT_EQUAL(strcspn(cause->code, " ABCDEFGHIJKLMNOPQRSTUVWXYZ"), strlen(cause->code));
}
