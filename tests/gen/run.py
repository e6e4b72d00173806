#!/usr/bin/env python3
"""Is the generator's traffic what its truth says, for tshark and for ehlotap read?

    run.py EHLOTAP [-k WORD]

Last line `N passed, N failed`; exit 0: all passed; 1: not all. Tests that need tshark are left out,
and say so, where there is none.
"""
import argparse
import gzip
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import agree  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ALL = HERE / "profiles" / "all.ini"
TIMEOUT_S = 240
VERSIONS = {"TLSv1.0": "0x0301", "TLSv1.1": "0x0302", "TLSv1.2": "0x0303", "TLSv1.3": "0x0304"}


class Failed(Exception):
    pass


def check(good, text):
    if not good:
        raise Failed(text)


class Bench:
    """A folder and the programs under test."""

    def __init__(self, ehlotap, work):
        self.ehlotap, self.work = ehlotap, work
        self.names = itertools.count()

    def fresh(self, suffix):
        return self.work / f"{next(self.names)}{suffix}"

    def run(self, *args, **more):
        return subprocess.run([self.ehlotap, *map(str, args)], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT_S, check=False, **more)

    def profile(self, text):
        path = self.fresh(".ini")
        path.write_text(text, encoding="utf-8")
        return path

    def all_but(self, more="", **keys):
        """all.ini with keys of it set anew, and more behind it."""
        text = ALL.read_text(encoding="utf-8")
        for key, value in keys.items():
            text, n = re.subn(rf"(?m)^{key} = .*", f"{key} = {value}", text, count=1)
            check(n == 1, f"all.ini has no {key}")
        return self.profile(text + more)

    def make(self, profile, seed=1, suffix=".pcap", truth_suffix=".jsonl", options=()):
        """(capture, truth)"""
        out, truth = self.fresh(suffix), self.fresh(truth_suffix)
        done = self.run("gen", "--quiet", "--profile", profile, "--seed", seed, "--out", out,
                        "--truth", truth, *options)
        check(done.returncode == 0, f"exit code {done.returncode}: {done.stderr.decode()}")
        check(not done.stderr, f"with --quiet: {done.stderr.decode()}")
        return out, truth

    def records(self, capture, *options):
        out = self.fresh(".rec")
        done = self.run("read", "--quiet", "--sessions", out, capture, *options)
        check(done.returncode == 0, f"read: exit code {done.returncode}: {done.stderr.decode()}")
        return agree.read(out)

    def agrees(self, profile, **options):
        capture, truth = self.make(profile, **options)
        truths = agree.read(truth)
        tally = agree.compare(truths, self.records(capture))
        check(not tally.bad, f"{sum(tally.bad.values())} differences of {len(truths)} sessions")
        return truths


# ---- the same bytes

def test_same_seed_same_bytes(bench):
    first, again, other = (bench.make(ALL, seed) for seed in (5, 5, 6))
    for a, b in zip(first, again):
        check(a.read_bytes() == b.read_bytes(), f"{a.suffix} differs between two runs")
    check(first[0].read_bytes() != other[0].read_bytes(), "another seed gives the same bytes")


def test_same_bytes_with_impairments(bench):
    profile = bench.all_but("\n[network]\nloss = 0.01\nreorder = 0.05\nduplicates = 0.05\n")
    first, again = (bench.make(profile) for _ in range(2))
    for a, b in zip(first, again):
        check(a.read_bytes() == b.read_bytes(), f"{a.suffix} differs between two runs")


def test_environment_does_not_matter(bench):
    first = bench.make(ALL)[0].read_bytes()
    os.environ.update(TZ="Asia/Tokyo", LC_ALL="C", SOURCE_DATE_EPOCH="1", OPENSSL_CONF="/dev/null")
    try:
        check(bench.make(ALL)[0].read_bytes() == first, "differs with TZ and OPENSSL_CONF set")
    finally:
        for name in ("TZ", "LC_ALL", "SOURCE_DATE_EPOCH", "OPENSSL_CONF"):
            del os.environ[name]


# ---- files

def test_formats_hold_the_same(bench):
    profile = bench.all_but(sessions=200)
    wanted = bench.records(bench.make(profile)[0])
    for suffix in (".pcapng", ".pcap.gz", ".pcap.zst", ".pcapng.zst"):
        check(bench.records(bench.make(profile, suffix=suffix)[0]) == wanted, f"{suffix} differs")
    capture, truth = bench.make(profile, suffix=".pcap", truth_suffix=".jsonl.gz",
                                options=["--nanoseconds"])
    check(capture.read_bytes()[:4] == bytes.fromhex("4d3cb2a1"), "no nanosecond pcap")
    with gzip.open(truth, "rt") as file:
        truths = [json.loads(line) for line in file]
    check(len(truths) == 200, f"{len(truths)} lines of truth")
    check(not agree.compare(truths, bench.records(capture)).bad, "nanoseconds: truth differs")


def test_standard_output(bench):
    profile = bench.all_but(sessions=50)
    wanted = bench.make(profile)[0].read_bytes()
    done = bench.run("gen", "--quiet", "--profile", profile, "--out", "-")
    check(done.returncode == 0 and done.stdout == wanted, "--out - differs from a file")


# ---- tshark

def tshark(capture, *args):
    # a client's port may be one that tshark knows from elsewhere
    others = [x for name in ("ajns", "gsm_ipa") for x in ("--disable-protocol", name)]
    done = subprocess.run(["tshark", "-n", *others, "-r", str(capture), *args],
                          capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=TIMEOUT_S, check=False)
    check(done.returncode == 0, f"tshark: {done.stderr.decode()[-300:]}")
    return done.stdout.decode("utf-8", "replace").splitlines()


def test_tshark_finds_no_fault(bench):
    capture, _ = bench.make(ALL)
    # a RST is a warning to tshark; all else of TCP's analysis and of damage is a fault of ours
    bad = tshark(capture, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y",
                 "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || "
                 "(tcp.analysis.flags && !tcp.flags.reset == 1)")
    check(not bad, f"{len(bad)} packets, first: {bad[:1]}")


def test_tshark_reads_versions_and_suites(bench):
    capture, truth = bench.make(ALL)
    fields = ["ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
              "tls.handshake.version", "tls.handshake.ciphersuite",
              "tls.handshake.extensions.supported_version", "tls.handshake.random"]
    args = [x for field in fields for x in ("-e", field)]
    rows = tshark(capture, "-Y", "tls.handshake.type == 2", "-T", "fields", "-E",
                  "separator=|", "-E", "occurrence=l", *args)
    said = {}
    for row in rows:
        f = row.split("|")
        if not f[9].replace(":", "").startswith("cf21ad74"):
            # a tunnel's own addresses are IPv4, too, and come first
            said[f[4] or f[3], f[5], f[1] or f[0], f[2]] = (f[8] or f[6], f[7])
    seen = 0
    for t in agree.read(truth):
        key = tuple(map(str, agree.place(t)))
        wanted = (VERSIONS.get(t["tls"]["version"]),
                  t["tls"]["cipher_id"] and f"0x{t['tls']['cipher_id']}")
        check(said.get(key, (None, None)) == wanted,
              f"{t['kind']} {key}: tshark {said.get(key)}, truth {wanted}")
        seen += wanted[0] is not None
    check(seen > 500, f"only {seen} ServerHellos")


# ---- ehlotap read

def test_read_agrees(bench):
    kinds = set(re.findall(r"(?m)^\[session (.*)\]", ALL.read_text(encoding="utf-8")))
    truths = bench.agrees(ALL)
    check({t["kind"] for t in truths} == kinds, f"no {kinds - {t['kind'] for t in truths}}")
    silent = {t["kind"] for t in truths if "cause" not in t or "group" not in t["tls"]}
    check(not silent, f"the truth leaves out a cause or group of {silent}")


def test_read_agrees_with_other_seeds(bench):
    for seed in range(2, 5):
        bench.agrees(bench.all_but(rate=150), seed=seed)


def test_read_agrees_behind_a_mirror(bench):
    truths = bench.agrees(bench.all_but(
        "\n[network]\nreorder = 0.03\nreorder_us = 100\nduplicates = 0.05\n", sessions=4000,
        rate=400))
    check(sum(sum(t["copies"].values()) for t in truths) > 1000, "no copies")


def test_read_agrees_where_packets_are_small(bench):
    bench.agrees(bench.all_but("\n[network]\nmss = 100\n", sessions=1000, rate=150))


def test_read_says_nothing_wrong_of_what_lost_packets(bench):
    truths = bench.agrees(bench.all_but("\n[network]\nloss = 0.004\n", sessions=4000, rate=400))
    touched = sum(t["touched"] for t in truths)
    check(200 < touched < 2000, f"{touched} of {len(truths)} sessions lost packets")


CERTIFICATES = """
[traffic]
sessions = 120
[session missing-12]
story = client_cert_missing
version = 1.2
client_certificate = asked
gnutls = 0.5
[session missing-13]
story = client_cert_missing
version = 1.3
client_certificate = asked
gnutls = 0.5
[session rejected-13]
story = client_cert_rejected
version = 1.3
client_certificate = sent
gnutls = 0.5
"""


def test_client_certificates_that_are_not_said_in_clear(bench):
    """GnuTLS ends TLS 1.2 with decode_error. In TLS 1.3 the server's word is under keys, and comes
    behind a client's flight of up to three records: it can look like a command and its reply."""
    capture, truth = bench.make(bench.profile(CERTIFICATES))
    truths, records = agree.read(truth), bench.records(capture)
    alerts = {t["tls"]["alert"] and t["tls"]["alert"]["name"] for t in truths}
    check(alerts == {"handshake_failure", "decode_error", None}, f"alerts {alerts}")
    for t, record in agree.match(truths, records):
        late = t["kind"].endswith("13")
        check(t["tls"]["outcome"] == ("broken" if late else "failed"), f"truth: {t}")
        if late:
            said = record["cause"]["code"], record["cause"]["confidence"]
            wanted = f"client_certificate/{t['kind'].split('-')[0]}", "likely"
            check(said == wanted, f"{t['kind']}: {said}")
            check("cause" in t and t["tls"]["alert"]["inferred"], f"truth: {t}")
        else:
            t.pop("cause", None)
    check(not agree.compare(truths, records).bad, "the rest differs")


def test_client_certificates_are_recorded(bench):
    _, truth = bench.make(ALL)
    seen = {(t["kind"], t["tls"]["client_cert"]["requested"], t["tls"]["client_cert"]["sent"])
            for t in agree.read(truth) if not t["tls"]["resumed"]}
    for wanted in (("client-cert-12", True, True), ("client-cert-13", None, None),
                   ("client-cert-asked-12", True, False), ("smtp-12-rsa", False, False),
                   ("client-cert-missing-12", True, False), ("version", None, None),
                   ("client-cert-rejected-12", True, True), ("client-cert-missing-13", None, None)):
        check(wanted in seen, f"{wanted}: {[x for x in seen if x[0] == wanted[0]]}")


def test_each_encapsulation(bench):
    """Each alone, so that nobody is read only because of the others."""
    for name in ("vlan", "qinq", "mpls", "gre", "erspan", "vxlan", "geneve", "erspan3"):
        truths = bench.agrees(bench.profile(
            f"[traffic]\nsessions = 40\n[peers]\nipv6 = 0.5\n[encapsulation]\n{name} = 1\n"
            "[session a]\nversion = 1.3\n[session b]\nstory = clear\n"))
        check(len(truths) == 40, f"{name}: {len(truths)}")


def test_tshark_names_the_tunnels(bench):
    for name, field in (("geneve", "geneve.option.class == 0xffff"),
                        ("erspan3", "erspan.version == 2 && erspan.ft == 0")):
        capture, _ = bench.make(bench.profile(
            f"[traffic]\nsessions = 5\n[encapsulation]\n{name} = 1\n[session a]\n"))
        rows = tshark(capture, "-T", "fields", "-e", "frame.number")
        inside = tshark(capture, "-Y", f"{field} && tcp && !_ws.malformed", "-T", "fields", "-e",
                        "frame.number")
        check(rows and rows == inside, f"{name}: {len(inside)} of {len(rows)}")


def test_truth_can_be_wrong(bench):
    """The comparison itself: each value that is changed has to be noticed."""
    capture, truth = bench.make(bench.all_but(sessions=120))
    truths, records = agree.read(truth), bench.records(capture)
    check(not agree.compare(truths, records).bad, "differs unchanged")
    for path, value in ((("tls", "outcome"), "x"), (("tls", "cipher_id"), "0000"),
                        (("starttls", "offered"), "x"), (("mail", "clear"), 7), (("end",), ""),
                        (("packets", "client"), 0), (("service",), "x"), (("cause",), {"code": 1})):
        changed = json.loads(json.dumps(truths))
        place = changed[7]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        with open(os.devnull, "w") as sys.stdout:
            bad = sum(agree.compare(changed, records).bad.values())
        sys.stdout = sys.__stdout__
        check(bad == 1, f"{path} changed: {bad} differences")


# ---- what the profile asks for

def test_shares_are_kept(bench):
    _, truth = bench.make(bench.profile(
        "[traffic]\nsessions = 4000\nrate = 1000\n[peers]\nipv6 = 0.5\nclients = 2000\n"
        "[session a]\nweight = 3\nstory = clear\n[session b]\nweight = 1\nresumed = 0.25\n"))
    truths = agree.read(truth)
    b = [t for t in truths if t["kind"] == "b"]
    for name, share, wanted in (
            ("weight", len(b) / len(truths), 0.25),
            ("resumed", sum(t["tls"]["resumed"] for t in b) / len(b), 0.25),
            ("ipv6", sum(":" in t["client"]["ip"] for t in truths) / len(truths), 0.5)):
        check(abs(share - wanted) < 0.05, f"{name}: {share:.3f}, not {wanted}")


def test_marks_of_hellos_stay(bench):
    """RFC 8446 4.1.3: the end of a downgrade's random, and the random of a HelloRetryRequest."""
    for text, mark in (("client_version = 1.2\nserver_version = 1.2-1.3\n", b"DOWNGRD\x01"),
                       ("version = 1.3\nclient_groups = X25519:P-256\nserver_groups = P-256\n"
                        "hello_retry = yes\n", bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891"))):
        capture, _ = bench.make(bench.profile(f"[traffic]\nsessions = 100\n[session a]\n{text}"))
        packets = capture.read_bytes()
        check(packets.count(mark) == 100, f"{mark} stands {packets.count(mark)} times, not 100")
        randoms = set(re.findall(rb"\x16\x03.{3}\x02.{3}\x03\x03(.{24})", packets, re.DOTALL))
        check(len(randoms) >= 100, f"{len(randoms)} different randoms of servers")


def test_concurrency_is_a_limit(bench):
    profile = bench.profile("[traffic]\nsessions = 300\nrate = 100000\nconcurrency = 7\n"
                            "[session a]\nstory = clear\n")
    out, truth = bench.fresh(".pcap"), bench.fresh(".jsonl")
    done = bench.run("gen", "--profile", profile, "--out", out, "--truth", truth)
    check(b"300 sessions, 7 at a time at most" in done.stderr, done.stderr.decode())


def test_fallbacks_follow(bench):
    truths = bench.agrees(bench.profile(
        "[traffic]\nsessions = 400\nrate = 20\n[peers]\nclients = 100000\n"
        "[session a]\nstory = no_common_version\nclient_version = 1.0\nserver_version = 1.2\n"
        "fallback = 2.5\n"))
    delays = [t["fallback"]["delay_s"] for t in truths if t["fallback"]]
    check(len(delays) > 100 and min(delays) == 2.5, f"{len(delays)} fallbacks, {delays[:3]}")


# ---- refusals

WRONG = [
    ("[traffic]\nsessions = 0\n", ":2: sessions takes a whole number from 1 to 1e+10, not \"0\""),
    ("[traffic]\nspeed = 1\n", ":2: unknown key \"speed\" in [traffic]; allowed: sessions, rate,"),
    ("[trafic]\n", ":1: unknown section [trafic]; there are [traffic], [mail], [peers]"),
    ("sessions = 3\n", ":1: the key \"sessions\" stands before any section"),
    ("[session a]\nstory = lost\n", ":2: story takes one of established, no_shared_cipher"),
    ("[session a]\nweight = 1\nweight = 2\n", ":3: weight is set a second time"),
    ("[session a]\n[session a]\n", ":2: there is a second [session a]"),
    ("[session a b]\n", ":1: a session's name is 1 to 40 letters"),
    ("[traffic]\nrate\n", ":2: neither \"[section]\" nor \"key = value\""),
    ("[traffic]\nstart = now\n[session a]\n", "start takes a time such as 2026-11-22T10:00:00Z"),
    ("[traffic]\n", "there is no [session NAME]"),
    ("[session a]\nweight = 0\n", "the weights of all sessions are 0"),
    ("[session a]\nprotocol = imaps\nstory = clear\n", "imaps has no STARTTLS"),
    ("[session a]\nprotocol = imap\nstory = masked\n", "only smtp, submission and lmtp are masked"),
    ("[session a]\nteach = b\n", "there is no [session b]"),
    ("[session a]\nstory = client_cert_rejected\nclient_certificate = asked\n",
     "story client_cert_rejected: needs client_certificate = sent"),
    ("[session a]\nclient_certificate = yes\n", ":2: client_certificate takes one of no, asked"),
    ("[session a]\n[session b]\nservers = a\ncertificate = ed25519\n",
     "share servers, and have to have the same certificate"),
    ("[encapsulation]\nvlan = 0.7\ngre = 0.7\n[session a]\n", "more than 1 together"),
    ("[session a]\ntickets = maybe\n", ":2: tickets takes yes or no, not \"maybe\""),
    ("\0", ":1: a NUL byte"),
]
IMPOSSIBLE = [
    ("[session a]\nversion = 1.5\n", "a version is 1.0, 1.1, 1.2, 1.3 or a range"),
    ("[session a]\nsuites = NO-SUCH-SUITE\n", "[session a]: OpenSSL: the versions, suites"),
    ("[session a]\nstory = no_shared_cipher\n", "the handshake does not fail"),
    ("[session a]\nhello_retry = yes\n", "no HelloRetryRequest is sent"),
    ("[session a]\nversion = 1.3\nclient_groups = X25519:P-256\nserver_groups = P-256\n",
     "say hello_retry = yes"),
    ("[session a]\ngnutls = 1\ngnutls_priority = NONSENSE\n", "GnuTLS: priority string"),
    ("[session a]\nclient_version = 1.2\nserver_version = 1.3\n", "OpenSSL: handshake"),
]


def test_wrong_profiles_are_refused(bench):
    for cases, code in ((WRONG, 2), (IMPOSSIBLE, 1)):
        for text, why in cases:
            done = bench.run("gen", "--profile", bench.profile(text), "--out", os.devnull)
            said = done.stderr.decode()
            check(done.returncode == code, f"{text!r}: exit code {done.returncode}: {said}")
            check(why in said and said.startswith("ehlotap gen: ") and said.count("\n") == 1,
                  f"{text!r}: {said}")


def test_wrong_usage_is_refused(bench):
    for args, why in (([], "--profile is missing"), (["--profile", ALL], "--out is missing"),
                      (["--profile", ALL, "--out", "x", "y"], "\"y\" is no option"),
                      (["--seed", "-1"], "--seed takes a number"), (["--no"], "unrecognized")):
        done = bench.run("gen", *args)
        check(done.returncode == 2 and why in done.stderr.decode(), f"{args}: {done}")
    done = bench.run("gen", "--profile", bench.work / "none", "--out", os.devnull)
    check(done.returncode == 2 and b"No such file" in done.stderr, str(done))
    done = bench.run("gen", "--profile", bench.work, "--out", os.devnull)
    check(done.returncode == 2 and b"it is a folder" in done.stderr, str(done))


def test_help(bench):
    done = bench.run("gen", "--help")
    check(done.returncode == 0 and b"--profile FILE" in done.stdout, str(done))
    done = bench.run("gen", "--keys")
    check(done.returncode == 0 and done.stdout.count(b"\n[") == 5, done.stdout.decode())
    check(bench.run("gen", "--version").stdout.startswith(b"ehlotap "), "--version")


def test_keys_are_a_profile(bench):
    """What --keys prints can be read again, and stands in the manual page."""
    keys = bench.run("gen", "--keys").stdout.decode()
    lines = [line.split("#")[0].rstrip() for line in keys.splitlines()]
    text = "\n".join(lines).replace("[session NAME]", "[session a]").replace("= 1000\n", "= 3\n", 1)
    bench.make(bench.profile(text))
    page = (HERE / "../../docs/man/ehlotap-gen.1").read_text(encoding="utf-8")
    for name in re.findall(r"(?m)^(\w+) +=", keys):
        check(re.search(rf"\.(?:It|,)? ?Cm {name}\b|\b{name}\b", page), f"{name}: not in the page")


def test_full_disk_is_told(bench):
    profile = bench.all_but(sessions=20000, rate=2000)
    for option in ("--out", "--truth"):
        args = {"--out": os.devnull, "--truth": os.devnull, option: "/dev/full"}
        done = bench.run("gen", "--quiet", "--profile", profile,
                         *itertools.chain.from_iterable(args.items()))
        check(done.returncode == 1 and
              done.stderr == b"ehlotap gen: cannot write /dev/full: No space left on device\n",
              f"{option}: {done}")
    done = bench.run("gen", "--profile", profile, "--out", bench.work / "no" / "x.pcap")
    check(done.returncode == 1 and b"No such file" in done.stderr, str(done))


def test_reader_that_goes_away(bench):
    with subprocess.Popen([bench.ehlotap, "gen", "--profile", str(bench.all_but(sessions=20000)),
                           "--out", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as gen:
        gen.stdout.read(10000)
        gen.stdout.close()
        said = gen.stderr.read()
        check(gen.wait(TIMEOUT_S) == 1 and b"cannot write -: Broken pipe" in said, said.decode())


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ehlotap", type=os.path.abspath)
    parser.add_argument("-k", default="", help="only tests with this word in their name")
    options = parser.parse_args(argv)
    tests = {name[5:]: f for name, f in globals().items() if name.startswith("test_")}
    passed = failed = 0
    for name, test in tests.items():
        if options.k not in name:
            continue
        if "tshark" in name and not shutil.which("tshark"):
            print(f"{name}: left out, there is no tshark")
            continue
        with tempfile.TemporaryDirectory(prefix="ehlotap-gen-") as work:
            try:
                test(Bench(options.ehlotap, pathlib.Path(work)))
                passed += 1
            except Failed as why:
                failed += 1
                print(f"{name}: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
