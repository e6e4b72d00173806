/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#include <string.h>

#define NAME_LEN_MAX 255 /* of a host name: RFC 1035 2.3.4 */

uint16_t et_tls_final_version(uint16_t version)
{
	return version >> 8 == 0x7f || version >> 8 == 0xfb ? ET_TLSV1_3 : version;
}

/* A vector of `size`-byte entries that fills the whole extension; false if it does not. */
static bool list(struct et_view *out, struct et_cur ext, size_t len_bytes, size_t size)
{
	struct et_cur block = et_block(&ext, len_bytes);

	if (!et_ok(&ext) || ext.n != 0 || block.n % size != 0)
		return false;
	*out = et_view_cur(block);
	return true;
}

/* RFC 6066 3; only the first host_name counts. */
static struct et_view server_name(struct et_cur ext)
{
	struct et_cur names = et_block(&ext, 2);

	while (names.n > 0) {
		uint8_t type = et_u8(&names);
		struct et_cur name = et_block(&names, 2);

		if (et_ok(&names) && type == 0)
			return et_view_cur(name);
	}
	return (struct et_view){ 0 };
}

/* RFC 7301 3.1: a list of names of 1 to 255 bytes. */
static void protocols(struct et_tls_hello *out, struct et_cur ext)
{
	struct et_cur names = et_block(&ext, 2), walk = names;

	while (walk.n > 0)
		et_block(&walk, 1);
	if (et_ok(&walk) && ext.n == 0)
		out->alpn = et_view_cur(names);
}

/* RFC 8446 4.2.8; drafts before 23 used another number for the same form. */
static void key_shares(struct et_tls_hello *out, struct et_cur ext)
{
	struct et_cur shares = et_block(&ext, 2), walk = shares;

	while (walk.n > 0) {
		et_take(&walk, 2);
		et_block(&walk, 2);
	}
	if (et_ok(&walk) && ext.n == 0)
		out->key_shares = et_view_cur(shares);
}

static void extension(struct et_tls_hello *out, uint16_t type, struct et_cur ext)
{
	switch (type) {
	case TLS_EXT_SERVER_NAME:
		out->has_sni = true;
		out->sni = server_name(ext);
		break;
	case TLS_EXT_GROUPS:
		out->has_groups = list(&out->groups, ext, 2, 2) || out->has_groups;
		break;
	case TLS_EXT_POINT_FORMATS: list(&out->point_formats, ext, 1, 1); break;
	case TLS_EXT_SIGALGS:
		out->has_sigalgs = list(&out->sigalgs, ext, 2, 2) || out->has_sigalgs;
		break;
	case TLS_EXT_VERSIONS:
		out->has_versions = list(&out->versions, ext, 1, 2) || out->has_versions;
		break;
	case TLS_EXT_ALPN: protocols(out, ext); break;
	case TLS_EXT_KEY_SHARE:
	case TLS_EXT_KEY_SHARE_DRAFT: key_shares(out, ext); break;
	case TLS_EXT_TICKET: out->ticket = ext.n > 0; break;
	case TLS_EXT_EMS: out->ems = true; break;
	case TLS_EXT_PSK: out->psk = true; break;
	case TLS_EXT_EARLY_DATA: out->early_data = true; break;
	default: break;
	}
}

enum et_parse et_tls_parse_hello(struct et_tls_hello *out, struct et_cur body)
{
	struct et_cur exts;

	*out = (struct et_tls_hello){ .version = et_u16(&body) };
	out->random = et_take(&body, TLS_RANDOM_LEN);
	out->session = et_view_cur(et_block(&body, 1));
	out->suites = et_view_cur(et_block(&body, 2));
	out->compression = et_view_cur(et_block(&body, 1));
	out->has_exts = body.n > 0; /* RFC 5246 7.4.1.2: may be left out */
	exts = out->has_exts ? et_block(&body, 2) : body;
	if (!et_ok(&body) || body.n != 0 || out->session.n > 32 || out->suites.n % 2 != 0)
		return ET_PARSE_BAD;
	out->exts = et_view_cur(exts);
	while (exts.n > 0) {
		uint16_t type = et_u16(&exts);
		struct et_cur ext = et_block(&exts, 2);

		if (!et_ok(&exts))
			return ET_PARSE_BAD;
		extension(out, type, ext);
	}
	return ET_PARSE_OK;
}

static bool offers_tls13(const struct et_tls_hello *hello)
{
	struct et_cur versions = et_cur_view(hello->versions);

	while (versions.n > 0) {
		if (et_tls_final_version(et_u16(&versions)) == ET_TLSV1_3)
			return true;
	}
	/* drafts before 16 and broken stacks say it in the legacy field */
	return !hello->has_versions && et_tls_final_version(hello->version) == ET_TLSV1_3;
}

void et_tls_on_session_id(struct tls_ctx *c, struct et_view id)
{
	struct et_tls_facts *facts = &c->tls->facts;
	uint8_t n = id.n <= 32 ? (uint8_t)id.n : 0;

	if (n)
		memcpy(c->tls->session_id[c->dir], id.p, n);
	if (c->dir == ET_CLIENT)
		facts->client_session_id_len = n;
	else
		facts->session_id_len = n;
	facts->session_id_echoed =
		facts->session_id_len > 0 &&
		facts->session_id_len == facts->client_session_id_len &&
		memcmp(c->tls->session_id[0], c->tls->session_id[1], facts->session_id_len) == 0;
}

void et_tls_on_client_hello(struct tls_ctx *c, struct et_cur body, bool sslv2)
{
	struct et_tls_facts *facts = &c->tls->facts;
	uint8_t profile[ET_TLS_PROFILE_MAX];
	struct et_tls_hello hello;
	struct et_view name;

	if (c->mine->seen & ET_TLS_SAW_CLIENT_HELLO) {
		c->tls->second_hello = true; /* after a HelloRetryRequest: RFC 8446 4.1.2 */
		return;
	}
	if ((sslv2 ? et_tls_parse_sslv2_hello(&hello, body) : et_tls_parse_hello(&hello, body)) !=
		ET_PARSE_OK) {
		et_tls_lose(c, ET_DROP_TLS_MESSAGE);
		return;
	}
	c->mine->seen |= ET_TLS_SAW_CLIENT_HELLO;
	hello.record_version = sslv2 ? ET_SSLV2 : c->side->msg_version;
	facts->hello = et_tls_put(c, c->env->hellos,
		(struct et_view){
			profile, et_tls_profile_encode(profile, sizeof(profile), &hello) });
	name = hello.sni;
	if (name.n > NAME_LEN_MAX)
		name.n = NAME_LEN_MAX;
	if (name.n > 0)
		facts->sni = et_tls_put(c, c->env->names, name);
	facts->hello_sslv2 = sslv2;
	facts->early_data = hello.early_data;
	facts->psk_offered = hello.psk;
	c->tls->offers_tls13 = offers_tls13(&hello);
	et_tls_on_session_id(c, hello.session);
}
