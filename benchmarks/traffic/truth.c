#include "truth.h"

#include <arpa/inet.h>
#include <inttypes.h>

static void put_end(FILE *out, const char *key, const struct et_end *e, bool v6)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(v6 ? AF_INET6 : AF_INET, e->ip, text, sizeof(text));
	fprintf(out, ",\"%s\":{\"ip\":\"%s\",\"port\":%u}", key, text, e->port);
}

int et_truth_put(FILE *out, const struct et_session *s)
{
	const struct et_recording *r = s->rec;
	uint64_t us = s->start_ns / 1000 % 1000000;

	fprintf(out, "{\"id\":%" PRIu64 ",\"start_s\":%" PRIu64 ".%06" PRIu64 ",\"proto\":\"tcp\"",
		s->id, s->start_ns / 1000000000, us);
	put_end(out, "client", &s->end[ET_CLIENT], s->peer->v6);
	put_end(out, "server", &s->end[ET_SERVER], s->peer->v6);
	fprintf(out, ",\"offered\":%s", s->offered ? "true" : "false");
	if (!r)
		fputs(",\"outcome\":\"none\",\"version\":null,\"cipher\":null", out);
	else if (!r->version)
		fputs(",\"outcome\":\"failed\",\"version\":null,\"cipher\":null,\"alert\":40", out);
	else
		fprintf(out,
			",\"outcome\":\"established\",\"version\":\"%s\",\"cipher\":\"%s\","
			"\"cipher_id\":\"%04x\",\"resumed\":%s",
			r->version, r->cipher, r->cipher_id, r->resumed ? "true" : "false");
	fputs("}\n", out);
	return ferror(out) ? -1 : 0;
}
