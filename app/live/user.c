/* SPDX-License-Identifier: BSD-3-Clause */
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

bool user_find(uid_t *uid, gid_t *gid, const char *user, const char *group)
{
	const struct passwd *pw = user ? getpwnam(user) : NULL;
	const struct group *gr = group ? getgrnam(group) : NULL;

	if ((user && !pw) || (group && !gr))
		return false;
	if (pw) {
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
	}
	if (gr)
		*gid = gr->gr_gid;
	return true;
}

int user_become(const char *user, const char *group)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (!user_find(&uid, &gid, user, group))
		return -ENOENT;
	/* glibc does each for all threads; leaving user 0 takes the capabilities away */
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
		(user && setresuid(uid, uid, uid) != 0))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return user && uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}
