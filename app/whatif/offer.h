/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OFFER_H
#define OFFER_H

#include "et_archive.h"
#include "et_iana.h"

/*
 * What a client offers, in one line: "offers TLSv1.2; c02b c02f (12 suites); groups secp256r1;
 * signatures 0401 0403". Suites by their numbers, since names do not fit.
 */
#define OFFER_TEXT 400
void offer_text(char out[static OFFER_TEXT], const struct et_tls_profile *profile);

#endif
