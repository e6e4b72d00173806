/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <string.h>
#include <strings.h>

/* What current clients ask for: RFC 9325 4.5. */
#define RSA_BITS_MIN 2048

/* RFC 6125 6.4.3: a wildcard stands for one whole label, the leftmost. */
static bool name_matches(const char *pattern, struct et_view name)
{
	const uint8_t *dot;

	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (strncmp(pattern, "*.", 2) == 0) {
		dot = memchr(name.p, '.', name.n);
		if (!dot || dot == name.p)
			return false;
		name.n -= (size_t)(dot - name.p);
		name.p = dot;
		pattern++;
	}
	return strlen(pattern) == name.n && strncasecmp(pattern, (const char *)name.p, name.n) == 0;
}

static bool covers(const struct et_cert *cert, struct et_view name)
{
	const char *cn = strstr(cert->subject, "CN=");
	char text[ET_CERT_TEXT];
	size_t n;

	for (size_t i = 0; i < cert->names_cnt; i++)
		if (name_matches(cert->names[i], name))
			return true;
	/* the common name counts only where no other name is given: RFC 6125 6.4.4 */
	if (cert->names_cnt > 0 || !cn)
		return false;
	n = strcspn(cn + 3, ",+");
	memcpy(text, cn + 3, n);
	text[n] = '\0';
	return name_matches(text, name);
}

bool is_weakly_signed(const struct et_cert *cert)
{
	return strcasestr(cert->sigalg, "md5") || strcasestr(cert->sigalg, "sha1");
}

static enum flaw flaw_of(const struct scene *scene, const struct et_cert *cert)
{
	const struct et_session *session = scene->session;
	struct et_view sni = et_dict_get(scene->policy->books->names, session->tls.sni);

	if (cert->not_after_ns < session->start_ns)
		return FLAW_EXPIRED;
	if (cert->not_before_ns > session->start_ns)
		return FLAW_NOT_YET_VALID;
	if (cert->self_signed)
		return FLAW_SELF_SIGNED;
	if (sni.n > 0 && !covers(cert, sni))
		return FLAW_NAME;
	if (cert->use != ET_CERT_USE_SERVER)
		return FLAW_USAGE;
	if (is_weakly_signed(cert))
		return FLAW_WEAK_SIGNATURE;
	return strcmp(cert->key, "rsa") == 0 && cert->bits < RSA_BITS_MIN ? FLAW_WEAK_KEY
									  : FLAW_NONE;
}

struct leaf leaf_of(const struct scene *scene)
{
	const struct et_policy *policy = scene->policy;
	uint32_t id = scene->session->tls.chain[ET_SERVER];
	struct leaf leaf = { .cert = chains_leaf(&policy->chains, id) };

	if (!leaf.cert && is_13(scene->session) && !scene->session->tls.psk_selected &&
		scene->server->key_cnt > 0) {
		/* of several certificates the one used here is not known: all must agree */
		id = scene->server->keys[0].chain;
		leaf.cert = chains_leaf(&policy->chains, id);
		leaf.elsewhere = true;
		for (size_t i = 1; leaf.cert && i < scene->server->key_cnt; i++) {
			const struct et_cert *other =
				chains_leaf(&policy->chains, scene->server->keys[i].chain);

			if (!other || flaw_of(scene, other) != flaw_of(scene, leaf.cert))
				leaf.cert = NULL;
		}
	}
	if (leaf.cert) {
		leaf.chain_cnt = policy->chains.chains[id].cnt;
		leaf.flaw = flaw_of(scene, leaf.cert);
	}
	return leaf;
}

const char *flaw_code(enum flaw flaw)
{
	switch (flaw) {
	case FLAW_EXPIRED: return "expired";
	case FLAW_NOT_YET_VALID: return "not_yet_valid";
	case FLAW_SELF_SIGNED: return "self_signed";
	case FLAW_NAME: return "name_mismatch";
	case FLAW_USAGE: return "wrong_usage";
	case FLAW_WEAK_SIGNATURE: return "weak_signature";
	case FLAW_WEAK_KEY: return "weak_key";
	default: return "";
	}
}

static const char *use_words(enum et_cert_use use)
{
	switch (use) {
	case ET_CERT_USE_EXTENDED: return "whose extended key usage lacks serverAuth";
	case ET_CERT_USE_KEY: return "whose key usage allows neither signatures nor key exchange";
	default: return "which is that of a CA";
	}
}

void why_flaw(struct et_cause *cause, const struct scene *scene, const struct leaf *leaf)
{
	struct et_view sni = et_dict_get(scene->policy->books->names, scene->session->tls.sni);
	const struct et_cert *cert = leaf->cert;
	char name[128];

	if (!cert)
		return;
	why(cause, leaf->elsewhere ? "In TLS 1.2 sessions the server shows " : "The server sent ");
	why(cause, "%.80s", cert->subject[0] ? cert->subject : "a certificate without subject");
	switch (leaf->flaw) {
	case FLAW_EXPIRED: why(cause, ", expired since %s. ", cert->not_after); break;
	case FLAW_NOT_YET_VALID: why(cause, ", valid only from %s. ", cert->not_before); break;
	case FLAW_SELF_SIGNED: why(cause, ", which is self-signed. "); break;
	case FLAW_USAGE: why(cause, ", %s. ", use_words(cert->use)); break;
	case FLAW_WEAK_SIGNATURE: why(cause, ", signed with %s. ", cert->sigalg); break;
	case FLAW_WEAK_KEY: why(cause, ", with an RSA key of %u bits. ", cert->bits); break;
	case FLAW_NAME:
		et_text_safe(name, sizeof(name), sni);
		why(cause, " for %.60s, but the client asked for %.80s. ",
			cert->names_cnt ? cert->names[0] : "no other name", name);
		break;
	default: why(cause, " of %.60s, valid until %s. ", cert->issuer, cert->not_after); break;
	}
}
