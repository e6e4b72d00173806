#!/bin/sh
# Pktgen-DPDK to `ehlotap live` on the same machine, through shared memory (net_memif).
# shellcheck source=checks.sh
. "$(dirname "$(readlink -f "$0")")/checks.sh"

socket=${EHLOTAP_PLACE:-/run/ehlotap/memif.sock}

usage()
{
	cat <<END
Usage: memif.sh --pcap FILE [OPTION]...
Replay a capture with Pktgen-DPDK into the memif socket of a running ehlotap live:
  ehlotap live --port net_memif0,role=server,socket=$socket,socket-abstract=no,rsize=12

  --socket PATH    of ehlotap live ($socket)
END
	common_options
}

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--socket) [ $# -ge 2 ] || { usage >&2; exit 2; }; socket=$2; taken=2 ;;
	*) common_option "$@" ;;
	esac
	shift "$taken"
done

check_program
check_pcap
check_hugepages
[ -S "$socket" ] || lacks "there is no socket $socket: start ehlotap live first, role=server"
# zero-copy: frames are put into shared memory by Pktgen itself, which needs one file of it.
# The driver tells a link of 100 Gbit/s; Pktgen's percents are of that.
run --link-mbit 100000 --eal=--single-file-segments \
	--vdev "net_memif0,role=client,socket=$socket,socket-abstract=no,rsize=12,zero-copy=yes"
