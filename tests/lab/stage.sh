# shellcheck shell=bash disable=SC2034,SC2154 # who sources it sets lab, and uses python
# The stage of tests/lab/record and tests/live/lab: private roots for the servers, names,
# certificates, two network namespaces and the capture between them. Sourced inside the lab's
# namespaces.
#
#	world  ------------- veth, captured ------------->  gw
#	all senders, and mail.example.org (Exim)            mx*.example.net (Postfix), submit (Exim),
#	                                                    store (Dovecot, tests/live/lab only)

run=/run/lab
# deb packages that tools/setup has downloaded
debs=${EHLOTAP_LAB_DEBS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ehlotap/lab}
# users of the private roots; they need no entry in the machine's /etc/passwd
postfix_uid=64901 postdrop_gid=64902 exim_uid=64903
dovecot_uid=64904 dovenull_uid=64905 vmail_uid=64906

python=/usr/bin/python3
[ -x "$python" ] || python=python3

servers4=(192.0.2.{25..38})
clients4=(198.51.100.{11..15} 198.51.100.{31..34} 198.51.100.{40..45} 198.51.100.{50..56}
	198.51.100.{60..66} 198.51.100.{70..72} 198.51.100.{80..109} 203.0.113.{21,23,24,80})
clients6=(2001:db8:1::12 2001:db8:1::22)

# await WHAT SECONDS COMMAND...: until the command succeeds
await() {
	local what=$1 tries=$(($2 * 20))
	shift 2
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || die "waited in vain for $what"
		sleep 0.05
	done
}

gw() {
	ip netns exec gw "$@"
}

world() {
	ip netns exec world "$@"
}

# inside ROOT NETNS COMMAND...: in a server's private root
inside() {
	local root=$run/$1 net=$2
	shift 2
	ip netns exec "$net" chroot "$root" "$@"
}

# Opens the lab's own /run and unpacks the servers' packages.
stage_open() {
	local deb
	hostname lab.example.org
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p "$run"/{root,says,tls}
	mkdir -p "$run"/root/usr/{bin,sbin,lib,lib32,lib64,libx32}
	(cd "$run/root" && ln -s usr/{bin,sbin,lib,lib32,lib64,libx32} .)
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$run/root" --keep-directory-symlink
	done
	# what is ours, not the machine's: its openssl.cnf may forbid what the scenes need
	printf 'openssl_conf = init\n[init]\n' >"$run/tls/openssl.cnf"
	export OPENSSL_CONF=$run/tls/openssl.cnf
	# a proxy or a swaks.rc of the user must not change what is recorded
	unset http_proxy https_proxy SWAKS_HOME
	export HOME=$run TZ=UTC LC_ALL=C
	say "unpacked $(dpkg-deb -f "$debs"/postfix_*.deb Package Version | paste -sd' '), $(
		dpkg-deb -f "$debs"/exim4-daemon-light_*.deb Package Version | paste -sd' ')"
}

# There is no DNS in the lab, and nobody shall wait for one.
stage_names() {
	local i
	{
		printf '127.0.0.1 localhost lab.example.org\n'
		printf '192.0.2.25 mx.example.net\n2001:db8:2::25 mx.example.net\n'
		for i in {2..11}; do printf '192.0.2.%d mx%d.example.net\n' $((24 + i)) "$i"; done
		printf '192.0.2.36 submit.example.net\n192.0.2.37 store.example.net\n'
		printf '203.0.113.80 mail.example.org\n'
		for i in {1..5}; do printf '198.51.100.%d out%d.example.org\n' $((10 + i)) "$i"; done
		printf '2001:db8:1::12 out2.example.org\n'
		printf '203.0.113.21 relay1.example.org\n2001:db8:1::22 relay2.example.org\n'
	} >"$run/hosts"
	printf 'hosts: files\nservices: files\npasswd: files\ngroup: files\n' >"$run/nsswitch.conf"
	mount --bind "$run/hosts" /etc/hosts
	mount --bind "$run/nsswitch.conf" /etc/nsswitch.conf
}

# certificate NAME CA KEY-OPTIONS...: a key and a certificate for NAME, signed by CA
certificate() {
	local file=${1%%.*} name=$1 ca=$2 from=$yesterday to=$in_a_year
	shift 2
	if [ "${1:-}" = expired ]; then
		from=20200101000000Z to=20210101000000Z
		shift
	fi
	openssl req -new -nodes -newkey "$@" -keyout "$file.key.pem" -out "$file.csr" \
		-subj "/CN=$name" -addext "subjectAltName=DNS:$name"
	openssl ca -batch -notext -config ca.cnf -name "$ca" -startdate "$from" -enddate "$to" \
		-in "$file.csr" -out "$file.pem"
}

authority() {
	openssl req -new -x509 -nodes -newkey rsa:2048 -days 3650 -keyout "$1.key.pem" -out "$1.pem" \
		-subj "/O=Example/CN=$2"
	: >"$1.index"
	cat >>ca.cnf <<-CNF
		[$1]
		database = $1.index
		certificate = $1.pem
		private_key = $1.key.pem
		new_certs_dir = .
		rand_serial = yes
		default_md = sha256
		policy = any
		copy_extensions = copy
		unique_subject = no
	CNF
}

certificates() {
	local n yesterday in_a_year
	yesterday=$(date -u -d yesterday +%Y%m%d000000Z)
	in_a_year=$(date -u -d '+1 year' +%Y%m%d000000Z)
	printf '[any]\ncommonName = supplied\n' >ca.cnf
	authority ca "Example CA"
	authority rogue "Unknown CA"
	certificate mx.example.net ca rsa:2048
	certificate mx2.example.net ca ec -pkeyopt ec_paramgen_curve:secp384r1
	certificate mx4.example.net ca expired rsa:2048
	certificate mx5.example.net rogue rsa:2048
	for n in mx3.example.net mx6.example.net mx7.example.net submit.example.net store.example.net \
		mail.example.org client.example.org; do
		certificate "$n" ca rsa:2048
	done
	chmod 644 ./*.pem
}

stage_certificates() {
	(cd "$run/tls" && certificates) >"$run/certificates.log" 2>&1 || {
		cat "$run/certificates.log" >&2
		die "openssl could not make the certificates"
	}
}

stage_network() {
	local address net
	mkdir -p /run/netns
	ip netns add gw
	ip netns add world
	ip link add mirror netns gw type veth peer name outside netns world
	# segments and checksums as they are on a wire, not as offloads leave them
	gw ethtool -K mirror tx off tso off gso off gro off >/dev/null
	world ethtool -K outside tx off tso off gso off gro off >/dev/null
	for net in gw world; do
		ip -n "$net" link set lo up
		# so that an address can be used at once
		ip netns exec "$net" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
			echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad' 2>/dev/null || :
	done
	ip -n gw link set mirror address 02:00:00:00:00:25 up
	ip -n world link set outside address 02:00:00:00:00:01 up
	for address in "${servers4[@]}"; do ip -n gw address add "$address/32" dev mirror; done
	for address in "${clients4[@]}"; do ip -n world address add "$address/32" dev outside; done
	ip -n gw address add 2001:db8:2::25/128 dev mirror nodad
	for address in "${clients6[@]}"; do
		ip -n world address add "$address/128" dev outside nodad
	done
	ip -n gw route add default dev mirror src 192.0.2.25
	ip -n gw -6 route add default dev mirror
	ip -n world route add default dev outside src 203.0.113.80
	ip -n world -6 route add default dev outside
	# gnutls-cli cannot choose its address
	ip -n world route add 192.0.2.26/32 dev outside src 198.51.100.45
}

# private_root NAME: a root with the packages' programs and an empty /etc and /var
private_root() {
	local root=$run/$1
	mkdir -p "$root"/{usr,dev,proc,etc/ssl/lab,var/log,var/lib,var/spool,tmp}
	mount --bind "$run/root/usr" "$root/usr"
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	cp -P "$run"/root/{bin,sbin,lib,lib32,lib64,libx32} "$root/"
	cp "$run"/{hosts,nsswitch.conf} "$root/etc/"
	cp "$run"/tls/*.pem "$root/etc/ssl/lab/"
	chmod 1777 "$root/tmp"
	printf 'smtp 25/tcp\nsubmissions 465/tcp\nsubmission 587/tcp\n' >"$root/etc/services"
	printf '%s\n' root:x:0:0::/:/bin/false "postfix:x:$postfix_uid:$postfix_uid::/:/bin/false" \
		"Debian-exim:x:$exim_uid:$exim_uid::/:/bin/false" \
		"dovecot:x:$dovecot_uid:$dovecot_uid::/:/bin/false" \
		"dovenull:x:$dovenull_uid:$dovenull_uid::/:/bin/false" \
		"vmail:x:$vmail_uid:$vmail_uid::/:/bin/false" \
		nobody:x:65534:65534::/:/bin/false >"$root/etc/passwd"
	printf '%s\n' root:x:0: mail:x:8: "postfix:x:$postfix_uid:" "postdrop:x:$postdrop_gid:" \
		"Debian-exim:x:$exim_uid:" "dovecot:x:$dovecot_uid:" "dovenull:x:$dovenull_uid:" \
		"vmail:x:$vmail_uid:" nogroup:x:65534: >"$root/etc/group"
}

# stage_postfix NAME NETNS: starts the instance that postfix/NAME.* describes
stage_postfix() {
	local root=$run/postfix-$1
	private_root "postfix-$1"
	mkdir -p "$root/etc/postfix" "$root/var/lib/postfix" "$root"/var/spool/postfix/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,maildrop,pid,private,public,saved,trace}
	cat "$lab/postfix/main.cf" "$lab/postfix/$1.main.cf" >"$root/etc/postfix/main.cf"
	cat "$lab/postfix/master.cf" "$lab/postfix/$1.master.cf" >"$root/etc/postfix/master.cf"
	if [ -e "$lab/postfix/$1.senders" ]; then
		cp "$lab/postfix/$1.senders" "$root/etc/postfix/senders"
	fi
	chown -R "$postfix_uid:$postfix_uid" "$root/var/lib/postfix" "$root"/var/spool/postfix/*
	chown 0 "$root/var/spool/postfix/pid"
	chgrp "$postdrop_gid" "$root"/var/spool/postfix/{maildrop,public}
	chmod 700 "$root"/var/spool/postfix/*
	chmod 730 "$root/var/spool/postfix/maildrop"
	chmod 710 "$root/var/spool/postfix/public"
	chmod 755 "$root/var/spool/postfix/pid"
	inside "postfix-$1" "$2" /usr/lib/postfix/sbin/master -c /etc/postfix -d >"$run/postfix-$1.out" 2>&1 &
	await "Postfix ($1)" 10 grep -q 'daemon started' "$root/var/log/mail.log"
	say "started Postfix, $1"
}

# stage_exim NAME NETNS PORT: starts the daemon that exim/NAME.conf describes
stage_exim() {
	local root=$run/exim-$1
	private_root "exim-$1"
	mkdir -p "$root"/etc/exim4 "$root"/var/{spool,log}/exim4
	cp "$lab/exim/$1.conf" "$root/etc/exim4/exim4.conf"
	chown -R "$exim_uid:$exim_uid" "$root"/var/{spool,log}/exim4
	inside "exim-$1" "$2" /usr/sbin/exim4 -bdf >"$run/exim-$1.out" 2>&1 &
	await "Exim ($1) on port $3" 10 listening "$2" "$3"
	say "started Exim, $1"
}

# stage_dovecot NETNS: starts the server that dovecot/dovecot.conf describes
stage_dovecot() {
	local root=$run/dovecot port
	private_root dovecot
	mkdir -p "$root"/etc/dovecot "$root"/run/dovecot "$root"/var/lib/dovecot "$root"/var/mail/demo
	ln -sfn /run "$root/var/run"
	cp "$lab/dovecot/dovecot.conf" "$root/etc/dovecot/dovecot.conf"
	chown "$vmail_uid:$vmail_uid" "$root/var/mail/demo"
	inside dovecot "$1" /usr/sbin/dovecot -F -c /etc/dovecot/dovecot.conf >"$run/dovecot.out" 2>&1 &
	for port in 24 110 143 993 995 4190; do
		await "Dovecot on port $port" 10 listening "$1" "$port" 192.0.2.37
	done
	say "started Dovecot"
}

listening() {
	[ -n "$(ip netns exec "$1" ss -Hltn "${3:+src $3}" "sport = :$2")" ]
}

stage_peers() {
	ip netns exec gw /usr/bin/python3 "$lab/peer.py" mask 192.0.2.34 2525 >"$run/peer-192.0.2.34" 2>"$run/peer.err" &
	ip netns exec gw /usr/bin/python3 "$lab/peer.py" drop 192.0.2.35 >"$run/peer-192.0.2.35" 2>>"$run/peer.err" &
	await "the masking box" 10 listening gw 25 192.0.2.34
	await "the dropping server" 10 listening gw 25 192.0.2.35
}

# The stage that `play` needs.
stage_all() {
	stage_open
	stage_names
	stage_certificates
	stage_network
	stage_postfix gateway gw
	stage_postfix world world
	stage_exim submit gw 587
	stage_exim world world 25
	stage_peers
}

# capture_start NETNS INTERFACE
capture_start() {
	ip netns exec "$1" tcpdump -i "$2" -s 0 -U --immediate-mode -Z root -w "$run/sample.pcap" tcp \
		2>"$run/tcpdump.err" &
	tcpdump=$!
	await "tcpdump" 10 grep -q 'listening on' "$run/tcpdump.err"
}

capture_stop() {
	sleep 0.5
	kill -TERM "$tcpdump" # a background job of a script ignores SIGINT
	wait "$tcpdump" || die "tcpdump failed: $(cat "$run/tcpdump.err")"
	grep -q '^0 packets dropped' "$run/tcpdump.err" || die "tcpdump lost packets: $(cat "$run/tcpdump.err")"
}

# stage_keep FOLDER: what a person wants to see after a run, above all after one that failed
stage_keep() {
	local log
	mkdir -p "$1"
	cp -r "$run"/{says,tls,sample.pcap,scenes.tsv} "$run"/*.{err,log,out} "$run"/peer-* "$1" 2>/dev/null || :
	for log in "$run"/{postfix-*,exim-*,dovecot}/var/log; do
		[ ! -d "$log" ] || cp -rT "$log" "$1/$(basename "${log%/var/log}")" || :
	done
}
