/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FRAGMENT_H
#define FRAGMENT_H

/*
 * IP fragments of one reader, put together by rte_ip_frag. One lcore, but for the counters.
 *
 * rte_ip_frag trusts what it is given: that a fragment is as long as its header says, that the end
 * of no fragment is beyond 64 KiB, that nothing stands between the IPv6 header and the fragment
 * header. All that is made so here, and what is not is given up before. It takes no more fragments
 * of a datagram than DPDK was built for (RTE_LIBRTE_IP_FRAG_MAX_FRAG, 8 as a rule), and gives a
 * datagram up when one comes twice; on a mirror of two ports every frame comes twice. So exact
 * copies of a fragment are kept from it as long as a datagram may wait.
 */

#include "et_base.h"

struct rte_mbuf;
struct fragments;

#define FRAGMENTS_DATAGRAMS 4096 /* that wait at a time */
#define FRAGMENTS_WAIT_S    2    /* after the first fragment that came */
/* Buffers held at most: so many less are left in the pools for receiving. */
#define FRAGMENTS_MBUFS 4096

/* numa: the node. NULL when memory is short. */
struct fragments *fragments_new(int numa);
/* Frees what waits, too. NULL is allowed. */
void fragments_free(struct fragments *fragments);

/*
 * Takes mbuf, whose byte `at` begins an IPv4 or IPv6 header with a fragment (RFC 791 3.2, RFC 8200
 * 4.5); everything before it is cut off, and what is behind the length that IP gives. Returns the
 * whole datagram, which begins with its IP header and may have several segments, or NULL; the mbuf
 * may be freed by then. The caller owns what is returned: the mbuf of the fragment with offset 0,
 * the headers in it made those of a whole datagram, without IPv6 extension headers up to and with
 * the fragment header.
 */
struct rte_mbuf *fragments_take(
	struct fragments *fragments, struct rte_mbuf *mbuf, uint32_t at, uint64_t now_cycles);

/*
 * Frees what timed out, a few hundred buffers at most; cheap, to be called after every burst that
 * brought fragments and at times between.
 */
void fragments_age(struct fragments *fragments, uint64_t now_cycles);

/*
 * Fragments given up so far: contradicting themselves, cut short, timed out, overlapping, more
 * than a datagram may have, or there was no room. Any thread, as below.
 */
uint64_t fragments_lost(const struct fragments *fragments);
/* Fragments that came once more. Nothing is lost with them. */
uint64_t fragments_repeated(const struct fragments *fragments);

#endif
