#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does ehlotap live take what is right, and refuse what is wrong with a sentence that says where
and what is allowed? Tables of files and command lines against the program of main.c.

    config.py PROGRAM

Last line: N passed, N failed."""
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
passed = failed = 0
NULL = ["--port", "net_null0"]


def run(args, env=None):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, errors="replace",
                          timeout=20, env={**os.environ, **(env or {})})


def check(name, ok, more=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}\n  {more}")


def says(name, args, sentence, tail=""):
    """The command line is refused with exactly this sentence, and `tail` behind it."""
    out = run(args)
    want = f"ehlotap live: {sentence}\n{tail}"
    check(name, out.returncode == 2 and out.stderr == want and not out.stdout,
          f"{out.returncode} {out.stderr!r}\n  wanted {want!r}")


def values(text):
    """--check's answer as {section.key: [value, ...]}, unset keys left out."""
    found, section = {}, ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif " = " in line and line[0] != "#":
            key, value = line.split(" = ", 1)
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


def gives(name, args, want):
    out = run([*args, "--check"])
    got = values(out.stdout)
    wrong = {k: got.get(k) for k, v in want.items() if got.get(k) != v}
    check(name, out.returncode == 0 and not wrong and not out.stderr,
          f"{out.returncode} {wrong} {out.stderr}")


def eal(name, args, want, ports=None):
    out = run(args)
    lines = out.stdout.splitlines()
    got = lines[0][4:] if lines else out.stderr
    check(name, got == want, f"{got!r}\n  wanted {want!r}")
    if ports is not None:
        check(name + ", ports", lines[1:2] == [("ports " + ports).strip()], repr(lines[1:2]))


TRY = "Try: ehlotap live --help\n"
PORTS = ("takes a PCI address (0000:3b:00.0) or a vdev (net_af_packet0,iface=eth1), not \"%s\"; "
         "a kernel interface is taken by net_af_packet or net_af_xdp")
KEYS = ("port, queues, rx-descriptors, mbufs, mbuf-size, mtu, rss, promiscuous, flow-rules, stamps")
SECTIONS = "[sensor], [eal], [port], [workers], [ring], [run]"
SENSOR = "takes 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front, not \"%s\""
MAIL = ("is wrong: \"%s\" is no PORT=SERVICE; port is 1 to 65535, service one of smtp, submission, "
        "smtps, lmtp, imap, imaps, pop3, pop3s, sieve, none")

# what the file holds, what is said behind "FILE:"
FILES = [
    ("unknown key", "[port]\nport = net_null0\nque = 3\n",
     f"3: unknown key \"que\" in [port]; allowed: {KEYS}"),
    ("unknown section", "\n[prot]\nport = net_null0\n",
     f"2: unknown section [prot]; there are {SECTIONS}"),
    ("unknown section without keys", "[port]\nport = net_null0\n[x]\n",
     f"3: unknown section [x]; there are {SECTIONS}"),
    ("no section", "port = net_null0\n",
     f"1: the key \"port\" stands before any section; there are {SECTIONS}"),
    ("no equals sign", "[port]\nnet_null0\n",
     "2: neither \"[section]\" nor \"key = value\" nor a # comment"),
    ("open bracket", "[port\nport = net_null0\n",
     "1: neither \"[section]\" nor \"key = value\" nor a # comment"),
    ("the first mistake is told", "[port]\nnonsense\nque = 3\n",
     "2: neither \"[section]\" nor \"key = value\" nor a # comment"),
    ("twice", "[run]\nstats = 1\nstats = 1\n", "3: stats is set a second time"),
    ("twice, sections apart", "[run]\nstats = 1\n[port]\n[run]\nstats = 2\n",
     "5: stats is set a second time"),
    ("long line", "[port]\nport = net_null0," + "x" * 400 + "\n",
     "2: the line is too long: 197 bytes at most"),
    ("NUL", "[port]\nport = net_null0\0\n", "2: a NUL byte: this is no text file"),
    ("number", "[port]\nqueues = many\n", "2: queues takes a number from 0 to 127, not \"many\""),
    ("number, sign", "[port]\nqueues = -1\n", "2: queues takes a number from 0 to 127, not \"-1\""),
    ("number, too big", "[workers]\nflows = 99999999999999999999\n",
     "2: flows takes a number from 1000 to 67108864, not \"99999999999999999999\""),
    ("number, or 0", "[port]\nmtu = 10\n",
     "2: mtu takes a number from 68 to 65535, or 0, not \"10\""),
    ("comment behind a value", "[port]\nqueues = 4 # four\n",
     "2: queues takes a number from 0 to 127, not \"4 # four\""),
    ("size", "[ring]\nsize = 1M\n", "2: size takes a size from 4M to 64G, not \"1M\""),
    ("size, unit", "[ring]\nsize = 64X\n", "2: size takes a size from 4M to 64G, not \"64X\""),
    ("size, overflow", "[ring]\nsize = 99999999999999T\n",
     "2: size takes a size from 4M to 64G, not \"99999999999999T\""),
    ("size that wraps to 0", "[eal]\nmemory = 16777216T\n",
     "2: memory takes a size from 64M to 1T, or 0, in whole M, not \"16777216T\""),
    ("memory without unit", "[eal]\nmemory = 1024\n",
     "2: memory takes a size from 64M to 1T, or 0, in whole M, not \"1024\""),
    ("yes", "[port]\nrss = maybe\n", "2: rss takes yes or no, not \"maybe\""),
    ("three", "[port]\nstamps = maybe\n", "2: stamps takes auto, yes or no, not \"maybe\""),
    ("mode", "[ring]\nmode = 0755\n",
     "2: mode takes 0600, 0640 or 0660, not \"0755\""),
    ("mode, for all", "[ring]\nmode = 0666\n",
     "2: mode takes 0600, 0640 or 0660, not \"0666\""),
    ("sensor", "[sensor]\nname = .gw\n", "2: name " + SENSOR % ".gw"),
    ("sensor, controls", "[sensor]\nname = g\x1b[1mw\n", "2: name " + SENSOR % "g\\x1b[1mw"),
    ("mail ports", "[sensor]\nmail-ports = 25=what\n", "2: mail-ports " + MAIL % "25=what"),
    ("cores", "[eal]\ncores = 4-2\n", "2: cores takes CPU numbers as 2,4-7, not \"4-2\""),
    ("cores, end", "[eal]\ncores = 0,\n", "2: cores takes CPU numbers as 2,4-7, not \"0,\""),
    ("cores, many", "[eal]\ncores = 0-500\n", "2: cores names more than 127 CPUs"),
    ("no value", "[run]\nsessions =\n", "2: sessions needs a value"),
    ("user", "[run]\nuser = nobody-here\n",
     "2: user names the user \"nobody-here\", which this machine does not have: make it first "
     "(systemd-sysusers, adduser)"),
    ("arg", "[eal]\narg = -n 4\n",
     "2: arg takes one word; two words are two lines \"arg = \", not \"-n 4\""),
    ("port", "[port]\nport = eth0\n", "2: port " + PORTS % "eth0"),
    ("port twice", "[port]\nport = net_null0\nport = net_null0,size=9\n",
     "3: port names net_null0 a second time"),
    ("PCI twice", "[port]\nport = 3B:00.0\nport = 0000:3b:00.0\n",
     "3: port names 0000:3b:00.0 a second time"),
    ("33 ports", "[port]\n" + "".join(f"port = net_null{i}\n" for i in range(33)),
     "34: port is there more than 32 times"),
]

# arguments, the sentence, what follows it
LINES = [
    ("no port", [], "no port is given. \"dpdk-devbind.py --status\" lists NICs: "
     "--port 0000:3b:00.0. A kernel interface, without hugepages or binding: "
     "--no-huge --port net_af_packet0,iface=eth1", ""),
    ("argument", [*NULL, "mx.pcap"], "there is no argument \"mx.pcap\"; ports are given by --port, "
     "and captures are read by ehlotap read", TRY),
    ("number", [*NULL, "--queues", "x"], "--queues takes a number from 0 to 127, not \"x\"", TRY),
    ("ring size", [*NULL, "--ring-size", "1"], "--ring-size takes a size from 4M to 64G, not \"1\"",
     TRY),
    ("missing file", ["--config", "/no/such"], "cannot read /no/such: No such file or directory",
     ""),
    ("folder", ["--config", "/tmp"], "cannot read /tmp: it is a folder", ""),
    ("shed", [*NULL, "--shed-bytes", "1M"], "shed-bytes needs flow-rules = yes", ""),
    ("distributor", [*NULL, "--distributor", "yes"],
     "distributor = yes needs two CPUs in cores: one spreads, the others work", ""),
    ("CPU", [*NULL, "--cores", "1000"], "cores names CPU 1000, which this machine does not have or "
     "this process may not use; see: lscpu -e, taskset -p $$", ""),
    ("PCI function", ["--port", "0000:3b:00.9"], "--port " + PORTS % "0000:3b:00.9", TRY),
    ("long vdev", ["--port", "net_null" + "0" * 60],
     "--port " + PORTS % ("net_null" + "0" * 60), TRY),
    ("empty vdev", ["--port", "net_"], "--port " + PORTS % "net_", TRY),
    ("EAL arguments", [*["-v"] * 81, "--"], "more than 80 arguments for EAL", ""),
]

# arguments, what --check shows
VALUES = [
    ("defaults", NULL, {
        "eal.huge": ["yes"], "eal.memory": ["0"], "eal.file-prefix": ["ehlotap"],
        "port.port": ["net_null0"], "port.queues": ["0"], "port.rss": ["yes"],
        "port.promiscuous": ["yes"], "port.flow-rules": ["no"], "port.stamps": ["auto"],
        "workers.distributor": ["auto"], "workers.flows": ["1048576"],
        "workers.undecided": ["65536"], "workers.idle-sleep": ["0"], "ring.size": ["64M"],
        "ring.mode": ["0640"], "run.stats": ["0"], "run.sessions": None, "run.user": None}),
    ("options", [*NULL, "--sensor", "gw1", "--no-huge", "--queues", "4", "--rx-descriptors", "2048",
                 "--mbufs", "65536", "--mbuf-size", "9K", "--mtu", "9000", "--no-rss",
                 "--no-promiscuous", "--flow-rules", "--stamps", "no", "--flows", "2000",
                 "--idle-sleep", "50", "--shed-bytes", "1M", "--ring-size", "1GiB",
                 "--ring-mode", "600", "--ring-owner", "root", "--ring-group", "root",
                 "--user", "root", "--group", "root", "--stats", "10", "--sessions", "-"],
     {"sensor.name": ["gw1"], "eal.huge": ["no"], "eal.memory": ["1G"], "port.queues": ["4"],
      "port.rx-descriptors": ["2048"], "port.mbufs": ["65536"], "port.mbuf-size": ["9K"],
      "port.mtu": ["9000"], "port.rss": ["no"], "port.promiscuous": ["no"],
      "port.flow-rules": ["yes"], "port.stamps": ["no"], "workers.flows": ["2000"],
      "workers.undecided": ["2000"], "workers.idle-sleep": ["50"], "workers.shed-bytes": ["1M"],
      "ring.size": ["1G"], "ring.mode": ["0600"], "ring.owner": ["root"], "run.user": ["root"],
      "run.stats": ["10"], "run.sessions": ["-"]}),
    ("the last one wins", [*NULL, "--stats", "1", "--stats", "2", "--no-rss", "--rss"],
     {"run.stats": ["2"], "port.rss": ["yes"]}),
    ("PCI in full", ["--port", "3B:00.1,safe-mode-support=1"],
     {"port.port": ["0000:3b:00.1,safe-mode-support=1"]}),
]

first_cpu = min(os.sched_getaffinity(0))
last_cpu = max(os.sched_getaffinity(0))


def ranges(cpus):
    parts, cpus = [], sorted(cpus)
    while cpus:
        n = 1
        while n < len(cpus) and cpus[n] == cpus[0] + n:
            n += 1
        parts.append(f"{cpus[0]}-{cpus[n - 1]}" if n > 1 else f"{cpus[0]}")
        cpus = cpus[n:]
    return ",".join(parts)


def lcores(*cpus):
    mine = ranges(os.sched_getaffinity(0))
    return "--lcores 0@(%s)%s --main-lcore 0" % (
        mine, "".join(f",{i + 1}@{cpu}" for i, cpu in enumerate(cpus)))


PREFIX = "--file-prefix ehlotap"
# arguments, EAL's arguments, names for et_port_open
EALS = [
    ("vdev", NULL, f"{lcores(last_cpu)} {PREFIX} --vdev net_null0 --no-pci", "net_null0"),
    ("the same CPU twice", [*NULL, "--cores", f"{first_cpu},{first_cpu}"],
     f"{lcores(first_cpu, first_cpu)} {PREFIX} --vdev net_null0 --no-pci", "net_null0"),
    ("vdev's arguments", ["--no-huge", "--port", "net_pcap0,rx_pcap=a.pcap,infinite_rx=1"],
     f"{lcores(last_cpu)} --no-huge -m 1024 {PREFIX} --vdev "
     "net_pcap0,rx_pcap=a.pcap,infinite_rx=1 --no-pci", "net_pcap0"),
    ("PCI and vdev", ["--port", "AF:00.0", "--port", "net_null1", "--memory", "2G"],
     f"{lcores(last_cpu)} -m 2048 {PREFIX} -a 0000:af:00.0 --vdev net_null1",
     "0000:af:00.0 net_null1"),
    ("EAL's own", ["-l", "0", "-m", "512", "--no-huge", "--vdev", "net_null0", "--"],
     f"{PREFIX} -l 0 -m 512 --no-huge --vdev net_null0", ""),
    ("EAL's prefix", ["--file-prefix=x", "--lcores=1@0", "--", *NULL],
     "--vdev net_null0 --no-pci --file-prefix=x --lcores=1@0", "net_null0"),
    ("only ours in front of --", [*NULL, "--"],
     f"{lcores(last_cpu)} {PREFIX} --vdev net_null0 --no-pci", "net_null0"),
]


def files(folder):
    path = os.path.join(folder, "live.conf")
    for name, text, sentence in FILES:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        says(f"file: {name}", ["--config", path], f"{path}:{sentence}")
    good = ("\ufeff; a comment\n# " + "long " * 200 + "\n\n[port]\r\n  port = net_null0\r\n"
            "\tport=net_null1,size=128\n[eal]\narg = -n\narg = 4\n[sensor]\nname: gw\n"
            "mail-ports = 10025=smtp ; inside\n[run]\nstats = 5\nsessions = /tmp/x y")
    with open(path, "w", encoding="utf-8") as file:
        file.write(good)
    want = {"port.port": ["net_null0", "net_null1,size=128"], "eal.arg": ["-n", "4"],
            "sensor.name": ["gw"], "sensor.mail-ports": ["10025=smtp"], "run.stats": ["5"],
            "run.sessions": ["/tmp/x y"]}
    gives("file", ["--config", path], want)
    gives("line over file", ["--config", path, "--stats", "9", "--sensor", "other"],
          {**want, "run.stats": ["9"], "sensor.name": ["other"]})
    gives("--port replaces", ["--port", "net_null7", "--config", path], {"port.port": ["net_null7"]})
    gives("--vdev replaces", ["--vdev", "net_null8", "--", "--config", path],
          {"port.port": None, "eal.arg": ["-n", "4", "--vdev", "net_null8"]})
    check("mail ports are set", "10025 is 0" not in run(["--config", path]).stdout)
    check("mail ports of the line", "10025 is 0" in run(
        ["--config", path, "--mail-ports", "1025=smtp"]).stdout)
    shown = run(["--config", path, "--check"]).stdout
    with open(path, "w", encoding="utf-8") as file:
        file.write(shown)
    check("--check can be read again", run(["--config", path, "--check"]).stdout == shown, shown)
    unreadable(path)


def unreadable(path):
    """root reads everything; then there is nothing to see."""
    os.chmod(path, 0)
    if not os.access(path, os.R_OK):
        says("unreadable", ["--config", path], f"cannot read {path}: Permission denied")
    os.chmod(path, 0o600)


def reread(folder, before, after, want_out, want_err, *args):
    path = os.path.join(folder, "hup.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before)
    with subprocess.Popen([PROGRAM, "--config", path, *args], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "CONFIG_AGAIN": "1"}) as child:
        for _ in range(3):
            child.stdout.readline()
        with open(path, "w", encoding="utf-8") as file:
            file.write(after)
        out, err = child.communicate("x", timeout=20)
    check(f"SIGHUP: {want_out}", out == want_out + "\n" and err == want_err.replace("FILE", path),
          f"{out!r} {err!r}")


def rereads(folder):
    port = "[port]\nport = net_null0\n"
    reread(folder, port + "[run]\nsessions = /tmp/b\n",
           port + "[run]\nstats = 7\nsessions = /tmp/a\n", "reread 0, stats 7, sessions /tmp/a", "")
    change = "ehlotap live: sessions in [run] was {}: that needs a restart\n"
    reread(folder, port + "[run]\nsessions = /tmp/a\n", port, "reread 0, stats 0, sessions /tmp/a",
           change.format("a file"))
    reread(folder, port, port + "[run]\nsessions = /tmp/a\n", "reread 0, stats 0, sessions none",
           change.format("none"))
    reread(folder, port, port + "queues = 3\n[ring]\nsize = 8M\n",
           "reread 0, stats 0, sessions none",
           "ehlotap live: queues in [port] has changed: that needs a restart\n"
           "ehlotap live: size in [ring] has changed: that needs a restart\n")
    reread(folder, port + "[run]\nstats = 3\n", port + "[run]\nstats = x\n",
           "reread -1, stats 3, sessions none",
           "ehlotap live: FILE:4: stats takes a number from 1 to 86400, or 0, not \"x\"\n"
           "ehlotap live: goes on as it was\n")
    reread(folder, port, port + "[run]\nstats = 7\n", "reread 0, stats 2, sessions none", "",
           "--stats", "2")


def told():
    """--help, the manual and the table know the same keys."""
    out = run(["--help"])
    check("--help", out.returncode == 0 and not out.stderr and
          all(len(line) <= 80 for line in out.stdout.splitlines()))
    keys = values("\n".join(line.replace("#", "").replace(" =", " = ") if line.endswith(" =")
                            else line for line in run([*NULL, "--check"]).stdout.splitlines()))
    manual = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "../../docs/man/ehlotap-live.1")
    with open(manual, encoding="utf-8") as file:
        pages = file.read()
    for key in keys:
        section, name = key.split(".")
        check(f"{key} in --help", f"[{section}]" in out.stdout and name in out.stdout)
        check(f"{key} in the manual", f".It Cm {name} No = " in pages, key)
    check("--version", run(["-V"]).stdout.startswith("ehlotap "))
    check("unknown option", run(["--vdev", "net_null0"]).stderr ==
          "ehlotap live: unrecognized option '--vdev'\n"
          "Arguments for EAL stand in front of a \"--\": ehlotap live -l 0,1 -- --port ...\n" + TRY)


def noise(folder):
    """Any bytes in a file: a sentence and 2, never a crash."""
    path = os.path.join(folder, "noise.conf")
    state = 1
    for _ in range(150):
        data = bytearray(b"[port]\nport = net_null0\nqueues = 2\n[run]\nstats = 3\nsessions = -\n")
        for _ in range(6):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            data[(state >> 8) % len(data)] = (state >> 16) & 0xff
        with open(path, "wb") as file:
            file.write(data)
        out = run(["--config", path, "--check"])
        if out.returncode not in (0, 2) or (out.returncode == 2) == (not out.stderr):
            check("noise", False, f"{bytes(data)!r} {out.returncode} {out.stderr}")
            return
    check("noise", True)


with tempfile.TemporaryDirectory() as work:
    files(work)
    rereads(work)
    noise(work)
for test in LINES:
    says(f"line: {test[0]}", *test[1:])
for test in VALUES:
    gives(f"values: {test[0]}", *test[1:])
for test in EALS:
    eal(f"eal: {test[0]}", *test[1:])
told()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
