/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS_BEFORE 96 /* ::ffff:0:0/96 holds all of IPv4 */

static int parse_bits(uint8_t *bits, const char *text, unsigned max)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 3 || strspn(text, "0123456789") != n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	if (value > max)
		return -EINVAL;
	*bits = (uint8_t)value;
	return 0;
}

int et_peer_net_parse(struct et_peer_net *out, const char *text)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	uint8_t v4[4];
	bool is_v4;

	*out = (struct et_peer_net){ .bits = 128 };
	if (n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = '\0';
	is_v4 = inet_pton(AF_INET, addr, v4) == 1;
	if (is_v4)
		out->addr = et_addr_v4(v4);
	else if (inet_pton(AF_INET6, addr, out->addr.b) != 1)
		return -EINVAL;
	if (!slash)
		return 0;
	if (parse_bits(&out->bits, slash + 1, is_v4 ? 32 : 128) != 0)
		return -EINVAL;
	if (is_v4)
		out->bits = (uint8_t)(out->bits + V4_BITS_BEFORE);
	return 0;
}

bool et_peer_net_holds(const struct et_peer_net *net, const struct et_addr *addr)
{
	size_t whole = net->bits / 8, rest = net->bits % 8;

	/* ::/0 means all of IPv6, not the IPv4 that is mapped into it */
	if (et_addr_is_v4(addr) && net->bits < V4_BITS_BEFORE)
		return false;
	if (memcmp(net->addr.b, addr->b, whole) != 0)
		return false;
	return rest == 0 || (net->addr.b[whole] ^ addr->b[whole]) >> (8 - rest) == 0;
}

bool et_peer_is_gateway(const struct et_peer_net *nets, size_t cnt, const struct et_addr *addr)
{
	for (size_t i = 0; i < cnt; i++)
		if (et_peer_net_holds(&nets[i], addr))
			return true;
	return false;
}

enum et_direction et_peer_direction(const struct et_peer_net *nets, size_t cnt,
	const struct et_addr *client, const struct et_addr *server)
{
	bool client_is = et_peer_is_gateway(nets, cnt, client);
	bool server_is = et_peer_is_gateway(nets, cnt, server);

	if (cnt == 0)
		return ET_DIRECTION_NONE;
	if (client_is == server_is)
		return ET_DIRECTION_TRANSIT;
	return server_is ? ET_DIRECTION_IN : ET_DIRECTION_OUT;
}

const char *et_direction_name(enum et_direction direction)
{
	switch (direction) {
	case ET_DIRECTION_IN: return "in";
	case ET_DIRECTION_OUT: return "out";
	case ET_DIRECTION_TRANSIT: return "transit";
	case ET_DIRECTION_NONE: break;
	}
	return NULL;
}
