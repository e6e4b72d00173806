#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Do drivers-conf/hugepages and drivers-conf/bind write the right things to the right places, and
refuse what would hurt? Against a made-up /sys. And does systemd take the units?

    scripts.py

Last line: N passed, N failed."""
import os
import shutil
import subprocess
import sys
import tempfile

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../drivers-conf")
NIC, VIRTIO, MLX, DISK = "0000:3b:00.0", "0000:00:03.0", "0000:af:00.0", "0000:00:02.0"
passed = failed = 0


def put(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def get(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run(script, *args):
    done = subprocess.run([os.path.join(FOLDER, script), *args], capture_output=True, text=True,
                          timeout=20)
    return done.returncode, done.stdout, done.stderr


def check(name, got, want):
    """want: exit code, and what the output and the errors hold."""
    global passed, failed
    code, out, err = got
    if code == want[0] and want[1] in out and want[2] in err and bool(want[2]) == bool(err):
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}\n  {got}\n  wanted {want}")


def is_so(name, left, right):
    global passed, failed
    if left == right:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}\n  {left!r}\n  wanted {right!r}")


def pages(sys_, node, size):
    return f"{sys_}/devices/system/node/node{node}/hugepages/hugepages-{size}kB/nr_hugepages"


def hugepages(work):
    sys_, conf = work + "/sys", work + "/sysctl.conf"
    for node in (0, 1):
        for size in (2048, 1048576):
            put(pages(sys_, node, size), "0\n")
            put(os.path.dirname(pages(sys_, node, size)) + "/free_hugepages", "0\n")
    fake = ["--sysfs", sys_, "--sysctl", conf]
    check("dry", run("hugepages", "reserve", "1023", "--dry-run", *fake), (0, "would write 512", ""))
    is_so("dry writes nothing", get(pages(sys_, 0, 2048)), "0\n")
    check("reserve", run("hugepages", "reserve", "1023", "--persistent", *fake),
          (0, "node 1: 512 pages of 2M", ""))
    is_so("both nodes", get(pages(sys_, 0, 2048)) + get(pages(sys_, 1, 2048)), "512\n512\n")
    is_so("at boot", get(conf).splitlines()[-1], "vm.nr_hugepages = 1024")
    check("never fewer", run("hugepages", "reserve", "10", "--node", "0", *fake),
          (0, "node 0: 512 pages", ""))
    check("1G", run("hugepages", "reserve", "2000", "--size", "1G", "--node", "1", *fake),
          (0, "node 1: 2 pages of 1G", ""))
    is_so("other node untouched", get(pages(sys_, 0, 1048576)), "0\n")
    check("show", run("hugepages", "show", *fake), (0, "node 1      1024M        2        0", ""))
    check("undo", run("hugepages", "undo", *fake), (0, "node 1: 0 pages of 2M", ""))
    is_so("undone", (get(pages(sys_, 0, 2048)), os.path.exists(conf)), ("0\n", False))
    check("no node", run("hugepages", "reserve", "10", "--node", "9", *fake),
          (1, "", "hugepages: no hugepages of 2M on node 9: this kernel or CPU does not have them"))
    for name, args, says in (
            ("nothing", [], "say show, reserve or undo"),
            ("command", ["free"], "there is no command \"free\"; there are show, reserve and undo"),
            ("no amount", ["reserve"], "reserve needs a number of MiB"),
            ("amount", ["reserve", "2G"], "reserve takes a number of MiB, not \"2G\""),
            ("zero", ["reserve", "0"], "reserve takes a number of MiB, not \"0\""),
            ("size", ["show", "--size", "4M"], "--size is 2M or 1G, not \"4M\""),
            ("option", ["--frob"], "there is no option --frob"),
            ("persistent", ["reserve", "9", "--persistent", "--node", "0"],
             "--persistent is for 2M pages on all nodes")):
        check(name, run("hugepages", *args, *fake),
              (2, "", f"hugepages: {says}\nTry: hugepages --help\n"))
    check("help", run("hugepages", "--help"), (0, "hugepages reserve MIB", ""))


def machine(sys_):
    """Four devices, two in one IOMMU group."""
    pci = sys_ + "/bus/pci"
    for address, driver, kind in ((NIC, "ice", "0x020000"), (VIRTIO, "virtio-pci", "0x020000"),
                                  (MLX, "mlx5_core", "0x020000"), (DISK, "nvme", "0x010802"),
                                  ("0000:3b:00.1", "ice", "0x020000")):
        device = f"{pci}/devices/{address}"
        put(device + "/class", kind + "\n")
        put(device + "/numa_node", "-1\n")
        put(device + "/driver_override", "(null)\n")
        put(f"{pci}/drivers/{driver}/unbind")
        os.symlink(f"{pci}/drivers/{driver}", device + "/driver")
    group = sys_ + "/kernel/iommu_groups/42"
    for address in (NIC, "0000:3b:00.1"):
        os.makedirs(group + "/devices", exist_ok=True)
        os.symlink(f"{pci}/devices/{address}", f"{group}/devices/{address}")
        os.symlink(group, f"{pci}/devices/{address}/iommu_group")
    put(f"{pci}/devices/{NIC}/net/ens1f0/operstate", "down\n")
    put(f"{pci}/devices/{VIRTIO}/virtio0/net/eth0/operstate", "up\n")
    put(f"{pci}/drivers/vfio-pci/unbind")
    put(f"{sys_}/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n")
    return pci


def bind(work):
    sys_ = work + "/sys"
    pci = machine(sys_)
    fake = ["--sysfs", sys_]
    check("list", run("bind", "list", *fake),
          (0, f"{NIC}  ice          ens1f0               -     42", ""))
    is_so("list has NICs only", DISK in run("bind", "list", *fake)[1], False)
    check("dry", run("bind", "vfio", "3B:00.0", "--dry-run", *fake),
          (0, f"would write \"{NIC}\" to {pci}/drivers_probe", "in the same IOMMU group"))
    check("up", run("bind", "vfio", VIRTIO, *fake),
          (1, "", f"bind: eth0 of {VIRTIO} is up. If nobody needs it: ip link set eth0 down, or "))
    check("no IOMMU", run("bind", "vfio", VIRTIO, "--force", *fake),
          (1, "", f"bind: no IOMMU for {VIRTIO}."))
    put(f"{sys_}/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n")
    check("unsafe mode", run("bind", "vfio", VIRTIO, "--force", "--dry-run", *fake),
          (0, "would write \"vfio-pci\"", ""))
    check("bifurcated", run("bind", "vfio", MLX, *fake),
          (1, "", f"bind: {MLX} is bound to mlx5_core, and must stay so: DPDK works beside it"))
    check("disk", run("bind", "vfio", DISK, *fake), (1, "", f"bind: {DISK} is no network device"))
    check("missing", run("bind", "vfio", "0000:99:00.0", *fake),
          (1, "", "bind: there is no PCI device 0000:99:00.0; see: bind list"))
    check("address", run("bind", "vfio", "eth0", *fake),
          (2, "", "bind: \"eth0\" is no PCI address such as 0000:3b:00.0; see: bind list"))
    check("none", run("bind", "vfio", *fake), (2, "", "bind: vfio needs an address"))
    check("command", run("bind", "tie", *fake), (2, "", "bind: there is no command \"tie\""))
    check("help", run("bind", "--help"), (0, "bind vfio ADDRESS...", ""))
    check("back, bound", run("bind", "back", NIC, *fake), (0, f"{NIC}: bound to ice already", ""))
    put(pci + "/drivers_probe")
    check("refused by the kernel", run("bind", "vfio", NIC, *fake),
          (1, "", f"vfio-pci did not take {NIC}: the last lines of dmesg say why"))
    is_so("override", get(f"{pci}/devices/{NIC}/driver_override"), "vfio-pci\n")
    is_so("unbound", get(f"{pci}/drivers/ice/unbind"), NIC + "\n")
    os.remove(pci + "/drivers_probe")
    bound(pci, fake)


def bound(pci, fake):
    """What is bound can be bound again and given back."""
    link = f"{pci}/devices/{NIC}/driver"
    os.remove(link)
    os.symlink(f"{pci}/drivers/vfio-pci", link)
    check("already", run("bind", "vfio", NIC, *fake), (0, "bound to vfio-pci already", ""))
    put(pci + "/drivers_probe")
    check("back, no driver", run("bind", "back", NIC, *fake),
          (1, "", f"no driver of the kernel took {NIC}: is its module there?"))
    is_so("override gone", get(f"{pci}/devices/{NIC}/driver_override"), "\n")


def units(work):
    """As they are, but for the program, which may not be installed."""
    names = []
    for name in ("ehlotap-live.service", "ehlotap-export.service"):
        text = get(os.path.join(FOLDER, name)).replace("/usr/local/bin/ehlotap", "/bin/true")
        put(f"{work}/{name}", text)
        names.append(f"{work}/{name}")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], capture_output=True,
                          text=True, timeout=60)
    is_so("systemd-analyze verify", (done.returncode, done.stderr), (0, ""))


with tempfile.TemporaryDirectory() as folder_:
    if shutil.which("systemd-analyze"):
        units(folder_)
    hugepages(folder_)
    shutil.rmtree(folder_ + "/sys")
    bind(folder_)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
