#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does tools/gen_iana.py refuse a registry file that is wrong, naming the line, writing nothing?

Usage: gen_iana_test.py GEN_IANA.py TLS_REGISTRY.tsv
"""

import os
import subprocess
import sys
import tempfile

AES128 = "suite\t002f\tTLS_RSA_WITH_AES_128_CBC_SHA\t"

# (what is wrong, text in the file, what it becomes, words of the message)
FAULTS = [
    ("twice", "alert\t28\t", "alert\t1e\t", "twice, or not in the order"),
    ("order", "group\t0018\t", "group\t0118\t", "twice, or not in the order"),
    ("too wide", "alert\t28\t", "alert\t0028\t", "2 lower-case hex digits"),
    ("too narrow", "sslv2\t010080\t", "sslv2\t10080\t", "6 lower-case hex digits"),
    ("upper case", "suite\tc02b\t", "suite\tC02B\t", "4 lower-case hex digits"),
    ("column missing", AES128, "suite\t002f\t", "9 columns, not 10"),
    ("column too many", AES128, AES128 + "-\t", "11 columns, not 10"),
    ("unknown registry", "alert\t28\t", "alarm\t28\t", "no registry 'alarm'"),
    ("quote in a name", "handshake_failure", 'handshake"failure', "do not belong in a name"),
    ("unknown flag", "\tobsolete\t", "\tobsolet\t", "no flag 'obsolet'"),
    ("suite without facts", "\tRSA\tRSA\t0300\tAES\n", "\tRSA\tRSA\t-\tAES\n", "needs kx, auth"),
    ("facts of no suite", "x25519\tX25519\tY\t-\t-", "x25519\tX25519\tY\t-\tRSA", "real cipher"),
    ("version unknown", "\tRSA\tRSA\t0300\tAES\n", "\tRSA\tRSA\t0305\tAES\n", "min '0305'"),
    ("TLS 1.3 with a kx", "\tANY\tANY\t0304\tAES\n", "\tRSA\tANY\t0304\tAES\n", "kx is ANY"),
    ("grease not marked", "group\t0a0a\tGREASE\t-\tN\tgrease", "group\t0a0a\tGREASE\t-\tN\t-",
     "GREASE is the name"),
    ("one curve, two groups", "\t=,P-384\t", "\t=,P-256\t", "names two groups"),
]


def run(generator, text):
    """Exit code, message, and whether an output was written."""
    with tempfile.TemporaryDirectory() as folder:
        tsv, out = os.path.join(folder, "in.tsv"), os.path.join(folder, "out.c")
        with open(tsv, "w", encoding="ascii") as file:
            file.write(text)
        done = subprocess.run([sys.executable, generator, tsv, out], stderr=subprocess.PIPE,
                              text=True, check=False)
        return done.returncode, done.stderr, os.path.exists(out)


def main():
    generator, path = sys.argv[1:3]
    with open(path, encoding="ascii") as file:
        good = file.read()
    wrong = []
    if run(generator, good) != (0, "", True):
        wrong.append("the file itself is refused")
    for what, old, new, words in FAULTS:
        if old not in good:
            wrong.append(f"{what}: {old!r} is not in the file any more; mend this test")
            continue
        code, message, written = run(generator, good.replace(old, new, 1))
        if code != 1 or words not in message or "Traceback" in message or written:
            wrong.append(f"{what}: exit {code}, written {written}, {message!r}")
    print("\n".join(wrong) or f"{len(FAULTS)} faults refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
