#!/usr/bin/env python3
"""Does the program, from the packets alone, say what the servers' own logs said?

    truth.py BINARY [CAPTURE TRUTH]

Without CAPTURE and TRUTH: tests/data/sample.pcap and sample.truth.jsonl; tests/data/README.md
explains the fields.
Each line of TRUTH is one connection and one test: there must be one session record of its client
and server, and the two must agree in whatever the line says. A record without a line fails, too.

What the two may say differently, and why:
  - null in TRUTH says nothing: Exim does not log resumption, a log without an alert does not mean
    that none was sent, and no version and cipher are logged of a handshake that failed;
  - the code of an encrypted alert cannot be read: that it was inferred, and from whom, is enough;
  - a client certificate of TLS 1.3 is encrypted: the record says null;
  - TOLERATED, by scene.
A difference that is let pass is printed with its reason.

Last line `N passed, N failed`. Exit 0: all passed; 1: not all; 2: nothing could be compared.
"""
import argparse
import collections
import json
import os
import ssl
import subprocess
import sys
import warnings

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
TIMEOUT_S = 600
# scene -> field -> (what the program may say as well, why)
TOLERATED = {
    "client-vanishes": {
        "outcome": ({"incomplete"}, "the server's log gives the handshake up when its own timer "
                    "or kernel says so; on the wire the client may just fall silent"),
    },
}
# Postfix names groups as OpenSSL does, records as IANA does
GROUPS = {"prime256v1": "secp256r1"}


def openssl_names():
    """{suite id: OpenSSL's name} of all suites that the local OpenSSL knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old versions, which are wanted here
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return {c["id"] & 0xffff: c["name"] for c in context.get_ciphers()}


def cipher_said(session, names):
    tls = session["tls"]
    if tls["cipher_id"] is None:
        return None
    return names.get(int(tls["cipher_id"], 16), tls["cipher"])


def starttls_said(session):
    """The record's answer in the words of the truth."""
    if session["mode"] == "implicit":
        return "implicit"
    starttls = session["starttls"]
    if not starttls["requested"]:
        return "unused"
    reply = starttls["reply"]
    if reply is None:
        return "unanswered"
    return "accepted" if reply < 400 else "refused"


def version_of(text):
    return "TLSv1.0" if text == "TLSv1" else text


def group_of(text):
    """X25519, or ECDHE (prime256v1)."""
    name = text.partition("(")[2].rstrip(")") or text
    return GROUPS.get(name, name).lower()


def alert_differs(truth, said):
    if said is None or said["from"] != truth["from"]:
        return True
    if said["code"] is None:
        return not said["inferred"]
    return said["code"] != truth["code"]


def differences(truth, session, names):
    """Yields (field, the log's value, the record's value)."""
    tls = session["tls"]
    rows = [
        ("outcome", truth["outcome"], tls["outcome"]),
        ("clear_mails", truth["clear_mails"], session["mail"]["clear"]),
        ("auth_clear", truth["auth_clear"], session["auth_clear"]),
        ("starttls", truth["starttls"], starttls_said(session)),
    ]
    if truth["version"] is not None:
        rows.append(("version", version_of(truth["version"]), tls["version"]))
    if truth["cipher"] is not None:
        rows.append(("cipher", truth["cipher"], cipher_said(session, names)))
    if truth.get("resumed") is not None:
        rows.append(("resumed", truth["resumed"], tls["resumed"]))
    if "masked" in truth:
        rows.append(("masked", truth["masked"], session["starttls"]["masked"]))
    if truth.get("key_exchange") is not None:
        rows.append(("key_exchange", group_of(truth["key_exchange"]), tls["group"]))
    sent = tls["client_cert"]["sent"]
    if truth.get("client_cert") is not None and sent is not None:
        rows.append(("client_cert", truth["client_cert"], sent))
    yield from (row for row in rows if row[1] != row[2])
    if truth["alert"] is not None and alert_differs(truth["alert"], tls["alert"]):
        yield "alert", truth["alert"], tls["alert"]


def place(record):
    return tuple(record[side][key] for side in ("client", "server") for key in ("ip", "port"))


def label(record):
    client, client_port, server, server_port = place(record)
    return f"{client} port {client_port} to {server} port {server_port}"


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def read_sessions(binary, capture):
    command = [binary, "read", "--quiet", "--sessions", "-", capture]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}")
    return lines_of(done.stdout.decode("utf-8"))


def agrees(truth, session, names):
    """Prints what differs; True if nothing that counts does."""
    good = True
    for field, wanted, said in differences(truth, session, names):
        values, why = TOLERATED.get(truth["scene"], {}).get(field, (set(), None))
        tolerated = isinstance(said, str) and said in values
        good = good and tolerated
        print(f"{truth['scene']}: {label(truth)}: {field}: the log says {wanted}, the record "
              f"{said}" + (f"; passes: {why}" if tolerated else ""))
    return good


def compare(truths, sessions):
    """(passed, failed)"""
    names = openssl_names()
    # the same ports may serve twice: both lists are in the order of time
    waiting = collections.defaultdict(collections.deque)
    passed = failed = 0
    for session in sessions:
        waiting[place(session)].append(session)
    for truth in truths:
        if not waiting[place(truth)]:
            print(f"{truth['scene']}: {label(truth)}: no session record")
            failed += 1
        elif agrees(truth, waiting[place(truth)].popleft(), names):
            passed += 1
        else:
            failed += 1
    for rest in waiting.values():
        for session in rest:
            print(f"{label(session)}: a session record, and no log tells of it")
            failed += 1
    return passed, failed


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=os.path.abspath, help="path of ehlotap")
    parser.add_argument("capture", nargs="?", default=os.path.join(DATA, "sample.pcap"))
    parser.add_argument("truth", nargs="?")
    options = parser.parse_args(argv)
    if options.truth is None:
        if options.capture != parser.get_default("capture"):
            parser.error("CAPTURE needs its TRUTH")
        options.truth = os.path.join(DATA, "sample.truth.jsonl")
    with open(options.truth, encoding="utf-8") as file:
        truths = lines_of(file.read())
    if not truths:
        print(f"{options.truth}: no connection in it")
        return 2
    passed, failed = compare(truths, read_sessions(options.binary, options.capture))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
