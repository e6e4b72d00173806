"""A network namespace for the test alone, and veth pairs in it."""
import os
import subprocess
import sys

import engine

INSIDE = "EHLOTAP_LIVE_NETNS"


def enter(*tools):
    """Begins anew in a network namespace of its own, which goes when the test ends."""
    if os.environ.get(INSIDE):
        return
    engine.need_tool("unshare", "ip", *tools)
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        engine.skip("no network namespace can be made here")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


def run(*command):
    subprocess.run(command, check=True, timeout=engine.TIMEOUT_S, capture_output=True)


def pair(name):
    """A veth pair, NAMEa and NAMEb, on which nobody else says anything."""
    run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b")
    for end in (f"{name}a", f"{name}b"):
        quiet = f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6"
        if os.path.exists(quiet):
            with open(quiet, "w", encoding="ascii") as file:
                file.write("1")
        run("ip", "link", "set", end, "mtu", "9000", "arp", "off", "up")
