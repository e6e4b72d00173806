/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "et_peer.h"

/* Longest name that is taken: two of them and the times fit into a file's name. */
#define DOMAIN_NAME_MAX 120
#define DOMAIN_TEXT     (DOMAIN_NAME_MAX + 1)
#define DOMAIN_RULES    256

/*
 * A host name of the mail system, in lower case and without a dot at its end. False if it is none:
 * other bytes than letters, digits, "-" and "_" in labels of 1 to 63, longer than DOMAIN_NAME_MAX,
 * or an address.
 */
bool domain_name(char out[static DOMAIN_TEXT], const char *name);

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": RFC 5321 4.1.3. */
void domain_literal(char out[static DOMAIN_TEXT], const struct et_addr *addr);

/* --domain WHO=DOMAIN. WHO as of --peer. */
struct domain_rule {
	struct et_peer_net net;
	char who[DOMAIN_TEXT + 1]; /* "": net holds an address; ".example.org": all below */
	char domain[DOMAIN_TEXT];
};
/* False if the text is no rule. */
bool domain_rule_parse(struct domain_rule *out, const char *text);

/*
 * The policy domain that stands for a server: of the first rule that fits; else its host name
 * without the first label, if that leaves a domain; else the name; else the address literal.
 * name: NULL if it gave none.
 */
void domain_of(char out[static DOMAIN_TEXT], const struct domain_rule *rules, size_t cnt,
	const struct et_addr *addr, const char *name);

/* The parent of a name made by domain_name, by the rule above; the name itself if it has none. */
const char *domain_parent(const char *name);

#endif
