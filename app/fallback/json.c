/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"
#include "answer_json.h"

#include <errno.h>
#include <stdlib.h>

static json_t *seconds(int64_t ns)
{
	int64_t us = ns / ET_NS_PER_US;

	return json_real((double)us / 1e6);
}

static json_t *time_json(int64_t ts_ns)
{
	char text[ET_TIME_TEXT];

	et_time_us(text, ts_ns);
	return json_string(text);
}

static int put_sums(json_t *o, const struct tale_sums *sums)
{
	int rc = json_object_set_new(o, "stories", answer_json_count(sums->stories));

	rc |= json_object_set_new(o, "attempts", answer_json_count(sums->attempts));
	for (unsigned i = 0; i < ET_STORY_HOW_MAX; i++)
		rc |= json_object_set_new(o, et_story_how_name((enum et_story_how)i),
			answer_json_count(sums->how[i]));
	rc |= json_object_set_new(o, "same_connection", answer_json_count(sums->same_connection));
	rc |= json_object_set_new(o, "clear_elsewhere", answer_json_count(sums->clear_elsewhere));
	rc |= json_object_set_new(o, "tls_elsewhere", answer_json_count(sums->tls_elsewhere));
	rc |= json_object_set_new(o, "tried_once", answer_json_count(sums->tried_once));
	return rc;
}

/* Of mail in clear on new connections; null if there was none. */
static json_t *delays_json(const struct tales *tales, size_t from, size_t until)
{
	static const struct {
		const char *name;
		unsigned per_cent;
	} quantiles[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 } };
	uint64_t total, buckets[DELAY_BUCKETS];
	size_t cnt;
	struct tale_delay *delays = tales_delays(&cnt, &total, tales, from, until);
	json_t *o, *histogram;
	int rc;

	if (!delays)
		return NULL;
	if (total == 0) {
		free(delays);
		return json_null();
	}
	o = json_object();
	rc = json_object_set_new(o, "stories", answer_json_count(total));
	rc |= json_object_set_new(o, "min_s", seconds(delays[0].ns));
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
		rc |= json_object_set_new(o, quantiles[i].name,
			seconds(delays_quantile(delays, cnt, total, quantiles[i].per_cent)));
	rc |= json_object_set_new(o, "max_s", seconds(delays[cnt - 1].ns));
	delay_histogram(buckets, delays, cnt);
	histogram = json_object();
	for (unsigned i = 0; i < DELAY_BUCKETS; i++) {
		char bound[24] = "inf";

		if (i < DELAY_BUCKETS - 1)
			snprintf(bound, sizeof(bound), "%lld", (long long)delay_bounds_s[i]);
		if (buckets[i] > 0)
			rc |= json_object_set_new(histogram, bound, answer_json_count(buckets[i]));
	}
	rc |= json_object_set_new(o, "histogram_s", histogram);
	free(delays);
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *causes_json(const struct tales *tales, size_t from, size_t until)
{
	size_t cnt;
	struct tale_cause *causes = tales_causes(&cnt, tales, from, until);
	json_t *o = causes ? json_object() : NULL;

	for (size_t i = 0; i < cnt && o; i++) {
		const char *cause = tales_text(tales, causes[i].cause);

		if (cause &&
			json_object_set_new(o, cause, answer_json_count(causes[i].stories)) != 0) {
			json_decref(o);
			o = NULL;
		}
	}
	free(causes);
	return o;
}

static int put_who(json_t *o, const struct tale *tale, const struct et_archive_pair *pair)
{
	int rc = json_object_set_new(o, "client", answer_json_addr(&tale->client));

	rc |= json_object_set_new(o, "server", answer_json_addr(&tale->server));
	rc |= json_object_set_new(
		o, "service", answer_json_text(et_service_name((enum et_service)tale->service)));
	rc |= json_object_set_new(
		o, "client_name", answer_json_text(pair ? pair->client_name : NULL));
	rc |= json_object_set_new(
		o, "server_name", answer_json_text(pair ? pair->server_name : NULL));
	return rc;
}

static json_t *peer_json(const struct tales *tales, const struct tale_peer *peer)
{
	json_t *o = json_object();
	int rc = put_who(o, &tales->v[peer->from], peer->pair);

	rc |= json_object_set_new(o, "sessions",
		peer->pair ? answer_json_count(peer->pair->sums.counts[ET_PEER_SESSIONS])
			   : json_null());
	rc |= put_sums(o, &peer->sums);
	rc |= json_object_set_new(o, "first", time_json(peer->sums.first_ns));
	rc |= json_object_set_new(o, "last", time_json(peer->sums.last_ns));
	rc |= json_object_set_new(o, "delays", delays_json(tales, peer->from, peer->until));
	rc |= json_object_set_new(o, "causes", causes_json(tales, peer->from, peer->until));
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *gone_json(const struct tales *tales, const struct tale_peer *peer, size_t i)
{
	const struct tale *tale = &tales->v[i];
	json_t *o = json_object();
	int rc = put_who(o, tale, peer->pair);

	rc |= json_object_set_new(
		o, "how", answer_json_text(et_story_how_name((enum et_story_how)tale->how)));
	rc |= json_object_set_new(o, "sensor", answer_json_text(tales_text(tales, tale->sensor)));
	rc |= json_object_set_new(o, "attempts", answer_json_count(tale->attempts));
	rc |= json_object_set_new(o, "opened", time_json(tale->opened_ns));
	rc |= json_object_set_new(o, "last", time_json(tale->last_ns));
	rc |= json_object_set_new(o, "cause", answer_json_text(tales_text(tales, tale->cause)));
	rc |= json_object_set_new(o, "hello", answer_json_text(tales_text(tales, tale->hello)));
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* Both lists; 0, or not when memory is short. */
static int put_lists(json_t *o, const struct tales *tales)
{
	json_t *peers = json_array(), *gone = json_array();
	int rc = 0;

	for (size_t p = 0; p < tales->peers_cnt && rc == 0; p++) {
		const struct tale_peer *peer = &tales->peers[p];

		rc |= json_array_append_new(peers, peer_json(tales, peer));
		for (size_t i = peer->from; i < peer->until && rc == 0; i++)
			if (tales->v[i].how == ET_STORY_OPEN || tales->v[i].how == ET_STORY_STUCK)
				rc |= json_array_append_new(gone, gone_json(tales, peer, i));
	}
	rc |= json_object_set_new(o, "peers", peers);
	rc |= json_object_set_new(o, "never_back", gone);
	return rc;
}

int print_json(const struct answer *answer, FILE *out)
{
	const struct tales *tales = answer->tales;
	json_t *o = json_pack("{s:s, s:i}", "type", "fallback_report", "v", 1);
	int rc = o ? 0 : -1;

	rc = rc || json_object_set_new(o, "first", time_json(answer->totals.first_ns));
	rc = rc || json_object_set_new(o, "until", time_json(answer->until_ns));
	rc = rc || put_sums(o, &tales->sums);
	rc = rc || json_object_set_new(o, "delays", delays_json(tales, 0, tales->cnt));
	rc = rc || json_object_set_new(o, "causes", causes_json(tales, 0, tales->cnt));
	rc = rc || put_lists(o, tales);
	if (rc != 0) {
		json_decref(o);
		return -ENOMEM;
	}
	rc = json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0 &&
			     putc('\n', out) != EOF && fflush(out) == 0
		     ? 0
		     : -EIO;
	json_decref(o);
	return rc;
}
