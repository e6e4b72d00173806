/*
 * Recordings: what an OpenSSL client and an OpenSSL server said to each other, flight by flight.
 *
 * A recording starts with the ClientHello and ends with close_notify (or with the fatal alert); the
 * mail dialogue inside is encrypted as it was written. It is made once and read by every session
 * that replays it; a session puts fresh randoms at the patch places and nothing else. The mail body
 * is kept apart as a run of full records, from which a body of any size is cut.
 */
#ifndef ET_RECORD_H
#define ET_RECORD_H

#include "cert.h"
#include "profile.h"
#include "rng.h"

#define ET_CLIENT 0
#define ET_SERVER 1

#define ET_REC_FLIGHTS 40
#define ET_REC_PATCHES 4

/* Bytes that one side wrote in one go. */
struct et_flight {
	uint32_t off;
	uint32_t len;
	uint8_t dir;
	bool bulk; /* the mail body goes here; off and len are 0 */
};

/* The 32 bytes of a hello's random; in a HelloRetryRequest they mean something and stay. */
struct et_patch {
	uint32_t off;
	uint8_t dir;
	bool keep_tail; /* the last 8 bytes are a downgrade sentinel: RFC 8446 4.1.3 */
};

struct et_recording {
	const struct et_profile *profile;
	char server_name[64]; /* as in the banner, and as the certificate has it */
	const char *version;  /* names as in session records; NULL when the handshake failed */
	const char *cipher;
	uint16_t cipher_id;
	bool resumed;
	uint8_t *bytes;
	uint32_t len;
	uint32_t flight_cnt;
	struct et_flight flights[ET_REC_FLIGHTS];
	uint32_t patch_cnt;
	struct et_patch patches[ET_REC_PATCHES];
	uint8_t *bulk; /* bulk_cnt records of bulk_wire bytes each, headers included */
	uint32_t bulk_wire;
	uint32_t bulk_cnt;
};

/* Records one session of the profile. 0, or -1 with a sentence on standard error when OpenSSL does
 * not do what the profile is for. et_recording_free() is due in both cases. */
int et_recording_make(struct et_recording *out, struct et_certs *certs, struct et_rng *rng,
	const struct et_profile *profile);
void et_recording_free(struct et_recording *r);

#endif
