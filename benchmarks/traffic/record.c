#include "record.h"

#include "dialogue.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEAD  5
#define RANDOM_OFF   11 /* record header, message header, legacy_version */
#define RANDOM_LEN   32
#define BULK_RECORDS 16
#define ROUNDS_MAX   8

/* A client and a server joined by memory BIOs; rec is NULL while nothing is to be kept. */
struct pair {
	SSL_CTX *ctx[2];
	SSL *ssl[2];
	struct et_recording *rec;
};

static SSL_CTX *make_ctx(const struct et_profile *p, const struct et_side *side, bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	bool ok = ctx != NULL;

	if (!ok)
		return NULL;
	ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
	     SSL_CTX_set_max_proto_version(ctx, side->max_version) &&
	     (!side->ciphers || SSL_CTX_set_cipher_list(ctx, side->ciphers)) &&
	     (!side->suites || SSL_CTX_set_ciphersuites(ctx, side->suites)) &&
	     (!side->groups || SSL_CTX_set1_groups_list(ctx, side->groups)) &&
	     (!side->sigalgs || SSL_CTX_set1_sigalgs_list(ctx, side->sigalgs));
	SSL_CTX_set_verify(ctx, server && p->ask_client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"bench", 5);
	if (p->no_ticket)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (server)
		SSL_CTX_set_dh_auto(ctx, 1);
	if (!ok) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static int pair_open(struct pair *pr, const char *sni, SSL_SESSION *resume)
{
	for (unsigned i = 0; i < 2; i++) {
		BIO *in = BIO_new(BIO_s_mem());
		BIO *out = BIO_new(BIO_s_mem());

		pr->ssl[i] = SSL_new(pr->ctx[i]);
		if (!in || !out || !pr->ssl[i]) {
			BIO_free(in);
			BIO_free(out);
			return -1;
		}
		SSL_set_bio(pr->ssl[i], in, out);
	}
	SSL_set_connect_state(pr->ssl[ET_CLIENT]);
	SSL_set_accept_state(pr->ssl[ET_SERVER]);
	if (sni && !SSL_set_tlsext_host_name(pr->ssl[ET_CLIENT], sni))
		return -1;
	return !resume || SSL_set_session(pr->ssl[ET_CLIENT], resume) ? 0 : -1;
}

static void pair_close(struct pair *pr)
{
	for (unsigned i = 0; i < 2; i++) {
		SSL_free(pr->ssl[i]);
		pr->ssl[i] = NULL;
	}
}

static int keep(struct et_recording *r, const uint8_t *p, size_t len, uint8_t dir)
{
	uint8_t *bytes = realloc(r->bytes, r->len + len);

	if (!bytes || r->flight_cnt == ET_REC_FLIGHTS)
		return -1;
	memcpy(bytes + r->len, p, len);
	r->flights[r->flight_cnt++] = (struct et_flight){ r->len, (uint32_t)len, dir, false };
	r->bytes = bytes;
	r->len += (uint32_t)len;
	return 0;
}

/* Carries what one side has written to the other, as one flight. */
static int carry(struct pair *pr, uint8_t dir)
{
	BIO *out = SSL_get_wbio(pr->ssl[dir]);
	char *p;
	long len = BIO_get_mem_data(out, &p);
	int rc = 0;

	if (len <= 0)
		return 0;
	if (pr->rec)
		rc = keep(pr->rec, (const uint8_t *)p, (size_t)len, dir);
	BIO_write(SSL_get_rbio(pr->ssl[!dir]), p, (int)len);
	(void)BIO_reset(out);
	return rc;
}

/* True while the handshake can go on: it is done or waits for bytes. */
static bool step(SSL *ssl)
{
	int rc = SSL_do_handshake(ssl);

	return rc == 1 || SSL_get_error(ssl, rc) == SSL_ERROR_WANT_READ;
}

/* Up to the client's last flight, which is carried but not yet read: in TLS 1.3 and when resuming,
 * the client's first command goes out right behind it. 1 done, 0 refused, -1 neither. */
static int handshake(struct pair *pr)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		bool alive = step(pr->ssl[ET_CLIENT]);

		if (carry(pr, ET_CLIENT) < 0 || !alive)
			return -1;
		if (SSL_is_init_finished(pr->ssl[ET_CLIENT]))
			return 1;
		alive = step(pr->ssl[ET_SERVER]);
		if (carry(pr, ET_SERVER) < 0)
			return -1;
		if (!alive)
			return 0;
	}
	return -1;
}

static int read_all(SSL *ssl)
{
	char buf[16384];
	int rc;

	do
		rc = SSL_read(ssl, buf, sizeof(buf));
	while (rc > 0);
	rc = SSL_get_error(ssl, rc);
	return rc == SSL_ERROR_WANT_READ || rc == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static int say(struct pair *pr, uint8_t dir, const char *text)
{
	if (SSL_write(pr->ssl[dir], text, (int)strlen(text)) <= 0 || carry(pr, dir) < 0)
		return -1;
	/* a server that still waits for Finished answers that first: NewSessionTicket */
	if (!step(pr->ssl[!dir]) || carry(pr, !dir) < 0)
		return -1;
	return read_all(pr->ssl[!dir]);
}

/* Writes full records of body and keeps them apart from the flights. */
static int say_bulk(struct pair *pr)
{
	struct et_recording *r = pr->rec;
	uint8_t *text = malloc(r->profile->record);
	BIO *out = SSL_get_wbio(pr->ssl[ET_CLIENT]);
	long len = 0;
	char *p;

	if (!text || r->flight_cnt == ET_REC_FLIGHTS) {
		free(text);
		return -1;
	}
	memset(text, 'm', r->profile->record);
	for (unsigned i = 0; i < BULK_RECORDS; i++)
		SSL_write(pr->ssl[ET_CLIENT], text, r->profile->record);
	free(text);
	len = BIO_get_mem_data(out, &p);
	r->bulk = len > 0 ? malloc((size_t)len) : NULL;
	if (!r->bulk)
		return -1;
	memcpy(r->bulk, p, (size_t)len);
	r->bulk_cnt = BULK_RECORDS;
	r->bulk_wire = (uint32_t)len / BULK_RECORDS;
	BIO_write(SSL_get_rbio(pr->ssl[ET_SERVER]), p, (int)len);
	(void)BIO_reset(out);
	r->flights[r->flight_cnt++] = (struct et_flight){ .dir = ET_CLIENT, .bulk = true };
	return read_all(pr->ssl[ET_SERVER]);
}

static int talk(struct pair *pr, const struct et_dialogue *d)
{
	for (unsigned i = 0; i < d->cnt; i++) {
		const struct et_line *line = &d->lines[i];

		if (line->bulk ? say_bulk(pr) : say(pr, line->dir, line->text))
			return -1;
	}
	for (uint8_t dir = ET_SERVER; dir <= ET_SERVER; dir--) {
		SSL_shutdown(pr->ssl[dir]);
		if (carry(pr, dir) < 0)
			return -1;
	}
	return 0;
}

/* A record that holds a plain ClientHello or ServerHello of TLS 1.2 or 1.3. */
static bool is_hello(const uint8_t *p, uint32_t len)
{
	uint32_t body = len - RECORD_HEAD;

	return len >= RANDOM_OFF + RANDOM_LEN && p[0] == 22 && (p[5] == 1 || p[5] == 2) &&
	       4u + (uint32_t)(p[6] << 16 | p[7] << 8 | p[8]) <= body && p[9] == 3 && p[10] == 3;
}

static int find_patches(struct et_recording *r)
{
	static const uint8_t retry[4] = { 0xcf, 0x21, 0xad, 0x74 };

	for (unsigned i = 0; i < r->flight_cnt; i++) {
		uint32_t at = r->flights[i].off, end = at + r->flights[i].len;

		while (at + RECORD_HEAD <= end) {
			const uint8_t *p = r->bytes + at;
			uint32_t len = RECORD_HEAD + (uint32_t)(p[3] << 8 | p[4]);

			if (is_hello(p, len) && memcmp(p + RANDOM_OFF, retry, sizeof(retry))) {
				if (r->patch_cnt == ET_REC_PATCHES)
					return -1;
				r->patches[r->patch_cnt++] = (struct et_patch){
					.off = at + RANDOM_OFF,
					.dir = r->flights[i].dir,
					.keep_tail = !memcmp(p + RANDOM_OFF + 24, "DOWNGRD", 7),
				};
			}
			at += len;
		}
	}
	return 0;
}

static void note_result(struct et_recording *r, SSL *ssl)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);

	r->version = SSL_get_version(ssl);
	r->cipher = SSL_CIPHER_standard_name(cipher);
	r->cipher_id = SSL_CIPHER_get_protocol_id(cipher);
	r->resumed = SSL_session_reused(ssl);
}

/* A first connection, not recorded, that leaves the client a session to resume. */
static SSL_SESSION *earlier_session(struct pair *pr, const char *sni)
{
	SSL_SESSION *s = NULL;

	if (pair_open(pr, sni, NULL) == 0 && handshake(pr) == 1 &&
		say(pr, ET_CLIENT, "NOOP\r\n") == 0 && say(pr, ET_SERVER, "250 ok\r\n") == 0)
		s = SSL_get1_session(pr->ssl[ET_CLIENT]);
	/* unless it was shut down the server forgets it: session ids would not resume */
	for (unsigned i = 0; i < 2 && pr->ssl[i]; i++)
		SSL_set_shutdown(pr->ssl[i], SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	pair_close(pr);
	return s;
}

static int record(struct pair *pr, struct et_rng *rng)
{
	struct et_recording *r = pr->rec;
	const struct et_profile *p = r->profile;
	const char *sni = p->sni ? r->server_name : NULL;
	bool resume = p->class == ET_CLASS_TLS13_RESUMED || p->class == ET_CLASS_TLS12_RESUMED;
	bool tls13 = p->class == ET_CLASS_TLS13 || p->class == ET_CLASS_TLS13_RESUMED;
	SSL_SESSION *session = NULL;
	struct et_dialogue dialogue;
	int rc;

	pr->rec = NULL;
	if (resume && !(session = earlier_session(pr, sni)))
		return -1;
	pr->rec = r;
	rc = pair_open(pr, sni, session);
	SSL_SESSION_free(session);
	if (rc)
		return -1;
	rc = handshake(pr);
	if (p->class == ET_CLASS_FAILED)
		return rc == 0 ? find_patches(r) : -1;
	if (rc != 1)
		return -1;
	note_result(r, pr->ssl[ET_CLIENT]);
	et_dialogue_secret(&dialogue, rng, r->server_name, p->pipelined);
	if (talk(pr, &dialogue) || r->resumed != resume ||
		strcmp(r->version, tls13 ? "TLSv1.3" : "TLSv1.2") != 0)
		return -1;
	return find_patches(r);
}

int et_recording_make(struct et_recording *out, struct et_certs *certs, struct et_rng *rng,
	const struct et_profile *profile)
{
	struct pair pr = { .rec = out };
	char host[64];
	int rc = -1;

	*out = (struct et_recording){ .profile = profile };
	snprintf(host, sizeof(host), "%s%s", profile->inbound ? "" : "*.", profile->host);
	if (profile->inbound)
		snprintf(out->server_name, sizeof(out->server_name), "%s", profile->host);
	else
		snprintf(out->server_name, sizeof(out->server_name), "mx1.%s", profile->host);
	pr.ctx[ET_CLIENT] = make_ctx(profile, &profile->client, false);
	pr.ctx[ET_SERVER] = make_ctx(profile, &profile->server, true);
	if (pr.ctx[ET_CLIENT] && pr.ctx[ET_SERVER] &&
		et_certs_give(certs, pr.ctx[ET_SERVER], host, profile->key, profile->chain) == 0)
		rc = record(&pr, rng);
	if (rc) {
		fprintf(stderr,
			"et-traffic: profile %zu (%s): OpenSSL does not do what it is for\n",
			(size_t)(profile - et_profiles), profile->host);
		ERR_print_errors_fp(stderr);
	}
	ERR_clear_error(); /* the refused handshakes leave their errors */
	pair_close(&pr);
	SSL_CTX_free(pr.ctx[ET_CLIENT]);
	SSL_CTX_free(pr.ctx[ET_SERVER]);
	return rc;
}

void et_recording_free(struct et_recording *r)
{
	free(r->bytes);
	free(r->bulk);
}
