/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPT_H
#define SCRIPT_H

/*
 * A conversation between one client and one server, as segments for a worker. Each line of a test
 * is one call; sequence numbers, acknowledgements and times go on by themselves.
 */

#include "worker.h"

struct script {
	struct worker *worker;
	struct et_match_db *db; /* shared by all scripts */
	struct et_ports ports;
	uint16_t client_port, server_port;
	uint32_t seq[2]; /* next byte by enum et_dir */
	uint16_t ip_id;
	uint64_t frame;
	int64_t now_ns;
	/* Segments are kept until script_run, so that a test can change their order. */
	struct parcel parcels[512];
	uint8_t bytes[1 << 18];
	size_t cnt, used;
	size_t mss; /* payload of a segment at most */
};

struct script *script_new(uint16_t server_port);
void script_free(struct script *script);

/* One segment with these ET_TCP_ flags, whatever its size. */
void script_segment(
	struct script *script, enum et_dir dir, uint8_t flags, const void *bytes, size_t n);
void script_open(struct script *script); /* SYN, SYN-ACK, ACK */
void script_say(struct script *script, enum et_dir dir, const void *bytes, size_t n);
void script_text(struct script *script, enum et_dir dir, const char *text);
void script_fin(struct script *script, enum et_dir dir);
void script_rst(struct script *script, enum et_dir dir);
void script_skip(struct script *script, enum et_dir dir, uint32_t n); /* bytes nobody saw */
void script_wait(struct script *script, unsigned seconds);

/* A TLS record of this type with n bytes. */
void script_record(
	struct script *script, enum et_dir dir, uint8_t type, const void *bytes, size_t n);
/* n bytes that look encrypted, in a record of this type. */
void script_sealed(struct script *script, enum et_dir dir, uint8_t type, size_t n);
void script_client_hello(struct script *script, bool tls13);
void script_server_hello(struct script *script, bool tls13);
/* The rest of a 1.2 flight: Certificate (empty list), ServerHelloDone. */
void script_server_done(struct script *script);
void script_client_finish(struct script *script); /* 1.2: key exchange, CCS, Finished */
void script_server_finish(struct script *script); /* 1.2: CCS, Finished */
void script_alert(struct script *script, enum et_dir dir, uint8_t level, uint8_t code);

/* The dialogue up to and with "220 go". */
void script_starttls(struct script *script);

/* Feeds what was said, in bursts, and ends the input. The records, in order. */
struct et_session *script_run(struct script *script, size_t *cnt);

#endif
