#include "dialogue.h"

#include <stdarg.h>
#include <stdio.h>

struct mta_words {
	const char *banner;     /* host */
	const char *greeting;   /* host, client's name, client's address; %.0s leaves one out */
	const char *before_tls; /* capability lines around STARTTLS; the last has no dash */
	const char *after_tls;
	const char *go_ahead;
	const char *queued; /* a number */
	const char *bye;    /* host */
};

/* clang-format off */
static const struct mta_words words[ET_MTA_CNT] = {
	[ET_MTA_POSTFIX] = {
		"220 %s ESMTP Postfix\r\n",
		"250-%s\r\n",
		"250-PIPELINING\r\n250-SIZE 52428800\r\n250-ETRN\r\n",
		"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n",
		"220 2.0.0 Ready to start TLS\r\n",
		"250 2.0.0 Ok: queued as 4Xk%09x\r\n",
		"221 2.0.0 Bye\r\n",
	},
	[ET_MTA_EXIM] = {
		"220 %s ESMTP Exim 4.96 Sun, 22 Nov 2026 10:00:00 +0000\r\n",
		"250-%s Hello %s [%s]\r\n",
		"250-SIZE 52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-PIPECONNECT\r\n"
		"250-CHUNKING\r\n",
		"250 HELP\r\n",
		"220 TLS go ahead\r\n",
		"250 OK id=1tE%05x-000%04x-2b\r\n",
		"221 %s closing connection\r\n",
	},
	[ET_MTA_EXCHANGE] = {
		"220 %s Microsoft ESMTP MAIL Service ready at Sun, 22 Nov 2026 10:00:00 +0000\r\n",
		"250-%s Hello %.0s[%s]\r\n",
		"250-SIZE 37748736\r\n250-PIPELINING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n",
		"250-X-ANONYMOUSTLS\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250 CHUNKING\r\n",
		"220 2.0.0 SMTP server ready\r\n",
		"250 2.6.0 <%08x@mail> Queued mail for delivery\r\n",
		"221 2.0.0 Service closing transmission channel\r\n",
	},
	[ET_MTA_SENDMAIL] = {
		"220 %s ESMTP Sendmail 8.17.1/8.17.1; Sun, 22 Nov 2026 10:00:00 GMT\r\n",
		"250-%s Hello %s [%s], pleased to meet you\r\n",
		"250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n250-DSN\r\n",
		"250-DELIVERBY\r\n250 HELP\r\n",
		"220 2.0.0 Ready to start TLS\r\n",
		"250 2.0.0 4AMA0%06x Message accepted for delivery\r\n",
		"221 2.0.0 %s closing connection\r\n",
	},
};

static const char *const first_words[] = {
	"nord", "sued", "alpen", "rhein", "blue", "green", "metro", "quick", "silver", "city", "data",
	"cloud", "open", "global", "first", "prime", "union", "delta", "omega", "terra", "lumen", "vita",
};
static const char *const second_words[] = {
	"wind", "bank", "trade", "soft", "works", "media", "tech", "logistik", "press", "health", "mail",
	"energy", "farm", "travel", "school", "law", "print", "motors", "foods", "net", "labs", "group",
};
static const char *const host_words[] = {
	"mail", "mx", "smtp", "out", "mta", "relay", "mailout", "mx-out", "exch", "post",
};
static const char *const user_words[] = {
	"info", "anna.schmidt", "j.doe", "newsletter", "bounce+a81f3c", "support", "m.rossi", "office",
	"order", "noreply", "l.nguyen", "billing",
};
/* clang-format on */

#define PICK(rng, list) list[et_rng_below(rng, sizeof(list) / sizeof(list[0]))]

void et_dialogue_name(char *out, size_t size, struct et_rng *rng, bool host)
{
	static const char *const tops[] = { "com", "net", "org" };
	const char *first = PICK(rng, first_words);
	const char *second = PICK(rng, second_words);

	/* below the names that RFC 2606 keeps free */
	if (host)
		snprintf(out, size, "%s%u.%s%s.example.%s", PICK(rng, host_words),
			et_rng_below(rng, 90), first, second, PICK(rng, tops));
	else
		snprintf(out, size, "%s%s.example.%s", first, second, PICK(rng, tops));
}

/* Appends text to the last line; what does not fit is cut, which the sizes here rule out. */
__attribute__((format(printf, 2, 0))) static void vput(
	struct et_dialogue *d, const char *fmt, va_list ap)
{
	int n = vsnprintf(d->text + d->used, sizeof(d->text) - d->used, fmt, ap);

	if (n > 0 && d->used + (unsigned)n < sizeof(d->text))
		d->used += (unsigned)n;
}

__attribute__((format(printf, 2, 3))) static void put(struct et_dialogue *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(d, fmt, ap);
	va_end(ap);
}

/* The same for texts of the table above, which the compiler cannot check. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_words(struct et_dialogue *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(d, fmt, ap);
	va_end(ap);
}
#pragma GCC diagnostic pop

static void begin(struct et_dialogue *d, uint8_t dir, bool bulk)
{
	d->text[d->used++] = 0;
	d->lines[d->cnt++] = (struct et_line){ d->text + d->used, dir, bulk };
}

static void put_ehlo_reply(struct et_dialogue *d, const struct et_scene *s, bool offer)
{
	const struct mta_words *w = &words[s->server];

	begin(d, 1, false);
	put_words(d, w->greeting, s->server_name, s->client_name, s->client_ip);
	put(d, "%s%s%s", w->before_tls, offer ? "250-STARTTLS\r\n" : "", w->after_tls);
}

static void put_opening(struct et_dialogue *d, const struct et_scene *s)
{
	d->cnt = 0;
	d->used = 0;
	begin(d, 1, false);
	put_words(d, words[s->server].banner, s->server_name);
	begin(d, 0, false);
	put(d, "%s %s\r\n", s->helo ? "HELO" : "EHLO", s->client_name);
	if (!s->helo) {
		put_ehlo_reply(d, s, s->offer);
		return;
	}
	begin(d, 1, false);
	put(d, "250 %s\r\n", s->server_name);
}

void et_dialogue_starttls(struct et_dialogue *d, const struct et_scene *scene)
{
	put_opening(d, scene);
	begin(d, 0, false);
	put(d, "STARTTLS\r\n");
	begin(d, 1, false);
	put(d, "%s", words[scene->server].go_ahead);
}

/* MAIL and RCPT, up to what says that the body comes next. */
static void put_envelope(struct et_dialogue *d, struct et_rng *rng, const struct et_scene *s)
{
	char from[48], to[48];
	const char *data = s->chunked ? "" : "DATA\r\n";

	et_dialogue_name(from, sizeof(from), rng, false);
	et_dialogue_name(to, sizeof(to), rng, false);
	begin(d, 0, false);
	put(d, "MAIL FROM:<%s@%s>\r\n", PICK(rng, user_words), from);
	if (s->pipelined) {
		put(d, "RCPT TO:<%s@%s>\r\n%s", PICK(rng, user_words), to, data);
		begin(d, 1, false);
		put(d, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n%s",
			s->chunked ? "" : "354 End data with <CR><LF>.<CR><LF>\r\n");
		return;
	}
	begin(d, 1, false);
	put(d, "250 2.1.0 Sender OK\r\n");
	begin(d, 0, false);
	put(d, "RCPT TO:<%s@%s>\r\n", PICK(rng, user_words), to);
	begin(d, 1, false);
	put(d, "250 2.1.5 Recipient OK\r\n");
	if (s->chunked)
		return;
	begin(d, 0, false);
	put(d, "DATA\r\n");
	begin(d, 1, false);
	put(d, "354 Enter message, ending with \".\" on a line by itself\r\n");
}

static void put_closing(struct et_dialogue *d, struct et_rng *rng, const struct et_scene *s)
{
	begin(d, 1, false);
	put_words(d, words[s->server].queued, et_rng_below(rng, 1u << 30), et_rng_below(rng, 9999));
	begin(d, 0, false);
	put(d, "QUIT\r\n");
	begin(d, 1, false);
	put_words(d, words[s->server].bye, s->server_name);
}

/* The mail's header; what follows it is the body's lines. */
static void put_mail_head(
	struct et_dialogue *d, struct et_rng *rng, const struct et_scene *s, uint64_t body_len)
{
	char head[512], domain[48];
	int n;

	et_dialogue_name(domain, sizeof(domain), rng, false);
	n = snprintf(head, sizeof(head),
		"Received: from app%u.%s (unknown [10.1.2.3])\r\n\tby %s with ESMTP id %08x\r\n"
		"From: <%s@%s>\r\nSubject: Report %u\r\nMIME-Version: 1.0\r\n"
		"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%08x@%s>\r\n"
		"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		et_rng_below(rng, 20), domain, s->client_name, (unsigned)et_rng_next(rng),
		PICK(rng, user_words), domain, et_rng_below(rng, 100000),
		(unsigned)et_rng_next(rng), domain);
	begin(d, 0, true);
	if (s->chunked)
		put(d, "BDAT %llu LAST\r\n", (unsigned long long)body_len + (unsigned)n);
	put(d, "%s", head);
}

void et_dialogue_clear(
	struct et_dialogue *d, struct et_rng *rng, const struct et_scene *scene, uint64_t body_len)
{
	put_opening(d, scene);
	put_envelope(d, rng, scene);
	put_mail_head(d, rng, scene, body_len);
	put_closing(d, rng, scene);
}

void et_dialogue_secret(
	struct et_dialogue *d, struct et_rng *rng, const char *server_name, bool pipelined)
{
	struct et_scene s = { .server_name = server_name, .pipelined = pipelined };
	char name[64];

	s.server = et_rng_below(rng, ET_MTA_CNT);
	et_dialogue_name(name, sizeof(name), rng, true);
	s.client_name = name;
	s.client_ip = "198.18.44.5";
	d->cnt = 0;
	d->used = 0;
	begin(d, 0, false);
	put(d, "EHLO %s\r\n", name);
	put_ehlo_reply(d, &s, false);
	put_envelope(d, rng, &s);
	begin(d, 0, true);
	put_closing(d, rng, &s);
}
