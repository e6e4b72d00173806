#include "profile.h"

#include <openssl/ssl.h>

#define TLS13       .class = ET_CLASS_TLS13
#define TLS13_RES   .class = ET_CLASS_TLS13_RESUMED
#define TLS12       .class = ET_CLASS_TLS12
#define TLS12_RES   .class = ET_CLASS_TLS12_RESUMED
#define FAILED      .class = ET_CLASS_FAILED
#define IN1         .inbound = true, .host = ET_HOST_MX1
#define IN2         .inbound = true, .host = ET_HOST_MX2, .key = ET_KEY_P384
#define OUT(domain) .inbound = false, .host = domain
#define V12         .max_version = TLS1_2_VERSION

/* Postfix writes its 4096-byte stream buffer as one record, Exim and Exchange fill the record. */
#define BUFFERED .record = 4096, .pipelined = true
#define FULL     .record = 16384

/* What an Exchange on an old Windows offers: CBC and RSA key exchange, one curve. */
#define SCHANNEL_CIPHERS                                                                       \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256:" \
	"ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:"    \
	"AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA"
#define SCHANNEL_SIGALGS                                                                  \
	"RSA+SHA256:RSA+SHA384:RSA+SHA1:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA1:RSA+SHA512:" \
	"ECDSA+SHA512"
#define SCHANNEL    V12, .ciphers = SCHANNEL_CIPHERS, .groups = "P-256", .sigalgs = SCHANNEL_SIGALGS
#define RSA_ONLY    V12, .ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:AES128-SHA"
#define MODERN_12   V12, .ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"
#define PICK(suite) V12, .ciphers = suite

const struct et_profile et_profiles[] = {
	/* TLS 1.3, full handshake */
	{ TLS13, IN1, .chain = true, BUFFERED },
	{ TLS13, IN1, .chain = true, BUFFERED, .sni = true },
	{ TLS13, IN1, .chain = true, FULL, .client = { .groups = "X25519:P-256" } },
	{ TLS13, IN1, .chain = true, BUFFERED, .ask_client = true },
	{ TLS13, IN1, .chain = true, FULL, .client = { .suites = "TLS_CHACHA20_POLY1305_SHA256" } },
	{ TLS13, IN2, .chain = true, BUFFERED },
	{ TLS13, IN2, .chain = true, FULL, .sni = true, .client = { .groups = "P-384:P-256" } },
	{ TLS13, OUT("hosting-a.example"), .chain = true, BUFFERED, .sni = true },
	{ TLS13, OUT("hosting-b.example"), .key = ET_KEY_P256, .chain = true, FULL,
		.server = { .suites = "TLS_AES_128_GCM_SHA256" } },
	{ TLS13, OUT("hosting-c.example"), BUFFERED, .server = { .groups = "X25519" } },
	/* the key share that the client sent is not the group that the server wants */
	{ TLS13, OUT("hosting-d.example"), .chain = true, BUFFERED,
		.server = { .groups = "P-256" } },
	/* TLS 1.3, resumed by PSK */
	{ TLS13_RES, IN1, .chain = true, BUFFERED },
	{ TLS13_RES, IN2, .chain = true, FULL, .sni = true, .client = { .groups = "P-384:P-256" } },
	{ TLS13_RES, OUT("hosting-a.example"), .chain = true, BUFFERED, .sni = true },
	/* TLS 1.2, full handshake */
	{ TLS12, IN1, .chain = true, BUFFERED, .client = { MODERN_12 } },
	{ TLS12, IN1, .chain = true, FULL, .client = { SCHANNEL } },
	{ TLS12, IN1, .chain = true, FULL, .client = { PICK("ECDHE-RSA-AES256-SHA384") } },
	{ TLS12, IN1, .chain = true, BUFFERED, .client = { PICK("DHE-RSA-AES256-GCM-SHA384") } },
	{ TLS12, IN1, .chain = true, FULL, .client = { PICK("AES256-GCM-SHA384:AES128-SHA") } },
	{ TLS12, IN1, BUFFERED, .ask_client = true, .client = { V12 } },
	{ TLS12, IN1, BUFFERED, .client = { PICK("ADH-AES256-GCM-SHA384:@SECLEVEL=0") },
		.server = { .ciphers = "ALL:aNULL:@SECLEVEL=0" } },
	{ TLS12, IN2, .chain = true, BUFFERED, .client = { MODERN_12 } },
	{ TLS12, OUT("hosting-e.example"), .chain = true, BUFFERED, .server = { MODERN_12 } },
	{ TLS12, OUT("hosting-f.example"), .key = ET_KEY_P256, .chain = true, FULL,
		.server = { PICK("ECDHE-ECDSA-CHACHA20-POLY1305") } },
	{ TLS12, OUT("hosting-g.example"), BUFFERED, .sni = true,
		.server = { PICK("ECDHE-RSA-AES128-GCM-SHA256"), .groups = "P-256" } },
	{ TLS12, OUT("hosting-h.example"), FULL, .server = { PICK("AES256-SHA") } },
	/* TLS 1.2, resumed by ticket and by session id */
	{ TLS12_RES, IN1, .chain = true, BUFFERED, .client = { MODERN_12 } },
	{ TLS12_RES, IN1, .chain = true, FULL, .no_ticket = true, .client = { SCHANNEL } },
	{ TLS12_RES, OUT("hosting-e.example"), .chain = true, BUFFERED, .server = { MODERN_12 } },
	/* no shared cipher: key type, curve of the key, suites that one side has given up */
	{ FAILED, IN2, FULL, .client = { SCHANNEL } },
	{ FAILED, IN2, BUFFERED, .client = { RSA_ONLY } },
	{ FAILED, IN1, FULL, .client = { PICK("AES128-SHA:AES256-SHA") },
		.server = { .ciphers = "ECDHE+AESGCM" } },
	{ FAILED, OUT("hosting-i.example"), .key = ET_KEY_P256, BUFFERED, .client = { RSA_ONLY } },
	{ FAILED, OUT("hosting-h.example"), BUFFERED, .client = { MODERN_12 },
		.server = { PICK("AES256-SHA") } },
};

const size_t et_profile_cnt = sizeof(et_profiles) / sizeof(et_profiles[0]);
