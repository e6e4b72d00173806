# shellcheck shell=bash
# The way into the lab, for tests/lab/record and tests/live/lab.
#
# The lab lives in network, mount and process namespaces of its own and keeps its files in a tmpfs
# there. Nothing of it reaches the machine, and when the last of its processes dies, however it
# dies, the kernel takes all of it away: there is nothing to clean up and nothing to collide with.

die() {
	printf '%s: %s\n' "${BASH_SOURCE[-1]}" "$*" >&2
	exit 1
}

say() {
	printf '%s\n' "$*"
}

# enter SCRIPT [ARGUMENT...]: runs it as process 1 of new namespaces, with EHLOTAP_LAB_INSIDE set,
# passes signals on, and exits as it does.
enter() {
	local child rc=0
	export EHLOTAP_LAB_INSIDE=1
	# in the background, because unshare holds SIGTERM back while it waits for its child;
	# setpriv: the lab dies with this script even if that is killed with SIGKILL
	setpriv --pdeathsig KILL unshare --mount --propagation private --net --uts --ipc --pid --fork \
		--kill-child --mount-proc -- "$BASH" "$@" &
	child=$!
	# shellcheck disable=SC2064 # the child's number now
	trap "kill -KILL $child 2>/dev/null; wait $child 2>/dev/null || :; die interrupted" INT TERM HUP
	wait "$child" || rc=$?
	exit "$rc"
}
