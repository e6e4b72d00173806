/* SPDX-License-Identifier: BSD-3-Clause */
/* SSLv2 handshakes, made by hand: no stack that can be linked speaks it any more. */
#include "tls_test.h"

#include <string.h>

#define CHALLENGE "000102030405060708090a0b0c0d0e0f "

static const char client_hello[] = /* kinds 010080, 0700c0, suite 002f */
	"80 22 01 0002 0009 0000 0010 010080 0700c0 00002f " CHALLENGE;
static const char server_hello[] = /* a certificate of 5 bytes, two kinds */
	"80 26 04 00 01 0002 0005 0006 0010 3003020101 010080 0700c0 " CHALLENGE;
static const char master_key[] = "80 14 02 0700c0 0000 0008 0002 0102030405060708 0a0b ";
static const char encrypted[] = "80 14 f102030405060708090a0b0c0d0e0f1011121314 ";
static const char padded[] = "00 0a 02 f10203040506070809ff ";

struct flights {
	struct peers_flight f[4];
	uint8_t bytes[4][256];
	size_t cnt;
};

static void add(struct flights *all, enum et_dir dir, const char *a, const char *b)
{
	uint8_t *p = all->bytes[all->cnt];
	size_t n = unhex(p, sizeof(all->bytes[0]), a);

	n += unhex(p + n, sizeof(all->bytes[0]) - n, b);
	all->f[all->cnt++] = (struct peers_flight){ .dir = dir, .p = p, .n = n };
}

/* Also with the flights cut by bytes, and with the server's shown first. */
static struct et_tls_facts facts_any_order(struct flights *all, const char *name)
{
	struct et_tls_facts whole = facts_of(all->f, all->cnt, CUT_NONE);
	struct et_tls_facts cut = facts_of(all->f, all->cnt, CUT_BYTES), sorted;
	struct flights other = { .cnt = 0 };

	CU_ASSERT_TRUE(facts_equal(name, &whole, &cut));
	for (int dir = ET_SERVER; dir >= ET_CLIENT; dir--) {
		for (size_t i = 0; i < all->cnt; i++) {
			if (all->f[i].dir == (enum et_dir)dir)
				other.f[other.cnt++] = all->f[i];
		}
	}
	sorted = facts_of(other.f, other.cnt, CUT_NONE);
	sorted.side[0].talk = whole.side[0].talk;
	sorted.side[1].talk = whole.side[1].talk;
	CU_ASSERT_TRUE(facts_equal(name, &whole, &sorted));
	return whole;
}

static void full(void)
{
	static const uint8_t chain[] = { 0, 0, 5, 0x30, 3, 2, 1, 1 };
	struct flights all = { .cnt = 0 };
	static struct et_tls_profile p;
	struct et_tls_facts facts;
	struct et_view kept;

	add(&all, ET_CLIENT, client_hello, "");
	add(&all, ET_SERVER, server_hello, encrypted);
	add(&all, ET_CLIENT, master_key, padded);
	add(&all, ET_SERVER, encrypted, encrypted);
	facts = facts_any_order(&all, "sslv2");
	CU_ASSERT_EQUAL(facts.version, ET_SSLV2);
	CU_ASSERT_EQUAL(facts.cipher, 0x0700c0);
	CU_ASSERT_TRUE(facts.hello_sslv2);
	CU_ASSERT_FALSE(facts.resumed);
	kept = et_dict_get(env.chains, facts.chain[ET_SERVER]);
	CU_ASSERT_EQUAL(kept.n, sizeof(chain));
	CU_ASSERT_EQUAL(memcmp(kept.p, chain, sizeof(chain)), 0);
	CU_ASSERT_TRUE(facts.side[0].seen & ET_TLS_SAW_FINISHED);
	CU_ASSERT_TRUE(facts.side[1].seen & ET_TLS_SAW_FINISHED);
	CU_ASSERT_EQUAL(facts.side[0].app_records, 0);
	CU_ASSERT_EQUAL(facts.side[1].app_records, 1);
	CU_ASSERT_TRUE(et_tls_profile_decode(&p, et_dict_get(env.hellos, facts.hello)));
	CU_ASSERT_EQUAL(p.kinds_n, 2);
	CU_ASSERT_EQUAL(p.kinds[1], 0x0700c0);
	CU_ASSERT_EQUAL(p.ciphers.n, 1);
	CU_ASSERT_EQUAL(p.ciphers.v[0], 0x002f);
}

static void resumed(void)
{
	struct flights all = { .cnt = 0 };
	struct et_tls_facts facts;

	add(&all, ET_CLIENT, client_hello, encrypted);
	add(&all, ET_SERVER, "80 1b 04 01 00 0002 0000 0000 0010 " CHALLENGE, encrypted);
	facts = facts_any_order(&all, "sslv2 resumed");
	CU_ASSERT_TRUE(facts.resumed);
	CU_ASSERT_EQUAL(facts.cipher, 0);
	CU_ASSERT_TRUE(facts.side[0].seen & ET_TLS_SAW_FINISHED);
}

static void refused(void)
{
	struct flights all = { .cnt = 0 };
	struct et_tls_facts facts;

	add(&all, ET_CLIENT, client_hello, "");
	add(&all, ET_SERVER, "80 03 00 0001", "");
	facts = facts_any_order(&all, "sslv2 refused");
	CU_ASSERT_EQUAL(facts.version, 0);
	CU_ASSERT_EQUAL(facts.side[1].alert.code, 40);
	CU_ASSERT_EQUAL(facts.side[1].alert.level, 2);
}

/* RFC 5246 E.2: the hello in SSLv2 format, all else as TLS 1.0. */
static void upgraded(void)
{
	struct flights all = { .cnt = 0 };
	struct et_tls_facts facts;

	add(&all, ET_CLIENT, "80 1c 01 0301 0003 0000 0010 00002f " CHALLENGE,
		"16 0301 0006 10000002 0102 14 0301 0001 01 16 0301 0004 deadbeef");
	add(&all, ET_SERVER,
		"16 0301 002a 02000026 0301 "
		"0000000000000000000000000000000000000000000000000000000000000000 00 002f 00",
		"16 0301 0004 0e000000");
	facts = facts_any_order(&all, "upgraded");
	CU_ASSERT_EQUAL(facts.version, ET_TLSV1_0);
	CU_ASSERT_EQUAL(facts.cipher, 0x2f);
	CU_ASSERT_TRUE(facts.hello_sslv2);
	CU_ASSERT_TRUE(facts.side[0].seen & ET_TLS_SAW_FINISHED);
	CU_ASSERT_TRUE(facts.side[1].seen & ET_TLS_SAW_SERVER_HELLO_DONE);
}

/* TLS 1.3 draft 18: no session id or compression in the ServerHello; key_share has number 40. */
static void draft(void)
{
	struct flights all = { .cnt = 0 };
	struct et_tls_facts facts;

	add(&all, ET_SERVER,
		"16 0301 0032 0200002e 7f12 "
		"0000000000000000000000000000000000000000000000000000000000000000 1301",
		"0008 0028 0004 001d 0000");
	facts = facts_any_order(&all, "draft");
	CU_ASSERT_EQUAL(facts.version, ET_TLSV1_3);
	CU_ASSERT_EQUAL(facts.cipher, 0x1301);
	CU_ASSERT_EQUAL(facts.group, 29);
}

CU_TestInfo sslv2_tests[] = {
	{ "sslv2", full },
	{ "sslv2 resumed", resumed },
	{ "sslv2 refused", refused },
	{ "sslv2-format hello, then TLS", upgraded },
	{ "draft of 1.3", draft },
	CU_TEST_INFO_NULL,
};
