#!/usr/bin/env python3
"""Do the records and minute files of a live run say what the servers' own logs said?

  compare.py EHLOTAP RUN_FOLDER

RUN_FOLDER holds truth.jsonl (of tests/lab/truth.py) and sample.pcap (what tcpdump saw of the
mirrored link), and, if `ehlotap live` ran, live.jsonl and minutes/.

One test each:
  capture       a connection: `ehlotap read` of the capture against the logs
  live          a connection: the record of `live` against the logs
  files         a minute file: whole, and the only one of its minute
  minutes       a pair of peers: the minute files, added up, against the logs
  minutes-read  a pair of peers and service: the minute files against those of `ehlotap read`, in
                every counter but the time of handshakes
  profiles      the hellos and certificates of the minute files against those of `ehlotap read`
  mailboxes     Dovecot offers STARTTLS to everybody: no record says that it did not
  counters      packets and connections, and nothing lost

Without live.jsonl: capture, mailboxes, and minutes with the files of `ehlotap read`.
Last line `N passed, N failed`. Exit 0: all passed; 1: not all.
"""

import collections
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # of another folder's module
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "golden"))
import truth as golden  # noqa: E402  the rules by which a record and a log agree

TIMEOUT_S = 60
OUTCOMES = ("established", "failed", "broken", "incomplete", "unknown")
# what is on any link beside mail: address resolution, neighbour discovery
HARMLESS_DROPS = {"not_ip", "not_tcp"}
LOSSES = ("imissed", "ierrors", "rx_nombuf", "ring_lost", "table_lost", "flows_evicted", "gaps")
STORES = {"192.0.2.37", "192.0.2.38"}
PLACE = ("client", "server", "service")


def text_of(path):
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, timeout=TIMEOUT_S,
                              check=True).stdout.decode("utf-8")
    return path.read_text(encoding="utf-8")


def files_of(folder):
    """(file name, rows) of each minute file"""
    return [(path.name, golden.lines_of(text_of(path)))
            for path in sorted(folder.glob("*.jsonl*"))]


def rows_of(files):
    """The rows of all minute files, by type."""
    rows = collections.defaultdict(list)
    for _, lines in files:
        for row in lines:
            rows[row["type"]].append(row)
    return rows


def whole(files):
    """Each file ends with its count, and no minute has two files."""
    minutes = collections.Counter(row["minute"] for row in rows_of(files)["minute"])
    for name, lines in files:
        ends = bool(lines) and lines[-1] == {"type": "end", "rows": len(lines) - 1}
        begins = bool(lines) and lines[0]["type"] == "minute" and minutes[lines[0]["minute"]] == 1
        yield name, ([] if ends else ["does not end with the number of its rows"]) + (
            [] if begins else ["does not begin with a minute of its own"])


def add(total, row):
    for key, value in row.items():
        if isinstance(value, dict):
            total.setdefault(key, collections.Counter()).update(value)
        elif isinstance(value, int):
            total[key] = total.get(key, 0) + value


def added_up(rows, place):
    """{place: counters and maps of all rows of that place}"""
    sums = collections.defaultdict(dict)
    for row in rows:
        add(sums[tuple(row[key] for key in place)], row)
    return sums


def outcome_counts(truths, row):
    """(field, wanted, said) of the outcomes; those that may be said in two ways count as one."""
    said = {name: row.get("tls_" + name, 0) for name in OUTCOMES}
    wanted = collections.Counter(truth["outcome"] for truth in truths)
    for truth in truths:
        others, _ = golden.TOLERATED.get(truth["scene"], {}).get("outcome", ((), None))
        for other in others:
            if said[other] > wanted[other]:
                wanted.update({other: 1, truth["outcome"]: -1})
    return [("tls_" + name, wanted[name], said[name]) for name in OUTCOMES]


def pair_counts(truths, row, iana):
    """(field, wanted, said) of the connections of one client and one server."""
    counts = outcome_counts(truths, row)
    wanted = {
        "sessions": len(truths),
        "starttls_requested": sum(t["starttls"] in ("accepted", "refused") for t in truths),
        "starttls_refused": sum(t["starttls"] == "refused" for t in truths),
        "starttls_masked": sum(t.get("masked", False) for t in truths),
        "clear_mail": sum(t["clear_mails"] for t in truths),
        "auth_clear": sum(t["auth_clear"] for t in truths),
    }
    # null says nothing: compared only where the log speaks of each
    done = [t for t in truths if t["outcome"] == "established"]
    if all(t["resumed"] is not None for t in done):
        wanted["resumed"] = sum(t["resumed"] for t in done)
    counts += [(key, value, row.get(key, 0)) for key, value in wanted.items()]
    for key, field, name in (("versions", "version", golden.version_of),
                             ("ciphers", "cipher", iana)):
        if all(t[field] is not None for t in done):
            counts.append((key, dict(collections.Counter(name(t[field]) for t in done)),
                           dict(row.get(key, {}))))
    return counts


def iana_names(sessions):
    """OpenSSL's name -> IANA's, of the suites in these records."""
    names = golden.openssl_names()
    table = {names.get(int(s["tls"]["cipher_id"], 16)): s["tls"]["cipher"]
             for s in sessions if s["tls"]["cipher_id"] is not None}
    return lambda name: table.get(name, name)


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, what, passed, failed):
        self.passed += passed
        self.failed += failed
        print(f"{what}: {passed} passed, {failed} failed")

    def table(self, what, tests):
        """tests: (label, complaints)"""
        failed = 0
        tests = list(tests)
        for label, complaints in tests:
            failed += bool(complaints)
            for complaint in complaints:
                print(f"{what}: {label}: {complaint}")
        self.add(what, len(tests) - failed, failed)


def complaints(counts):
    return [f"{field}: wanted {wanted}, said {said}" for field, wanted, said in counts
            if wanted != said]


def against_logs(truths, peers, iana):
    rows = added_up(peers, ("client", "server"))
    pairs = collections.defaultdict(list)
    for truth in truths:
        pairs[truth["client"]["ip"], truth["server"]["ip"]].append(truth)
    for pair, group in pairs.items():
        yield " to ".join(pair), complaints(pair_counts(group, rows.pop(pair, {}), iana))
    for pair in rows:
        yield " to ".join(pair), ["rows, and no log tells of these peers"]


def against_read(live, read):
    said, wanted = added_up(live, PLACE), added_up(read, PLACE)
    for place in sorted(set(said) | set(wanted)):
        one, other = wanted.get(place, {}), said.get(place, {})
        if not one or not other:
            yield " ".join(place), ["no row" if one else "a row, and none from the capture"]
            continue
        yield " ".join(place), complaints(
            (key, one.get(key), other.get(key)) for key in sorted(set(one) | set(other))
            if key != "handshake_ms")


def profiles(live, read):
    """Each distinct hello and certificate, in full, in some minute."""
    for kind in ("hello", "cert"):
        said, wanted = ({json.dumps(row, sort_keys=True) for row in rows[kind]}
                        for rows in (live, read))
        yield kind, ([f"missing: {row[:120]}" for row in sorted(wanted - said)]
                     + [f"not in the capture: {row[:120]}" for row in sorted(said - wanted)])


def mailboxes(sessions):
    for session in sessions:
        if session["server"]["ip"] in STORES and session["mode"] != "implicit":
            offered = session["starttls"]["offered"]
            yield golden.label(session), (["starttls.offered is false"] if offered is False else [])


def capture_sum(rows):
    total = {}
    for row in rows["minute"]:
        add(total, row["capture"])
    return total


def mail_packets(total):
    return total["packets"] - sum(total.get("drops", {}).get(name, 0) for name in HARMLESS_DROPS)


def counters(live, read, connections):
    """The capture's own account of itself."""
    said, wanted = capture_sum(live), capture_sum(read)
    packets = mail_packets(said)
    yield "packets", ([] if packets >= mail_packets(wanted) > 0 else
                      [f"tcpdump has {mail_packets(wanted)}, live {packets}"])
    yield "flows_new", complaints([("flows_new", connections, said.get("flows_new"))])
    for key in LOSSES:
        yield key, complaints([(key, 0, said.get(key))])
    drops = {key: count for key, count in said.get("drops", {}).items()
             if key not in HARMLESS_DROPS}
    yield "drops", complaints([("drops", dict(wanted.get("drops", {})), drops)])


def read_capture(ehlotap, run):
    """(session records, rows of the minute files) of `ehlotap read`"""
    capture, folder, out = run / "sample.pcap", run / "read-minutes", run / "read.jsonl"
    folder.mkdir(exist_ok=True)
    subprocess.run([ehlotap, "read", "--quiet", "--sensor", "lab", "--sessions", out, "--minutes",
                    folder, capture], stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=True)
    return golden.lines_of(out.read_text(encoding="utf-8")), rows_of(files_of(folder))


def main(ehlotap, run):
    tally = Tally()
    truths = golden.lines_of((run / "truth.jsonl").read_text(encoding="utf-8"))
    sessions, read = read_capture(ehlotap, run)
    tally.add("capture", *golden.compare(truths, sessions))
    iana = iana_names(sessions)
    rows = read
    if (run / "live.jsonl").exists():
        sessions = golden.lines_of((run / "live.jsonl").read_text(encoding="utf-8"))
        files = files_of(run / "minutes")
        rows = rows_of(files)
        # records are in the order in which connections ended
        sessions.sort(key=lambda session: session["start"])
        tally.add("live", *golden.compare(truths, sessions))
        tally.table("files", whole(files))
        tally.table("minutes-read", against_read(rows["peer"], read["peer"]))
        tally.table("profiles", profiles(rows, read))
        tally.table("counters", counters(rows, read, len(truths)))
    tally.table("minutes", against_logs(truths, rows["peer"], iana))
    tally.table("mailboxes", mailboxes(sessions))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not truths else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
