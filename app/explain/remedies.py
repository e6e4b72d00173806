#!/usr/bin/env python3
"""Makes remedies.c, a table of C, of remedies.ini, whose head describes the format.

    remedies.py INI OUT

Fails, naming the section, at a key or product that is not known, at a section without a sentence,
at an `as` that leads nowhere, and at a name in braces that nobody fills in.
"""

import configparser
import re
import sys

SIDES = ["server", "client", "path"]
PRODUCTS = {"": None, "postfix": "Postfix", "exim": "Exim", "dovecot": "Dovecot", "cyrus": "Cyrus",
            "ciscoesa": "Cisco ESA", "exchange": "Exchange", "ciscoasa": "Cisco ASA"}
NAMES = {"client.versions", "client.suites", "client.groups", "client.sigalgs", "client.alpn",
         "client.shares", "server.versions", "server.suites", "server.groups", "server.keys",
         "server.dh", "server.certs", "last"}


def read(path):
    ini = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("\0",), strict=True,
                                    interpolation=None, empty_lines_in_values=False)
    ini.optionxform = str
    with open(path, encoding="utf-8") as file:
        # remarks of the file stand in the first column; those within a value are part of it
        ini.read_string("".join(line for line in file if not line.startswith("#")))
    return ini


def whole(ini, code, chain=()):
    """The section with all that it takes from others."""
    if code in chain or not ini.has_section(code):
        sys.exit(f"remedies.ini: [{(chain or [code])[-1]}] takes from {code}, which does not do")
    own = dict(ini[code])
    other = whole(ini, own.pop("as"), (*chain, code)) if "as" in own else {}
    return {**other, **own}


def check(code, entries):
    if not entries.get("means"):
        sys.exit(f"remedies.ini: [{code}] does not say what it means")
    for name in re.findall(r"\{([^}]*)\}", entries["means"]):
        if name not in NAMES:
            sys.exit(f"remedies.ini: [{code}] has {{{name}}}, which nobody fills in")
    for key in entries:
        side, _, product = key.partition(".")
        if key != "means" and (side not in SIDES or product not in PRODUCTS):
            sys.exit(f"remedies.ini: [{code}] has \"{key}\", which is no key")


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main(source, out):
    ini = read(source)
    lines = ["/* Made by remedies.py of remedies.ini. */", '#include "remedies.h"', ""]
    table = []
    for number, code in enumerate(sorted(ini.sections())):
        entries = whole(ini, code)
        check(code, entries)
        rows = [f"\t{{ {text(side)}, {text(PRODUCTS[p]) if p else 'NULL'}, {text(value)} }},"
                for side in SIDES for p in PRODUCTS
                if (value := entries.get(side + ("." + p if p else "")))]
        lines += [f"static const struct remedy remedies_{number}[] = {{", *rows,
                  "\t{ NULL, NULL, NULL },", "};"]
        table.append(f"\t{{ {text(code)}, {text(entries['means'])}, remedies_{number}, {len(rows)} }},")
    lines += ["", "const struct explanation explanations[] = {", *table, "};",
              f"const size_t explanations_cnt = {len(table)};"]
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
