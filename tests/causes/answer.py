#!/usr/bin/env python3
"""Does `ehlotap explain` answer from the sample capture as its head promises?

    answer.py EHLOTAP

The same from the capture and from its minute files, whatever their order; filters; keys of the
JSON as in the man page; the founding case with what would work; damaged and old input; usage.
Last line `N passed, N failed`.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

EHLOTAP = sys.argv[1]
TOP = Path(__file__).resolve().parents[2]
SAMPLE = str(TOP / "tests/data/sample.pcap")
CURVE = "no_shared_cipher/certificate_curve"
passed, failures = 0, []


def check(good, sentence):
    global passed
    if good:
        passed += 1
    else:
        failures.append(sentence)


def run(*arguments, code=0):
    done = subprocess.run([EHLOTAP, "explain", *arguments], capture_output=True, text=True,
                          check=False, timeout=60)
    check(done.returncode == code, f"{arguments}: exit code {done.returncode}, not {code}: "
          f"{done.stderr[:200]}")
    return done.stdout


def ask(*arguments, code=0):
    return json.loads(run("--json", *arguments, code=code))


def keys_of(value, head="", out=None):
    """Every key, as the man page writes it: findings[].offers[].hello."""
    out = set() if out is None else out
    if isinstance(value, dict):
        for key, inner in value.items():
            # what is keyed by names from the traffic is a map
            if head.rpartition(".")[2] in ("versions", "ciphers", "groups", "keys", "dh_bits"):
                break
            out.add((head + "." if head else "") + key)
            keys_of(inner, (head + "." if head else "") + key, out)
    elif isinstance(value, list):
        for inner in value:
            keys_of(inner, head + "[]", out)
    return out


def check_founding_case(answer):
    found = {f["client"]: f for f in answer["findings"] if f["code"] == CURVE}
    check("198.51.100.42" in found, "the founding case is not found")
    finding = found["198.51.100.42"]
    check(finding["confidence"] == "certain" and finding["sessions"] == 2, f"{finding}")
    check(finding["offers"][0]["groups"] == ["0017"], f"{finding['offers']}")
    check("secp384r1" in finding["why"] and "secp256r1" in finding["why"], finding["why"])
    cures = {(c["change"], c["with"]): c["works"] for c in finding["would_work"]}
    check(cures.get(("certificate_beside", "rsa:2048")) is True, f"RSA beside it: {cures}")
    check(cures.get(("certificate_instead", "ecdsa:P-256")) is True, f"P-256: {cures}")
    check(cures.get(("certificate_instead", "ecdsa:P-521")) is False, f"P-521: {cures}")
    server = next(s for s in answer["servers"] if s["server"] == finding["server"])
    check(list(server["keys"]) == ["ecdsa-secp384r1"], f"{server['keys']}")


def check_filters(answer):
    peer = ask("--peer", "198.51.100.42", SAMPLE)["findings"]
    check({f["client"] for f in peer} == {"198.51.100.42"}, "--peer lets others through")
    server = ask("--server", "192.0.2.26", SAMPLE)["findings"]
    check({f["server"] for f in server} == {"192.0.2.26"}, "--server lets others through")
    some = ask("--cause", "no_shared_cipher", SAMPLE)["findings"]
    expected = [f for f in answer["findings"] if f["code"].startswith("no_shared_cipher")]
    check(some == expected and some, "--cause does not give what begins so")
    check(not ask("--cause", "no_shared", SAMPLE)["findings"], "--cause cuts a word")
    text = run("--product", "postfix", "--cause", CURVE, SAMPLE)
    check("smtpd_tls_chain_files" in text and "Exim" not in text, "--product does not choose")
    run("--product", "sendmail-x", SAMPLE, code=2)
    run(code=2)
    run("/nonexistent.pcap", code=2)


def old_rows(folder, new):
    """The same rows without the maps that came later: sums stay, hellos are not told."""
    for path in Path(folder).glob("*.jsonl"):
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            row.pop("failures", None)
            row.pop("accepts", None)
            lines.append(json.dumps(row))
        (Path(new) / path.name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    answer = ask(SAMPLE)
    check_founding_case(answer)
    check_filters(answer)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as old:
        subprocess.run([EHLOTAP, "read", "-q", "--minutes", folder, SAMPLE], check=True, timeout=60)
        check(ask(folder) == answer, "minute files give another answer than the capture")
        files = sorted(map(str, Path(folder).iterdir()))
        check(ask(*reversed(files)) == answer, "the order of the files matters")
        sums = {c["code"]: c["sessions"] for c in answer["causes"]}
        old_rows(folder, old)
        told = ask(old)
        check({c["code"]: c["sessions"] for c in told["causes"]} == sums, "old rows: other sums")
        check(told["sessions_without_hello"] == sum(sums.values()), "old rows: not said")
        check(all(f["confidence"] is None for f in told["findings"]), "old rows: a confidence")
        Path(files[0]).write_text(Path(files[0]).read_text(encoding="utf-8")[:-40], encoding="utf-8")
        ask(*files, code=1)
    page = (TOP / "docs/man/ehlotap-explain.1").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.It Va (\S+)", page, re.M))
    written = keys_of(answer)
    check(written <= documented, f"not in the man page: {sorted(written - documented)}")
    check(documented <= written | {"findings[].would_work"},
          f"in the man page only: {sorted(documented - written)}")
    text = run("--top", "0", SAMPLE)
    check(max(map(len, (l for l in text.splitlines() if not l.startswith(" " * 8)))) <= 110,
          "lines are too wide")
    check(not re.search(r"\{(client|server)\.", text), "a name in braces was not filled in")
    for sentence in failures:
        print("FAIL", sentence)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
