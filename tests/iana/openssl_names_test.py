#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Do the suites have the names that this machine's OpenSSL gives them?

Usage: openssl_names_test.py TLS_REGISTRY.tsv

Every suite that `openssl ciphers` knows must be in the file with the same id, IANA name and OpenSSL
name, and the version from which OpenSSL allows it. Skipped (77) where there is no OpenSSL >= 1.1.1.
"""

import re
import subprocess
import sys

EVERYTHING = "ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0"
LINE = re.compile(r"0x(..),0x(..) - (\S+)\s+- (\S+)\s+(\S+)")
VERSIONS = {"SSLv3": "0300", "TLSv1": "0301", "TLSv1.0": "0301", "TLSv1.2": "0303",
            "TLSv1.3": "0304"}
# OpenSSL spells two suites of RFC 6655 the regular way round
SPELLED = {"TLS_DHE_PSK_WITH_AES_128_CCM_8": "TLS_PSK_DHE_WITH_AES_128_CCM_8",
           "TLS_DHE_PSK_WITH_AES_256_CCM_8": "TLS_PSK_DHE_WITH_AES_256_CCM_8"}


def ours(path):
    suites = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            field = line.rstrip("\n").split("\t")
            if field[0] == "suite":
                name = field[2] if field[3] == "=" else field[3]
                suites[field[1]] = (field[2], name, field[8])
    return suites


def openssl():
    try:
        done = subprocess.run(["openssl", "ciphers", "-V", "-stdname", EVERYTHING],
                              capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no openssl that lists standard names: {error}")
        sys.exit(77)
    return LINE.findall(done.stdout)


def main():
    suites, listed, wrong = ours(sys.argv[1]), openssl(), 0
    for high, low, standard, name, version in listed:
        id_ = (high + low).lower()
        want = (SPELLED.get(standard, standard), name, VERSIONS[version])
        if suites.get(id_) != want:
            print(f"{id_}: OpenSSL says {want}, the file {suites.get(id_)}")
            wrong += 1
    print(f"{len(listed)} suites of OpenSSL, {wrong} differ")
    return 1 if wrong or len(listed) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
