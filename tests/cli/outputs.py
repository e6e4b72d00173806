"""Records, minute files and the answer: where they go, and that they agree."""
import collections
import json
import os
import re
import subprocess
import time

import capture
from command import (BINARY, FRAMES, HOUR_US, SAMPLE, TIMEOUT_S, Done, in_folder, is_refusal,
                     minutes, read, records, rows_of, sessions, stamps, totals, write)


def test_records_on_stdout_leave_the_answer_to_stderr():
    done = read("--sessions", "-", SAMPLE)
    assert done.out == records(SAMPLE)
    assert done.err == read(SAMPLE).out.decode()
    done = read("--sessions", "-", "--json", SAMPLE)
    assert done.out == records(SAMPLE)
    assert done.err == read("--json", SAMPLE).out.decode()


@in_folder
def test_records_in_a_file_are_the_same(folder):
    path = folder + "/out.jsonl"
    for _ in range(2):  # the second run replaces the first one's
        done = read("--sessions", path, SAMPLE)
        assert done == read(SAMPLE)
        with open(path, "rb") as file:
            assert file.read() == records(SAMPLE)


def test_quiet_prints_nothing():
    assert read("--quiet", SAMPLE) == Done(0, b"", "")
    assert read("-q", SAMPLE) == Done(0, b"", "")


@in_folder
def test_outputs_that_cannot_be_written_are_told(folder):
    is_refusal(read("--sessions", folder + "/no/out", SAMPLE), folder + "/no/out", "No such file")
    is_refusal(read("--sessions", folder, SAMPLE), folder, "directory")
    is_refusal(read("--sessions", "/dev/full", SAMPLE), "/dev/full", "No space")
    is_refusal(read("--minutes", folder + "/no", SAMPLE), folder + "/no", "No such file")
    is_refusal(read("--minutes", SAMPLE, SAMPLE), SAMPLE, "Not a directory")
    for arguments in ([], ["--json"], ["--sessions", "-"], ["--top", "0"]):
        with open("/dev/full", "wb") as full:
            is_refusal(read(*arguments, SAMPLE, stdout=full), "No space")


@in_folder
def test_a_mistaken_output_shows_before_the_input_is_read(folder):
    """With a pipe that never ends: waiting for it would run into the time limit."""
    ours, theirs = os.pipe()
    os.write(theirs, capture.pcap(FRAMES[:10]))
    for option in ("--sessions", "--minutes"):
        done = subprocess.run([BINARY, "read", option, folder + "/no/such", "-"], stdin=ours,
                              capture_output=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 2 and b"No such file" in done.stderr, done
        os.write(theirs, capture.pcap(FRAMES[:10]))
    os.close(ours)
    os.close(theirs)


@in_folder
def test_an_input_is_never_overwritten(folder):
    path = write(folder, "in.pcap", capture.pcap(FRAMES))
    os.symlink(path, folder + "/link")
    for out in (path, folder + "/link"):
        is_refusal(read("--sessions", out, path), out, "input")
    keep = write(folder, "keep.jsonl", b"kept")
    is_refusal(read("--sessions", keep, folder + "/none"), "none")
    with open(path, "rb") as file, open(keep, "rb") as kept:
        assert file.read() == capture.pcap(FRAMES) and kept.read() == b"kept"


def test_minute_files_are_whole():
    files = minutes("--sensor", "gw.1", SAMPLE)
    first = FRAMES[0].us // 60000000 * 60
    names = [time.strftime("gw.1-%Y%m%dT%H%MZ.jsonl", time.gmtime(first + 60 * i)) for i in (0, 1)]
    assert list(files) == names, list(files)
    for name, rows in rows_of(files):
        types = [row["type"] for row in rows]
        order = {"minute": 0, "peer": 1, "hello": 2, "cert": 3, "fallback": 4, "end": 5}
        assert types[0] == "minute" and types[-1] == "end", name
        assert sorted(types, key=order.get) == types and types.count("minute") == 1, types
        assert rows[-1]["rows"] == len(rows) - 1, (rows[-1], len(rows))
        assert rows[0]["sensor"] == "gw.1" and rows[0]["v"] == 1
        minute = rows[0]["minute"]
        assert name == "gw.1-" + re.sub("[-:]", "", minute)[:13] + "Z.jsonl", (name, minute)
        for kind, key, ident in (("hello", "hellos", "id"), ("cert", "certs", "sha256")):
            used = {x for row in rows if row["type"] == "peer" for x in row[key]}
            assert used == {row[ident] for row in rows if row["type"] == kind}, (name, kind)


def test_minute_files_sum_to_the_session_records():
    files, rows = minutes(SAMPLE), sessions(SAMPLE)
    sums = totals(files)
    outcomes = collections.Counter(row["tls"]["outcome"] for row in rows)
    assert sums["sessions"] == len(rows) > 50
    for outcome in ("established", "failed", "incomplete", "broken", "unknown"):
        assert sums["tls_" + outcome] == outcomes[outcome], outcome
    assert sums["clear_mail"] == sum(row["mail"]["clear"] or 0 for row in rows) > 0
    assert sums["auth_clear"] == sum(bool(row["auth_clear"]) for row in rows) > 0
    assert sums["fallbacks"] == sum(bool(row["fallback"]) for row in rows) > 0
    assert sums["resumed"] == sum(bool(row["tls"]["resumed"]) for row in rows) > 0
    for key, name in (("offered", True), ("not_offered", False)):
        assert sums["starttls_" + key] >= sum(row["starttls"]["offered"] is name for row in rows) - 1
    packets = sum(rows[0]["capture"]["packets"] for _, rows in rows_of(files))
    assert packets == len(FRAMES)
    causes = collections.Counter(row["cause"]["code"] for row in rows if row["cause"])
    kept = collections.Counter()
    for _, rows in rows_of(files):
        for row in rows:
            kept.update(row.get("causes", {}))
    assert kept == causes, (kept, causes)


@in_folder
def test_any_number_of_workers_gives_the_same_bytes(folder):
    again = FRAMES + [f.later(HOUR_US) for f in FRAMES] + FRAMES[:500]  # stamps go back too
    for path in (SAMPLE, write(folder, "again", capture.pcap(again))):
        answers = []
        for workers in ("1", "2", "3", "8"):
            count = ["--workers", workers]
            answers.append((records(*count, path), minutes(*count, path), read(*count, path),
                            read("--json", *count, path), read("--top", "0", *count, path)))
        for other in answers[1:]:
            assert other == answers[0], path


def test_json_is_one_object():
    done = read("--json", SAMPLE)
    answer = json.loads(done.out)
    assert done.code == 0 and done.err == "" and done.out.endswith(b"}\n")
    assert answer["type"] == "report" and answer["capture"]["packets"] == len(FRAMES)
    assert answer["totals"]["sessions"] == len(sessions(SAMPLE))
    assert b"\x1b" not in read("--json", "--color", "always", SAMPLE).out


@in_folder
def test_the_answer_fits_100_columns(folder):
    late = write(folder, "late", stamps(1 << 43))
    for arguments in ([SAMPLE], ["--top", "0", SAMPLE], ["--gateway", "192.0.2.0/24", SAMPLE],
                      ["--sensor", "s" * 64, SAMPLE], [late], [late, folder + "/" + "n" * 200]):
        text = read(*arguments).out.decode()
        wide = [line for line in text.splitlines() if len(line) > 100]
        assert text and not wide, wide
        assert not re.search(r"[^\n\x20-\x7e\u00a0-\uffff]", text), "control characters"


def test_top_limits_every_list():
    assert b"more" in read("--top", "1", SAMPLE).out
    assert b" more\n" not in read("--top", "0", SAMPLE).out
    assert len(read("--top", "1", SAMPLE).out) < len(read(SAMPLE).out)
