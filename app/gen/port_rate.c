/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_rate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)

bool gen_rate_read(struct gen_rate *out, const char *text)
{
	static const struct {
		const char *name;
		enum gen_rate_kind kind;
		double times;
	} units[] = { { "pps", GEN_RATE_PACKETS, 1 }, { "kpps", GEN_RATE_PACKETS, 1e3 },
		{ "Mpps", GEN_RATE_PACKETS, 1e6 }, { "kbit", GEN_RATE_BITS, 1e3 },
		{ "Mbit", GEN_RATE_BITS, 1e6 }, { "Gbit", GEN_RATE_BITS, 1e9 } };
	char *end;
	double n;

	*out = (struct gen_rate){ GEN_RATE_MAX, 0 };
	if (strcmp(text, "max") == 0)
		return true;
	if (strcmp(text, "time") == 0) {
		out->kind = GEN_RATE_TIME;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	n = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		out->kind = units[i].kind;
		out->per_s = n * units[i].times;
		return isfinite(n) && out->per_s >= 1 && out->per_s <= 1e12;
	}
	return false;
}

uint64_t gen_wire_bytes(uint32_t len)
{
	return len + GEN_WIRE_MORE > GEN_WIRE_LESS ? len + GEN_WIRE_MORE : GEN_WIRE_LESS;
}

void gen_schedule_begin(struct gen_schedule *s, const struct gen_rate *rate, uint64_t now,
	uint64_t cycles_per_s, uint64_t first_ns)
{
	*s = (struct gen_schedule){
		.rate = *rate, .cycles_per_s = cycles_per_s, .begin = now, .first_ns = first_ns
	};
	/* whole units a second, so that whole seconds can be taken off without a rest */
	s->rate.per_s = round(rate->per_s);
}

uint64_t gen_schedule_due(const struct gen_schedule *s, uint64_t ts_ns)
{
	uint64_t ns;

	switch (s->rate.kind) {
	case GEN_RATE_MAX: return 0;
	case GEN_RATE_TIME:
		ns = ts_ns > s->first_ns ? ts_ns - s->first_ns : 0;
		return s->begin + ns / NS_PER_S * s->cycles_per_s +
		       (uint64_t)((double)(ns % NS_PER_S) / 1e9 * (double)s->cycles_per_s);
	default:
		return s->begin +
		       (uint64_t)((double)s->units / s->rate.per_s * (double)s->cycles_per_s);
	}
}

void gen_schedule_pass(struct gen_schedule *s, uint32_t len)
{
	uint64_t second = (uint64_t)s->rate.per_s;

	if (s->rate.kind == GEN_RATE_PACKETS)
		s->units++;
	else if (s->rate.kind == GEN_RATE_BITS)
		s->units += 8 * gen_wire_bytes(len);
	while (second && s->units >= second) {
		s->units -= second;
		s->begin += s->cycles_per_s;
	}
}
