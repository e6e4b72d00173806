/* SPDX-License-Identifier: BSD-3-Clause */
#include "value.h"

#include <errno.h>
#include <string.h>

#include "et_iana.h"

void val_put(json_t **object, const char *key, json_t *value)
{
	if (!*object) {
		json_decref(value);
		return;
	}
	if (json_object_set_new_nocheck(*object, key, value) != 0) {
		json_decref(*object);
		*object = NULL;
	}
}

void val_push(json_t **array, json_t *value)
{
	if (!*array) {
		json_decref(value);
		return;
	}
	if (json_array_append_new(*array, value) != 0) {
		json_decref(*array);
		*array = NULL;
	}
}

json_t *val_wire(struct et_view bytes)
{
	char text[VAL_TEXT_CAP];
	size_t n = et_text_safe(text, sizeof(text), bytes);

	return json_stringn_nocheck(text, n);
}

json_t *val_text(const char *text)
{
	json_t *value;

	if (!text || !text[0])
		return json_null();
	value = json_string(text); /* NULL also if it is no UTF-8 after all */
	if (value)
		return value;
	return val_wire((struct et_view){ .p = (const uint8_t *)text, .n = strlen(text) });
}

json_t *val_name(const struct et_dict *dict, uint32_t id)
{
	return id == ET_DICT_NONE ? json_null() : val_wire(et_dict_get(dict, id));
}

json_t *val_hex(uint32_t value, int digits)
{
	char text[16];

	snprintf(text, sizeof(text), "%0*x", digits, value);
	return json_string_nocheck(text);
}

json_t *val_hexes(const struct et_tls_list *list, int digits)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++)
		val_push(&array, val_hex(list->v[i], digits));
	return array;
}

json_t *val_flag(bool value, bool known)
{
	return value ? json_true() : known ? json_false() : json_null();
}

json_t *val_count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *val_time_us(int64_t ts_ns)
{
	char text[ET_TIME_TEXT];

	et_time_us(text, ts_ns);
	return json_string_nocheck(text);
}

json_t *val_version(uint16_t version)
{
	char text[VAL_NAME];

	if (version == 0)
		return json_null();
	name_version(text, version);
	return json_string_nocheck(text);
}

/* jansson hands out its text by the token: gather it, stdio's lock for each costs more than it. */
struct gather {
	FILE *out;
	size_t n;
	char text[8192];
};

static int flush(struct gather *gather)
{
	size_t n = gather->n;

	gather->n = 0;
	return fwrite(gather->text, 1, n, gather->out) == n ? 0 : -1;
}

static int take(const char *text, size_t n, void *ctx)
{
	struct gather *gather = ctx;

	if (n > sizeof(gather->text) - gather->n && flush(gather) != 0)
		return -1;
	if (n > sizeof(gather->text))
		return fwrite(text, 1, n, gather->out) == n ? 0 : -1;
	memcpy(gather->text + gather->n, text, n);
	gather->n += n;
	return 0;
}

int val_line(FILE *out, json_t *row)
{
	struct gather gather;

	/* twelve digits hold the microseconds of eleven days, and show 301.2 as it is */
	size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(12);

	if (!row)
		return -ENOMEM;
	gather.out = out;
	gather.n = 0;
	if (json_dump_callback(row, take, &gather, flags) != 0 || take("\n", 1, &gather) != 0)
		return -EIO;
	return flush(&gather) == 0 ? 0 : -EIO;
}

static void name_or_digits(char out[static VAL_NAME], const char *name, uint32_t value, int digits)
{
	if (name)
		snprintf(out, VAL_NAME, "%s", name);
	else
		snprintf(out, VAL_NAME, "%0*x", digits, value);
}

void name_version(char out[static VAL_NAME], uint16_t version)
{
	name_or_digits(out, et_iana_version(version), version, 4);
}

void name_cipher(char out[static VAL_NAME], uint16_t version, uint32_t cipher)
{
	const struct et_iana_suite *suite;

	if (version == ET_SSLV2) {
		name_or_digits(out, et_iana_sslv2_cipher(cipher), cipher, 6);
		return;
	}
	suite = et_iana_suite((uint16_t)cipher);
	name_or_digits(out, suite ? suite->name : NULL, cipher, 4);
}

void name_group(char out[static VAL_NAME], uint16_t group)
{
	name_or_digits(out, et_iana_group(group), group, 4);
}

void name_sigalg(char out[static VAL_NAME], uint16_t sigalg)
{
	name_or_digits(out, et_iana_sigalg(sigalg), sigalg, 4);
}
