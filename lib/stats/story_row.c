/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

int et_stats_follow(struct et_stats_writer *writer, struct et_fallback *out,
	struct et_story_table *stories, size_t i)
{
	const struct et_stats_run *run = &writer->run;
	const struct et_session *session = &run->sessions[i];
	struct et_story_event event = { .session = session };

	*out = (struct et_fallback){ 0 };
	if (!et_story_concerns(session))
		return 0;
	if (et_story_failed(session)) {
		event.cause = et_policy_cause(run->policy, i)->code;
		event.hello = writer_hello_id(writer, session->tls.hello);
	}
	event.server_name = et_dict_get(run->books->names, session->name[ET_SERVER]);
	event.gateway =
		et_peer_is_gateway(run->gateways, run->gateways_cnt, &session->addr[ET_SERVER]);
	return et_story_step(stories, out, &event);
}

static json_t *addr_json(const struct et_addr *addr)
{
	char text[ET_ADDR_TEXT];

	et_addr_text(text, addr);
	return val_text(text);
}

static json_t *servers_json(const struct et_story *story)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < story->servers_cnt; i++)
		val_push(&list, addr_json(&story->servers[i]));
	return list;
}

/* Seconds with microseconds, as in session records. */
static json_t *seconds_json(int64_t ns)
{
	int64_t us = ns / ET_NS_PER_US;

	return json_real((double)us / 1e6);
}

json_t *story_row(const struct et_stats_run *run, const struct et_story *story)
{
	bool clear = story->how == ET_STORY_CLEAR, delivered = clear || story->how == ET_STORY_TLS;
	bool closed = delivered || story->how == ET_STORY_STUCK;
	enum et_direction direction = et_peer_direction(
		run->gateways, run->gateways_cnt, &story->client, &story->servers[0]);
	json_t *o = json_object();

	val_put(&o, "type", val_text("fallback"));
	val_put(&o, "client", addr_json(&story->client));
	val_put(&o, "service", val_text(et_service_name((enum et_service)story->service)));
	val_put(&o, "servers", servers_json(story));
	val_put(&o, "direction", val_text(et_direction_name(direction)));
	val_put(&o, "how", val_text(et_story_how_name((enum et_story_how)story->how)));
	val_put(&o, "stories", val_count(story->stories));
	val_put(&o, "attempts", val_count(story->attempts));
	val_put(&o, "opened", val_time_us(story->opened_ns));
	val_put(&o, "last", val_time_us(story->last_ns));
	val_put(&o, "closed", closed ? val_time_us(story->closed_ns) : json_null());
	val_put(&o, "closed_by", delivered ? addr_json(&story->closed_by) : json_null());
	val_put(&o, "same_connection", clear ? json_boolean(story->same_connection) : json_null());
	val_put(&o, "delay_s",
		delivered ? seconds_json(story->delay_ns / story->stories) : json_null());
	val_put(&o, "delay_max_s", delivered ? seconds_json(story->delay_max_ns) : json_null());
	val_put(&o, "cause", val_text(story->cause));
	val_put(&o, "hello", val_text(story->hello));
	return o;
}

json_t *stories_json(const struct et_stats_stories *stories)
{
	json_t *o = json_object();

	val_put(&o, "open", val_count(stories->open));
	val_put(&o, "dropped", val_count(stories->dropped));
	if (stories->state > 0)
		val_put(&o, "state", val_count(stories->state));
	return o;
}
