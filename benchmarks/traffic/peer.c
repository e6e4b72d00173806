#include "peer.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* No peers of their own for the resumed classes. */
static const uint32_t class_peers[ET_CLASS_CNT] = {
	[ET_CLASS_TLS13] = 1300,
	[ET_CLASS_TLS12] = 1250,
	[ET_CLASS_FAILED] = 120,
	[ET_CLASS_CLEAR] = 430,
};

#define PORT_FIRST 32768
#define SKEW       2.5 /* the first tenth of a class has 40% of its sessions */

static const struct et_recording *nth_of_class(
	const struct et_recording *recs, size_t cnt, enum et_class class, uint32_t n)
{
	size_t have = 0;

	for (size_t i = 0; i < cnt; i++)
		have += recs[i].profile->class == class;
	if (have == 0)
		return NULL;
	n %= (uint32_t)have;
	for (size_t i = 0;; i++)
		if (recs[i].profile->class == class && n-- == 0)
			return &recs[i];
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The client resumes what it was in the full handshake: same server, same hello but for the PSK. */
static bool goes_with(const struct et_profile *resumed, const struct et_profile *full)
{
	return same_text(resumed->host, full->host) && resumed->sni == full->sni &&
	       resumed->record == full->record && !full->ask_client &&
	       same_text(resumed->client.ciphers, full->client.ciphers) &&
	       same_text(resumed->client.suites, full->client.suites) &&
	       same_text(resumed->client.groups, full->client.groups);
}

static const struct et_recording *resumed_like(
	const struct et_recording *recs, size_t cnt, const struct et_recording *full)
{
	enum et_class want = full->profile->class == ET_CLASS_TLS13 ? ET_CLASS_TLS13_RESUMED
								    : ET_CLASS_TLS12_RESUMED;

	for (size_t i = 0; i < cnt; i++)
		if (recs[i].profile->class == want && goes_with(recs[i].profile, full->profile))
			return &recs[i];
	return NULL;
}

/* Addresses that RFC 2544 and RFC 5180 keep for benchmarks. */
static void set_address(struct et_peer *p, uint32_t i)
{
	if (p->v6) {
		const uint8_t ip[16] = { 0x20, 0x01, 0, 2, 0, 0, (uint8_t)(i >> 8), (uint8_t)i };

		memcpy(p->ip, ip, 16);
		p->ip[15] = 0x25;
	} else {
		p->ip[0] = 198;
		p->ip[1] = (uint8_t)(18 + (i & 1));
		p->ip[2] = (uint8_t)(i >> 5);
		p->ip[3] = (uint8_t)(1 + i % 251);
	}
	inet_ntop(p->v6 ? AF_INET6 : AF_INET, p->ip, p->ip_text, sizeof(p->ip_text));
}

static void make_peer(struct et_peer *p, uint64_t seed, uint32_t i, const struct et_recording *full)
{
	struct et_rng rng;
	double rtt_ms;

	et_rng_seed(&rng, seed, (1ull << 40) + i);
	*p = (struct et_peer){ .full = full, .service_port = 25 };
	p->v6 = et_rng_below(&rng, 100) < 15;
	set_address(p, i);
	p->inbound = full ? full->profile->inbound : et_rng_below(&rng, 100) < 60;
	p->mta = (uint8_t)(p->inbound ? ET_MTA_POSTFIX : et_rng_below(&rng, ET_MTA_CNT));
	p->windows = p->mta == ET_MTA_EXCHANGE || (p->inbound && et_rng_below(&rng, 100) < 25);
	p->hops = (uint8_t)(5 + et_rng_below(&rng, 14));
	p->chunked = et_rng_below(&rng, 100) < 20;
	p->next_port = (uint16_t)(PORT_FIRST + et_rng_below(&rng, 20000));
	rtt_ms = et_rng_lognormal(&rng, 22.0, 0.8);
	p->rtt_ns = (uint64_t)(fmin(fmax(rtt_ms, 0.8), 320.0) * 1e6);
	if (p->inbound && full && et_rng_below(&rng, 100) < 6)
		p->service_port = 587;
	et_dialogue_name(p->name, sizeof(p->name), &rng, true);
}

int et_peers_make(
	struct et_peers *p, uint64_t seed, const struct et_recording *recs, size_t rec_cnt)
{
	uint32_t total = 0, at = 0;

	*p = (struct et_peers){ 0 };
	for (unsigned c = 0; c < ET_CLASS_CNT; c++)
		total += class_peers[c];
	p->all = calloc(total, sizeof(*p->all));
	if (!p->all)
		return -1;
	for (enum et_class c = 0; c < ET_CLASS_CNT; c++) {
		p->first[c] = at;
		p->cnt[c] = class_peers[c];
		for (uint32_t i = 0; i < class_peers[c]; i++, at++) {
			const struct et_recording *full = nth_of_class(recs, rec_cnt, c, i);

			make_peer(&p->all[at], seed, at, full);
			if (full && c != ET_CLASS_FAILED)
				p->all[at].resumed = resumed_like(recs, rec_cnt, full);
		}
	}
	return 0;
}

void et_peers_free(struct et_peers *p)
{
	free(p->all);
}

struct et_peer *et_peers_draw(struct et_peers *p, struct et_rng *rng, enum et_class class)
{
	bool resumed = class == ET_CLASS_TLS13_RESUMED || class == ET_CLASS_TLS12_RESUMED;
	enum et_class from = class == ET_CLASS_TLS13_RESUMED   ? ET_CLASS_TLS13
			     : class == ET_CLASS_TLS12_RESUMED ? ET_CLASS_TLS12
							       : class;
	uint32_t i = (uint32_t)(pow(et_rng_unit(rng), SKEW) * p->cnt[from]);

	/* recordings alternate from peer to peer: one that can resume is near */
	while (resumed && !p->all[p->first[from] + i].resumed)
		i = (i + 1) % p->cnt[from];
	return &p->all[p->first[from] + i];
}
