/* SPDX-License-Identifier: BSD-3-Clause */
#include "parsers.h"

#include <stdio.h>

#define HOLD_BLOCKS   65536
#define MESSAGE_BYTES ((size_t)64 << 20)
#define DICT_ENTRIES  (1u << 20)
#define DICT_BYTES    ((size_t)256 << 20)

int parsers_open(struct parsers *p)
{
	char error[512] = "not enough memory";

	*p = (struct parsers){ 0 };
	et_ports_default(&p->ports);
	p->db = et_match_db_new(error, sizeof(error), NULL);
	p->env.ports = &p->ports;
	p->env.drops = p->env.mail.drops = p->env.tls.drops = p->env.order.drops = p->drops;
	p->env.order.counts = &p->order;
	p->env.order.pool = et_order_pool_new(HOLD_BLOCKS);
	p->env.tls.pool = et_tls_pool_new(MESSAGE_BYTES);
	p->env.scanner = p->db ? et_match_scanner_new(p->db) : NULL;
	if (et_books_init(&p->books, DICT_ENTRIES, DICT_BYTES) != 0 || !p->env.scanner ||
		!p->env.order.pool || !p->env.tls.pool) {
		fprintf(stderr, "bench-rooms: %s\n", error);
		return -1;
	}
	p->env.mail.names = p->env.tls.names = p->books.names;
	p->env.tls.hellos = p->books.hellos;
	p->env.tls.server_hellos = p->books.server_hellos;
	p->env.tls.chains = p->books.chains;
	return 0;
}

void parsers_close(struct parsers *p)
{
	et_match_scanner_free(p->env.scanner);
	et_order_pool_free(p->env.order.pool);
	et_tls_pool_free(p->env.tls.pool);
	et_books_free(&p->books);
	et_match_db_free(p->db);
}
