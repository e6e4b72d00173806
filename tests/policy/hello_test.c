/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_tests.h"
#include "world.h"

#include <stdio.h>

#define CLOSE (-1)

static const struct hello_spec
	plain = { .ciphers = "c02f", .groups = "0017", .exts = "000a 000d" },
	tls13 = { .ciphers = "1301 c02f",
		.groups = "001d 0017",
		.versions = "0304 0303",
		.exts = "000a 000d 002b 0033",
		.shares = "001d" },
	post_quantum = { .ciphers = "1301 c02f",
		.groups = "11ec 001d",
		.versions = "0304 0303",
		.exts = "000a 000d 002b 0033",
		.shares = "11ec" },
	alpn = { .ciphers = "c02f", .groups = "0017", .exts = "000a 000d 0010", .alpn = "h2" },
	large = { .ciphers = "c02f c030 009c 009d 009e 009f c013 c014 002f 0035 003c 003d 0067 "
			     "006b 0033 0039 c027 c028 cca8 ccaa c02b c02c c023 c024 c009 c00a "
			     "00a0 00a1 00a2 00a3 0040 006a 0038 0032 0044 0045 0087 0088",
		.groups = "0017",
		.exts = "000a 000d" };

/*
 * A server that answers some hellos and not this one: is the difference named, only then, and how
 * sure are we?
 */
void test_hellos(void)
{
	static const struct {
		const char *row;
		const struct hello_spec *answered;
		unsigned times; /* so often */
		const struct hello_spec *stuck;
		uint8_t end;
		int alert;
		int waited_s;
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "ML-KEM, silence", &tls13, 1, &post_quantum, ET_END_OPEN, CLOSE, 9,
			"hello_intolerance/post_quantum", ET_POSSIBLE },
		{ "ML-KEM, often", &tls13, 5, &post_quantum, ET_END_OPEN, CLOSE, 9,
			"hello_intolerance/post_quantum", ET_LIKELY },
		{ "ML-KEM, the client gives up", &tls13, 5, &post_quantum, ET_END_FIN_CLIENT, CLOSE,
			9, "hello_intolerance/post_quantum", ET_LIKELY },
		{ "ML-KEM, the client does not wait", &tls13, 5, &post_quantum, ET_END_FIN_CLIENT,
			CLOSE, 1, "lost/closed_by_client/after_client_hello", ET_CERTAIN },
		{ "ML-KEM, answered before", &post_quantum, 5, &post_quantum, ET_END_OPEN, CLOSE, 9,
			"lost/timeout/after_client_hello", ET_LIKELY },
		{ "ML-KEM, decode_error", &tls13, 5, &post_quantum, ET_END_FIN_SERVER, 50, 0,
			"hello_intolerance/post_quantum", ET_LIKELY },
		{ "ML-KEM, another alert", &tls13, 5, &post_quantum, ET_END_FIN_SERVER, 112, 0,
			"unrecognized_name", ET_CERTAIN },
		{ "nothing known", NULL, 0, &post_quantum, ET_END_OPEN, CLOSE, 9,
			"lost/timeout/after_client_hello", ET_LIKELY },
		{ "TLS 1.3, reset", &plain, 1, &tls13, ET_END_RST_SERVER, CLOSE, 0,
			"hello_intolerance/version", ET_POSSIBLE },
		{ "ALPN, closed", &plain, 5, &alpn, ET_END_FIN_SERVER, CLOSE, 0,
			"hello_intolerance/extension", ET_LIKELY },
		{ "ALPN, few sessions", &plain, 4, &alpn, ET_END_FIN_SERVER, CLOSE, 0,
			"lost/closed_by_server/after_client_hello", ET_CERTAIN },
		{ "large", &plain, 5, &large, ET_END_OPEN, CLOSE, 9, "hello_intolerance/size",
			ET_LIKELY },
		{ "the same", &plain, 5, &plain, ET_END_OPEN, CLOSE, 9,
			"lost/timeout/after_client_hello", ET_LIKELY },
		{ "less", &large, 5, &plain, ET_END_OPEN, CLOSE, 9,
			"lost/timeout/after_client_hello", ET_LIKELY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_session *s;
		struct world w;

		world_init(&w);
		for (unsigned k = 0; k < rows[i].times; k++) {
			s = world_established(&w, ET_TLSV1_2, 0xc02f, 0x17, NULL);
			s->tls.hello = world_hello(&w, rows[i].answered);
		}
		s = world_refused(&w, rows[i].stuck, rows[i].alert);
		s->end = rows[i].end;
		s->outcome = rows[i].end == ET_END_OPEN || rows[i].end == ET_END_FIN_CLIENT
				     ? ET_OUTCOME_INCOMPLETE
				     : ET_OUTCOME_FAILED;
		s->end_ns = s->start_ns + rows[i].waited_s * ET_NS_PER_S;
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}
}

/* The suites that the server uses stand behind 63, 64 others: where does Exchange 2003 stop? */
void test_first_64(void)
{
	for (unsigned before = 63; before <= 64; before++)
		for (unsigned sessions = 4; sessions <= 5; sessions++) {
			char ciphers[512] = "";
			struct hello_spec spec = { .ciphers = ciphers };
			size_t n = 0;
			struct world w;

			for (unsigned i = 0; i < before; i++)
				n += (size_t)snprintf(
					ciphers + n, sizeof(ciphers) - n, "c0%02x ", 0x60 + i);
			snprintf(ciphers + n, sizeof(ciphers) - n, "002f 0035");
			world_init(&w);
			for (unsigned i = 0; i < sessions; i++)
				world_established(&w, ET_TLSV1_0, 0x002f, 0, NULL);
			world_refused(&w, &spec, 40);
			world_expect(&w, "first 64",
				before == 64 ? "no_shared_cipher/first_64_suites"
					     : "no_shared_cipher",
				before == 64 && sessions < 5 ? ET_POSSIBLE : ET_LIKELY);
			world_free(&w);
		}
}
