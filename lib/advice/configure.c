/* SPDX-License-Identifier: BSD-3-Clause */
#include "advice_parts.h"

#include <string.h>

static bool given(const struct et_advice_setting *settings, size_t cnt, const char *name)
{
	for (size_t i = 0; i < cnt; i++)
		if (strcmp(settings[i].name, name) == 0)
			return true;
	return false;
}

/* Every option without which the belief would decide. */
static bool is_complete(const struct et_advice_setting *settings, size_t cnt)
{
	return given(settings, cnt, "preset") ||
	       (given(settings, cnt, "min-version") && given(settings, cnt, "ciphers") &&
		       given(settings, cnt, "ciphersuites") && given(settings, cnt, "groups"));
}

/* What is only believed gives way to what was set. */
static void widen(struct et_nego_config *nego, const struct et_advice_setting *settings, size_t cnt)
{
	if (nego->min_version <= nego->max_version)
		return;
	if (!given(settings, cnt, "max-version"))
		nego->max_version = ET_TLSV1_3;
	else if (!given(settings, cnt, "min-version"))
		nego->min_version = nego->max_version;
}

int et_advice_configure(struct et_advice_config *out, char error[static ET_NEGO_ERROR],
	const struct et_advice_belief *belief, const struct et_advice_setting *settings, size_t cnt,
	const char *folder)
{
	int rc = 0;

	*out = (struct et_advice_config){ .nego = belief->raw,
		.base = belief->base,
		.keys_from = given(settings, cnt, "cert") ? "given" : belief->keys_from,
		.complete = is_complete(settings, cnt) };
	error[0] = '\0';
	if (given(settings, cnt, "preset")) {
		rc = et_nego_init(&out->nego);
		memcpy(out->nego.certs, belief->raw.certs, sizeof(out->nego.certs));
	}
	for (size_t i = 0; i < cnt && rc == 0; i++) {
		bool preset = strcmp(settings[i].name, "preset") == 0;

		rc = preset ? et_nego_preset(&out->nego, error, folder, settings[i].value)
			    : et_nego_set(&out->nego, error, settings[i].name, settings[i].value);
		if (preset)
			out->base = settings[i].value;
	}
	if (rc != 0)
		return rc;
	if (!given(settings, cnt, "preset"))
		widen(&out->nego, settings, cnt);
	return et_nego_finish(&out->nego, error);
}
