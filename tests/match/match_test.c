/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "et_match.h"
#include "unit.h"

static struct et_match_db *db;
static struct et_match_scanner *scanner;

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *bytes;
	size_t n;
	uint32_t hits;
} rows[] = {
	{ BYTES("220 mx.example.net ESMTP\r\n"), ET_MATCH_SMTP_GREETING | ET_MATCH_SMTP_REPLY },
	{ BYTES("220-mx.example.net\r\n220 go\r\n"), ET_MATCH_SMTP_GREETING | ET_MATCH_SMTP_REPLY },
	{ BYTES("554 no service\r\n"), ET_MATCH_SMTP_REPLY },
	{ BYTES("2200 is no reply\r\n"), 0 },
	{ BYTES("EHLO out.example.org\r\n"), ET_MATCH_SMTP_EHLO },
	{ BYTES("ehlo out\r\n"), ET_MATCH_SMTP_EHLO },
	{ BYTES("EHLOT"), 0 },
	{ BYTES("\r\nHELO x\r\n"), ET_MATCH_SMTP_EHLO },
	{ BYTES("MAIL FROM:<a@example.org>\r\n"), ET_MATCH_SMTP_COMMAND },
	{ BYTES("x\r\nRCPT TO:<a@example.org>\r\n"), ET_MATCH_SMTP_COMMAND },
	{ BYTES("STARTTLS\r\n"), ET_MATCH_SMTP_COMMAND | ET_MATCH_SIEVE_CLIENT },
	{ BYTES("a body that says STARTTLS\r\n"), 0 },
	{ BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		ET_MATCH_TLS_CLIENT | ET_MATCH_TLS_RECORD },
	{ BYTES("\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03"),
		ET_MATCH_TLS_SERVER | ET_MATCH_TLS_RECORD },
	{ BYTES("\x15\x03\x03\x00\x02\x02\x28"), ET_MATCH_TLS_RECORD },
	{ BYTES("\x17\x03\x03\x40\x11zzzz"), ET_MATCH_TLS_RECORD },
	{ BYTES("\x17\x03\x03\xff\xff"), 0 },
	{ BYTES("\x16\x04\x01\x02\x00\x01\x00"), 0 },
	{ BYTES("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x07\x00\xc0"),
		ET_MATCH_SSLV2_CLIENT },
	{ BYTES("\x80\x67\x01\x03\x01\x00\x4e\x00\x00\x00\x10\x00\x00\x39"),
		ET_MATCH_SSLV2_CLIENT },
	{ BYTES("\x80\x67\x02\x03\x01\x00\x4e\x00\x00\x00\x10\x00\x00\x39"), 0 },
	{ BYTES("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), ET_MATCH_IMAP_SERVER },
	{ BYTES("a001 STARTTLS\r\n"), ET_MATCH_IMAP_CLIENT },
	{ BYTES("+OK ready\r\n"), ET_MATCH_POP3_SERVER },
	{ BYTES("CAPA\r\n"), ET_MATCH_POP3_CLIENT },
	{ BYTES("\"IMPLEMENTATION\" \"Example\"\r\n"), ET_MATCH_SIEVE_SERVER },
	{ BYTES("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 0 },
	{ BYTES("SSH-2.0-OpenSSH_9.2\r\n"), 0 },
	{ BYTES("\x00\x00\x00\x00"), 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint32_t scan(struct et_match_carry *carry, const char *bytes, size_t n)
{
	/* An exact copy, so that a sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(n ? n : 1);
	uint32_t hits;

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memcpy(copy, bytes, n);
	hits = et_match_scan(scanner, carry, (struct et_view){ copy, n });
	free(copy);
	return hits;
}

static void test_table(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct et_match_carry carry = { 0 };
		uint32_t hits = scan(&carry, rows[i].bytes, rows[i].n);

		if (hits != rows[i].hits)
			printf("row %zu: %x, not %x\n", i, hits, rows[i].hits);
		CU_ASSERT_EQUAL(hits, rows[i].hits);
	}
}

/* Which segment a hit falls into does not matter. */
static void test_splits(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t at = 0; at <= rows[i].n; at++) {
			struct et_match_carry carry = { 0 };
			uint32_t hits = scan(&carry, rows[i].bytes, at);

			hits |= scan(&carry, rows[i].bytes + at, rows[i].n - at);
			CU_ASSERT_EQUAL(hits, rows[i].hits);
		}
		struct et_match_carry carry = { 0 };
		uint32_t hits = 0;

		for (size_t at = 0; at < rows[i].n; at++)
			hits |= scan(&carry, rows[i].bytes + at, 1);
		CU_ASSERT_EQUAL(hits, rows[i].hits);
	}
}

/* What holds for a begin does not hold behind other bytes, however these were cut. */
static void test_begin(void)
{
	char before[100];

	memset(before, 'x', sizeof(before));
	for (size_t n = 1; n <= sizeof(before); n++) {
		struct et_match_carry carry = { 0 };

		CU_ASSERT_EQUAL(scan(&carry, before, n), 0);
		CU_ASSERT_EQUAL(scan(&carry, BYTES("220 mx.example.net\r\n")), 0);
		CU_ASSERT_EQUAL(scan(&carry, BYTES("MAIL FROM:<>\r\n")), ET_MATCH_SMTP_COMMAND);
	}
}

static void test_cache(void)
{
	char path[] = "/tmp/ehlotap-match-XXXXXX", err[200];
	struct et_match_db *again;
	struct stat st, st2;
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "no database", 11), 11); /* damaged: compiled, written anew */
	close(fd);
	again = et_match_db_new(err, sizeof(err), path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	et_match_db_free(again);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT(st.st_size > 1000 && (st.st_mode & 0777) == 0600);
	again = et_match_db_new(err, sizeof(err), path); /* read, not written */
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	et_match_db_free(again);
	CU_ASSERT_EQUAL(stat(path, &st2), 0);
	CU_ASSERT_EQUAL(st.st_ino, st2.st_ino);
	/* One flipped byte in what is stored: found out, and made anew. */
	fd = open(path, O_RDWR);
	CU_ASSERT_EQUAL(pwrite(fd, "\xff\x00\xff", 3, st.st_size - 100), 3);
	close(fd);
	again = et_match_db_new(err, sizeof(err), path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	et_match_db_free(again);
	CU_ASSERT_EQUAL(stat(path, &st2), 0);
	CU_ASSERT_NOT_EQUAL(st.st_ino, st2.st_ino);
	/* Others could have written it: not believed. */
	CU_ASSERT_EQUAL(chmod(path, 0666), 0);
	again = et_match_db_new(err, sizeof(err), path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	et_match_db_free(again);
	CU_ASSERT_EQUAL(stat(path, &st2), 0);
	CU_ASSERT_EQUAL(st2.st_mode & 0777, 0600);
	unlink(path);
	again = et_match_db_new(err, sizeof(err), "/nonexistent/folder/cache");
	CU_ASSERT_PTR_NOT_NULL(again);
	et_match_db_free(again);
}

int main(void)
{
	CU_TestInfo tests[] = { { "table", test_table }, { "splits", test_splits },
		{ "begin", test_begin }, { "cache", test_cache }, CU_TEST_INFO_NULL };
	char err[200];
	int failed;

	db = et_match_db_new(err, sizeof(err), NULL);
	scanner = db ? et_match_scanner_new(db) : NULL;
	if (!scanner) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	failed = unit_run("match", tests);
	et_match_scanner_free(scanner);
	et_match_db_free(db);
	return failed;
}
