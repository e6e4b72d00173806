/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PORT_BECOME_H
#define GEN_PORT_BECOME_H

/* The way from ehlotap-gen, which is free of DPDK, to ehlotap-gen-port, which sends by it. */

#include <stdbool.h>

/* Whether --port is among the arguments. */
bool gen_port_wanted(int argc, char **argv);

/* Becomes the other program, with the same arguments. Returns only where it cannot be run: an exit
 * code, and it has been said why. */
int gen_port_become(char **argv);

#endif
