#!/usr/bin/env python3
"""Do the code, docs/causes.md and the table of remedies speak of the same causes?

    remedies.py EHLOTAP TOP

- every code that lib/policy can give is in docs/causes.md,
- every code in docs/causes.md has a section of remedies.ini, or one above it that tells it,
- every section of remedies.ini is in docs/causes.md, or stands above one that is,
- every cause but those of the capture has something to do about it.
Last line `N passed, N failed`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

EHLOTAP, TOP = sys.argv[1], Path(sys.argv[2])
PLACE = "<>"  # a part of a code that is filled in
# parts of codes that come out of functions: name of the function -> what stands before them
PARTS = {"certificate_alert": ["certificate_rejected"],
         "flaw_code": ["certificate_rejected", "broken/after_handshake/certificate_"]}
passed, failures = 0, []


def check(good, sentence):
    global passed
    if good:
        passed += 1
    else:
        failures.append(sentence)


def documented():
    """Codes in the first cells of the tables; <name> becomes PLACE."""
    codes = set()
    for line in (TOP / "docs/causes.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            cell = line.split(" | ")[0]
            codes.update(re.sub(r"<\w+>", PLACE, code) for code in re.findall(r"`([^`]+)`", cell))
    codes -= {"certain", "likely", "possible"}
    return codes


def in_source():
    """Codes of the calls of set_code; a % becomes PLACE."""
    codes = set()
    for path in sorted((TOP / "lib/policy").glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for call in re.findall(r"set_code\((.*?)\);", text, re.S):
            for code in re.findall(r'"([a-z][^" ]*[a-z%0-9][^" ]*)"', call):
                if "/" in code or call.count('"') == 2 or "protocol" in code:
                    codes.add(re.sub(r"%[a-z]", PLACE, code))
        for function, heads in PARTS.items():
            found = re.search(rf"\*{function}\([^)]*\)\n{{(.*?)\n}}", text, re.S)
            for part in re.findall(r'return "(\w+)"', found[1]) if found else []:
                codes.update(head + ("" if head.endswith("_") else "/") + part for head in heads)
    return codes


def matches(code, known):
    """Whether a code, with places, is one of the known, with places."""
    if code in known:
        return True
    return any(re.fullmatch(re.escape(k).replace(re.escape(PLACE), r"[^/]+"), code.replace(PLACE, "x"))
               for k in known)


def told(code, sections):
    """As lookup.c: the code, without a part in the middle, the one above."""
    while code not in sections:
        parts = code.split("/")
        if len(parts) == 1:
            return None
        shorter = "/".join([*parts[:-2], parts[-1]])
        if len(parts) > 2 and shorter in sections:
            return shorter
        code = "/".join(parts[:-1])
    return code


def main():
    out = subprocess.run([EHLOTAP, "explain", "--catalogue", "--json"], capture_output=True,
                         text=True, check=True, timeout=20).stdout
    sections = {cause["code"]: cause for cause in json.loads(out)["causes"]}
    docs, source = documented(), in_source()
    check(len(source) > 40, f"only {len(source)} codes were found in lib/policy")
    general = {"certificate_rejected" + PLACE, "certificate_rejected/" + PLACE,
               "broken/after_handshake/certificate_" + PLACE, "client_certificate/" + PLACE}
    for code in sorted(source - general):
        check(matches(code, docs), f"lib/policy gives {code}, docs/causes.md does not have it")
    used = set()
    for code in sorted(docs):
        section = told(code, sections)
        check(section is not None, f"docs/causes.md has {code}, remedies.ini nothing for it")
        used.add(section)
        if section and not code.startswith("capture/"):
            check(sections[section]["remedies"], f"{section}: nothing is said of what to do")
        if PLACE not in code:
            check(section == code,
                  f"{code} has no section of its own, only that of {section}")
    for section in sorted(set(sections) - used):
        above = any(code.startswith(section + "/") for code in docs)
        check(above or matches(section, docs) or any(told(c, {section}) for c in [
            *(code.replace(PLACE, section.rsplit("/", 1)[-1]) for code in docs)]),
              f"remedies.ini has [{section}], docs/causes.md does not")
    for sentence in failures:
        print("FAIL", sentence)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
