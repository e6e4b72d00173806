/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both directions of a TLS connection, cut, mixed and with holes as the input says.
 *
 * The input is a row of steps: one byte (bit 0 the direction, bit 1 a gap instead of bytes, bits
 * 2-7 the high bits of a length), one byte with the low bits of the length, then the bytes.
 */
#include "et_tls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct et_tls_env env;
static uint64_t drops[ET_DROP_MAX];

static void open_env(void)
{
	env = (struct et_tls_env){
		.hellos = et_dict_new(1000, 1 << 20),
		.server_hellos = et_dict_new(1000, 1 << 20),
		.chains = et_dict_new(1000, 1 << 20),
		.names = et_dict_new(1000, 1 << 20),
		.pool = et_tls_pool_new(16384), /* small: its emptiness is part of the game */
		.drops = drops,
	};
}

static void close_env(void)
{
	et_dict_free(env.hellos);
	et_dict_free(env.server_hellos);
	et_dict_free(env.chains);
	et_dict_free(env.names);
	et_tls_pool_free(env.pool);
}

/* What was kept must be readable, and make fingerprints. */
static void read_back(const struct et_tls_facts *facts)
{
	struct et_tls_profile profile;
	struct et_tls_server_profile server;
	char text[37];

	if (facts->hello) {
		if (!et_tls_profile_decode(&profile, et_dict_get(env.hellos, facts->hello)))
			abort();
		et_tls_ja3(text, &profile);
		et_tls_ja4(text, &profile);
		et_tls_profile_id(text, et_dict_get(env.hellos, facts->hello));
	}
	if (facts->server_hello) {
		if (!et_tls_server_hello_decode(
			    &server, et_dict_get(env.server_hellos, facts->server_hello)))
			abort();
		et_tls_ja3s(text, &server);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct et_cur in = et_cur(data, size);
	struct et_tls_profile profile;
	struct et_tls tls;

	open_env();
	et_tls_init(&tls);
	et_tls_probe((struct et_view){ data, size });
	et_tls_profile_decode(&profile, (struct et_view){ data, size });
	while (in.n >= 2) {
		uint8_t step = et_u8(&in);
		size_t len = (size_t)(step >> 2) << 8 | et_u8(&in);
		enum et_dir dir = step & 1 ? ET_SERVER : ET_CLIENT;
		struct et_view bytes;

		if (step & 2) {
			et_tls_gap(&tls, &env, dir, len);
			continue;
		}
		bytes = et_take(&in, len < in.n ? len : in.n);
		if (et_tls_feed(&tls, &env, dir, bytes, 1) > bytes.n)
			abort();
	}
	read_back(&tls.facts);
	et_tls_done(&tls, &env);
	close_env();
	return 0;
}
