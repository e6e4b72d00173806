/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <sys/types.h>

/* Users and groups by name, and the way from root to one of them. Errors are told by the caller. */

/* The ids of names; NULL leaves *uid or *gid as it is. False: there is none. */
bool user_find(uid_t *uid, gid_t *gid, const char *user, const char *group);

/*
 * Gives all privileges up for good: all threads of the process become the user (and its group, if
 * group is NULL), without other groups and without capabilities. 0 or -errno.
 */
int user_become(const char *user, const char *group);

#endif
