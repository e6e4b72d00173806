/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <stdlib.h>

/* Decoded profiles that are kept at hand, by id modulo this; captures have few distinct hellos. */
#define PROFILES_KEEP 64

struct profiles {
	const struct et_dict *dict;
	uint32_t ids[PROFILES_KEEP];
	bool good[PROFILES_KEEP];
	struct et_tls_profile profiles[PROFILES_KEEP];
};

const struct et_tls_profile *profile_of(struct profiles *profiles, uint32_t hello)
{
	uint32_t at = hello % PROFILES_KEEP;

	if (hello == ET_DICT_NONE)
		return NULL;
	if (profiles->ids[at] != hello) {
		profiles->ids[at] = hello;
		profiles->good[at] = et_tls_profile_decode(
			&profiles->profiles[at], et_dict_get(profiles->dict, hello));
	}
	return profiles->good[at] ? &profiles->profiles[at] : NULL;
}

/*
 * The arguments in the order in which they are asked; the first that fits decides. What was said in
 * words (an alert) stands before what is only inferred from a close.
 */
static bool (*const arguments[])(struct et_cause *cause, const struct scene *scene) = {
	cause_capture,            /* unknown: the capture hides it */
	cause_starttls,           /* refused, unanswered, masked, not offered, not used */
	cause_wrong_port,         /* the server answers TLS with plain text, or the reverse */
	cause_version,            /* protocol_version, inappropriate_fallback */
	cause_cipher,             /* no_shared_cipher */
	cause_hello,              /* hellos that this server does not survive */
	cause_client_certificate, /* what the server says behind the client's flight */
	cause_certificate,        /* what the client says of the server's certificate */
	cause_broken,             /* completed, then died */
	cause_alert,              /* any other alert */
	cause_lost,               /* no alert at all */
};

static void argue(struct et_cause *cause, const struct scene *scene)
{
	*cause = (struct et_cause){ .code = "" };
	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++)
		if (arguments[i](cause, scene))
			return;
}

static int argue_all(struct et_policy *policy, struct servers *servers, struct profiles *profiles,
	struct pairs *pairs)
{
	for (size_t i = 0; i < policy->cnt; i++) {
		const struct et_session *session = &policy->sessions[i];
		struct pair *pair = pairs_find(pairs, session);
		struct scene scene = { .policy = policy, .session = session, .pair = pair };
		struct et_cause cause;
		int64_t id;

		if (!pair)
			return -1;
		if (session->outcome != ET_OUTCOME_ESTABLISHED) {
			scene.server = servers_find(servers, session);
			scene.hello = profile_of(profiles, session->tls.hello);
			argue(&cause, &scene);
			id = causes_put(&policy->causes, &cause);
			if (id < 0)
				return -1;
			policy->cause[i] = (uint32_t)id;
		}
		pair_note(pairs, pair, session);
	}
	return 0;
}

static int build(struct et_policy *policy)
{
	struct profiles *profiles = calloc(1, sizeof(*profiles));
	struct servers servers = { 0 };
	struct pairs pairs = { 0 };
	int err = profiles ? 0 : -1;

	err = err || chains_init(&policy->chains, policy->books->chains);
	err = err || causes_init(&policy->causes);
	err = err || servers_init(&servers);
	err = err || pairs_init(&pairs);
	if (profiles)
		profiles->dict = policy->books->hellos;
	for (size_t i = 0; i < policy->cnt && !err; i++)
		err = servers_learn(&servers, policy, profiles, &policy->sessions[i]);
	err = err || argue_all(policy, &servers, profiles, &pairs);
	err = err || pairs_follow(policy, &pairs);
	pairs_free(&pairs);
	servers_free(&servers);
	free(profiles);
	return err;
}

struct et_policy *et_policy_new(
	const struct et_books *books, const struct et_session *sessions, size_t cnt)
{
	struct et_policy *policy = calloc(1, sizeof(*policy));

	if (!policy || cnt >= UINT32_MAX) {
		free(policy);
		return NULL;
	}
	policy->books = books;
	policy->sessions = sessions;
	policy->cnt = cnt;
	policy->cause = calloc(cnt + 1, sizeof(*policy->cause));
	policy->fallback = calloc(cnt + 1, sizeof(*policy->fallback));
	if (!policy->cause || !policy->fallback || build(policy)) {
		et_policy_free(policy);
		return NULL;
	}
	return policy;
}

void et_policy_free(struct et_policy *policy)
{
	if (!policy)
		return;
	chains_free(&policy->chains);
	causes_free(&policy->causes);
	free(policy->cause);
	free(policy->fallback);
	free(policy->fallbacks);
	free(policy);
}

const struct et_cause *et_policy_cause(const struct et_policy *policy, size_t session)
{
	return &policy->causes.all[policy->cause[session]];
}

const struct et_chain *et_policy_chain(const struct et_policy *policy, uint32_t chain)
{
	if (chain == ET_DICT_NONE || chain > policy->chains.chain_cnt)
		return NULL;
	return &policy->chains.chains[chain];
}
