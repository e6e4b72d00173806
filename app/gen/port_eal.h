/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PORT_EAL_H
#define GEN_PORT_EAL_H

/* EAL and the port, from what the command line says. */

#include "et_port.h"

struct gen_port_args {
	const char *port;        /* a PCI address, or a vdev with its arguments */
	const char *const *args; /* the user's own for EAL */
	int args_cnt;
	bool no_huge;
	unsigned frame_max, waiting;
};

/* NULL: it has been said why. EAL is to be ended by et_port_close(NULL) in both cases. */
struct et_port_tx *gen_port_open(const struct gen_port_args *args, unsigned *lcore);

#endif
