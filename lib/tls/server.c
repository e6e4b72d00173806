/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"
#include "et_iana.h"

#include <string.h>

#define SERVER_EXTS_MAX (8 + 2 * ET_TLS_LIST)

enum curve_type {
	CURVE_NAMED = 3, /* RFC 8422 5.4; explicit curves are 1 and 2 */
};

struct server_hello {
	uint16_t legacy_version, version, cipher, group;
	struct et_view random, session, exts;
	uint8_t compression;
	bool psk, ems, renegotiation;
};

static void extension(struct server_hello *out, uint16_t type, struct et_cur ext)
{
	uint16_t value;

	switch (type) {
	case TLS_EXT_VERSIONS:
		value = et_u16(&ext);
		if (et_ok(&ext))
			out->version = value;
		break;
	case TLS_EXT_KEY_SHARE:
	case TLS_EXT_KEY_SHARE_DRAFT:
		value = et_u16(&ext);
		if (et_ok(&ext))
			out->group = value;
		break;
	case TLS_EXT_PSK: out->psk = true; break;
	case TLS_EXT_EMS: out->ems = true; break;
	case TLS_EXT_RENEGOTIATION: out->renegotiation = true; break;
	default: break;
	}
}

/* RFC 8446 4.1.3. Drafts before 22 gave their own version here and had neither id nor compression. */
static enum et_parse parse_server_hello(struct server_hello *out, struct et_cur body)
{
	struct et_cur exts;
	bool draft;

	*out = (struct server_hello){ .legacy_version = et_u16(&body) };
	draft = et_tls_final_version(out->legacy_version) != out->legacy_version;
	out->version = out->legacy_version;
	out->random = et_take(&body, TLS_RANDOM_LEN);
	if (!draft)
		out->session = et_view_cur(et_block(&body, 1));
	out->cipher = et_u16(&body);
	if (!draft)
		out->compression = et_u8(&body);
	exts = body.n > 0 ? et_block(&body, 2) : body;
	if (!et_ok(&body) || body.n != 0 || out->session.n > 32)
		return ET_PARSE_BAD;
	out->exts = et_view_cur(exts);
	while (exts.n > 0) {
		uint16_t type = et_u16(&exts);
		struct et_cur ext = et_block(&exts, 2);

		if (!et_ok(&exts))
			return ET_PARSE_BAD;
		extension(out, type, ext);
	}
	out->version = et_tls_final_version(out->version);
	return ET_PARSE_OK;
}

/* SHA-256 of "HelloRetryRequest": RFC 8446 4.1.3. */
static bool is_hello_retry(struct et_view random)
{
	static const uint8_t retry[TLS_RANDOM_LEN] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61,
		0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a,
		0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

	return memcmp(random.p, retry, sizeof(retry)) == 0;
}

/* What a server that can do more writes into the end of its random: RFC 8446 4.1.3. */
static uint8_t downgrade(struct et_view random)
{
	static const uint8_t mark[7] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D' };
	const uint8_t *end = random.p + TLS_RANDOM_LEN - 8;

	if (memcmp(end, mark, sizeof(mark)) != 0 || end[7] > 1)
		return 0;
	return end[7] == 1 ? 2 : 1;
}

void et_tls_on_hello_retry_draft(struct tls_ctx *c)
{
	c->mine->seen |= ET_TLS_SAW_HELLO_RETRY;
	c->tls->facts.hello_retry = true;
}

static void put_facts(struct tls_ctx *c, const struct server_hello *hello)
{
	struct et_tls_facts *facts = &c->tls->facts;
	uint8_t kept[SERVER_EXTS_MAX];

	facts->version = hello->version;
	facts->cipher = hello->cipher;
	facts->server_hello = et_tls_put(c, c->env->server_hellos,
		(struct et_view){
			kept, et_tls_server_hello_encode(kept, sizeof(kept), hello->legacy_version,
				      hello->cipher, hello->exts) });
	facts->psk_selected = hello->version >= ET_TLSV1_3 && hello->psk;
	facts->resumed = facts->psk_selected;
	facts->downgrade = downgrade(hello->random);
	if (hello->version >= ET_TLSV1_3)
		facts->group = hello->group;
	facts->compression = hello->compression;
	facts->ems = hello->ems;
	facts->secure_renegotiation = hello->renegotiation;
	et_tls_on_session_id(c, hello->session);
}

void et_tls_on_server_hello(struct tls_ctx *c, struct et_cur body)
{
	struct server_hello hello;

	if (c->mine->seen & ET_TLS_SAW_SERVER_HELLO)
		return;
	if (parse_server_hello(&hello, body) != ET_PARSE_OK || hello.version == 0) {
		et_tls_lose(c, ET_DROP_TLS_MESSAGE);
		return;
	}
	if (is_hello_retry(hello.random)) {
		et_tls_on_hello_retry_draft(c);
		return;
	}
	c->mine->seen |= ET_TLS_SAW_SERVER_HELLO;
	put_facts(c, &hello);
}

void et_tls_on_certificate(struct tls_ctx *c, struct et_cur body)
{
	struct et_cur certs = et_block(&body, 3), walk = certs;
	bool hollow = false;

	if (c->mine->seen & ET_TLS_SAW_CERTIFICATE)
		return;
	while (walk.n > 0)
		hollow |= et_block(&walk, 3).n == 0;
	if (!et_ok(&body) || body.n != 0 || !et_ok(&walk) || hollow) {
		et_tls_lose(c, ET_DROP_TLS_MESSAGE);
		return;
	}
	if (certs.n == 0)
		c->tls->facts.certificate_empty[c->dir] = true;
	else
		c->tls->facts.chain[c->dir] = et_tls_put(c, c->env->chains, et_view_cur(certs));
}

static uint16_t bits(struct et_view number)
{
	size_t n;

	while (number.n > 0 && number.p[0] == 0) {
		number.p++;
		number.n--;
	}
	if (number.n == 0)
		return 0;
	n = number.n * 8 - (size_t)(__builtin_clz(number.p[0]) - 24);
	return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

/* ServerECDHParams of RFC 8422 5.4. An explicit curve has no number; what follows is not read. */
static bool ecdhe(struct et_tls_facts *facts, struct et_cur *body)
{
	uint16_t group;

	if (et_u8(body) != CURVE_NAMED)
		return false;
	group = et_u16(body);
	et_block(body, 1);
	if (et_ok(body))
		facts->group = group;
	return et_ok(body);
}

bool et_tls_prime_is_well_known(struct et_view prime)
{
	/* by et_hash, seed 0; tests/tls has them from OpenSSL */
	static const uint64_t primes[] = {
		UINT64_C(0xd4951a18f61f4f64), /* 768 bits, RFC 2409 6.1 */
		UINT64_C(0xa51ed1486326532a), /* 1024, RFC 2409 6.2 */
		UINT64_C(0x21a4e31972207777), /* 1024, RFC 5114 2.1 */
		UINT64_C(0x39adc6210768ede3), /* 1536, RFC 3526 2 */
	};
	uint64_t hash;

	while (prime.n > 0 && prime.p[0] == 0) {
		prime.p++;
		prime.n--;
	}
	hash = et_hash(prime.p, prime.n, 0);
	for (size_t i = 0; i < sizeof(primes) / sizeof(primes[0]); i++)
		if (hash == primes[i])
			return true;
	return false;
}

/* ServerDHParams of RFC 5246 7.4.3. A prime of RFC 7919 is told by its size only. */
static bool dhe(struct et_tls_facts *facts, struct et_cur *body)
{
	struct et_view prime = et_view_cur(et_block(body, 2));

	et_block(body, 2);
	et_block(body, 2);
	if (et_ok(body)) {
		facts->dh_bits = bits(prime);
		facts->dh_well_known = facts->dh_bits < 2048 && et_tls_prime_is_well_known(prime);
	}
	return et_ok(body);
}

/* The suite says what is in it: RFC 5246 7.4.3, RFC 4279 3, RFC 5489 2. */
void et_tls_on_server_key_exchange(struct tls_ctx *c, struct et_cur body)
{
	struct et_tls_facts *facts = &c->tls->facts;
	const struct et_iana_suite *suite = et_iana_suite((uint16_t)facts->cipher);
	bool read;

	if (!(c->mine->seen & ET_TLS_SAW_SERVER_HELLO) || !suite ||
		(c->mine->seen & ET_TLS_SAW_SERVER_KEY_EXCHANGE))
		return;
	switch (suite->kx) {
	case ET_KX_DHE_PSK:
		et_block(&body, 2); /* psk_identity_hint */
				    /* fall through */
	case ET_KX_DHE: read = dhe(facts, &body); break;
	case ET_KX_ECDHE_PSK:
		et_block(&body, 2);
		/* fall through */
	case ET_KX_ECDHE: read = ecdhe(facts, &body); break;
	default: return;
	}
	if (!et_ok(&body))
		et_tls_drop(c, ET_DROP_TLS_MESSAGE);
	else if (read && facts->version == ET_TLSV1_2 && body.n >= 4)
		facts->ske_sigalg = et_u16(&body); /* anonymous and PSK suites do not sign */
}
