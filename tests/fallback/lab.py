#!/usr/bin/env python3
"""Does `ehlotap fallback` tell of tests/fallback/lab what the servers' logs tell?

    lab.py EHLOTAP CAPTURE GATEWAY_LOG SENDERS_LOG

Last line `N passed, N failed`. Exit 0: all passed; 1: not.
"""
import collections
import json
import re
import subprocess
import sys
import tempfile

EHLOTAP, CAPTURE, GATEWAY_LOG, SENDERS_LOG = sys.argv[1:5]
GATEWAYS = ["--gateway", "192.0.2.0/24", "--gateway", "2001:db8:2::/48"]
TIMEOUT_S = 60
# client -> how, the server that ended it, on the same connection, seconds from and to
EXPECTED = {
    "198.51.100.44": ("clear", "192.0.2.26", False, 2, 20),   # fails, defers, fails, clear
    "198.51.100.80": ("open", None, None, None, None),        # has to have TLS: stays queued
    "198.51.100.81": ("tls", "192.0.2.25", None, 0, 2),       # the next MX has an RSA key
    "198.51.100.82": ("clear", "192.0.2.32", False, 0, 2),    # the next MX has no TLS
    "198.51.100.60": ("clear", "192.0.2.33", True, 0, 0),     # 454
    "203.0.113.23": ("clear", "192.0.2.29", False, 0, 2),     # Exim
}
passed, failures = 0, []


def check(good, sentence):
    global passed
    if good:
        passed += 1
    else:
        failures.append(sentence)


def lines(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def failed_handshakes():
    """{client: how many handshakes of it the gateway's log says to have failed}"""
    found = collections.Counter()
    for line in lines(GATEWAY_LOG):
        match = re.search(r"SSL_accept error from \S*\[([0-9.]+)\]", line)
        if match:
            found[match[1]] += 1
    return found


def run(*arguments):
    return subprocess.run([EHLOTAP, *arguments], capture_output=True, text=True, check=True,
                          timeout=TIMEOUT_S).stdout


def minute_rows(folder):
    """The last row of each story."""
    rows = {}
    run("read", "--quiet", "--minutes", folder, *GATEWAYS, CAPTURE)
    text = subprocess.run(f"cat {folder}/*.jsonl", shell=True, capture_output=True, text=True,
                          check=True).stdout
    for line in text.splitlines():
        row = json.loads(line)
        if row["type"] == "fallback":
            rows[(row["client"], row["opened"])] = row
    return list(rows.values())


def check_row(row, handshakes):
    client = row["client"]
    how, server, same, least, most = EXPECTED[client]
    check(row["how"] == how, f"{client}: {row['how']}, not {how}")
    check(row["closed_by"] == server, f"{client}: ended by {row['closed_by']}")
    check(row["same_connection"] == same, f"{client}: same connection {row['same_connection']}")
    check(row["direction"] == "in", f"{client}: {row['direction']}")
    delay = row["delay_s"]
    check(delay is None if least is None else delay is not None and least <= delay <= most,
          f"{client}: after {delay} s, not {least} to {most}")
    if client in handshakes:
        check(row["attempts"] == handshakes[client],
              f"{client}: {row['attempts']} tries, the log has {handshakes[client]}")


def check_answer(folder):
    answer = json.loads(run("fallback", "--json", *GATEWAYS, folder))
    whole = json.loads(run("fallback", "--json", *GATEWAYS, CAPTURE))
    for key in ("clear", "tls", "open", "same_connection", "clear_elsewhere", "tls_elsewhere"):
        check(answer[key] == whole[key], f"{key}: files {answer[key]}, capture {whole[key]}")
    counts = {key: answer[key] for key in ("stories", "clear", "tls", "open", "same_connection",
                                           "clear_elsewhere", "tls_elsewhere")}
    check(counts == {"stories": 6, "clear": 4, "tls": 1, "open": 1, "same_connection": 1,
                     "clear_elsewhere": 1, "tls_elsewhere": 1}, f"the answer says {counts}")
    check([row["client"] for row in answer["never_back"]] == ["198.51.100.80"],
          f"never back: {answer['never_back']}")


def main():
    handshakes = failed_handshakes()
    deferred = sum("to=<bob+1@" in line and "status=deferred" in line
                   for line in lines(SENDERS_LOG))
    check(handshakes["198.51.100.80"] >= deferred >= 3, f"deferred {deferred} times")
    check(handshakes["198.51.100.44"] >= 2, f"out8: {handshakes['198.51.100.44']} handshakes")
    with tempfile.TemporaryDirectory() as folder:
        rows = minute_rows(folder)
        clients = collections.Counter(row["client"] for row in rows)
        check(clients == collections.Counter(EXPECTED.keys()), f"stories of {dict(clients)}")
        for row in rows:
            if row["client"] in EXPECTED:
                check_row(row, handshakes)
        check_answer(folder)
    for sentence in failures:
        print(sentence)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


sys.exit(main())
