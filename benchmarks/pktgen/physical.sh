#!/bin/sh
# Pktgen-DPDK on a NIC, whose cable or switch leads to the mirror port of `ehlotap live`.
# Not run by the authors: there was no such NIC. What it starts can be read with --show.
# shellcheck source=checks.sh
. "$(dirname "$(readlink -f "$0")")/checks.sh"

pci=
mbit=

usage()
{
	cat <<END
Usage: physical.sh --pci ADDRESS --link-mbit N --pcap FILE [OPTION]...
Replay a capture with Pktgen-DPDK out of a NIC that is bound to vfio-pci.

  --pci ADDRESS    the sender's NIC, as 0000:3b:00.0
  --link-mbit N    its speed: 10000, 25000, 100000
END
	common_options
}

# Has to be known to the kernel, and to be bound to a driver that DPDK can use.
check_nic()
{
	if [ -z "$pci" ]; then
		lacks "--pci is missing; drivers-conf/bind list shows what there is"
		return
	fi
	if ! [ -e "/sys/bus/pci/devices/$pci" ]; then
		lacks "there is no PCI device $pci"
		return
	fi
	driver=$(basename "$(readlink -f "/sys/bus/pci/devices/$pci/driver")")
	case $driver in
	vfio-pci | uio_pci_generic | igb_uio | mlx5_core | mlx4_core) ;;
	*) lacks "$pci is bound to $driver: drivers-conf/bind vfio $pci" ;;
	esac
}

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--pci | --link-mbit)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		[ "$1" = --pci ] && pci=$2 || mbit=$2
		taken=2 ;;
	*) common_option "$@" ;;
	esac
	shift "$taken"
done

check_root
check_program
check_pcap
check_hugepages 512
check_nic
[ -n "$mbit" ] || lacks "--link-mbit is missing: the speed that ethtool told before binding"
run --link-mbit "${mbit:-10000}" --pci "${pci:-0000:00:00.0}"
