#!/usr/bin/env python3
"""Do session records say what the generator's truth says?

    agree.py TRUTH RECORDS

Every key that a line of TRUTH states must be in the record of the same connection (addresses, ports,
start) with the same value; the keys in OWN are the generator's own. Sessions that lost packets
("touched") are treated apart: their record may be missing, or say less, but no definite wrong outcome.
Exit 0: all agree; 1: not all.
"""
import collections
import json
import sys

OWN = {"kind", "touched", "copies", "decided", "type", "v"}
# What a hole in the capture may leave beside the true outcome.
WEAKER = {"unknown"}
# Outcomes that a lost packet can turn into another one without a trace: nobody acknowledges a RST,
# and a hello that nobody answers may be acknowledged by nobody either.
TRACELESS = {("failed", "incomplete"), ("incomplete", "none")}


def place(record):
    return tuple(record[side][key] for side in ("client", "server") for key in ("ip", "port"))


def pair(record):
    return record["client"]["ip"], record["server"]["ip"], record["service"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def differences(truth, said, where=""):
    """Yields (key, true value, said value); a key that the truth leaves out says nothing."""
    for key, value in truth.items():
        name = f"{where}{key}"
        if not where and key in OWN:
            continue
        if isinstance(value, dict) and isinstance(said.get(key), dict):
            yield from differences(value, said[key], f"{name}.")
        elif key not in said or said[key] != value:
            yield name, value, said.get(key, "(no such key)")


def with_copies(truth):
    """The record counts what the mirror delivered."""
    out = dict(truth)
    if any(truth["copies"].values()):
        out["packets"] = {side: n + truth["copies"][side] for side, n in truth["packets"].items()}
        del out["bytes"]
    return out


def touched_differs(truth, said):
    """What a session that lost packets may not say: any other definite value than the true one."""
    outcome, true = said["tls"]["outcome"], truth["tls"]["outcome"]
    if outcome != true and outcome not in WEAKER and (true, outcome) not in TRACELESS:
        return f"outcome {outcome}, truth {true}"
    for key in ("version", "cipher_id", "group"):
        value = said["tls"][key]
        if value is not None and value != truth["tls"].get(key, value):
            return f"tls.{key} {value}, truth {truth['tls'].get(key)}"
    for where, key in (("mail", "clear"), ("starttls", "requested"), ("starttls", "offered"),
                       ("starttls", "reply"), ("starttls", "masked")):
        value = said[where][key]
        if value is not None and value != truth[where][key]:
            return f"{where}.{key} {value}, truth {truth[where][key]}"
    for key in ("mode", "auth_clear"):
        if said[key] is not None and said[key] != truth[key]:
            return f"{key} {said[key]}, truth {truth[key]}"
    return None


class Tally:
    def __init__(self):
        self.good = collections.Counter()
        self.bad = collections.Counter()
        self.shown = collections.Counter()

    def complain(self, truth, text):
        self.bad[truth["kind"]] += 1
        key = truth["kind"], text.split(" ", 1)[0]
        self.shown[key] += 1
        if self.shown[key] <= 3:
            print(f"{truth['kind']}: {'-'.join(map(str, place(truth)))} {truth['start']}: {text}")


def match(truths, records):
    """Yields (truth, record or None); records that are left over come as (None, record). Of two
    connections with the same ends the one that begins nearest is meant."""
    waiting = collections.defaultdict(list)
    for record in records:
        waiting[place(record)].append(record)
    for truth in sorted(truths, key=lambda t: t["start"]):
        found = waiting[place(truth)]
        if not found:
            yield truth, None
            continue
        same = [r for r in found if r["start"] == truth["start"]]
        best = same[0] if same else found[0]
        found.remove(best)
        yield truth, best
    for rest in waiting.values():
        for record in rest:
            yield None, record


def compare(truths, records, argued=True):
    """A Tally. argued: compare what rests on other sessions, too (causes, fallbacks)."""
    tally = Tally()
    lost_pairs = {pair(t) for t in truths if t["touched"]}
    lost_servers = {(t["server"]["ip"], t["server"]["port"]) for t in truths if t["touched"]}
    touched_places = {place(t) for t in truths if t["touched"]}
    for truth, record in match(truths, records):
        if truth is None:
            if place(record) not in touched_places:  # a lost SYN or RST can make two of one
                tally.bad["?"] += 1
                print(f"a record without a truth: {'-'.join(map(str, place(record)))}")
            continue
        if truth["touched"]:
            why = touched_differs(truth, record) if record else None
            if why:
                tally.complain(truth, f"touched: {why}")
            else:
                tally.good[truth["kind"]] += 1
            continue
        if record is None:
            tally.complain(truth, "no-record")
            continue
        wanted = with_copies(truth)
        if pair(truth) in lost_pairs or not argued:
            wanted.pop("fallback")
        if (truth["server"]["ip"], truth["server"]["port"]) in lost_servers:
            wanted.pop("cause", None)
        found = list(differences(wanted, record))
        for key, value, said in found:
            tally.complain(truth, f"{key}: truth {value}, record {said}")
        if not found:
            tally.good[truth["kind"]] += 1
    return tally


def main(argv):
    if len(argv) != 3:
        raise SystemExit(__doc__)
    tally = compare(read(argv[1]), read(argv[2]))
    good, bad = sum(tally.good.values()), sum(tally.bad.values())
    print(f"{good} sessions agree, {bad} differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
