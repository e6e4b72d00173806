/* SPDX-License-Identifier: BSD-3-Clause */
#include <strings.h>

#include "et_iana.h"
#include "iana_tables.h"

static const struct iana_name *find(const struct iana_name *table, size_t cnt, uint32_t id)
{
	size_t lo = 0;

	while (lo < cnt) {
		size_t mid = lo + (cnt - lo) / 2;

		if (table[mid].id == id)
			return &table[mid];
		if (table[mid].id < id)
			lo = mid + 1;
		else
			cnt = mid;
	}
	return NULL;
}

static const char *name_of(const struct iana_name *row)
{
	return row != NULL ? row->name : NULL;
}

static const char *openssl_of(const struct iana_name *row)
{
	return row != NULL && row->openssl != NULL ? row->openssl : name_of(row);
}

const struct et_iana_suite *et_iana_suite(uint16_t id)
{
	size_t lo = 0, hi = et_iana_suites_cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (et_iana_suites[mid].id == id)
			return &et_iana_suites[mid];
		if (et_iana_suites[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const char *et_iana_sslv2_cipher(uint32_t kind)
{
	const struct iana_name *row = find(et_iana_sslv2s, et_iana_sslv2s_cnt, kind);
	const struct et_iana_suite *suite;

	/* 000000 is SSLv2's own NULL-MD5 as well as suite 0000; no client offers the latter */
	if (row != NULL || kind > UINT16_MAX)
		return name_of(row);
	suite = et_iana_suite((uint16_t)kind);
	return suite != NULL ? suite->name : NULL;
}

const char *et_iana_version(uint16_t version)
{
	return name_of(find(et_iana_versions, et_iana_versions_cnt, version));
}

bool et_iana_is_tls13_draft(uint16_t version)
{
	return version >> 8 == 0x7f;
}

const char *et_iana_group(uint16_t id)
{
	return name_of(find(et_iana_groups, et_iana_groups_cnt, id));
}

const char *et_iana_extension(uint16_t type)
{
	return name_of(find(et_iana_extensions, et_iana_extensions_cnt, type));
}

const char *et_iana_sigalg(uint16_t id)
{
	return name_of(find(et_iana_sigalgs, et_iana_sigalgs_cnt, id));
}

const char *et_iana_alert(uint8_t code)
{
	return name_of(find(et_iana_alerts, et_iana_alerts_cnt, code));
}

const char *et_iana_handshake(uint8_t type)
{
	return name_of(find(et_iana_handshakes, et_iana_handshakes_cnt, type));
}

const char *et_iana_group_openssl(uint16_t id)
{
	return openssl_of(find(et_iana_groups, et_iana_groups_cnt, id));
}

const char *et_iana_sigalg_openssl(uint16_t id)
{
	return openssl_of(find(et_iana_sigalgs, et_iana_sigalgs_cnt, id));
}

uint16_t et_iana_group_by_curve(const char *name)
{
	size_t lo = 0, hi = et_iana_curves_cnt;

	if (name == NULL)
		return 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcasecmp(et_iana_curves[mid].name, name);

		if (order == 0)
			return et_iana_curves[mid].group;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

bool et_iana_is_grease(uint16_t value)
{
	/* computed, not looked up: the check runs for every value of every hello */
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

bool et_iana_is_scsv(uint16_t suite)
{
	return suite == 0x00ff || suite == 0x5600;
}
