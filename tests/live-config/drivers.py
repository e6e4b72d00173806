#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does every file of drivers-conf/ pass --check, and does every virtual device in them start in DPDK
with the arguments that the file gives? The second part needs root, iproute2 and dpdk-testpmd.

    drivers.py PROGRAM

Last line: N passed, N failed."""
import os
import re
import shutil
import subprocess
import sys

PROGRAM = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "../../drivers-conf")
SAMPLE = os.path.join(HERE, "../data/sample.pcap")
WANTED = ("mlx5 ice i40e ixgbe ena virtio vmxnet3 af_xdp af_packet pcap memif tap null").split()
passed = failed = 0


def check(name, ok, more=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}\n  {more}")


def run(*args, **more):
    return subprocess.run(args, capture_output=True, text=True, timeout=60, **more)


def with_every_line(name):
    """The file with its commented-out settings switched on, one after the other: they must be right
    too. Different keys in adjacent lines go together."""
    with open(os.path.join(FOLDER, name + ".conf"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    at = 0
    while at < len(lines):
        keys, first = [], at
        while at < len(lines) and (match := re.match(r"#([a-z-]+) ?= ?\S", lines[at])):
            if match[1] in keys or match[1] in ("user", "cores", "distributor"):
                break  # the last three depend on the machine
            keys.append(match[1])
            at += 1
        if keys:
            yield lines[first], "\n".join(
                line[1:] if first <= i < at else line for i, line in enumerate(lines)
                if first <= i < at or line.split(" =")[0] not in keys) + "\n"
        else:
            at += 1


def checks(name):
    path = os.path.join(FOLDER, name + ".conf")
    out = run(PROGRAM, "--config", path, "--check")
    check(f"{name}.conf --check", out.returncode == 0 and not out.stderr, out.stderr)
    for line, text in with_every_line(name):
        out = run(PROGRAM, "--config", "/dev/stdin", "--check", input=text)
        check(f"{name}.conf with {line}", out.returncode == 0, out.stderr)
    return [text for _, text in with_every_line(name)]


def starts(name, text):
    """dpdk-testpmd with the EAL arguments that the file comes to, in a network of its own."""
    text = text.replace("/var/lib/ehlotap/mx.pcap", SAMPLE).replace("/run/ehlotap/", "/tmp/")
    text = text.replace("memory = 1G", "memory = 512M")
    out = run(PROGRAM, "--config", "/dev/stdin", "--file-prefix", f"dc{os.getpid()}", input=text)
    eal = out.stdout.splitlines()[0].split()[1:]
    room = re.search(r"^mbuf-size = (\d+)$", text, re.M)
    room = int(room[1]) + 128 if room else 2176
    script = ("ip link set lo up && ip link add eth1 type veth peer name peer1 && "
              "ip link set eth1 up && ip link set peer1 up && exec \"$@\"")
    out = run("unshare", "-n", "sh", "-c", script, "sh", "dpdk-testpmd", *eal, "--",
              "--no-mlockall", "--forward-mode=rxonly", "--total-num-mbufs=4096",
              f"--mbuf-size={room}", "-i", stdin=subprocess.DEVNULL)
    said = out.stdout + out.stderr
    shutil.rmtree(f"/run/dpdk/dc{os.getpid()}", ignore_errors=True)
    check(f"{name}.conf starts", "Checking link statuses" in said and "Start ports failed" not in
          said, f"{' '.join(eal)}\n{said}")


check("one file for each driver",
      sorted(f[:-5] for f in os.listdir(FOLDER) if f.endswith(".conf")) == sorted(WANTED))
can_start = os.geteuid() == 0 and shutil.which("dpdk-testpmd") and shutil.which("ip")
for driver in WANTED:
    changed_texts = checks(driver)
    with open(os.path.join(FOLDER, driver + ".conf"), encoding="utf-8") as conf:
        first = conf.read()
    if can_start and "port = net_" in first:
        starts(driver, first)
        for changed_text in changed_texts:
            if "persist" not in changed_text.split("[port]")[1].split("\nport")[1].split("\n")[0]:
                starts(driver, changed_text)
if not can_start:
    print("not asked whether the vdevs start: that needs root, ip and dpdk-testpmd")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
