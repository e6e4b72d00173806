/* SPDX-License-Identifier: BSD-3-Clause */
#include "truth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session.h"

#define FIXED_MAX  1200
#define RECORD_MAX (FIXED_MAX + 1600)

struct text {
	char *at, *end;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->at, (size_t)(t->end - t->at), format, args);
	va_end(args);
	t->at += n < t->end - t->at ? n : t->end - t->at;
}

static const char *yes(bool value)
{
	return value ? "true" : "false";
}

/* "key":"value" or "key":null */
static void add_name(struct text *t, const char *key, const char *value)
{
	if (value)
		add(t, "\"%s\":\"%s\"", key, value);
	else
		add(t, "\"%s\":null", key);
}

static const char *version_name(uint16_t version)
{
	static const char *const names[] = { "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3" };

	return version >= 0x0300 && version <= 0x0304 ? names[version - 0x0300] : NULL;
}

static void add_alert(struct text *t, const struct gen_truth *truth)
{
	static const struct {
		uint8_t code;
		const char *name;
	} names[] = { { 10, "unexpected_message" }, { 40, "handshake_failure" },
		{ 42, "bad_certificate" }, { 43, "unsupported_certificate" },
		{ 45, "certificate_expired" }, { 46, "certificate_unknown" },
		{ 47, "illegal_parameter" }, { 48, "unknown_ca" }, { 50, "decode_error" },
		{ 51, "decrypt_error" }, { 70, "protocol_version" },
		{ 71, "insufficient_security" }, { 80, "internal_error" },
		{ 109, "missing_extension" } };
	const char *from = truth->alert_from == GEN_CLIENT ? "client" : "server", *name = NULL;

	if (truth->alert_from < 0) {
		add(t, ",\"alert\":null");
		return;
	}
	if (truth->alert_inferred) {
		add(t,
			",\"alert\":{\"from\":\"%s\",\"level\":null,\"code\":null,\"name\":null,"
			"\"inferred\":true}",
			from);
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == truth->alert_code)
			name = names[i].name;
	add(t, ",\"alert\":{\"from\":\"%s\",\"level\":\"%s\",\"code\":%u,", from,
		truth->alert_level == 1 ? "warning" : "fatal", truth->alert_code);
	add_name(t, "name", name);
	add(t, ",\"inferred\":false}");
}

static void add_tls(struct text *t, const struct gen_truth *truth)
{
	bool flight = truth->version != 0;

	add(t, ",\"tls\":{\"outcome\":\"%s\",", truth->outcome);
	add_name(t, "version", version_name(truth->version));
	add(t, ",");
	add_name(t, "cipher", truth->cipher);
	if (flight)
		add(t, ",\"cipher_id\":\"%04x\"", truth->cipher_id);
	else
		add(t, ",\"cipher_id\":null");
	if (truth->group_known) {
		add(t, ",");
		add_name(t, "group", truth->group);
	}
	add(t, ",\"resumed\":%s,\"hello_retry\":%s", yes(truth->resumed), yes(truth->hello_retry));
	add(t, ",\"client_cert\":{\"requested\":%s,\"sent\":%s}",
		truth->cert_requested < 0 ? "null" : yes(truth->cert_requested),
		truth->cert_sent < 0 ? "null" : yes(truth->cert_sent));
	add_alert(t, truth);
	add(t, "}");
}

int gen_truth_fix(struct gen_script *s)
{
	const struct gen_truth *truth = &s->truth;
	char text[FIXED_MAX];
	struct text t = { text, text + sizeof(text) };

	add(&t,
		",\"service\":\"%s\",\"mode\":\"%s\",\"starttls\":{\"offered\":%s,\"requested\":%"
		"s,",
		truth->service, truth->mode, truth->offered < 0 ? "null" : yes(truth->offered),
		yes(truth->requested));
	if (truth->reply)
		add(&t, "\"reply\":%u,", truth->reply);
	else
		add(&t, "\"reply\":null,");
	add(&t, "\"masked\":%s,\"injected\":false,\"reply_injected\":false}", yes(truth->masked));
	add_tls(&t, truth);
	if (gen_story_has_tls((enum gen_story)s->kind->story)) {
		add(&t, ",\"hello\":{");
		add_name(&t, "sni", s->kind->sni);
		add(&t, "}");
	} else {
		add(&t, ",\"hello\":null");
	}
	add(&t, ",\"mail\":{\"clear\":%u},\"auth_clear\":%s", truth->clear_mails,
		yes(truth->auth_clear));
	if (truth->cause_known && truth->cause)
		add(&t, ",\"cause\":{\"code\":\"%s\"}", truth->cause);
	else if (truth->cause_known)
		add(&t, ",\"cause\":null");
	add(&t, ",\"kind\":\"%s\"", s->kind->name);
	s->fixed_len = (uint32_t)(t.at - text);
	s->fixed = malloc(s->fixed_len);
	if (!s->fixed)
		return -1;
	memcpy(s->fixed, text, s->fixed_len);
	return 0;
}

/* ---- what differs from session to session; no printf here, it would be half of all work */

static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *put_number(char *to, uint64_t value)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	while (n > 0)
		*to++ = digits[--n];
	return to;
}

static char *put_digits(char *to, uint64_t value, unsigned n)
{
	for (unsigned i = n; i > 0; i--, value /= 10)
		to[i - 1] = (char)('0' + value % 10);
	return to + n;
}

static char *put_time(char *to, const char *key, uint64_t ns)
{
	static time_t known;
	static char day[24];
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;

	if (s != known || !*day) {
		gmtime_r(&s, &tm);
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S.", &tm);
		known = s;
	}
	to = put(to, key);
	to = put(to, day);
	to = put_digits(to, ns % 1000000000 / 1000, 6);
	return put(to, "Z\"");
}

static char *put_peer(char *to, const struct gen_session *s, int dir)
{
	const uint8_t *ip = s->end[dir].ip;
	char text[INET6_ADDRSTRLEN] = "";

	to = put(to, dir == GEN_CLIENT ? ",\"client\":{\"ip\":\"" : ",\"server\":{\"ip\":\"");
	if (s->wire.v6) {
		inet_ntop(AF_INET6, ip, text, sizeof(text));
		to = put(to, text);
	}
	for (unsigned i = 0; i < 4 && !s->wire.v6; i++) {
		if (i)
			*to++ = '.';
		to = put_number(to, ip[i]);
	}
	to = put(to, "\",\"port\":");
	to = put_number(to, s->end[dir].port);
	if (dir == GEN_CLIENT ? s->script->truth.client_name : s->script->truth.server_name) {
		to = put(to, dir == GEN_CLIENT ? ",\"name\":\"c" : ",\"name\":\"s");
		to = put_digits(to, dir == GEN_CLIENT ? s->client : s->server, GEN_NAME_DIGITS);
		return put(to, dir == GEN_CLIENT ? ".client.example\"}" : ".server.example\"}");
	}
	return put(to, ",\"name\":null}");
}

static char *put_counts(char *to, const char *key, const uint64_t counts[2])
{
	to = put(to, key);
	to = put(to, "{\"client\":");
	to = put_number(to, counts[GEN_CLIENT]);
	to = put(to, ",\"server\":");
	to = put_number(to, counts[GEN_SERVER]);
	*to++ = '}';
	return to;
}

static char *put_fallback(char *to, const struct gen_session *s)
{
	uint64_t after = s->fallback_ns, delay_us;

	if (s->fallback_ns == 0)
		return put(to, ",\"fallback\":null");
	if (s->same_connection)
		after = s->seen.first_ns;
	delay_us = (s->seen.first_ns - after) / 1000;
	to = put_time(to, ",\"fallback\":{\"after\":\"", after);
	to = put(to, ",\"delay_s\":");
	to = put_number(to, delay_us / 1000000);
	*to++ = '.';
	to = put_digits(to, delay_us % 1000000, 6);
	to = put(to, ",\"same_connection\":");
	to = put(to, yes(s->same_connection));
	*to++ = '}';
	return to;
}

int gen_truth_put(struct gen_out *out, const struct gen_session *s)
{
	char *begin = (char *)gen_out_room(out, RECORD_MAX), *to = begin;

	if (!begin)
		return -EIO;
	to = put_time(to, "{\"type\":\"session\",\"v\":1,\"start\":\"", s->seen.first_ns);
	to = put_time(to, ",\"end\":\"", s->seen.last_ns);
	to = put_peer(to, s, GEN_CLIENT);
	to = put_peer(to, s, GEN_SERVER);
	memcpy(to, s->script->fixed, s->script->fixed_len);
	to += s->script->fixed_len;
	to = put_fallback(to, s);
	to = put_counts(to, ",\"packets\":", s->packets);
	to = put_counts(to, ",\"bytes\":", s->payload);
	to = put_counts(to, ",\"copies\":", s->seen.copies);
	to = put(to, s->seen.touched ? ",\"touched\":true"
				     : ",\"quality\":\"complete\",\"touched\":false");
	if (s->decided_ns)
		to = put_time(to, ",\"decided\":\"", s->decided_ns);
	else
		to = put(to, ",\"decided\":null");
	to = put(to, "}\n");
	gen_out_done(out, (uint32_t)(to - begin));
	return 0;
}
