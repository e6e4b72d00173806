/*
 * Who speaks TLS with whom: the table of profiles that are recorded with OpenSSL.
 *
 * A profile is one pairing of a client and a server configuration as they are met between mail
 * servers. The table is constant data; its strings are OpenSSL's own configuration strings.
 */
#ifndef ET_PROFILE_H
#define ET_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a session comes to; the mix of a capture is given as shares of these. */
enum et_class {
	ET_CLASS_TLS13,
	ET_CLASS_TLS13_RESUMED,
	ET_CLASS_TLS12,
	ET_CLASS_TLS12_RESUMED,
	ET_CLASS_FAILED, /* no shared cipher: fatal handshake_failure from the server */
	ET_CLASS_CLEAR,  /* no TLS at all: has no profile */
	ET_CLASS_CNT,
};

enum et_key {
	ET_KEY_RSA,
	ET_KEY_P256,
	ET_KEY_P384,
	ET_KEY_CNT,
};

/* One side's settings; NULL keeps OpenSSL's default, max_version 0 too. */
struct et_side {
	int max_version;
	const char *ciphers; /* up to TLS 1.2 */
	const char *suites;  /* TLS 1.3 */
	const char *groups;
	const char *sigalgs;
};

struct et_profile {
	enum et_class class;
	bool inbound;     /* the server is the gateway, else the peer */
	const char *host; /* inbound: the gateway's name; outbound: the domain of the peer's MX */
	enum et_key key;  /* of the server's certificate */
	bool chain;       /* the server sends its issuer too */
	bool sni;
	bool ask_client; /* CertificateRequest; the client has no certificate to give */
	bool no_ticket;  /* session ids instead of tickets */
	bool pipelined;  /* MAIL, RCPT and DATA in one write */
	uint16_t record; /* plaintext bytes per record of the mail body */
	struct et_side client;
	struct et_side server;
};

extern const struct et_profile et_profiles[];
extern const size_t et_profile_cnt;

/* The gateway's two hosts; inbound profiles name one of them. */
#define ET_HOST_MX1 "mx1.gateway.example"
#define ET_HOST_MX2 "mx2.gateway.example"

#endif
