/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_WIRETAP_H
#define GEN_WIRETAP_H

/*
 * What the recorded TLS bytes say: hellos and where their randoms and ids are, the suite, the group,
 * alerts. The bytes come from a stack in this process: whole records, no damage.
 */

#include "script.h"

struct gen_wiretap {
	uint16_t version; /* 0: no ServerHello */
	uint16_t cipher_id;
	uint16_t group; /* 0: none was named */
	bool hello_retry;
	bool server_done; /* ServerHelloDone was sent */
	/* in clear only: CertificateRequest, a certificate of the client, ClientKeyExchange */
	bool cert_asked, cert_sent, client_keyed;
	bool client_finished; /* TLS 1.3: the client has sent a record that is no alert */
	int alert_from;       /* -1: none */
	bool alert_inferred;
	uint8_t alert_level, alert_code;
	int decider; /* flight with which the client has sent its second command; -1: none */
};

/*
 * Reads the flights from `first` on, and adds patches for randoms and ids to the script. From `talk`
 * on the handshake is over. 0 or -1.
 */
int gen_wiretap_read(
	struct gen_wiretap *out, struct gen_script *script, unsigned first, unsigned talk);

#endif
