/* SPDX-License-Identifier: BSD-3-Clause */
#include "advice_parts.h"

#include <stdlib.h>
#include <string.h>

/* Both verdicts about a hello, for the server of `stamp`. */
struct memo {
	uint32_t stamp;
	bool readable; /* there is a profile */
	struct et_nego_verdict now, next;
};

struct et_advice {
	const struct et_archive *archive;
	const struct et_archive_hello *hellos;
	struct memo *memos; /* one a hello */
	uint32_t stamp;
	const struct et_advice_belief *belief;
	const struct et_advice_config *config;
};

struct et_advice *et_advice_new(const struct et_archive *archive)
{
	struct et_advice *advice = calloc(1, sizeof(*advice));
	size_t cnt;

	if (!advice)
		return NULL;
	advice->archive = archive;
	advice->hellos = et_archive_hellos(archive, &cnt);
	advice->memos = calloc(cnt + 1, sizeof(*advice->memos));
	if (advice->memos)
		return advice;
	free(advice);
	return NULL;
}

void et_advice_free(struct et_advice *advice)
{
	if (!advice)
		return;
	free(advice->memos);
	free(advice);
}

void et_advice_server(struct et_advice *advice, const struct et_advice_belief *belief,
	const struct et_advice_config *config)
{
	advice->belief = belief;
	advice->config = config;
	advice->stamp++;
}

static const struct memo *judge(struct et_advice *advice, const struct et_archive_hello *hello)
{
	struct memo *memo = &advice->memos[hello - advice->hellos];
	struct et_tls_profile profile;

	if (memo->stamp == advice->stamp)
		return memo;
	memo->stamp = advice->stamp;
	memo->readable = et_archive_profile(&profile, advice->archive, hello);
	if (memo->readable) {
		et_nego_judge(&memo->now, &advice->belief->config, &profile);
		et_nego_judge(&memo->next, &advice->config->nego, &profile);
	}
	return memo;
}

static bool same_verdict(const struct et_nego_verdict *a, const struct et_nego_verdict *b)
{
	return a->result == b->result && a->version == b->version && a->suite == b->suite &&
	       a->key == b->key && a->group == b->group && a->dh_bits == b->dh_bits &&
	       strcmp(a->cause, b->cause) == 0;
}

static void doubt(struct et_advice_case *c, enum et_advice_doubt why)
{
	c->fate = ET_ADVICE_UNKNOWN;
	c->doubt = why;
}

static void compare(struct et_advice_case *c)
{
	bool was = advice_forward_secret(c->version, c->cipher), will = c->next.forward_secret;

	if (c->version != c->next.version)
		c->changed |= ET_ADVICE_VERSION;
	if (c->cipher != c->next.suite)
		c->changed |= ET_ADVICE_SUITE;
	if (was != will)
		c->changed |= was ? ET_ADVICE_FS_LOST : ET_ADVICE_FS_GAINED;
	c->fate = c->changed ? ET_ADVICE_CHANGED : ET_ADVICE_SAME;
}

/*
 * A session that got TLS though the believed server would have refused it, or was refused though it
 * would not have been: where the new verdict rests on the same belief, it is worth nothing.
 */
static void decide_accept(
	const struct et_advice *advice, struct et_advice_case *c, const struct et_nego_verdict *now)
{
	if (c->next.result == ET_NEGO_ACCEPT)
		compare(c);
	else if (!advice->config->complete && now->result == ET_NEGO_REFUSE &&
		 strcmp(now->cause, c->next.cause) == 0)
		doubt(c, ET_ADVICE_DOUBT_SERVER);
	else
		c->fate = ET_ADVICE_LOST;
}

static void decide_failure(const struct et_advice *advice, struct et_advice_case *c,
	const struct et_nego_verdict *now, enum et_advice_class class)
{
	/* an alert or close that negotiation does not explain has another reason */
	if (class == ET_ADVICE_MAYBE && now->result != ET_NEGO_REFUSE)
		c->fate = ET_ADVICE_OTHER;
	else if (c->next.result == ET_NEGO_REFUSE)
		c->fate = ET_ADVICE_REFUSED;
	else if (!advice->config->complete && same_verdict(now, &c->next))
		doubt(c, ET_ADVICE_DOUBT_SERVER);
	else
		c->fate = ET_ADVICE_GAINED;
}

static void set_hello(struct et_advice *advice, struct et_advice_case *c, const char *id)
{
	c->hello = *id ? et_archive_hello(advice->archive, id) : NULL;
}

/* The verdicts, or NULL if there are none; then the doubt is set. */
static const struct memo *verdicts(struct et_advice *advice, struct et_advice_case *c)
{
	const struct memo *memo = c->hello ? judge(advice, c->hello) : NULL;

	if (!memo || !memo->readable) {
		doubt(c, ET_ADVICE_DOUBT_NO_HELLO);
		return NULL;
	}
	c->next = memo->next;
	if (c->next.result == ET_NEGO_UNKNOWN) {
		doubt(c, ET_ADVICE_DOUBT_HELLO);
		return NULL;
	}
	return memo;
}

static void on_accept(struct et_advice *advice, struct et_advice_case *c, const char *name)
{
	struct et_archive_accept accept;
	const struct memo *memo;

	if (!et_archive_accept_parse(&accept, name)) {
		doubt(c, ET_ADVICE_DOUBT_SUMS);
		return;
	}
	c->version = accept.version;
	c->cipher = accept.cipher;
	c->group = accept.group;
	set_hello(advice, c, accept.hello);
	memo = verdicts(advice, c);
	if (memo)
		decide_accept(advice, c, &memo->now);
}

static void on_failure(struct et_advice *advice, struct et_advice_case *c, const char *name)
{
	struct et_archive_failure failure;
	enum et_advice_class class;
	const struct memo *memo;

	c->code = name;
	if (!et_archive_failure_parse(&failure, name)) {
		doubt(c, ET_ADVICE_DOUBT_SUMS);
		return;
	}
	set_hello(advice, c, failure.hello);
	class = et_advice_class(failure.code);
	if (class == ET_ADVICE_CLEAR) {
		c->fate = ET_ADVICE_NO_TLS;
		return;
	}
	if (class == ET_ADVICE_HIDDEN) {
		doubt(c, c->hello ? ET_ADVICE_DOUBT_OUTCOME : ET_ADVICE_DOUBT_NO_HELLO);
		return;
	}
	if (class == ET_ADVICE_ELSEWHERE) {
		c->fate = ET_ADVICE_OTHER;
		return;
	}
	memo = verdicts(advice, c);
	if (memo)
		decide_failure(advice, c, &memo->now, class);
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/* Sessions of which the maps say nothing: never came to TLS, or are only counted. */
static void see_rest(const struct et_archive_pair *pair, uint64_t told, uint64_t told_tls,
	void (*see)(void *ctx, const struct et_advice_case *c), void *ctx)
{
	const uint64_t *counts = pair->sums.counts;
	uint64_t sessions = counts[ET_PEER_SESSIONS], rest = sessions > told ? sessions - told : 0,
		 tls = counts[ET_PEER_TLS_ESTABLISHED] + counts[ET_PEER_TLS_FAILED] +
		       counts[ET_PEER_TLS_INCOMPLETE] + counts[ET_PEER_TLS_BROKEN] +
		       counts[ET_PEER_TLS_UNKNOWN];
	struct et_advice_case c = { .pair = pair };

	c.sessions = at_most(tls > told_tls ? tls - told_tls : 0, rest);
	doubt(&c, ET_ADVICE_DOUBT_SUMS);
	if (c.sessions > 0)
		see(ctx, &c);
	rest -= c.sessions;
	c = (struct et_advice_case){ .pair = pair, .sessions = rest, .fate = ET_ADVICE_NO_TLS };
	if (rest > 0)
		see(ctx, &c);
}

void et_advice_pair(struct et_advice *advice, const struct et_archive_pair *pair,
	void (*see)(void *ctx, const struct et_advice_case *c), void *ctx)
{
	const struct et_archive_map *accepts = &pair->sums.maps[ET_ARCHIVE_ACCEPTS],
				    *failures = &pair->sums.maps[ET_ARCHIVE_FAILURES];
	uint64_t told = 0, told_tls = 0;

	for (size_t i = 0; i < accepts->cnt; i++) {
		struct et_advice_case c = { .pair = pair, .sessions = accepts->v[i].count };

		on_accept(advice, &c, accepts->v[i].name);
		told += c.sessions;
		told_tls += c.sessions;
		see(ctx, &c);
	}
	for (size_t i = 0; i < failures->cnt; i++) {
		struct et_advice_case c = { .pair = pair, .sessions = failures->v[i].count };

		on_failure(advice, &c, failures->v[i].name);
		told += c.sessions;
		/* a refused STARTTLS and such have no TLS outcome */
		if (c.fate != ET_ADVICE_NO_TLS && strncmp(c.code, "starttls_", 9) != 0)
			told_tls += c.sessions;
		see(ctx, &c);
	}
	see_rest(pair, told, told_tls, see, ctx);
}
