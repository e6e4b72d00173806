#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write the tables of lib/iana from lib/iana/tls_registry.tsv.

Usage: gen_iana.py TLS_REGISTRY.tsv OUTPUT.c

The file is checked first: columns, widths, order, duplicates, vocabulary. The first fault ends the
run with the file's name and line, and no output is written.
"""

import re
import sys

# registry -> hex digits of a value; in the order that the file must keep
REGISTRIES = {
    "version": 4, "suite": 4, "group": 4, "sigalg": 4, "extension": 4,
    "alert": 2, "handshake": 2, "sslv2": 6,
}
COLUMNS = ["registry", "value", "name", "openssl", "recommended", "flags",
           "kx", "auth", "min", "enc"]
# flags that reach the C tables; the others are for readers of the file
SUITE_FLAGS = ["grease", "scsv", "unregistered", "aead", "export"]
FLAGS = SUITE_FLAGS + ["reserved", "obsolete", "legacy"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
MIN_VERSIONS = ("0300", "0301", "0302", "0303", "0304")


class Fault(Exception):
    pass


def check_values(row):
    """One row by itself."""
    width = REGISTRIES.get(row["registry"])
    if width is None:
        raise Fault(f"no registry {row['registry']!r}")
    if not re.fullmatch(f"[0-9a-f]{{{width}}}", row["value"]):
        raise Fault(f"value {row['value']!r} is not {width} lower-case hex digits")
    if not NAME.fullmatch(row["name"]):
        raise Fault(f"name {row['name']!r} has characters that do not belong in a name")
    for alias in row["openssl"].split(","):
        if alias not in ("-", "=") and not NAME.fullmatch(alias):
            raise Fault(f"OpenSSL name {alias!r} has characters that do not belong in a name")
    if row["recommended"] not in ("Y", "N", "D", "-"):
        raise Fault(f"recommended {row['recommended']!r} is none of Y N D -")
    for flag in row["flags"]:
        if flag not in FLAGS:
            raise Fault(f"no flag {flag!r}; there are {' '.join(FLAGS)}")


def check_grease(row):
    value = row["value"]
    grease = len(value) == 4 and re.fullmatch(r"([0-9a-f]a)\1", value) is not None
    if grease != ("grease" in row["flags"]) or grease != (row["name"] == "GREASE"):
        raise Fault("GREASE is the name and flag of 0a0a, 1a1a .. fafa, and of nothing else")


def check_suite_facts(row):
    facts = [row[c] for c in ("kx", "auth", "min", "enc")]
    real = row["registry"] == "suite" and not {"grease", "scsv"} & set(row["flags"])
    if not real:
        if facts != ["-"] * 4:
            raise Fault("kx, auth, min and enc are for real cipher suites only")
        return
    if "-" in facts:
        raise Fault("a cipher suite needs kx, auth, min and enc")
    if row["min"] not in MIN_VERSIONS:
        raise Fault(f"min {row['min']!r} is none of {' '.join(MIN_VERSIONS)}")
    if (row["kx"] == "ANY") != (row["min"] == "0304"):
        raise Fault("kx is ANY for the suites of TLS 1.3 (min 0304), and only for them")


def read(path):
    """All rows, checked; Fault with the line otherwise."""
    rows, last = [], (-1, "")
    order = list(REGISTRIES)
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#"):
                continue
            try:
                fields = line.rstrip("\n").split("\t")
                if len(fields) != len(COLUMNS):
                    raise Fault(f"{len(fields)} columns, not {len(COLUMNS)}")
                row = dict(zip(COLUMNS, fields))
                row["flags"] = [] if row["flags"] == "-" else row["flags"].split(",")
                for check in (check_values, check_grease, check_suite_facts):
                    check(row)
                place = (order.index(row["registry"]), row["value"])
                if place <= last:
                    raise Fault("twice, or not in the order of registry and value")
                last = place
            except Fault as fault:
                raise Fault(f"{path}:{number}: {fault}") from None
            rows.append(row)
    missing = set(order) - {row["registry"] for row in rows}
    if missing:
        raise Fault(f"{path}: nothing of {' '.join(sorted(missing))}")
    return rows


def openssl_names(row):
    """The names of OpenSSL, the preferred one first; none if '-'."""
    if row["openssl"] == "-":
        return []
    return [row["name"] if name == "=" else name for name in row["openssl"].split(",")]


def quoted(names):
    return f'"{names[0]}"' if names else "NULL"


def cert_key(row):
    """Which key the server's certificate must hold: RFC 5246 7.4.2, RFC 8422 2."""
    by_kx = {"RSA": "RSA", "RSA_PSK": "RSA", "DH": "DH", "ECDH": "EC", "ANY": "ANY"}
    by_auth = {"RSA": "RSA", "DSS": "DSS", "ECDSA": "EC", "GOST": "GOST", "SM2": "SM2",
               "OTHER": "OTHER"}
    return by_kx.get(row["kx"]) or by_auth.get(row["auth"], "NONE")


def suite_row(row):
    def enum(kind, value):
        return f"ET_{kind}_{'NONE' if value == '-' else value}"

    flags = [f"ET_IANA_{flag.upper()}" for flag in row["flags"] if flag in SUITE_FLAGS]
    version = "0" if row["min"] == "-" else "0x" + row["min"]
    return (f'\t{{ "{row["name"]}", {quoted(openssl_names(row))}, 0x{row["value"]}, {version}, '
            f'{enum("KX", row["kx"])}, {enum("AUTH", row["auth"])}, {enum("KEY", cert_key(row))}, '
            f'{enum("ENC", row["enc"])}, {" | ".join(flags) or "0"}, \'{row["recommended"]}\' }},')


def curves(rows):
    """Every name of every group, lower case -> value."""
    found = {}
    for row in rows:
        if row["registry"] != "group" or row["name"] == "GREASE":
            continue
        for name in {n.lower() for n in [row["name"]] + openssl_names(row)}:
            if name in found:
                raise Fault(f"curve {name!r} names two groups, {found[name]} and {row['value']}")
            found[name] = row["value"]
    return found


def table(kind, name, lines):
    symbol = f"et_iana_{name}"
    return [f"const struct {kind} {symbol}[] = {{", *lines, "};",
            f"const size_t {symbol}_cnt = sizeof({symbol}) / sizeof({symbol}[0]);", ""]


def source(rows):
    out = ["/* Made by tools/gen_iana.py from lib/iana/tls_registry.tsv; edit that file. */",
           '#include "iana_tables.h"', ""]
    for registry in REGISTRIES:
        mine = [row for row in rows if row["registry"] == registry]
        if registry == "suite":
            out += table("et_iana_suite", "suites", map(suite_row, mine))
            continue
        out += table("iana_name", registry + "s", [
            f'\t{{ 0x{row["value"]}, "{row["name"]}", {quoted(openssl_names(row))} }},'
            for row in mine])
    out += table("iana_curve", "curves", [
        f'\t{{ "{name}", 0x{value} }},' for name, value in sorted(curves(rows).items())])
    return "\n".join(out)


def main(argv):
    if len(argv) != 3:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    try:
        text = source(read(argv[1]))
    except (Fault, OSError, UnicodeDecodeError) as fault:
        print(f"gen_iana.py: {fault}", file=sys.stderr)
        return 1
    with open(argv[2], "w", encoding="ascii") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
