/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_tls.h"

#define MESSAGE_HEAD      4
#define EMPTY_CERTIFICATE (MESSAGE_HEAD + 4) /* an empty context, an empty list */
#define TYPE_LEN          1                  /* the inner content type: RFC 8446 5.2 */

enum {
	TLS_AES_256_GCM_SHA384 = 0x1302,
	TLS_AES_128_CCM_8_SHA256 = 0x1305,
};

/* What sealing adds to a message. */
static unsigned wrapping(uint32_t cipher)
{
	return TYPE_LEN + (cipher == TLS_AES_128_CCM_8_SHA256 ? 8 : 16);
}

/* Finished is as long as the suite's hash. */
static unsigned finished(uint32_t cipher)
{
	return MESSAGE_HEAD + (cipher == TLS_AES_256_GCM_SHA384 ? 48 : 32);
}

unsigned et_tls_client_flight(enum et_tls_flight *flight, const struct et_tls_facts *facts)
{
	const struct et_tls_side_facts *client = &facts->side[ET_CLIENT];
	unsigned n = client->app_records < ET_TLS_LENS ? client->app_records : ET_TLS_LENS;
	unsigned seal = wrapping(facts->cipher), end = finished(facts->cipher) + seal, i = 0;

	*flight = ET_TLS_FLIGHT_UNKNOWN;
	if (facts->version != ET_TLSV1_3 || n == 0)
		return 0;
	if (client->app_len[0] == EMPTY_CERTIFICATE + end) {
		*flight = ET_TLS_FLIGHT_NO_CERTIFICATE;
		return 1;
	}
	while (i < n && client->app_len[i] != end)
		i++;
	if (i == n)
		return 0;
	if (i == 0)
		*flight = ET_TLS_FLIGHT_FINISHED;
	else if (i == 1 && client->app_len[0] == EMPTY_CERTIFICATE + seal)
		*flight = ET_TLS_FLIGHT_NO_CERTIFICATE;
	else if (i <= 2 && !facts->early_data)
		*flight = ET_TLS_FLIGHT_CERTIFICATE; /* its proof in a record of its own, or not */
	return i + 1;
}
