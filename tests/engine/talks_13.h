/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TALKS_13_H
#define TALKS_13_H

/*
 * TLS 1.3 hides everything behind the ServerHello: whether the server took the client's certificate
 * is told by who goes on. Each of these says one conversation into a script.
 */

#include "script.h"

void rejected_13(struct script *s);
void missing_13(struct script *s);
void rejected_behind_ehlo_13(struct script *s);
void rejection_crosses_13(struct script *s);
void rejected_in_one_13(struct script *s);
void rejected_late_13(struct script *s);
void rejected_later_13(struct script *s);
void rejected_reset_13(struct script *s);
void update_then_rejected_13(struct script *s);
void one_reply_13(struct script *s);
void one_reply_and_gone_13(struct script *s);
void certificate_one_reply_13(struct script *s);
void banner_13(struct script *s);
void flight_in_one_13(struct script *s);
void early_data_13(struct script *s);
void early_data_rejected_13(struct script *s);

#endif
