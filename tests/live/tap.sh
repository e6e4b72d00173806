# shellcheck shell=bash disable=SC2154 # stage.sh and the script that sources this set the rest
# The monitor of tests/live/lab: the mirrored link, and `ehlotap live` at its end.

tap() {
	ip netns exec tap "$@"
}

# Every frame of the gateway's link, once, on span.
tap_mirror() {
	local direction
	ip netns add tap
	ip link add span netns gw type veth peer name tap0 netns tap
	# nothing on it but what is mirrored, and that as it came
	gw ethtool -K span tx off tso off gso off gro off >/dev/null
	tap ethtool -K tap0 tx off tso off gso off gro off >/dev/null
	gw sh -c 'echo 1 >/proc/sys/net/ipv6/conf/span/disable_ipv6'
	tap sh -c 'echo 1 >/proc/sys/net/ipv6/conf/tap0/disable_ipv6'
	ip -n gw link set span up
	ip -n tap link set tap0 promisc on up
	gw tc qdisc add dev mirror clsact 2>"$run/tc.err" ||
		skip "the kernel has no clsact: $(cat "$run/tc.err")"
	for direction in ingress egress; do
		gw tc filter add dev mirror "$direction" protocol all u32 match u32 0 0 \
			action mirred egress mirror dev span 2>"$run/tc.err" ||
			skip "the kernel cannot mirror with u32 and mirred: $(cat "$run/tc.err")"
	done
}

# That the port is open: a packet socket, or a program of XDP on the interface.
tap_listening() {
	if [ "$driver" = af_xdp ]; then
		ip -n tap link show tap0 | grep -q xdp
	else
		tap sed 1d /proc/net/packet | grep -q .
	fi
}

# Ports are open before they are polled, and what comes between may be thrown away: that the workers
# run is said by counters, two seconds in a row.
tap_counting() {
	local size
	for _ in 1 2; do
		size=$(cat "$run"/live.{out,err} | wc -c)
		sleep 1.2
		[ "$(cat "$run"/live.{out,err} | wc -c)" -gt "$size" ] || return 1
	done
}

xdp_probe='import socket; socket.socket(44, socket.SOCK_RAW, 0)' # 44: AF_XDP

tap_start() {
	local end=$((SECONDS + 25))
	# its rings are shared memory: a folder of the lab's own, which goes as the lab goes
	mount -t tmpfs -o mode=1777 tmpfs /dev/shm
	[ "$driver" != af_xdp ] || "$python" -c "$xdp_probe" 2>"$run/xdp.err" ||
		skip "the kernel refuses a socket of AF_XDP: $(tail -n 1 "$run/xdp.err")"
	# not by tap(): the number is to be that of ehlotap, not of a shell around it
	ip netns exec tap "$ehlotap" live --sensor "$sensor" --cores 0 \
		--port "net_${driver}0,iface=tap0" --no-huge --sessions "$run/live.jsonl" \
		--stats 1 >"$run/live.out" 2>"$run/live.err" &
	live_pid=$!
	until tap_listening && tap_counting; do
		sleep 0.1
		if ! kill -0 "$live_pid" 2>/dev/null || [ "$SECONDS" -gt "$end" ]; then
			cat "$run/live.err"
			die "ehlotap live does not listen, or prints no counters"
		fi
	done
	say "started ehlotap live, $driver"
}

tap_stop() {
	local rc=0
	# sessions that the last packets ended
	sleep 1
	kill -TERM "$live_pid"
	await "the end of ehlotap live" 20 tap_ended
	wait "$live_pid" || rc=$?
	[ "$rc" = 0 ] || die "ehlotap live: exit code $rc: $(cat "$run/live.err")"
	[ -e "$run/live.jsonl" ] || die "ehlotap live wrote no records"
}

tap_ended() {
	! kill -0 "$live_pid"
}

tap_export() {
	mkdir -p "$run/minutes"
	timeout 60 "$ehlotap" export --to "$run/minutes" --sensor "$sensor" --once \
		>"$run/export.out" 2>"$run/export.err" ||
		die "ehlotap export: exit code $?: $(cat "$run/export.err")"
}

tap_keep() {
	cp -r "$run"/{dovecot/var/mail,truth.jsonl,read.jsonl,live.jsonl,minutes,read-minutes} "$1" \
		2>/dev/null || :
}
