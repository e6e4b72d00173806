/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <errno.h>

#include "et_iana.h"

/*
 * Whether a thing that this side would have said in the dialogue is known not to have been said:
 * its packets were there, and nothing hides where its dialogue stands.
 */
static bool heard(const struct et_session *s, enum et_dir dir)
{
	bool begin = !(s->partial & ET_PARTIAL_MIDSTREAM) || s->mail.greeting != 0 ||
		     s->mode == ET_MODE_IMPLICIT;

	return s->packets[dir] > 0 && !s->mail.confused[dir] && begin;
}

/* Whether handshake messages of this side that were not seen were not sent. */
static bool shook(const struct et_session *s, enum et_dir dir)
{
	return s->packets[dir] > 0 && !s->tls.side[dir].lost;
}

/* Milliseconds with microseconds, seconds with microseconds: what lies below is noise. */
static json_t *real_us(int64_t ns, double us_per_unit)
{
	int64_t us = ns / ET_NS_PER_US;

	return json_real((double)us / us_per_unit);
}

static json_t *end_json(
	const struct et_stats_writer *writer, const struct et_session *s, enum et_dir dir)
{
	json_t *o = json_object();
	char ip[ET_ADDR_TEXT];

	et_addr_text(ip, &s->addr[dir]);
	val_put(&o, "ip", val_text(ip));
	val_put(&o, "port", val_count(s->port[dir]));
	val_put(&o, "name", val_name(writer->run.books->names, s->name[dir]));
	return o;
}

static json_t *starttls_json(const struct et_session *s)
{
	const struct et_mail_facts *mail = &s->mail;
	bool client = heard(s, ET_CLIENT), server = heard(s, ET_SERVER);
	json_t *o = json_object();

	val_put(&o, "offered", val_flag(mail->offered == ET_YES, mail->offered == ET_NO));
	/* a reply or the mode may tell of a STARTTLS that was not seen itself */
	val_put(&o, "requested",
		val_flag(mail->requested,
			client && s->mode != ET_MODE_STARTTLS && mail->reply == 0));
	val_put(&o, "reply", mail->reply ? val_count(mail->reply) : json_null());
	val_put(&o, "masked", val_flag(mail->masked, server));
	val_put(&o, "injected", val_flag(mail->injected, client));
	val_put(&o, "reply_injected", val_flag(mail->reply_injected, server));
	return o;
}

static json_t *alert_json(const struct et_session *s)
{
	const char *level = s->alert_level == 1 ? "warning" : s->alert_level == 2 ? "fatal" : NULL;
	bool readable = s->alert_code >= 0;
	json_t *o;

	if (s->alert_from < 0)
		return json_null();
	o = json_object();
	val_put(&o, "from", val_text(s->alert_from == ET_CLIENT ? "client" : "server"));
	val_put(&o, "level", val_text(level));
	val_put(&o, "code", readable ? val_count((uint64_t)s->alert_code) : json_null());
	val_put(&o, "name", val_text(readable ? et_iana_alert((uint8_t)s->alert_code) : NULL));
	val_put(&o, "inferred", json_boolean(s->inferred > 0));
	if (s->inferred > 0)
		val_put(&o, "confidence",
			val_text(et_confidence_name((enum et_confidence)(s->inferred - 1))));
	return o;
}

static bool is_clear_handshake(const struct et_tls_facts *tls)
{
	return tls->version != 0 && tls->version <= ET_TLSV1_2;
}

/* Whether the server's readable flight was seen to its end, or had none because of resumption. */
static bool saw_server_flight(const struct et_tls_facts *tls)
{
	return is_clear_handshake(tls) &&
	       (tls->resumed || (tls->side[ET_SERVER].seen & ET_TLS_SAW_SERVER_HELLO_DONE));
}

static bool saw_client_flight(const struct et_tls_facts *tls)
{
	return is_clear_handshake(tls) &&
	       (tls->resumed || (tls->side[ET_CLIENT].seen & ET_TLS_SAW_CLIENT_KEY_EXCHANGE));
}

static json_t *client_cert_json(const struct et_tls_facts *tls)
{
	bool asked = tls->side[ET_SERVER].seen & ET_TLS_SAW_CERTIFICATE_REQUEST;
	bool not_asked = !asked && saw_server_flight(tls) && !tls->side[ET_SERVER].lost;
	bool not_sent = not_asked || tls->certificate_empty[ET_CLIENT] ||
			(saw_client_flight(tls) && !tls->side[ET_CLIENT].lost);
	bool sent = !tls->certificate_empty[ET_CLIENT] &&
		    (tls->side[ET_CLIENT].seen & ET_TLS_SAW_CERTIFICATE);
	json_t *o = json_object();

	val_put(&o, "requested", val_flag(asked, not_asked));
	val_put(&o, "sent", val_flag(sent, not_sent));
	return o;
}

static void put_cipher(json_t **o, const struct et_tls_facts *tls)
{
	const struct et_iana_suite *suite = NULL;
	char name[VAL_NAME];

	/* the client of SSLv2 names it, after both hellos */
	if (tls->version == 0 || (tls->version == ET_SSLV2 && tls->cipher == 0)) {
		val_put(o, "cipher", json_null());
		val_put(o, "cipher_openssl", json_null());
		val_put(o, "cipher_id", json_null());
		return;
	}
	name_cipher(name, tls->version, tls->cipher);
	if (tls->version != ET_SSLV2)
		suite = et_iana_suite((uint16_t)tls->cipher);
	val_put(o, "cipher", val_text(name));
	val_put(o, "cipher_openssl", val_text(suite ? suite->openssl : NULL));
	val_put(o, "cipher_id", val_hex(tls->cipher, tls->version == ET_SSLV2 ? 6 : 4));
}

static json_t *tls_json(const struct et_session *s)
{
	const struct et_tls_facts *tls = &s->tls;
	bool server = shook(s, ET_SERVER), client = shook(s, ET_CLIENT);
	char group[VAL_NAME] = "";
	json_t *o = json_object();

	if (tls->group != 0)
		name_group(group, tls->group);
	val_put(&o, "outcome", val_text(et_outcome_name((enum et_outcome)s->outcome)));
	val_put(&o, "version", val_text(et_iana_version(tls->version)));
	put_cipher(&o, tls);
	val_put(&o, "group", val_text(group));
	val_put(&o, "dh_bits", tls->dh_bits ? val_count(tls->dh_bits) : json_null());
	val_put(&o, "resumed", val_flag(tls->resumed, server || tls->version != 0));
	val_put(&o, "hello_retry", val_flag(tls->hello_retry, server || tls->version != 0));
	val_put(&o, "early_data", val_flag(tls->early_data, client || tls->hello));
	val_put(&o, "handshake_ms",
		s->handshake_ns < 0 ? json_null() : real_us(s->handshake_ns, 1e3));
	val_put(&o, "alert", alert_json(s));
	val_put(&o, "client_cert", client_cert_json(tls));
	return o;
}

/* A shared object with one key that is the session's own. Takes `own` over. */
static json_t *with_own(json_t *shared, const char *key, json_t *own)
{
	json_t *o;

	if (!shared) {
		json_decref(own);
		return json_null();
	}
	o = json_copy(shared);
	val_put(&o, key, own);
	return o;
}

static json_t *certs_of(struct et_stats_writer *writer, const struct et_session *s, enum et_dir dir)
{
	const struct et_tls_facts *tls = &s->tls;
	json_t *chain = writer_chain(writer, tls->chain[dir]);
	bool flight = dir == ET_SERVER ? saw_server_flight(tls) : saw_client_flight(tls);
	bool saw = tls->side[dir].seen & ET_TLS_SAW_CERTIFICATE;

	if (chain)
		return json_incref(chain);
	if (tls->certificate_empty[dir] || s->outcome == ET_OUTCOME_NONE)
		return json_array();
	/* was there and is not kept, or may have been */
	if (saw || !shook(s, dir))
		return json_null();
	/* none without a ServerHello, RFC 5246 7.3; those of TLS 1.3 are encrypted */
	return flight || (tls->version == 0 && shook(s, ET_SERVER)) ? json_array() : json_null();
}

static json_t *certs_json(struct et_stats_writer *writer, const struct et_session *s)
{
	json_t *o = json_object();

	val_put(&o, "server", certs_of(writer, s, ET_SERVER));
	val_put(&o, "client", certs_of(writer, s, ET_CLIENT));
	return o;
}

static json_t *mail_json(const struct et_session *s)
{
	json_t *o = json_object();

	if (s->mail.clear_mail > 0 || (heard(s, ET_CLIENT) && heard(s, ET_SERVER)))
		val_put(&o, "clear", val_count(s->mail.clear_mail));
	else
		val_put(&o, "clear", json_null());
	return o;
}

static json_t *cause_json(const struct et_cause *cause)
{
	json_t *o;

	if (!cause->code[0])
		return json_null();
	o = json_object();
	val_put(&o, "code", val_text(cause->code));
	val_put(&o, "confidence", val_text(et_confidence_name(cause->confidence)));
	val_put(&o, "why", cause->why[0] ? val_text(cause->why) : json_string(""));
	return o;
}

static json_t *fallback_json(const struct et_fallback *fallback)
{
	json_t *o;

	if (!fallback->is)
		return json_null();
	o = json_object();
	val_put(&o, "after", val_time_us(fallback->after_ns));
	val_put(&o, "delay_s", real_us(fallback->delay_ns, 1e6));
	val_put(&o, "same_connection", json_boolean(fallback->same_connection));
	return o;
}

static json_t *pair_json(uint64_t client, uint64_t server)
{
	json_t *o = json_object();

	val_put(&o, "client", val_count(client));
	val_put(&o, "server", val_count(server));
	return o;
}

/* The most important reason: what is missing inside hides more than what is missing around. */
static const char *partial_reason(uint8_t partial)
{
	if (partial & ET_PARTIAL_GAP)
		return "gap";
	if (partial & ET_PARTIAL_ONE_DIRECTION)
		return "one_direction";
	return partial & ET_PARTIAL_MIDSTREAM ? "midstream" : "truncated";
}

static void put_ends(json_t **o, const struct et_session *s)
{
	val_put(o, "packets", pair_json(s->packets[ET_CLIENT], s->packets[ET_SERVER]));
	val_put(o, "bytes", pair_json(s->bytes[ET_CLIENT], s->bytes[ET_SERVER]));
	val_put(o, "gaps", pair_json(s->gaps[ET_CLIENT], s->gaps[ET_SERVER]));
	val_put(o, "quality", val_text(s->partial ? "partial" : "complete"));
	if (s->partial)
		val_put(o, "quality_reason", val_text(partial_reason(s->partial)));
}

static json_t *server_hello_json(struct et_stats_writer *writer, const struct et_session *s)
{
	json_t *o;

	if (s->tls.version != ET_SSLV2)
		return with_own(writer_server_hello(writer, s->tls.server_hello), "session_id_len",
			val_count(s->tls.session_id_len));
	o = json_object(); /* SSLv2 has no extensions, and JA3S no form for it */
	val_put(&o, "extensions", json_array());
	val_put(&o, "session_id_len", val_count(s->tls.session_id_len));
	val_put(&o, "ja3s", json_null());
	return o;
}

int et_stats_session(struct et_stats_writer *writer, FILE *out, size_t i)
{
	const struct et_session *s = &writer->run.sessions[i];
	const struct et_books *books = writer->run.books;
	struct et_fallback fallback = et_policy_fallback(writer->run.policy, i);
	json_t *o = json_object();
	int rc;

	val_put(&o, "type", val_text("session"));
	val_put(&o, "v", val_count(1));
	val_put(&o, "sensor", val_text(writer->run.sensor));
	val_put(&o, "start", val_time_us(s->start_ns));
	val_put(&o, "end", val_time_us(s->end_ns));
	val_put(&o, "client", end_json(writer, s, ET_CLIENT));
	val_put(&o, "server", end_json(writer, s, ET_SERVER));
	val_put(&o, "service", val_text(et_service_name((enum et_service)s->service)));
	val_put(&o, "mode", val_text(et_mode_name((enum et_mode)s->mode)));
	val_put(&o, "starttls", starttls_json(s));
	val_put(&o, "tls", tls_json(s));
	val_put(&o, "hello",
		with_own(writer_hello(writer, s->tls.hello), "sni",
			val_name(books->names, s->tls.sni)));
	val_put(&o, "server_hello", server_hello_json(writer, s));
	val_put(&o, "certs", certs_json(writer, s));
	val_put(&o, "mail", mail_json(s));
	val_put(&o, "auth_clear", val_flag(s->mail.auth_clear, heard(s, ET_CLIENT)));
	val_put(&o, "cause", cause_json(et_policy_cause(writer->run.policy, i)));
	val_put(&o, "fallback", fallback_json(&fallback));
	put_ends(&o, s);
	rc = val_line(out, o);
	json_decref(o);
	return rc;
}
