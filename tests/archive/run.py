#!/usr/bin/env python3
"""Is what is read back out of minute files what the sessions were?

    run.py BINARY DUMP PROFILE [CAPTURE...]

BINARY is the path of ehlotap, DUMP that of archive_dump, which reads as the programs do that answer
questions, and prints all that it holds. Of tests/data/sample.pcap, of traffic that `ehlotap gen`
makes from PROFILE, and of the captures given, it asks:

  - are the sums per pair, per server, per client and of all those of the session records;
  - are they the same from the capture itself, from the files in any order, and from packed ones;
  - is each ClientHello profile, as it is read back, the one that was on the wire;
  - are the time lines the sums of the minutes;
  - does the exit code say what could be read, and is nothing left behind, also after a signal.

Last line `N passed, N failed`. Exit 0: all passed; 1: not all.
"""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent / "data" / "sample.pcap"
sys.path.insert(0, str(HERE.parent / "gen"))
import minutes as gen  # noqa: E402  what a session adds to its row

TIMEOUT_S = 100
SESSIONS = 4000
# not told by a session record: these are compared with the sums of the rows only
UNTOLD = {"signatures", "compression", "no_extended_master_secret", "no_secure_renegotiation",
          "anonymous", "downgrade_from_TLSv1.2", "downgrade_from_TLSv1.3"}
SUMS = ["versions", "ciphers", "groups", "alerts", "causes", "hellos", "certs", "version_ciphers",
        "failures", "accepts", "dh_bits", "signatures", "traits", "starttls_replies",
        "handshake_ms"]

passed, failed = 0, 0


def check(good, sentence):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(sentence)


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_S, **more)


def dump(program, *arguments, **more):
    """({type: rows}, exit code, standard error)"""
    done = run(program, *arguments, **more)
    rows = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        row = json.loads(line)
        rows[row["type"]].append(row)
    return rows, done.returncode, done.stderr


# --- what sessions add up to ---

def key_of(session):
    certs = session["certs"]["server"]
    if not certs or not certs[0]["key"]:
        return "-"
    leaf = certs[0]
    if leaf["curve"]:
        return f"{leaf['key']}-{leaf['curve']}"
    if leaf["key"].startswith("ed") or not leaf["bits"]:
        return leaf["key"]
    return f"{leaf['key']}-{leaf['bits']}"


def more_counts_of(session):
    tls, hello = session["tls"], session["hello"]
    name = hello["id"] if hello else "-"
    if hello:
        yield f"hellos/{name}", 1
    if session["certs"]["server"]:
        yield f"certs/{session['certs']['server'][0]['sha256']}", 1
    if session["cause"]:
        yield f"failures/{session['cause']['code']} {session['cause']['confidence']} {name}", 1
    if tls["outcome"] == "established" and tls["version"]:
        yield (f"accepts/{tls['version']} {tls['cipher']} {tls['group'] or '-'} {name} "
               f"{key_of(session)}"), 1
    if tls["dh_bits"]:
        yield f"dh_bits/{tls['dh_bits']}", 1
    if session["starttls"]["requested"] and (session["starttls"]["reply"] or 0) >= 400:
        yield f"starttls_replies/{session['starttls']['reply']}", 1
    if tls["early_data"]:
        yield "traits/early_data", 1
    for what in ("requested", "sent"):
        if tls["client_cert"][what]:
            yield f"traits/client_cert_{what}", 1
    if session["starttls"]["injected"] or session["starttls"]["reply_injected"]:
        yield "injected", 1


def sum_sessions(path):
    sums = collections.defaultdict(collections.Counter)
    with open(path, encoding="utf-8") as file:
        for line in file:
            session = json.loads(line)
            pair = session["client"]["ip"], session["server"]["ip"], session["service"]
            for counts in (gen.counts_of(session), more_counts_of(session)):
                for name, amount in counts:
                    sums[pair][name] += amount
    return sums


def sum_rows(folder):
    """The same by adding up peer rows, and (minute, sessions, established, failed, refused, clear,
    fallbacks) of each."""
    sums, lines = collections.defaultdict(collections.Counter), collections.defaultdict(dict)
    for path in sorted(folder.iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["type"] == "minute":
                minute = row["minute"]
            if row["type"] != "peer":
                continue
            pair = row["client"], row["server"], row["service"]
            sums[pair].update(counts_in(row))
            lines[pair][minute] = [minute, row["sessions"], row["tls_established"],
                                   row["tls_failed"] + row["tls_broken"], row["starttls_refused"],
                                   row["clear_sessions"], row["fallbacks"]]
    return sums, lines


def counts_in(row):
    """The sums of a peer row, or of a dumped one."""
    counts = {name: n for name, n in row.items()
              if isinstance(n, int) and n > 0 and name not in ("rows", "without", "wanted")}
    for name in SUMS:
        counts.update({f"{name}/{key}": n for key, n in row[name].items()})
    return counts


def told(counts):
    """Without what no session record tells."""
    return {name: n for name, n in counts.items()
            if name.split("/")[0] not in UNTOLD | {"handshake_ms"} and
            name.removeprefix("traits/") not in UNTOLD}


def total(counts_of_many):
    sums = collections.Counter()
    for counts in counts_of_many:
        sums.update(counts)
    return sums


def compare(what, expected, given):
    if expected == given:
        check(True, "")
        return
    names = sorted(name for name in expected.keys() | given.keys()
                   if expected.get(name, 0) != given.get(name, 0))
    check(False, f"{what}: (expected, given) " +
          str({name: (expected.get(name, 0), given.get(name, 0)) for name in names[:5]}))


# --- a capture and its minute files ---

def check_sums(what, folder, sessions, rows):
    expected, (by_row, lines) = sum_sessions(sessions), sum_rows(folder)
    given = {(r["client"], r["server"], r["service"]): counts_in(r) for r in rows["pair"]}
    check(expected.keys() == given.keys(), f"{what}: other pairs than in the sessions")
    for pair, counts in given.items():
        compare(f"{what}: {pair}, sessions", dict(expected[pair]), told(counts))
        compare(f"{what}: {pair}, rows", dict(by_row[pair]), counts)
    for kind, place in (("server", 1), ("client", 0)):
        for host in rows[kind]:
            mine = [counts for pair, counts in given.items()
                    if pair[place] == host["addr"] and pair[2] == host["service"]]
            compare(f"{what}: {kind} {host['addr']}", dict(total(mine)), counts_in(host))
            check(len(mine) == len(host["pairs"]), f"{what}: {host['addr']} has other pairs")
    compare(f"{what}: all", dict(total(given.values())), counts_in(rows["all"][0]))
    for row in rows["pair"]:
        pair = row["client"], row["server"], row["service"]
        check(row["moments"] == [lines[pair][m] for m in sorted(lines[pair])],
              f"{what}: time line of {pair}")
    for hello in rows["hello"]:
        check(hello["known"] and hello["same"], f"{what}: hello {hello['id']} is another one")
    check(all(cert["known"] for cert in rows["cert"]), f"{what}: a certificate without a row")
    return len(rows["hello"])


def held(rows):
    """What does not depend on how it came."""
    return {kind: rows[kind] for kind in ("all", "pair", "server", "client", "hello", "cert")}


def check_capture(what, binary, program, capture, work):
    folder, sessions = work / "minutes", work / "sessions.jsonl"
    folder.mkdir(parents=True)
    done = run(binary, "read", "--quiet", "--minutes", folder, "--sessions", sessions, capture)
    if done.returncode == 2 or not any(folder.iterdir()):
        return None
    rows, code, said = dump(program, folder)
    check(code == 0 and not said, f"{what}: exit {code}, {said}")
    hellos = check_sums(what, folder, sessions, rows)
    direct, code, said = dump(program, capture)
    check(code == done.returncode, f"{what}: from the capture: exit {code}")
    check(held(direct) == held(rows), f"{what}: the capture says other things than its files")
    print(f"{what}: {rows['all'][0]['sessions']} sessions, {len(rows['pair'])} pairs, "
          f"{hellos} hellos")
    return folder, rows


def check_order(binary, program, folder, rows):
    paths = sorted(str(path) for path in folder.iterdir())
    for seed in range(3):
        random.Random(seed).shuffle(paths)
        other, code, _ = dump(program, *paths)
        check(code == 0 and other == rows, f"another order of the files gives another answer")
    if shutil.which("zstd"):
        packed = folder.parent / "packed"
        packed.mkdir()
        for path in paths:
            run("zstd", "-q", path, "-o", packed / (os.path.basename(path) + ".zst"))
        other, code, _ = dump(program, packed)
        check(code == 0 and other == rows, "packed files give another answer")
    twice, code, said = dump(program, folder, paths[0])
    check(code == 0 and held(twice) == held(rows) and "read already" in said,
          f"a file given twice: exit {code}, {said}")
    other = run(binary, "read", "--quiet", "--sensor", "other", "--minutes", folder, SAMPLE)
    check(other.returncode == 0, "a second sensor")


# --- exit codes, and what is left behind ---

def check_codes(program, folder, work):
    cut = work / "cut.jsonl"
    whole = sorted(folder.iterdir())[0]
    cut.write_bytes(whole.read_bytes()[:-200])
    noise = work / "noise.jsonl"
    noise.write_bytes(random.Random(1).randbytes(100000))
    empty = work / "empty"
    empty.mkdir()
    cases = [([whole], 0), ([cut], 1), ([whole, work / "missing.jsonl"], 1), ([whole, noise], 1),
             ([whole, empty], 1), ([work / "missing.jsonl"], 2), ([noise], 2), ([empty], 2),
             ([work / "missing.pcap"], 2), ([whole, work / "missing.pcap"], 1), ([SAMPLE], 0),
             ([SAMPLE, whole], 0), (["--since", "2030-01-01", whole], 2),
             (["--until", "2030-01-01", whole], 0), (["--since", "x", whole], 2), ([], 2),
             (["--sensor", "nobody", whole], 2), (["--service", "telnet", whole], 2),
             (["--peer", "192.0.2.300", whole], 2), (["--help"], 0), (["--version"], 0)]
    for arguments, expected in cases:
        temp = work / "temp"
        temp.mkdir(exist_ok=True)
        done = run(program, *arguments, env=dict(os.environ, TMPDIR=str(temp)))
        check(done.returncode == expected,
              f"{[str(a) for a in arguments]}: exit {done.returncode}, not {expected}: "
              f"{done.stderr}")
        check(expected == 0 or done.stderr, f"{arguments}: exit {expected} without a word")
        check(not list(temp.iterdir()), f"{arguments}: leaves {list(temp.iterdir())}")


def check_wanted(program, folder):
    rows = dump(program, folder)[0]["pair"]
    server, name = rows[0]["server"], next(r["names"][0] for r in rows if r["names"][0])
    domain = name[name.index("."):]
    for arguments, rule in (
            (["--server", server], lambda r: r["server"] == server),
            (["--server", server + "/32"], lambda r: r["server"] == server),
            (["--peer", name.upper()], lambda r: name in r["client_name"] or
             name in r["server_name"]),
            (["--peer", domain], lambda r: any(n.endswith(domain) for n in
                                               [*r["client_name"], *r["server_name"]])),
            (["--service", "submission,imap"], lambda r: r["service"] in ("submission", "imap")),
            (["--peer", "0.0.0.0/0"], lambda r: "." in r["client"] or "." in r["server"])):
        given = dump(program, *arguments, folder)[0]["pair"]
        check([r["wanted"] for r in given] == [bool(rule(r)) for r in rows],
              f"{arguments} lets other pairs through")


def check_signals(program, work):
    """While a capture comes that does not end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        temp = work / f"temp-{number}"
        temp.mkdir()
        with subprocess.Popen([program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              env=dict(os.environ, TMPDIR=str(temp))) as answering:
            answering.stdin.write(SAMPLE.read_bytes()[:5000])
            answering.stdin.flush()
            for _ in range(100):
                if list(temp.iterdir()):
                    break
                time.sleep(0.05)
            time.sleep(0.3)
            check(bool(list(temp.iterdir())), "no folder for the capture")
            answering.send_signal(number)
            try:
                code = answering.wait(timeout=20)
            except subprocess.TimeoutExpired:
                answering.kill()
                code = "none"
            check(code == -number, f"signal {number}: ends with {code}")
            check(not list(temp.iterdir()), f"signal {number}: leaves {list(temp.iterdir())}")


def generate(binary, profile, work):
    text = pathlib.Path(profile).read_text(encoding="utf-8")
    text = gen.re.sub(r"(?m)^sessions = .*", f"sessions = {SESSIONS}", text)
    work.mkdir()
    (work / "profile.ini").write_text(text, encoding="utf-8")
    done = run(binary, "gen", "--quiet", "--profile", work / "profile.ini", "--seed", 3, "--out",
               work / "gen.pcap", "--truth", work / "truth.jsonl")
    check(done.returncode == 0, f"ehlotap gen: exit {done.returncode}, {done.stderr}")
    return work / "gen.pcap"


def main(argv):
    if len(argv) < 4:
        raise SystemExit(__doc__)
    binary, program = os.path.abspath(argv[1]), os.path.abspath(argv[2])
    # archive_dump stands elsewhere than the programs: it finds ehlotap-read in PATH
    os.environ["PATH"] = os.path.dirname(binary) + ":" + os.environ["PATH"]
    with tempfile.TemporaryDirectory(prefix="ehlotap-archive-") as folder:
        work = pathlib.Path(folder)
        made, rows = check_capture("sample", binary, program, SAMPLE, work / "sample")
        check_codes(program, made, work)
        check_wanted(program, made)
        check_signals(program, work)
        check_order(binary, program, made, rows)
        made, rows = check_capture("generated", binary, program,
                                   generate(binary, argv[3], work / "gen"), work / "generated")
        for i, capture in enumerate(argv[4:]):
            check_capture(capture, binary, program, os.path.abspath(capture), work / str(i))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
