/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <pthread.h>
#include <stdlib.h>

#include "et_iana.h"

/* What stands in the names of maps. */

/* The next word of a name into out; false if there is none or it is too long. */
static bool word(char *out, size_t cap, const char **at)
{
	size_t n = strcspn(*at, " ");

	if (n == 0 || n >= cap)
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n;
	if (**at == ' ')
		++*at;
	return true;
}

/* "-" stands for what is not known. */
static void dash_to_nothing(char *text)
{
	if (strcmp(text, "-") == 0)
		text[0] = '\0';
}

bool et_archive_failure_parse(struct et_archive_failure *out, const char *name)
{
	char confidence[16];
	unsigned i = 0;

	memset(out, 0, sizeof(*out));
	if (!word(out->code, sizeof(out->code), &name) ||
		!word(confidence, sizeof(confidence), &name) ||
		!word(out->hello, sizeof(out->hello), &name) || *name)
		return false;
	while (i <= ET_POSSIBLE &&
		strcmp(confidence, et_confidence_name((enum et_confidence)i)) != 0)
		i++;
	out->confidence = (enum et_confidence)i;
	dash_to_nothing(out->hello);
	return i <= ET_POSSIBLE;
}

bool et_archive_accept_parse(struct et_archive_accept *out, const char *name)
{
	char version[32], cipher[96], group[64];

	memset(out, 0, sizeof(*out));
	if (!word(version, sizeof(version), &name) || !word(cipher, sizeof(cipher), &name) ||
		!word(group, sizeof(group), &name) ||
		!word(out->hello, sizeof(out->hello), &name) ||
		!word(out->key, sizeof(out->key), &name) || *name)
		return false;
	dash_to_nothing(out->hello);
	dash_to_nothing(out->key);
	dash_to_nothing(group);
	return et_archive_version_id(&out->version, version) &&
	       et_archive_cipher_id(&out->cipher, cipher) &&
	       (!group[0] || et_archive_group_id(&out->group, group));
}

/* A number of exactly so many digits. */
static bool hex_id(uint32_t *out, const char *name, size_t digits)
{
	if (strlen(name) != digits || strspn(name, "0123456789abcdef") != digits)
		return false;
	*out = (uint32_t)strtoul(name, NULL, 16);
	return true;
}

bool et_archive_version_id(uint16_t *out, const char *name)
{
	static const uint16_t versions[] = { ET_SSLV2, ET_SSLV3, ET_TLSV1_0, ET_TLSV1_1, ET_TLSV1_2,
		ET_TLSV1_3 };
	uint32_t number;

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (strcmp(et_iana_version(versions[i]), name) == 0) {
			*out = versions[i];
			return true;
		}
	if (!hex_id(&number, name, 4))
		return false;
	*out = (uint16_t)number;
	return true;
}

/* Names and numbers of a registry that can only be asked by number, sorted by name; made once. */
struct registry {
	struct {
		const char *name;
		uint32_t id;
	} v[1024];
	size_t cnt;
};

static struct registry ciphers, groups;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void add(struct registry *registry, const char *name, uint32_t id)
{
	if (!name || registry->cnt == sizeof(registry->v) / sizeof(registry->v[0]))
		return;
	registry->v[registry->cnt].name = name;
	registry->v[registry->cnt++].id = id;
}

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b; /* the name stands first in an entry */

	return strcmp(*x, *y);
}

static void make(void)
{
	/* of SSLv2: the cipher, and the length of its key */
	static const uint32_t kinds[] = { 0x010080, 0x020080, 0x030080, 0x040080, 0x050080,
		0x060040, 0x060140, 0x0700c0, 0x0701c0, 0x080080, 0xff8000, 0xff8010 };

	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		const struct et_iana_suite *suite = et_iana_suite((uint16_t)id);

		if (suite && !(suite->flags & ET_IANA_GREASE))
			add(&ciphers, suite->name, id);
		if (id > 0 && !et_iana_is_grease((uint16_t)id))
			add(&groups, et_iana_group((uint16_t)id), id);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		add(&ciphers, et_iana_sslv2_cipher(kinds[i]), kinds[i]);
	qsort(ciphers.v, ciphers.cnt, sizeof(ciphers.v[0]), compare);
	qsort(groups.v, groups.cnt, sizeof(groups.v[0]), compare);
}

static bool find(uint32_t *out, const struct registry *registry, const char *name)
{
	size_t low = 0, high;

	pthread_once(&made, make);
	high = registry->cnt;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(registry->v[middle].name, name);

		if (order == 0) {
			*out = registry->v[middle].id;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool et_archive_cipher_id(uint32_t *out, const char *name)
{
	return hex_id(out, name, 4) || hex_id(out, name, 6) || find(out, &ciphers, name);
}

bool et_archive_group_id(uint16_t *out, const char *name)
{
	uint32_t number;

	if (!hex_id(&number, name, 4) && !find(&number, &groups, name))
		return false;
	*out = (uint16_t)number;
	return true;
}
