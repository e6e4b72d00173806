/*
 * Truth: what each session is, one JSON line per session in the order of their first packets.
 *
 * Names and values as in the session records of `ehlotap read`, flattened.
 */
#ifndef ET_TRUTH_H
#define ET_TRUTH_H

#include "session.h"

#include <stdio.h>

/* 0, or -1 when the stream cannot be written. */
int et_truth_put(FILE *out, const struct et_session *s);

#endif
