#!/usr/bin/env python3
"""Adds up what ran: summary.py FILE..., each a testlog.json of meson or a text.

A program that counts its own checks (CUnit's table, or a last line `N passed, N failed`) counts
with these, any other as one. Prints what was skipped and what failed, then `N passed, N failed`.
"""
import json
import re
import sys

LINE = re.compile(r"^(\d+) passed, (\d+) failed", re.M)
CUNIT = re.compile(r"^ +tests +\d+ +(\d+) +(\d+) +(\d+)", re.M)


def count(text, good):
    """(passed, failed) of one program's output."""
    lines = LINE.findall(text)
    if lines:
        passed, failed = (int(n) for n in lines[-1])
    elif CUNIT.search(text):
        passed, failed = (int(n) for n in CUNIT.search(text).groups()[1:])
    else:
        passed, failed = int(good), int(not good)
    if not good and failed == 0:
        failed = 1  # it died or timed out after its count
    return passed, failed


def tests(path):
    """(name, output, outcome) of everything in a file."""
    text = open(path, encoding="utf-8", errors="replace").read()
    if not path.endswith(".json"):
        last = LINE.findall(text)
        good = bool(last) and last[-1][1] == "0"
        yield path, text, "OK" if good else "FAIL"
        return
    for row in text.splitlines():
        test = json.loads(row)
        yield f"{path.split('/')[0]}: {test['name']}", test.get("stdout", ""), test["result"]


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        for name, output, outcome in tests(path):
            if outcome == "SKIP":
                reason = re.search(r"^SKIP:? *(.*)", output, re.M)
                print(f"skipped: {name}: {reason.group(1) if reason else 'no reason given'}")
                continue
            good, bad = count(output, outcome in ("OK", "EXPECTEDFAIL"))
            passed, failed = passed + good, failed + bad
            if bad:
                print(f"failed: {name}: {outcome}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
