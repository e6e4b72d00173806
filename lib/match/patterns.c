/* SPDX-License-Identifier: BSD-3-Clause */
#include "patterns.h"

#include <hs.h>

#include "et_match.h"

#define BEGIN 1

/*
 * No pattern reaches farther than ET_MATCH_CARRY + 1 bytes, so that a carry of ET_MATCH_CARRY bytes
 * loses none. Commands are looked for at a line's start anywhere, for connections that were picked
 * up in the middle; replies and records only in front, since text and ciphertext are full of them.
 */
const struct pattern patterns[] = {
	/* RFC 5321 4.2: the server speaks first. FTP does too: the port and the client decide. */
	{ "^220[ -]", ET_MATCH_SMTP_GREETING, 0, BEGIN },
	/* 4xx and 5xx greetings, and a server picked up in the middle */
	{ "^[2-5][0-5][0-9][ -]", ET_MATCH_SMTP_REPLY, 0, BEGIN },
	/* RFC 5321 4.1.1.1, RFC 2033 4.1; no argument is wrong, but seen */
	{ "^(?:EHLO|HELO|LHLO)[ \\r\\n]", ET_MATCH_SMTP_EHLO, HS_FLAG_CASELESS, BEGIN },
	{ "\\n(?:EHLO|HELO|LHLO) ", ET_MATCH_SMTP_EHLO, HS_FLAG_CASELESS, 0 },
	/* RFC 5321 4.1.1.2, 4.1.1.3: with the colon, which no header line has in that place */
	{ "^(?:MAIL FROM:|RCPT TO:)", ET_MATCH_SMTP_COMMAND, HS_FLAG_CASELESS, BEGIN },
	{ "\\n(?:MAIL FROM:|RCPT TO:)", ET_MATCH_SMTP_COMMAND, HS_FLAG_CASELESS, 0 },
	/* RFC 3207 4: a line of its own. ManageSieve has the same word; the port decides */
	{ "^STARTTLS *\\r?\\n", ET_MATCH_SMTP_COMMAND | ET_MATCH_SIEVE_CLIENT, HS_FLAG_CASELESS,
		BEGIN },
	/* RFC 8446 5.1, 4: a record of type 22, any version that was ever used, with a message
	 * of type 1 or 2 whose length has a zero first byte (messages stay below 64 KiB) */
	{ "^\\x16\\x03[\\x00-\\x04]..\\x01\\x00", ET_MATCH_TLS_CLIENT, 0, BEGIN },
	{ "^\\x16\\x03[\\x00-\\x04]..\\x02\\x00", ET_MATCH_TLS_SERVER, 0, BEGIN },
	/* any other record, of at most 2^14 + 2048 bytes */
	{ "^[\\x14-\\x17]\\x03[\\x00-\\x04][\\x00-\\x48]", ET_MATCH_TLS_RECORD, 0, BEGIN },
	/* RFC 5246 E.2: two-byte header, type 1, version, then the lengths of the suites, of the
	 * session id (0 or 16) and of the challenge (16 to 32) */
	{ "^[\\x80-\\x8f].\\x01(?:\\x00\\x02|\\x03[\\x00-\\x04])..\\x00[\\x00\\x10]\\x00[\\x10-"
	  "\\x20]",
		ET_MATCH_SSLV2_CLIENT, 0, BEGIN },
	/* RFC 9051 7.1: greetings */
	{ "^\\* (?:OK|PREAUTH|BYE)[ \\r]", ET_MATCH_IMAP_SERVER, HS_FLAG_CASELESS, BEGIN },
	/* RFC 9051 6.1, 6.2: what a client says before or instead of TLS */
	{ "^[A-Za-z0-9._-]{1,24} (?:CAPABILITY\\r|STARTTLS\\r|LOGIN |AUTHENTICATE |ID )",
		ET_MATCH_IMAP_CLIENT, HS_FLAG_CASELESS, BEGIN },
	/* RFC 1939 4 */
	{ "^\\+OK[ \\r]", ET_MATCH_POP3_SERVER, 0, BEGIN },
	/* RFC 1939 7, RFC 2449 5, RFC 2595 4, RFC 5034 4 */
	{ "^(?:CAPA\\r|STLS\\r|USER |APOP |AUTH[ \\r])", ET_MATCH_POP3_CLIENT, HS_FLAG_CASELESS,
		BEGIN },
	/* RFC 5804 1.7: the capability that every server must give */
	{ "^\"IMPLEMENTATION\" ", ET_MATCH_SIEVE_SERVER, HS_FLAG_CASELESS, BEGIN },
	{ "\\n\"IMPLEMENTATION\" ", ET_MATCH_SIEVE_SERVER, HS_FLAG_CASELESS, 0 },
	/* RFC 5804 2.1 */
	{ "^AUTHENTICATE \"", ET_MATCH_SIEVE_CLIENT, HS_FLAG_CASELESS, BEGIN },
};

const unsigned patterns_cnt = sizeof(patterns) / sizeof(patterns[0]);
