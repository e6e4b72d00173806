"""The figures of the last time, and what differs from them."""

import collections
import pathlib

import callgrind

FILE = pathlib.Path(__file__).resolve().parent / "figures.tsv"
TOTAL_MORE, ROOM_MORE, LESS, SMALL = 0.025, 0.05, 0.10, 0.005
OURS = "compiler"  # the fact that our own code's figures depend on
LIBRARY_FACTS = ["libc", "hyperscan", "cpu"]
TRAFFIC = ["packets", "bytes", "sessions"]


def read():
    """({fact: value}, {mix: {row: value}}); the traffic's facts are rows, too."""
    facts, mixes = {}, collections.defaultdict(dict)
    if FILE.exists():
        for line in FILE.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                mix, row, value = line.split("\t")
                if mix == "machine":
                    facts[row] = value
                else:
                    mixes[mix][row] = float(value)
    return facts, mixes


def write(results):
    machine = next(iter(results.values())).facts
    lines = ["# Instructions per packet, by tests/cost/run.py --update; see docs/performance.md.",
             "# machine: what they were counted with. Else: mix, its traffic and rooms, figure."]
    lines += [f"machine\t{fact}\t{machine[fact]}" for fact in (OURS, *LIBRARY_FACTS, "openssl")]
    for name, (facts, rows, _) in results.items():
        lines += [f"{name}\t{fact}\t{facts[fact]}" for fact in TRAFFIC]
        lines += [f"{name}\t{row}\t{value:.2f}" for row, value in rows.items()]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def judge(row, now, was, total):
    """(ok, what to say of it)"""
    by = now - was
    share = by / was if was else float("inf")
    if row != "total" and abs(by) < SMALL * total:
        return True, ""
    if share > (TOTAL_MORE if row == "total" else ROOM_MORE):
        return False, "DEARER"
    if share < -LESS:
        return False, "MUCH CHEAPER: update the figures (tests/cost/run.py --update)"
    if share < -(TOTAL_MORE if row == "total" else ROOM_MORE):
        return True, "cheaper: update the figures"
    return True, ""


def ours(rows):
    """Without what the machine's libraries decide."""
    kept = {row: value for row, value in rows.items()
            if row not in (*callgrind.FOREIGN, *TRAFFIC, "total")}
    return {"total": sum(kept.values()), **kept}


def other_traffic(name, result, was):
    """How the mix is another one than that of the figures; None: it is the same."""
    for fact in TRAFFIC:
        if was and float(result.facts[fact]) != was.get(fact):
            return (f"{name}: {fact} {result.facts[fact]}, and {was.get(fact, 0):.0f} when the "
                    "figures were counted")
    return None
