/* SPDX-License-Identifier: BSD-3-Clause */
#include "offer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SUITES  12
#define GROUPS  8
#define SIGALGS 12

__attribute__((format(printf, 2, 3))) static void add(char *out, const char *format, ...)
{
	size_t n = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + n, OFFER_TEXT - n, format, args);
	va_end(args);
}

static void add_suites(char *out, const struct et_tls_profile *profile)
{
	unsigned cnt = 0;

	add(out, "; suites");
	for (uint16_t i = 0; i < profile->ciphers.n; i++) {
		if (!et_tls_profile_is_cipher(profile->ciphers.v[i]))
			continue;
		if (++cnt <= SUITES)
			add(out, " %04x", profile->ciphers.v[i]);
	}
	if (cnt > SUITES)
		add(out, " and %u more", cnt - SUITES);
	else if (cnt == 0)
		add(out, " none");
}

void offer_text(char out[static OFFER_TEXT], const struct et_tls_profile *profile)
{
	out[0] = '\0';
	add(out, "offers");
	for (uint16_t i = 0; i < profile->versions.n && i < 5; i++) {
		const char *name = et_iana_version(profile->versions.v[i]);

		add(out, " %s", name ? name : "?");
	}
	/* without supported_versions: up to this one */
	if (profile->versions.n == 0 && et_iana_version(profile->legacy_version))
		add(out, " up to %s", et_iana_version(profile->legacy_version));
	add_suites(out, profile);
	add(out, "; groups");
	if (!profile->has_groups)
		add(out, " not limited");
	for (uint16_t i = 0; i < profile->groups.n && i < GROUPS; i++) {
		const char *name = et_iana_group(profile->groups.v[i]);

		if (name)
			add(out, " %s", name);
		else
			add(out, " %04x", profile->groups.v[i]);
	}
	if (profile->groups.n > GROUPS)
		add(out, " and %u more", profile->groups.n - GROUPS);
	if (!profile->has_sigalgs)
		return;
	add(out, "; signatures");
	for (uint16_t i = 0; i < profile->sigalgs.n && i < SIGALGS; i++)
		add(out, " %04x", profile->sigalgs.v[i]);
	if (profile->sigalgs.n > SIGALGS)
		add(out, " and %u more", profile->sigalgs.n - SIGALGS);
}
