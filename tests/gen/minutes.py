#!/usr/bin/env python3
"""Is every counter of every minute what the truth adds up to?

    minutes.py EHLOTAP PROFILE SESSIONS [SEED]

Makes the profile's traffic with that many sessions, pipes it through `ehlotap read --minutes`, and
compares each peer row of each minute file with a sum of the truth: sessions by outcome, STARTTLS,
versions, suites, groups, alerts, causes, clear mail, fallbacks. Nothing may be missing or too much.
Last line `N passed, N failed`; exit 0: all passed; 1: not all.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

IDLE = datetime.timedelta(seconds=600)  # after which an open connection counts as over
NUMBERS = ["sessions", "starttls_offered", "starttls_not_offered", "starttls_masked",
           "starttls_requested", "starttls_refused", "tls_established", "tls_failed",
           "tls_incomplete", "tls_broken", "tls_unknown", "resumed", "hello_retry", "injected",
           "clear_mail", "clear_sessions", "auth_clear", "fallbacks"]
MAPS = ["versions", "ciphers", "groups", "version_ciphers", "alerts", "causes"]
SHOWN = 20


def stamp(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def counts_of(truth):
    """(name, amount) of all that the session adds to its row; maps as "map/name"."""
    tls, starttls = truth["tls"], truth["starttls"]
    yield "sessions", 1
    if starttls["offered"] is not None:
        yield "starttls_offered" if starttls["offered"] else "starttls_not_offered", 1
    for name in ("masked", "requested"):
        if starttls[name]:
            yield f"starttls_{name}", 1
    if (starttls["reply"] or 0) >= 400:
        yield "starttls_refused", 1
    if tls["outcome"] != "none":
        yield f"tls_{tls['outcome']}", 1
    for name in ("resumed", "hello_retry"):
        if tls[name]:
            yield name, 1
    if truth["mail"]["clear"]:
        yield "clear_mail", truth["mail"]["clear"]
        yield "clear_sessions", 1
    if truth["auth_clear"]:
        yield "auth_clear", 1
    if truth["fallback"]:
        yield "fallbacks", 1
    if tls["outcome"] == "established":
        yield f"versions/{tls['version']}", 1
        yield f"ciphers/{tls['cipher']}", 1
        yield f"version_ciphers/{tls['version']} {tls['cipher']}", 1
        if tls["group"]:
            yield f"groups/{tls['group']}", 1
    if tls["alert"]:
        yield f"alerts/{tls['alert']['from']}:{tls['alert']['name'] or 'encrypted'}", 1
    if truth["cause"]:
        yield f"causes/{truth['cause']['code']}", 1


def sum_truth(path):
    """{(minute, client, server, service): Counter}"""
    rows = collections.defaultdict(collections.Counter)
    late, last = [], ""

    def add(minute, truth):
        row = rows[minute, truth["client"]["ip"], truth["server"]["ip"], truth["service"]]
        for name, amount in counts_of(truth):
            row[name] += amount

    with open(path, encoding="utf-8") as file:
        for line in file:
            truth = json.loads(line)
            last = max(last, truth["end"])
            if truth["decided"]:
                add(truth["decided"][:16], truth)
            else:
                late.append(truth)
    for truth in late:  # by age, or with the end of the capture
        decided = min(stamp(truth["end"]) + IDLE, stamp(last))
        add(decided.strftime("%Y-%m-%dT%H:%M"), truth)
    return rows


def sum_minutes(folder):
    rows = {}
    for path in sorted(folder.glob("*.jsonl")):
        minute = None
        with open(path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if row["type"] == "minute":
                    minute = row["minute"][:16]
                if row["type"] != "peer":
                    continue
                counts = collections.Counter({n: row[n] for n in NUMBERS if row[n]})
                for name in MAPS:
                    counts.update({f"{name}/{key}": n for key, n in row[name].items()})
                rows[minute, row["client"], row["server"], row["service"]] = counts
    return rows


def compare(truth, said):
    """(passed, failed), counted in rows."""
    bad = 0
    for key in sorted(truth.keys() | said.keys()):
        a, b = truth.get(key, {}), said.get(key, {})
        if a == b:
            continue
        bad += 1
        if bad <= SHOWN:
            found = {n: (a.get(n, 0), b.get(n, 0)) for n in a.keys() | b.keys()
                     if a.get(n, 0) != b.get(n, 0)}
            print(f"{' '.join(key)}: (truth, said) {found}")
    return len(truth.keys() | said.keys()) - bad, bad


def make(ehlotap, profile, sessions, seed, work):
    text = pathlib.Path(profile).read_text(encoding="utf-8")
    text = re.sub(r"(?m)^sessions = .*", f"sessions = {sessions}", text)
    (work / "profile.ini").write_text(text, encoding="utf-8")
    (work / "minutes").mkdir()
    with subprocess.Popen(
            [ehlotap, "gen", "--quiet", "--profile", work / "profile.ini", "--seed", str(seed),
             "--out", "-", "--truth", work / "truth.jsonl"], stdout=subprocess.PIPE) as gen:
        read = subprocess.run([ehlotap, "read", "--quiet", "--minutes", work / "minutes", "-"],
                              stdin=gen.stdout, check=False)
        gen.stdout.close()
    if gen.returncode or read.returncode:
        raise SystemExit(f"exit codes: gen {gen.returncode}, read {read.returncode}")


def main(argv):
    if len(argv) not in (4, 5):
        raise SystemExit(__doc__)
    seed = argv[4] if len(argv) > 4 else 1
    with tempfile.TemporaryDirectory(prefix="ehlotap-gen-") as folder:
        work, begin = pathlib.Path(folder), time.monotonic()
        make(os.path.abspath(argv[1]), argv[2], int(argv[3]), seed, work)
        made = time.monotonic()
        truth, said = sum_truth(work / "truth.jsonl"), sum_minutes(work / "minutes")
        sessions = sum(row["sessions"] for row in truth.values())
        passed, failed = compare(truth, said)
        print(f"{sessions} sessions in {len({key[0] for key in truth})} minutes; made and read in "
              f"{made - begin:.0f} s, compared in {time.monotonic() - made:.0f} s")
        if sessions != int(argv[3]):
            print(f"{argv[3]} sessions were asked for")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
