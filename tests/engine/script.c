/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#define SEED 42

struct script *script_new(uint16_t server_port)
{
	static const struct worker_limits limits = { .flows = 1000,
		.undecided = 100,
		.hold_blocks = 1000,
		.message_bytes = 1 << 20,
		.dict_entries = 1000,
		.dict_bytes = 1 << 20 };
	static struct et_match_db *db; /* to compile it takes longer than most tests */
	struct script *s = calloc(1, sizeof(*s));
	char err[200];

	if (!s)
		return NULL;
	et_ports_default(&s->ports);
	if (!db)
		db = et_match_db_new(err, sizeof(err), NULL);
	s->db = db;
	s->worker = s->db ? worker_new(&limits, s->db, &s->ports, SEED) : NULL;
	s->client_port = 40112;
	s->server_port = server_port;
	s->seq[ET_CLIENT] = 1000;
	s->seq[ET_SERVER] = 0xfffffff0; /* wraps at once */
	s->now_ns = INT64_C(1795343467) * ET_NS_PER_S;
	s->mss = 1460;
	return s;
}

void script_free(struct script *s)
{
	worker_free(s->worker);
	free(s);
}

static void segment(struct script *s, enum et_dir dir, uint8_t flags, const void *bytes, size_t n)
{
	struct et_addr addr[2] = { et_addr_v4((const uint8_t[]){ 198, 51, 100, 7 }),
		et_addr_v4((const uint8_t[]){ 192, 0, 2, 25 }) };
	uint16_t port[2] = { s->client_port, s->server_port };
	struct parcel *p = &s->parcels[s->cnt++];

	assert(s->cnt <= sizeof(s->parcels) / sizeof(s->parcels[0]));
	assert(s->used + n <= sizeof(s->bytes));
	if (n)
		memcpy(s->bytes + s->used, bytes, n);
	s->now_ns += 5 * 1000 * 1000;
	*p = (struct parcel){ .segment = { .src = addr[dir],
				      .dst = addr[1 - (int)dir],
				      .src_port = port[dir],
				      .dst_port = port[1 - (int)dir],
				      .seq = s->seq[dir],
				      .ack = s->seq[1 - (int)dir],
				      .flags = flags,
				      .ip_id = ++s->ip_id,
				      .payload = { s->bytes + s->used, n },
				      .len = (uint32_t)n },
		.frame = ++s->frame,
		.ts_ns = s->now_ns,
		.clock_ns = s->now_ns };
	p->side = et_flow_key(&p->key, &p->hash, &p->segment, SEED);
	s->used += n;
	s->seq[dir] += (uint32_t)n + ((flags & (ET_TCP_SYN | ET_TCP_FIN)) != 0);
}

void script_segment(struct script *s, enum et_dir dir, uint8_t flags, const void *bytes, size_t n)
{
	segment(s, dir, flags, bytes, n);
}

void script_open(struct script *s)
{
	segment(s, ET_CLIENT, ET_TCP_SYN, NULL, 0);
	segment(s, ET_SERVER, ET_TCP_SYN | ET_TCP_ACK, NULL, 0);
	segment(s, ET_CLIENT, ET_TCP_ACK, NULL, 0);
}

void script_say(struct script *s, enum et_dir dir, const void *bytes, size_t n)
{
	for (size_t at = 0; at < n; at += s->mss)
		segment(s, dir, ET_TCP_ACK | ET_TCP_PSH, (const uint8_t *)bytes + at,
			n - at < s->mss ? n - at : s->mss);
}

void script_text(struct script *s, enum et_dir dir, const char *text)
{
	script_say(s, dir, text, strlen(text));
}

void script_fin(struct script *s, enum et_dir dir)
{
	segment(s, dir, ET_TCP_FIN | ET_TCP_ACK, NULL, 0);
}

void script_rst(struct script *s, enum et_dir dir)
{
	segment(s, dir, ET_TCP_RST, NULL, 0);
}

void script_skip(struct script *s, enum et_dir dir, uint32_t n)
{
	s->seq[dir] += n;
}

void script_wait(struct script *s, unsigned seconds)
{
	s->now_ns += seconds * ET_NS_PER_S;
}

void script_record(struct script *s, enum et_dir dir, uint8_t type, const void *bytes, size_t n)
{
	uint8_t record[5 + 1024] = { type, 3, 3, (uint8_t)(n >> 8), (uint8_t)n };

	assert(n <= 1024);
	memcpy(record + 5, bytes, n);
	script_say(s, dir, record, n + 5);
}

void script_sealed(struct script *s, enum et_dir dir, uint8_t type, size_t n)
{
	uint8_t bytes[1024];

	memset(bytes, 0xa5, sizeof(bytes));
	script_record(s, dir, type, bytes, n);
}

void script_client_hello(struct script *s, bool tls13)
{
	static const uint8_t tail12[] = { 0, 0, 2, 0xc0, 0x2b, 1, 0, /* no session, one suite */
		0, 8, 0, 10, 0, 4, 0, 2, 0, 0x17 };                  /* groups: secp256r1 */
	static const uint8_t tail13[] = { 0, 0, 2, 0x13, 0x01, 1, 0, /* TLS_AES_128_GCM_SHA256 */
		0, 7, 0, 43, 0, 3, 2, 3, 4 };                        /* supported_versions */
	const uint8_t *tail = tls13 ? tail13 : tail12;
	size_t n = tls13 ? sizeof(tail13) : sizeof(tail12);
	uint8_t hello[128] = { 1, 0, 0, (uint8_t)(34 + n), 3, 3 };

	memset(hello + 6, 0x11, 32);
	memcpy(hello + 38, tail, n);
	script_record(s, ET_CLIENT, ET_TLS_HANDSHAKE, hello, 38 + n);
}

void script_server_hello(struct script *s, bool tls13)
{
	static const uint8_t tail12[] = { 0, 0xc0, 0x2b, 0 };
	static const uint8_t tail13[] = { 0, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4 };
	const uint8_t *tail = tls13 ? tail13 : tail12;
	size_t n = tls13 ? sizeof(tail13) : sizeof(tail12);
	uint8_t hello[128] = { 2, 0, 0, (uint8_t)(34 + n), 3, 3 };

	memset(hello + 6, 0x22, 32);
	memcpy(hello + 38, tail, n);
	script_record(s, ET_SERVER, ET_TLS_HANDSHAKE, hello, 38 + n);
}

void script_server_done(struct script *s)
{
	static const uint8_t flight[] = { 11, 0, 0, 3, 0, 0, 0, 14, 0, 0, 0 };

	script_record(s, ET_SERVER, ET_TLS_HANDSHAKE, flight, sizeof(flight));
}

void script_client_finish(struct script *s)
{
	static const uint8_t exchange[] = { 16, 0, 0, 2, 1, 0xaa };

	script_record(s, ET_CLIENT, ET_TLS_HANDSHAKE, exchange, sizeof(exchange));
	script_record(s, ET_CLIENT, ET_TLS_CCS, "\x01", 1);
	script_sealed(s, ET_CLIENT, ET_TLS_HANDSHAKE, 40);
}

void script_server_finish(struct script *s)
{
	script_record(s, ET_SERVER, ET_TLS_CCS, "\x01", 1);
	script_sealed(s, ET_SERVER, ET_TLS_HANDSHAKE, 40);
}

void script_alert(struct script *s, enum et_dir dir, uint8_t level, uint8_t code)
{
	script_record(s, dir, ET_TLS_ALERT, (const uint8_t[]){ level, code }, 2);
}

void script_starttls(struct script *s)
{
	script_text(s, ET_SERVER, "220 mx.example.net ESMTP\r\n");
	script_text(s, ET_CLIENT, "EHLO out.example.org\r\n");
	script_text(s, ET_SERVER, "250-mx.example.net\r\n250-SIZE 1000000\r\n250 STARTTLS\r\n");
	script_text(s, ET_CLIENT, "STARTTLS\r\n");
	script_text(s, ET_SERVER, "220 2.0.0 Ready\r\n");
}

static int by_start(const void *a, const void *b)
{
	return et_session_cmp(a, b);
}

struct et_session *script_run(struct script *s, size_t *cnt)
{
	struct et_session *records;

	for (size_t at = 0; at < s->cnt; at += BURST) {
		size_t n = s->cnt - at < BURST ? s->cnt - at : BURST;

		worker_burst(s->worker, s->parcels + at, (unsigned)n);
	}
	worker_finish(s->worker, s->now_ns);
	records = worker_records(s->worker, cnt);
	qsort(records, *cnt, sizeof(*records), by_start);
	return records;
}
