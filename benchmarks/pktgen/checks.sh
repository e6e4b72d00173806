# shellcheck shell=sh disable=SC2034
# What memif.sh, veth.sh and physical.sh have in common: what is missing is said before anything
# is started. Sourced, not run.

here=$(dirname "$(readlink -f "$0")")
me=$(basename "$0")
missing=0
pcap=${EHLOTAP_PCAP:-}
pps=${EHLOTAP_PPS:-max}
seconds=${EHLOTAP_SECONDS:-10}
cpus=${EHLOTAP_CPUS:-0,1}
pktgen=${PKTGEN:-pktgen}
show=

common_options()
{
	cat <<END
  --pcap FILE      the capture to replay; not pcapng
  --pps N          frames a second, or max ($pps)
  --seconds N      for how long ($seconds)
  --cpus A,B       CPU of the terminal and CPU of the sender ($cpus)
  --pktgen FILE    the program (\$PKTGEN, or pktgen in PATH)
  --show           print the command line and the commands, run nothing
Defaults of the first four come from EHLOTAP_PCAP, EHLOTAP_PPS, EHLOTAP_SECONDS and EHLOTAP_CPUS,
which run-rfc2544 --sender-command sets.
Exit code 0: sent, and the last line is JSON with frames, seconds, pps; 2: could not be run.
END
}

# Says what is not there; all of it, not only the first.
lacks()
{
	echo "$me: $1" >&2
	missing=1
}

# One option that all have. Sets taken to the number of words it was.
common_option()
{
	taken=2
	case $1 in
	--show) show=--show; taken=1; return ;;
	esac
	[ $# -ge 2 ] || { echo "$me: $1 needs a value; see --help" >&2; exit 2; }
	case $1 in
	--pcap) pcap=$2 ;;
	--pps) pps=$2 ;;
	--seconds) seconds=$2 ;;
	--cpus) cpus=$2 ;;
	--pktgen) pktgen=$2 ;;
	*) echo "$me: unknown option $1; see --help" >&2; exit 2 ;;
	esac
}

check_program()
{
	command -v "$pktgen" >/dev/null ||
		lacks "there is no $pktgen: build Pktgen-DPDK as its own manual says, then --pktgen"
}

check_pcap()
{
	if [ -z "$pcap" ]; then
		lacks "--pcap is missing; make one: ehlotap gen --profile storm.ini --out storm.pcap"
	elif ! [ -r "$pcap" ]; then
		lacks "$pcap cannot be read"
	fi
}

# Pktgen keeps the capture and its buffers in hugepages.
check_hugepages()
{
	free=$(sed -n 's/^HugePages_Free: *//p' /proc/meminfo)
	size=$(sed -n 's/^Hugepagesize: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	[ $((${free:-0} * ${size:-0})) -ge $((${1:-256} * 1024)) ] ||
		lacks "fewer than ${1:-256} MiB of free hugepages: drivers-conf/hugepages reserve 512"
	grep -q ' hugetlbfs ' /proc/mounts ||
		lacks "no hugetlbfs is mounted: mount -t hugetlbfs none /dev/hugepages"
}

check_root()
{
	[ "$(id -u)" = 0 ] || lacks "root is needed"
}

run()
{
	[ $missing = 0 ] || [ -n "$show" ] || exit 2
	exec python3 "$here/pktgen_send.py" --pktgen "$pktgen" --pcap "$pcap" --pps "$pps" \
		--seconds "$seconds" --cpus "$cpus" ${show:+"$show"} "$@"
}
