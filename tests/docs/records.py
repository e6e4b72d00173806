#!/usr/bin/env python3
"""Do the documents say what the program does?

    records.py BINARY [CAPTURE...]

Reads tests/data/sample.pcap, and the captures given, with BINARY (the path of ehlotap) and asks:

  - is every key of every record in docs/records.md, and is every key there one that is written;
  - are the names of services, modes, outcomes and other closed lists of the code in it;
  - has every cause code that lib/policy can set a row in docs/causes.md, and the reverse;
  - has every drop reason of lib/drop/et_drop.h a row in docs/records.md, with the same words;
  - is every option in the README and the manual page one of --help, and the reverse;
  - is the answer shown in the README one that the program gives, and do the commands in the README
    and in docs/records.md run and print something (those that need jq or sqlite3 are skipped where
    there is none, with a line that says so);
  - does every link in the documents lead to a file.

Last line `N passed, N failed`. Exit 0: all passed; 1: not all.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SAMPLE = os.path.join(TOP, "tests/data/sample.pcap")
GATEWAYS = ["--gateway", "192.0.2.0/24", "--gateway", "2001:db8:2::/48"]
TIMEOUT_S = 60
DOCUMENTS = ["README.md", "CHANGELOG.md", *sorted(
    os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, "docs/*.md")))]
# Heading of docs/records.md -> name of the shape whose keys its tables list.
HEADINGS = {"Session": "session", "Row minute": "minute", "Row peer": "peer", "Row hello": "hello",
            "Row cert": "cert", "Row fallback": "fallback", "Row end": "end", "Answer": "report"}
# A key whose value is, or is a list of, another shape: (shape, key) -> (that shape, its key).
WITHIN = {
    ("session", "hello"): ("hello", ""),
    ("session", "certs.server[]"): ("cert", ""),
    ("session", "certs.client[]"): ("cert", ""),
    ("report", "capture"): ("minute", "capture"),
    ("report", "totals"): ("peer", ""),
    ("report", "peers[]"): ("peer", ""),
}

passed, failures = 0, []


def check(good, sentence):
    global passed
    if good:
        passed += 1
    else:
        failures.append(sentence)


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def code(pattern):
    return "\n".join(text(os.path.relpath(path, TOP))
                     for path in sorted(glob.glob(os.path.join(TOP, pattern))))


def run(argv, **more):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                          **more)
    return done.stdout, done.returncode


def first_cells(section):
    """(names in backticks in the first cell, the other cells) of each table row."""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            yield re.findall(r"`([^`]+)`", cells[0]), cells[1:]


def sections(document):
    """Heading -> text up to the next heading of any level."""
    parts = re.split(r"^#+ (.*)$", document, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


# --- keys ---

def documented_keys():
    """Shape -> key -> type, from the tables whose second column is a type."""
    types = re.compile(r"(string|int|real|bool|time|map|object|list of \w+)$")
    shapes = {}
    for heading, section in sections(text("docs/records.md")).items():
        if heading not in HEADINGS:
            continue
        keys = shapes.setdefault(HEADINGS[heading], {})
        for names, cells in first_cells(section):
            if len(cells) >= 3 and types.match(cells[0]):
                for name in names:
                    keys[name] = cells[0]
    return shapes


def walk(value, shape, keys, path=""):
    """Notes in keys {(shape, key)} all that occurs in value; lists and objects of other shapes go on
    in these, maps end."""
    if value is None:
        keys.add((shape, path))
    elif (shape, path) in WITHIN:
        keys.add((shape, path[:-2] if path.endswith("[]") else path))
        other, prefix = WITHIN[(shape, path)]
        for key, inner in value.items():
            own = f"{path}.{key}"
            if own in DOCUMENTED[shape]:
                walk(inner, shape, keys, own)
            else:
                walk(inner, other, keys, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, dict) and DOCUMENTED[shape].get(path) != "map":
        if path:
            keys.add((shape, path))
        for key, inner in value.items():
            walk(inner, shape, keys, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        keys.add((shape, path))
        for inner in value:
            walk(inner, shape, keys, path + "[]")
    else:
        keys.add((shape, path))


def fits(value, kind):
    """Whether a value that is not null is of the documented type."""
    if kind == "time":
        return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", value) is not None
    classes = {"string": str, "int": int, "real": (int, float), "bool": bool, "map": dict,
               "object": dict}
    wanted = classes.get(kind, list)
    return isinstance(value, wanted) and (kind == "bool" or not isinstance(value, bool))


def check_types(value, shape, wrong, path=""):
    """Notes keys of the shape's own whose value is of another type than documented."""
    kind = DOCUMENTED[shape].get(path)
    if kind and value is not None and not fits(value, kind):
        wrong.add(f"{shape}: {path} is {json.dumps(value)[:60]}, not a {kind}")
    if isinstance(value, dict) and kind != "map":
        for key, inner in value.items():
            check_types(inner, shape, wrong, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            check_types(inner, shape, wrong, path + "[]")


def records(binary, captures, folder):
    """(shape, object) of everything that is written for the captures."""
    for i, capture in enumerate(captures):
        minutes = os.path.join(folder, str(i))
        os.mkdir(minutes)
        argv = [binary, "read", *GATEWAYS, "--minutes", minutes, "--json", capture]
        answer, status = run(argv)
        check(answer or capture != SAMPLE, f"the sample cannot be read: exit {status}")
        if not answer:
            continue # of the captures given, one may be damaged from its first byte
        yield "report", json.loads(answer)
        argv = [binary, "read", *GATEWAYS, "--quiet", "--sessions", "-", capture]
        for line in run(argv)[0].splitlines():
            yield "session", json.loads(line)
        for name in sorted(os.listdir(minutes)):
            with open(os.path.join(minutes, name), encoding="utf-8") as file:
                for line in file:
                    row = json.loads(line)
                    yield row["type"], row


def live_records(binary, folder):
    """The same of the minute files that live and export make of the sample."""
    sensor = f"docs-{os.getpid()}"
    minutes = os.path.join(folder, "live")
    os.mkdir(minutes)
    argv = [binary, "live", "--sensor", sensor, "--cores", "0", "--no-huge", "--port",
            f"net_pcap0,rx_pcap={SAMPLE}", "--flows", "4096", "--undecided", "512", "--ring-size",
            "4M", "--idle-sleep", "1000", "--stats", "1"]
    seen = []
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as live:
        for line in live.stderr:
            # a line a second; the whole capture is read when two of them say the same
            seen += re.findall(r"packets ([1-9][0-9]*) ", line)
            if len(seen) > 1 and seen[-1] == seen[-2] and live.poll() is None:
                live.terminate()
    check(live.returncode == 0, f"ehlotap live ends with {live.returncode}")
    status = run([binary, "export", "--to", minutes, "--sensor", sensor, "--once"])[1]
    check(status == 0, f"ehlotap export ends with {status}")
    for name in sorted(os.listdir(minutes)):
        if name.endswith(".jsonl"):
            with open(os.path.join(minutes, name), encoding="utf-8") as file:
                for line in file:
                    row = json.loads(line)
                    yield row["type"], row
    try:
        os.unlink(f"/dev/shm/ehlotap.{sensor}.lock")
    except OSError:
        pass


def check_keys(binary, captures, folder):
    written, wrong = set(), set()
    for shape, value in [*records(binary, captures, folder), *live_records(binary, folder)]:
        walk(value, shape, written)
        check_types(value, shape, wrong)
    for sentence in sorted(wrong):
        check(False, sentence)
    check(not wrong, "types differ from docs/records.md")
    for shape, key in sorted(written):
        # an object that only holds others needs no row of its own, nor does a list of objects
        inner = any(other.startswith((key + ".", key + "[]")) for other in DOCUMENTED[shape])
        check(key in DOCUMENTED[shape] or inner, f"{shape}: {key} is not in docs/records.md")
    literals = set(re.findall(r'"(\w+)"', code("lib/stats/*.c") + code("lib/report/*.c")))
    literals |= set(re.findall(r"X\((\w+)\)", text("lib/stats/et_stats.h")))
    for shape, keys in DOCUMENTED.items():
        for key in keys:
            known = (shape, key) in written or key.split(".")[-1] in literals
            check(known, f"{shape}: {key} of docs/records.md is written nowhere")


# --- closed lists ---

def function(source, name):
    """The text of a function or table whose line of definition holds name."""
    match = re.search(rf"^[^\n;]*\b{name}\b[^;]*?{{.*?^}}", source, re.M | re.S)
    return match.group(0) if match else ""


def literals_of(source, name):
    found = re.findall(r'"([^"]*)"', function(source, name))
    check(bool(found), f"{name} is not where this test looks for it")
    return found


def check_values():
    document = text("docs/records.md")
    lists = [("lib/session/names.c", name) for name in (
        "et_service_name", "et_mode_name", "et_outcome_name", "et_confidence_name")]
    lists += [("lib/stats/session.c", "partial_reason"), ("lib/report/facts.c", "facts_clear_reason"),
              ("lib/peer/net.c", "et_direction_name"), ("lib/peer/add.c", "bucket_names")]
    for path, name in lists:
        for value in literals_of(text(path), name):
            check(f"`{value}`" in document, f"{value} of {name} is not in docs/records.md")


def check_drops():
    reasons = dict(re.findall(r'X\(\w+, "(\w+)", "([^"]*)"\)', text("lib/drop/et_drop.h")))
    section = sections(text("docs/records.md"))["Row minute"]
    rows = {names[0]: cells[0] for names, cells in first_cells(section) if len(cells) == 1}
    check(bool(reasons), "no drop reason in lib/drop/et_drop.h")
    for name in sorted(reasons.keys() | rows.keys()):
        check(rows.get(name) == reasons.get(name),
              f"drop reason {name}: {rows.get(name)!r} in docs/records.md, "
              f"{reasons.get(name)!r} in lib/drop/et_drop.h")


# --- causes ---

PLACEHOLDERS = {"alert/%s": "alert/<name>", "alert/%d": "alert/<number>",
                "starttls_refused/%u": "starttls_refused/<code>",
                "starttls_refused/%u/garbled": "starttls_refused/<code>/garbled",
                "lost/%s/after_%s": "lost/<end>/after_<message>"}


def set_codes():
    """All codes that the calls of set_code in lib/policy can make, and the parts of lost/..."""
    source = code("lib/policy/*.c")
    values = {name: literals_of(source, name) for name in ("certificate_alert", "flaw_code")}
    codes = set()
    for call in re.findall(r"\bset_code\((.*?)\);", source, re.S):
        literals = re.findall(r'"([^"]*)"', call)
        formats = [s for s in literals if "/" in s or "%" in s] or literals
        arguments = [s for s in literals if s not in formats]
        for name, words in values.items():
            if name in call:
                arguments += words
        for form in formats:
            if form in PLACEHOLDERS:
                codes.add(PLACEHOLDERS[form])
            elif "%" not in form:
                codes.add(form)
            elif "/%" in form or "_%" in form:
                codes |= {re.sub("%s", word, form) for word in arguments if word}
            else:  # no separator: for an empty word
                codes.add(form.replace("%s", ""))
    parts = re.findall(r'^\t\[ET_END_\w+\] = { "(\w+)"', source, re.M)
    parts += re.findall(r'{ ET_(?:CLIENT|SERVER), \w+, "(\w+)"', source)
    return codes, parts


def check_causes():
    codes, parts = set_codes()
    document = text("docs/causes.md")
    rows = {name for names, cells in first_cells(document) for name in names
            if cells[0] and name not in ("certain", "likely", "possible")}
    check(len(codes) > 40 and len(parts) > 12, "cause codes are not where this test looks for them")
    for name in sorted(codes | rows):
        check(name in rows, f"cause {name} has no row in docs/causes.md")
        check(name in codes, f"cause {name} of docs/causes.md is set nowhere in lib/policy")
    for part in parts:
        check(f"`{part}`" in document, f"{part} of lost/... is not in docs/causes.md")


# --- command lines ---

def options(line):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line))


def check_options(binary):
    has = options(run([binary, "read", "--help"])[0])
    check(len(has) > 8, "read --help names no options")
    for path in ("README.md", "docs/records.md"):
        for line in re.findall(r"ehlotap read [^|\n`]*", text(path)):
            check(options(line) <= has, f"{path}: not in --help: {line}")
    page = text("docs/man/ehlotap-read.1")
    in_page = {"--" + name for name in re.findall(r"(?:Fl (?:\w , )?|, )-([a-z][a-z-]+)", page)}
    for name in sorted(has ^ in_page):
        check(False, f"{name} is not in both --help and docs/man/ehlotap-read.1")
    check(has == in_page, "the manual page and --help differ")


def check_shown(binary):
    """Each line of the README's answer, in the order of the program's."""
    block = re.search(r"```text\n\$ (.*?)\n(.*?)```", text("README.md"), re.S)
    arguments = block.group(1).split()[1:]
    given = run([binary, *arguments], cwd=TOP)[0].splitlines()
    for line in block.group(2).splitlines():
        if line in ("...", ""):
            continue
        found = line in given
        check(found, f"README.md shows what the program does not say (there): {line}")
        if found:
            given = given[given.index(line) + 1:]


def check_commands(binary, folder):
    """The ehlotap commands of the documents, with the sample as mx.pcap."""
    here = os.path.join(folder, "commands")
    os.mkdir(here)
    shutil.copy(SAMPLE, os.path.join(here, "mx.pcap"))
    environment = dict(os.environ, PATH=os.path.dirname(binary) + ":" + os.environ["PATH"])
    for path in ("README.md", "docs/records.md"):
        for script in re.findall(r"```sh\n(.*?)```", text(path), re.S):
            if "ehlotap read" not in script:
                continue
            missing = [tool for tool in ("jq", "sqlite3") if tool in script and
                       not shutil.which(tool)]
            if missing:
                print(f"skipped: a command of {path} needs {missing[0]}")
                continue
            said, status = run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=here,
                               env=environment)
            check(status == 0 and said.strip(), f"{path}: fails or prints nothing:\n{script}")


def check_links():
    for path in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text(path)):
            target = os.path.join(TOP, os.path.dirname(path), link)
            check(os.path.exists(target), f"{path}: no such file: {link}")


DOCUMENTED = documented_keys()


def main(argv):
    if len(argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    binary = os.path.abspath(argv[1])
    with tempfile.TemporaryDirectory() as folder:
        check_keys(binary, [SAMPLE, *argv[2:]], folder)
        check_commands(binary, folder)
    check_values()
    check_drops()
    check_causes()
    check_options(binary)
    check_shown(binary)
    check_links()
    for sentence in failures:
        print(sentence)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
