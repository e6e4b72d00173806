#!/bin/sh
# Pktgen-DPDK to `ehlotap live` through the kernel: net_af_packet on one end of a veth pair.
# shellcheck source=checks.sh
. "$(dirname "$(readlink -f "$0")")/checks.sh"

iface=${EHLOTAP_PLACE:-pg0}
peer=pg1
create=

usage()
{
	cat <<END
Usage: veth.sh --pcap FILE [OPTION]...
       veth.sh --create | --remove
Replay a capture with Pktgen-DPDK into one end of a veth pair; ehlotap live has the other one:
  ehlotap live --port net_af_packet0,iface=$peer,blocksz=65536,framesz=2048,framecnt=8192

  --create         make the pair $iface, $peer, on which the kernel says nothing, and stop
  --remove         remove it, and stop
  --iface NAME     the sender's end ($iface)
END
	common_options
}

make_pair()
{
	check_root
	[ $missing = 0 ] || exit 2
	ip link add "$iface" type veth peer name "$peer" || exit 2
	for end in "$iface" "$peer"; do
		# else the kernel sends frames of its own, which nobody has counted
		sysctl -q -w "net.ipv6.conf.$end.disable_ipv6=1"
		ip link set "$end" arp off mtu 1500 up || exit 2
	done
	exit 0
}

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--create) create=yes; taken=1 ;;
	--remove) ip link del "$iface" || exit 2; exit 0 ;;
	--iface) [ $# -ge 2 ] || { usage >&2; exit 2; }; iface=$2; taken=2 ;;
	*) common_option "$@" ;;
	esac
	shift "$taken"
done
[ -z "$create" ] || make_pair

check_root
check_program
check_pcap
check_hugepages
ip link show "$iface" >/dev/null 2>&1 || lacks "there is no interface $iface: veth.sh --create"
# The driver tells a link of 10 Gbit/s; Pktgen's percents are of that.
run --link-mbit 10000 \
	--vdev "net_af_packet0,iface=$iface,blocksz=65536,framesz=2048,framecnt=8192"
