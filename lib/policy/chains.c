/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_wire.h"
#include "policy_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Grows a table to hold `id`, doubling; new entries are NULL. */
static int reserve(struct et_cert ***table, uint32_t *cap, uint32_t id)
{
	size_t want = *cap ? *cap : 64;
	struct et_cert **grown;

	if (id < *cap)
		return 0;
	while (want <= id)
		want *= 2;
	grown = realloc(*table, want * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	for (size_t i = *cap; i < want; i++)
		grown[i] = NULL;
	*table = grown;
	*cap = (uint32_t)want;
	return 0;
}

/* Intermediates come again in many chains: one struct for each distinct certificate. */
static int cert_of(struct chains *chains, const struct et_cert **out, uint32_t *cap,
	struct et_dict *ders, struct et_view der)
{
	uint32_t id = et_dict_put(ders, NULL, der);
	struct et_cert *cert;

	if (id == ET_DICT_NONE || reserve(&chains->certs, cap, id))
		return -ENOMEM;
	if (id >= chains->cert_cnt)
		chains->cert_cnt = id + 1;
	if (!chains->certs[id]) {
		cert = malloc(sizeof(*cert));
		if (!cert)
			return -ENOMEM;
		if (et_cert_parse(cert, der)) {
			free(cert);
			return -ENOMEM;
		}
		chains->certs[id] = cert;
	}
	*out = chains->certs[id];
	return 0;
}

static int read_chain(struct chains *chains, struct et_chain *chain, uint32_t *cap,
	struct et_dict *ders, struct et_view list)
{
	struct et_cur cur = et_cur_view(list);

	while (cur.n > 0 && chain->cnt < ET_CHAIN_MAX) {
		struct et_cur der = et_block(&cur, 3);

		if (!et_ok(&der))
			break; /* what stood before it is kept */
		if (cert_of(chains, &chain->certs[chain->cnt], cap, ders, et_view_cur(der)))
			return -ENOMEM;
		chain->cnt++;
	}
	return 0;
}

int chains_init(struct chains *chains, const struct et_dict *dict)
{
	uint32_t cnt = et_dict_count(dict), cap = 0;
	struct et_dict *ders = et_dict_new(UINT32_MAX, SIZE_MAX);
	int err = 0;

	chains->chains = calloc((size_t)cnt + 1, sizeof(*chains->chains));
	chains->chain_cnt = cnt;
	if (!ders || !chains->chains)
		err = -ENOMEM;
	for (uint32_t id = 1; id <= cnt && !err; id++)
		err = read_chain(chains, &chains->chains[id], &cap, ders, et_dict_get(dict, id));
	et_dict_free(ders);
	return err;
}

void chains_free(struct chains *chains)
{
	for (uint32_t id = 0; id < chains->cert_cnt; id++) {
		if (!chains->certs[id])
			continue;
		et_cert_free(chains->certs[id]);
		free(chains->certs[id]);
	}
	free(chains->certs);
	free(chains->chains);
}

const struct et_cert *chains_leaf(const struct chains *chains, uint32_t id)
{
	const struct et_chain *chain;

	if (id == ET_DICT_NONE || id > chains->chain_cnt)
		return NULL;
	chain = &chains->chains[id];
	return chain->cnt > 0 && chain->certs[0]->parsed ? chain->certs[0] : NULL;
}
