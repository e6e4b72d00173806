#!/usr/bin/env python3
"""Would the differential test notice? It is run here on a fake ehlotap made out of truth.

First the fake agrees with truth in everything: every capture must pass. Then one wrong value at
a time is put into one record, or the fake misbehaves as a process: exactly that must be found.
Needs the captures folder as differential.py does; without it: SKIP, exit 77.
"""
import contextlib
import copy
import io
import os
import sys
import tempfile

sys.dont_write_bytecode = True  # the source folder stays clean
import differential
import fake
import match
import truth

SCRIPT = """#!/bin/sh
for file; do :; done
key=$(printf %s "${file##*/files/}" | tr / _)
[ -f "$0.behaviour" ] && . "$0.behaviour"
cat "$0.records/$key.jsonl"
[ ! -f "$0.records/$key.damaged" ]
"""

# (what is wrong, field that must say so, change of a record; None: this record has no such value)
WRONG_VALUES = [
    ("STARTTLS not offered", "starttls_offered", lambda r: change(r, "starttls", "offered", False)
     if r["starttls"]["offered"] else None),
    ("STARTTLS offered", "starttls_offered", lambda r: change(r, "starttls", "offered", True)
     if r["service"] == "smtp" and not r["starttls"]["offered"] else None),
    ("reply 454", "starttls_reply starttls_accepted", lambda r: change(r, "starttls", "reply", 454)
     if r["starttls"]["reply"] == 220 else None),
    ("other version", "version", lambda r: change(r, "tls", "version", "TLSv1.1")
     if r["tls"]["version"] == "TLSv1.2" else None),
    ("other suite", "cipher", lambda r: change(r, "tls", "cipher_id", "c030")
     if r["tls"]["cipher_id"] == "c02f" else None),
    ("suite lost", "ciphers", lambda r: drop(r, "hello", "ciphers")),
    ("groups turned round", "groups", lambda r: change(r, "hello", "groups",
     r["hello"]["groups"][::-1]) if r["hello"] and len(r["hello"]["groups"]) > 1 else None),
    ("GREASE kept", "key_shares", lambda r: change(r, "hello", "key_shares",
     ["dada"] + r["hello"]["key_shares"]) if r["hello"] and r["hello"]["key_shares"] else None),
    ("sigalg lost", "sigalgs", lambda r: drop(r, "hello", "sigalgs")),
    ("extension lost", "extensions", lambda r: drop(r, "hello", "extensions")),
    ("client version lost", "client_versions", lambda r: drop(r, "hello", "versions")),
    ("wrong name", "sni", lambda r: change(r, "hello", "sni", "mx.example")
     if r["hello"] and r["hello"]["sni"] else None),
    ("ALPN lost", "alpn", lambda r: drop(r, "hello", "alpn")),
    ("other JA3", "ja3", lambda r: change(r, "hello", "ja3", "0" * 32)
     if r["hello"] and r["hello"]["ja3"] else None),
    ("other JA3S", "ja3s", lambda r: change(r, "server_hello", "ja3s", "0" * 32)
     if r["server_hello"] and r["server_hello"]["ja3s"] else None),
    ("session id length", "session_id_len",
     lambda r: change(r, "server_hello", "session_id_len", 31)
     if r["server_hello"] and r["tls"]["version"] == "TLSv1.2" else None),
    ("retry missed", "hello_retry", lambda r: change(r, "tls", "hello_retry", False)
     if r["tls"]["hello_retry"] else None),
    ("resumption missed", "resumed", lambda r: change(r, "tls", "resumed", False)
     if r["tls"]["resumed"] else None),
    ("alert missed", "alert", lambda r: change(r, "tls", "alert", None)
     if r["tls"]["alert"] and r["tls"]["alert"]["level"] == "fatal" else None),
    ("alert from the wrong side", "alert", lambda r: change(r, "tls", "alert", dict(
     r["tls"]["alert"], **{"from": "client"})) if r["tls"]["alert"]
     and r["tls"]["alert"]["from"] == "server" and r["hello"] else None),
    ("outcome none", "outcome", lambda r: change(r, "tls", "outcome", "unknown")
     if r["tls"]["outcome"] == "established" and r["tls"]["version"] == "TLSv1.2" else None),
    ("certificate lost", "cert_count", lambda r: change(r, "certs", "server",
     r["certs"]["server"][:-1]) if len(r["certs"]["server"]) > 1 else None),
    ("other leaf", "cert_sha256 cert_chain", lambda r: leaf(r, "sha256", "0" * 64)),
    ("other subject", "cert_subject", lambda r: leaf(r, "subject", "CN=nobody")),
    ("other key size", "cert_key", lambda r: leaf(r, "bits", 1023)),
    ("request missed", "cert_request", lambda r: change(r, "tls", "client_cert",
     {"requested": False, "sent": None}) if r["tls"]["client_cert"]["requested"] else None),
    ("client and server swapped", "direction", lambda r: dict(r, client=r["server"],
     server=r["client"]) if r["hello"] else None),
    ("hello missed", "client_hello", lambda r: dict(r, hello=None)
     if r["hello"] and not r["tls"]["alert"] else None),
    ("mail in clear missed", "mail_clear", lambda r: change(r, "mail", "clear", 0)
     if r["mail"]["clear"] else None),
    ("session missed", "session", lambda r: [] if r["hello"] else None),
    ("session twice", "unexpected_tls", lambda r: [r, r] if r["hello"] else None),
]

# (what is wrong, field that must say so, text that takes the place of the record's line)
WRONG_LINES = [
    ("no JSON", "schema", lambda line: line.replace("{", "[", 1)),
    ("no UTF-8", "schema", lambda line: line.replace('"test"', '"t\udcff"')),
    ("lone surrogate", "schema", lambda line: line.replace('"test"', '"\\ud800"')),
    ("key missing", "schema", lambda line: line.replace('"auth_clear":', '"auth":')),
    ("unknown outcome", "schema", lambda line: line.replace('"outcome":"', '"outcome":"x')),
    ("milliseconds", "schema", lambda line: line.replace('000Z","end"', 'Z","end"', 1)
     if '000Z","end"' in line else line.replace('Z","end"', '","end"', 1)),
    ("null that must not be", "schema", lambda line: line.replace('"quality":"complete"',
                                                                  '"quality":null')),
    ("no newline at the end", "schema", lambda line: line.rstrip("\n")),
]

# (what is wrong, field that must say so, shell lines run by the fake before it answers)
MISBEHAVIOUR = [
    ("killed by a signal", "process", "kill -SEGV $$"),
    ("hangs", "process", "sleep 60"),
    ("exit code 3", "process", "exit 3"),
    ("exit code 2 on a good capture", "process", "exit 2"),
    ("other answer with 3 workers", "workers", 'case "$*" in *"--workers 3"*) echo;; esac'),
    ("other exit code with 2 workers", "workers",
     'case "$*" in *"--workers 2"*) cat "$0.records/$key.jsonl"; exit 1;; esac'),
]


def change(record, part, name, value):
    record[part][name] = value
    return record


def drop(record, part, name):
    """Take the last value off a list of at least two."""
    if not record[part] or len(record[part][name]) < 2:
        return None
    record[part][name].pop()
    return record


def leaf(record, name, value):
    if len(record["certs"]["server"]) < 2 or record["certs"]["server"][0]["subject"] is None:
        return None
    record["certs"]["server"][0][name] = value
    return record


class Fake:
    """The fake program on disk: a shell script beside a folder of prepared answers."""

    def __init__(self, folder):
        self.binary = os.path.join(folder, "ehlotap")
        self.known = os.path.join(folder, "known.tsv")
        os.mkdir(self.binary + ".records")
        with open(self.binary, "w", encoding="ascii") as script:
            script.write(SCRIPT)
        os.chmod(self.binary, 0o755)
        self.excuse()

    def path(self, capture, suffix):
        return f"{self.binary}.records/{capture.path.replace('/', '_')}.{suffix}"

    def answer(self, capture, text):
        with open(self.path(capture, "jsonl"), "wb") as out:
            out.write(text.encode("utf-8", "surrogateescape"))
        if capture.damaged:
            open(self.path(capture, "damaged"), "wb").close()

    def behave(self, lines):
        with open(self.binary + ".behaviour", "w", encoding="ascii") as out:
            out.write(lines + "\n")

    def excuse(self, *entries):
        with open(self.known, "w", encoding="utf-8") as out:
            for entry in (("capture", "stream", "field", "reason"),) + entries:
                out.write("\t".join(entry) + "\n")

    def judge(self, *options):
        """Run the differential test -> (exit code, fields with a disagreement, its output)."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = differential.main([self.binary, "--class", "all", "--known", self.known,
                                      "--timeout", "5", "-j", "2", *options])
        # the lines of disagreements end where the table begins, after an empty line
        lines = printed.getvalue().split("\n\nfield ")[0].splitlines() if code else []
        words = [line.split(" ", 3) for line in lines if line and line != "\n"]
        fields = {w[3].split(":", 1)[0] for w in words if len(w) == 4}
        return code, fields, printed.getvalue()


class Tally:
    passed = failed = 0

    def expect(self, name, good, detail=""):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        if not good:
            print(f"FAILED {name}: {detail}")


def wrong_value(program, tally, cases, name, fields, alter):
    """Put the first value that fits the alteration wrong, judge, put it right again."""
    for capture, records in cases:
        for place, record in enumerate(records):
            altered = alter(copy.deepcopy(record))
            if altered is None:
                continue
            altered = altered if isinstance(altered, list) else [altered]
            lines = records[:place] + altered + records[place + 1:]
            program.answer(capture, "".join(map(fake.write, lines)))
            code, found, printed = program.judge("--capture", capture.path)
            program.answer(capture, "".join(map(fake.write, records)))
            tally.expect(name, code == 1 and found == set(fields.split()),
                         f"{capture.path}: found {found}\n{printed}")
            return
    tally.expect(name, False, "no record fits")


def wrong_output(program, tally, capture, records):
    text = "".join(map(fake.write, records))
    for name, field, alter in WRONG_LINES:
        program.answer(capture, alter(text))
        code, found, printed = program.judge("--capture", capture.path)
        # a record that breaks the contract is not compared, so its session is missing as well
        tally.expect(name, alter(text) != text and code == 1 and field in found, printed)
    program.answer(capture, text)
    for name, field, lines in MISBEHAVIOUR:
        program.behave(lines)
        code, found, printed = program.judge("--capture", capture.path)
        tally.expect(name, code == 1 and found == {field}, printed)
    program.behave(":")


def recurrence(tally, capture):
    """A 4-tuple that recurs: each stream meets the record that had begun before its messages."""
    first = capture.streams[0]
    second = copy.deepcopy(first)
    second.number += 1
    for row in second.rows:
        seconds, fraction = row["epoch"].split(".")
        row["epoch"] = f"{int(seconds) + 60}.{fraction}"
    early, late = fake.record_of(first), fake.record_of(second)
    pairs, extra = match.pair([first, second], [late, early])
    tally.expect("4-tuple again", [r is w for (_, r), w in zip(pairs, (early, late))]
                 == [True, True] and not extra)
    pairs, extra = match.pair([second], [early, late])
    tally.expect("only the later one", pairs[0][1] is late and extra == [early])


def excuses(program, tally, capture, records):
    """known.tsv: a listed disagreement passes, and an entry that excuses nothing fails."""
    stream = str(capture.streams[0].number)
    program.excuse((capture.path, stream, "ja3", "for the self-test"))
    code, found, printed = program.judge("--capture", capture.path)
    tally.expect("stale entry", code == 1 and found == {"ja3"}, printed)
    altered = copy.deepcopy(records)
    altered[0]["hello"]["ja3"] = "0" * 32
    program.answer(capture, "".join(map(fake.write, altered)))
    code, _, printed = program.judge("--capture", capture.path)
    tally.expect("listed disagreement", code == 0, printed)
    program.excuse(("no/such.pcap", "0", "ja3", "for the self-test"))
    tally.expect("entry of no capture", program.judge("--capture", capture.path)[0] == 1)
    program.excuse((capture.path, stream, "ja3", " "))
    try:
        program.judge("--capture", capture.path)
        tally.expect("entry without reason", False)
    except truth.TruthError:
        tally.expect("entry without reason", True)
    program.excuse()
    program.answer(capture, "".join(map(fake.write, records)))


def main():
    folder = os.environ.get("EHLOTAP_CAPTURES") or differential.DEFAULT_CAPTURES
    if not os.path.isfile(os.path.join(folder, "INDEX.tsv")):
        print(f"SKIP: no captures at {folder}; set EHLOTAP_CAPTURES to their folder")
        return differential.SKIPPED
    captures = [truth.load_capture(folder, entry) for entry in truth.index(folder)]
    cases = [(c, [fake.record_of(s) for s in c.streams]) for c in captures]
    tally = Tally()
    with tempfile.TemporaryDirectory() as place:
        program = Fake(place)
        for capture, records in cases:
            program.answer(capture, "".join(map(fake.write, records)))
        code, found, printed = program.judge()
        tally.expect("a program that agrees", code == 0, printed)
        for name, fields, alter in WRONG_VALUES:
            wrong_value(program, tally, cases, name, fields, alter)
        case = next(c for c in cases if len(c[1]) == 1 and c[1][0]["mode"] == "implicit"
                    and c[1][0]["hello"] and c[1][0]["hello"]["ja3"] and c[0].readable
                    and not c[0].damaged)
        wrong_output(program, tally, *case)
        excuses(program, tally, *case)
        recurrence(tally, case[0])
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
