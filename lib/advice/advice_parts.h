/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_ADVICE_PARTS_H
#define ET_ADVICE_PARTS_H

/* What the files of the advice room share. */

#include "et_advice.h"

/* Whether a suite is of forward secrecy; false also for kinds of SSLv2. */
bool advice_forward_secret(uint16_t version, uint32_t cipher);

#endif
