/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_wire.h"

static_assert(sizeof(struct et_cur) <= 24, "a cursor is passed by value");
