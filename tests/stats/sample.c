/* SPDX-License-Identifier: BSD-3-Clause */
#include "sample.h"

#include <CUnit/CUnit.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "../crypto/make_cert.h"

#define CHAINS 8

struct et_policy {
	struct et_cause causes[SAMPLE_CNT];
	struct et_fallback fallbacks[SAMPLE_CNT];
	struct et_cert certs[CHAINS];
	struct et_chain chains[CHAINS];
	uint32_t chains_cnt;
};

const struct et_cause *et_policy_cause(const struct et_policy *policy, size_t session)
{
	return &policy->causes[session % SAMPLE_CNT]; /* tests repeat the sample */
}

struct et_fallback et_policy_fallback(const struct et_policy *policy, size_t session)
{
	return policy->fallbacks[session % SAMPLE_CNT];
}

const struct et_chain *et_policy_chain(const struct et_policy *policy, uint32_t chain)
{
	return chain == 0 || chain > policy->chains_cnt ? NULL : &policy->chains[chain - 1];
}

uint32_t sample_put(struct et_dict *dict, const void *p, size_t n)
{
	uint32_t id = et_dict_put(dict, NULL, (struct et_view){ .p = p, .n = n });

	CU_ASSERT_NOT_EQUAL_FATAL(id, ET_DICT_NONE);
	return id;
}

void sample_cause(struct sample *sample, size_t session, const char *code,
	enum et_confidence confidence, const char *why)
{
	struct et_cause *cause = &sample->policy->causes[session];

	snprintf(cause->code, sizeof(cause->code), "%s", code);
	snprintf(cause->why, sizeof(cause->why), "%s", why);
	cause->confidence = confidence;
}

/* A chain of one certificate, in the books as it was sent and in the policy as it is understood. */
static uint32_t put_chain(struct sample *sample, const uint8_t *der, size_t len)
{
	struct et_policy *policy = sample->policy;
	uint32_t i = policy->chains_cnt++;

	CU_ASSERT_FATAL(i < CHAINS);
	CU_ASSERT_EQUAL_FATAL(
		et_cert_parse(&policy->certs[i], (struct et_view){ .p = der, .n = len }), 0);
	policy->chains[i].cnt = 1;
	policy->chains[i].certs[0] = &policy->certs[i];
	CU_ASSERT_EQUAL_FATAL(sample_put(sample->books.chains, der, len), i + 1);
	return i + 1;
}

uint32_t sample_same_leaf(struct sample *sample, uint32_t chain)
{
	struct et_policy *policy = sample->policy;
	uint32_t i = policy->chains_cnt++;

	CU_ASSERT_FATAL(i < CHAINS);
	policy->chains[i] = policy->chains[chain - 1];
	CU_ASSERT_EQUAL_FATAL(sample_put(sample->books.chains, "another", 7), i + 1);
	return i + 1;
}

static uint32_t make_chain(struct sample *sample, const char *cn, size_t cn_len)
{
	struct cert_order order = { .key = "P-384",
		.digest = "SHA256",
		.cn = cn,
		.cn_len = cn_len,
		.not_after = "20261231000000Z",
		.dns = { cn },
		.dns_len = { cn_len } };
	size_t len;
	uint8_t *der = make_cert(&len, &order);
	uint32_t chain = put_chain(sample, der, len);

	OPENSSL_free(der);
	return chain;
}

/*
 * TLS 1.2, suites 0a0a (GREASE) c02b c02f 00ff; server name, groups 2a2a 0017, sigalgs 0401, ALPN
 * "smtp" and bytes that want to do harm.
 */
static const uint8_t hello_bytes[] = { 0x03, 0x03, /* random */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	26, 27, 28, 29, 30, 31, 32, 0,                     /* suites */
	0, 8, 0x0a, 0x0a, 0xc0, 0x2b, 0xc0, 0x2f, 0, 0xff, /* compression */
	1, 0,                                              /* extensions */
	0, 52, 0, 0, 0, 14, 0, 12, 0, 0, 9, 'm', 'x', '.', 'e', 'x', '.', 'n', 'e', 't', 0, 0x0a, 0,
	6, 0, 4, 0x2a, 0x2a, 0, 0x17, 0, 0x0d, 0, 4, 0, 2, 4, 1, 0, 0x10, 0, 12, 0, 10, 4, 's', 'm',
	't', 'p', 4, 0x1b, '"', 0xff, '\\' };

static uint32_t put_hello(struct sample *sample, uint8_t suite)
{
	uint8_t bytes[sizeof(hello_bytes)], encoded[4096];
	struct et_tls_hello hello;
	size_t n;

	memcpy(bytes, hello_bytes, sizeof(bytes));
	bytes[42] = suite; /* low byte of the second real one */
	CU_ASSERT_EQUAL_FATAL(
		et_tls_parse_hello(&hello, et_cur(bytes, sizeof(bytes))), ET_PARSE_OK);
	hello.record_version = ET_TLSV1_0;
	n = et_tls_profile_encode(encoded, sizeof(encoded), &hello);
	CU_ASSERT_NOT_EQUAL_FATAL(n, 0);
	return sample_put(sample->books.hellos, encoded, n);
}

static struct et_session *begin(struct sample *sample, size_t i, uint8_t client)
{
	struct et_session *s = &sample->sessions[i];

	s->start_ns = SAMPLE_START_NS + (int64_t)i * 40 * ET_NS_PER_S;
	s->end_ns = s->decided_ns = s->start_ns + ET_NS_PER_S;
	s->handshake_ns = -1;
	s->alert_from = -1;
	s->alert_code = -1;
	s->index = i + 1;
	s->service = ET_SERVICE_SMTP;
	s->mode = ET_MODE_STARTTLS;
	s->addr[ET_CLIENT] = et_addr_v4((uint8_t[]){ 198, 51, 100, client });
	s->addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 });
	s->port[ET_CLIENT] = (uint16_t)(40000 + i);
	s->port[ET_SERVER] = 25;
	s->packets[0] = s->packets[1] = 9;
	s->bytes[0] = 812;
	s->bytes[1] = 5120;
	s->name[ET_CLIENT] = sample_put(sample->books.names, "out.example.org", 15);
	s->name[ET_SERVER] = sample_put(sample->books.names, "mx.example.net", 14);
	s->mail.offered = ET_YES;
	s->mail.requested = true;
	s->mail.reply = s->mail.greeting = 220;
	return s;
}

static void make_tls(struct sample *sample)
{
	struct et_session *s = begin(sample, SAMPLE_FAILED, 7);

	s->outcome = ET_OUTCOME_FAILED;
	s->alert_from = ET_SERVER;
	s->alert_level = 2;
	s->alert_code = 40;
	s->tls.hello = put_hello(sample, 0x2f);
	s->tls.side[ET_CLIENT].seen = ET_TLS_SAW_CLIENT_HELLO;
	s = begin(sample, SAMPLE_TLS12, 8);
	s->outcome = ET_OUTCOME_ESTABLISHED;
	s->handshake_ns = 12345678;
	s->tls.hello = put_hello(sample, 0x30);
	s->tls.sni = sample_put(sample->books.names, "mx.ex.net", 9);
	s->tls.version = ET_TLSV1_2;
	s->tls.cipher = 0xc030;
	s->tls.group = 0x17;
	s->tls.session_id_len = 32;
	s->tls.side[ET_CLIENT].seen =
		ET_TLS_SAW_CLIENT_HELLO | ET_TLS_SAW_CLIENT_KEY_EXCHANGE | ET_TLS_SAW_CERTIFICATE;
	s->tls.certificate_empty[ET_CLIENT] = true;
	s->tls.side[ET_SERVER].seen = ET_TLS_SAW_SERVER_HELLO | ET_TLS_SAW_CERTIFICATE |
				      ET_TLS_SAW_CERTIFICATE_REQUEST | ET_TLS_SAW_SERVER_HELLO_DONE;
	s->tls.chain[ET_SERVER] = make_chain(sample, "mx.example.net", 0);
	s = begin(sample, SAMPLE_TLS13, 8);
	s->outcome = ET_OUTCOME_ESTABLISHED;
	s->handshake_ns = 5000000;
	s->tls.hello = put_hello(sample, 0x30);
	s->tls.version = ET_TLSV1_3;
	s->tls.cipher = 0x1302;
	s->tls.group = 0x1d;
	s->tls.side[ET_SERVER].seen = ET_TLS_SAW_SERVER_HELLO;
}

static void make_others(struct sample *sample)
{
	struct et_session *s = begin(sample, SAMPLE_CLEAR, 7);

	s->mode = ET_MODE_CLEAR;
	s->mail.requested = false;
	s->mail.reply = 0;
	s->mail.clear_mail = 2;
	s->mail.auth_clear = true;
	sample->policy->fallbacks[SAMPLE_CLEAR] = (struct et_fallback){
		.is = true, .after_ns = SAMPLE_START_NS, .delay_ns = 301200000000
	};
	s = begin(sample, SAMPLE_HOSTILE, 9);
	memset(&s->addr[ET_CLIENT], 0xab, sizeof(struct et_addr));
	s->outcome = ET_OUTCOME_FAILED;
	s->name[ET_CLIENT] = s->name[ET_SERVER] = s->tls.sni = sample_put(
		sample->books.names, SAMPLE_HOSTILE_NAME, sizeof(SAMPLE_HOSTILE_NAME) - 1);
	s->tls.version = ET_TLSV1_0;
	s->tls.cipher = 0xfefd; /* no name */
	s->tls.group = 0xfefc;
	s->alert_from = ET_CLIENT;
	s->alert_level = 9;
	s->alert_code = 255;
	s->inferred = ET_LIKELY + 1;
	s->tls.chain[ET_SERVER] =
		make_chain(sample, SAMPLE_HOSTILE_NAME, sizeof(SAMPLE_HOSTILE_NAME) - 1);
	s->tls.chain[ET_CLIENT] = put_chain(sample, (const uint8_t *)"garbage", 7);
	s = begin(sample, SAMPLE_SILENT, 10);
	s->mode = ET_MODE_NONE;
	s->service = ET_SERVICE_NONE;
	s->outcome = ET_OUTCOME_UNKNOWN;
	s->packets[ET_SERVER] = 0;
	s->partial = ET_PARTIAL_TRUNCATED | ET_PARTIAL_ONE_DIRECTION | ET_PARTIAL_MIDSTREAM;
	s->name[ET_CLIENT] = s->name[ET_SERVER] = ET_DICT_NONE;
	s->mail = (struct et_mail_facts){ 0 };
}

void sample_new(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	sample->policy = calloc(1, sizeof(*sample->policy));
	CU_ASSERT_PTR_NOT_NULL_FATAL(sample->policy);
	CU_ASSERT_EQUAL_FATAL(et_books_init(&sample->books, 1000, 1000000), 0);
	make_tls(sample);
	make_others(sample);
	sample_cause(sample, SAMPLE_FAILED, "no_shared_cipher/certificate_curve", ET_CERTAIN,
		"The server's only certificate has a P-384 key, and this client accepts P-256 "
		"alone.");
	sample_cause(sample, SAMPLE_HOSTILE, "alert", ET_POSSIBLE, "\x1b[31m\xff evil\xc3");
	sample->run = (struct et_stats_run){ .books = &sample->books,
		.policy = sample->policy,
		.sessions = sample->sessions,
		.cnt = SAMPLE_CNT,
		.sensor = "gw1" };
}

void sample_free(struct sample *sample)
{
	for (uint32_t i = 0; i < sample->policy->chains_cnt; i++)
		et_cert_free(&sample->policy->certs[i]);
	free(sample->policy);
	et_books_free(&sample->books);
}
