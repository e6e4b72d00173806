#!/usr/bin/env python3
"""Does every session get into exactly one minute file, whoever is killed and when?

    run.py BINARY WRITER [NAME...]

WRITER (writer.c) plays the engine and publishes sessions that follow a rule, `truth` here. Every
function test_* is one question. Last line `N passed, N failed`. Exit 0: all passed; 1: not.
"""
import collections
import glob
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

BINARY, WRITER = (os.path.abspath(path) for path in sys.argv[1:3])
TIMEOUT_S = 60
PAST = 29_000_000  # minutes since 1970, in 2025: a time when all is over
COUNTERS = ("sessions", "tls_established", "tls_failed", "clear_mail")
sensors = iter(range(1000))


class Writer:
    """An engine with a sensor name of its own unless one is given."""

    def __init__(self, workers=1, sensor=None, minute=PAST, ring_bytes=4 << 20):
        self.sensor = sensor or f"test{os.getpid()}-{next(sensors)}"
        self.process = subprocess.Popen(
            [WRITER, self.sensor, str(minute * 60_000_000), str(workers), str(ring_bytes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        assert line == "ok\n", line

    def send(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")

    def do(self, *words):
        self.send(*words)
        self.answer()

    def minute(self, minute, cnt, workers=1):
        for worker in range(workers):
            self.do("sessions", worker, minute, cnt)
            self.do("mark", worker, minute, 1)

    def end(self):
        self.process.stdin.close()
        self.process.wait(TIMEOUT_S)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        self.process.stdin.close()
        self.process.stdout.close()


def truth(sums, worker, minute, numbers):
    """Adds what writer.c makes of these sessions to {client: Counter}."""
    for i in numbers:
        counts = sums[f"198.51.100.{(minute * 31 + worker * 7 + i) % 97}"]
        what = (minute + worker + i) % 4
        counts["sessions"] += 1
        counts["tls_established"] += what < 2
        counts["tls_failed"] += what == 2
        counts["clear_mail"] += what == 3


def new_sums():
    return collections.defaultdict(collections.Counter)


def command(folder, *arguments, sensor=None):
    named = ["--sensor", sensor] if sensor else []
    return [BINARY, "export", "--to", folder, *named, *arguments]


def export(folder, *arguments, sensor=None, code=0):
    done = subprocess.run(command(folder, *arguments, sensor=sensor), capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stderr


def once(folder, writer, *arguments, **more):
    return export(folder, "--once", *arguments, sensor=writer.sensor, **more)


def read_file(path):
    if path.endswith(".zst"):
        text = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    else:
        with open(path, "rb") as file:
            text = file.read()
    assert text.endswith(b"\n"), path
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows[0]["type"] == "minute" and rows[-1]["type"] == "end", path
    assert rows[-1]["rows"] == len(rows) - 1, path
    return rows


def files(folder, writer, running=False):
    """{minute since 1970: rows}; whole, and nothing else of the sensor in the folder."""
    found = {}
    for name in os.listdir(folder):
        assert running or not name.endswith(".tmp"), name
        if not name.startswith(writer.sensor + "-"):
            continue
        rows = read_file(os.path.join(folder, name))
        stamp = time.strptime(rows[0]["minute"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z")
        minute = int(time.mktime(stamp) - time.timezone) // 60
        assert time.strftime("%Y%m%dT%H%MZ", stamp) in name
        assert minute not in found, name
        found[minute] = rows
    return found


def sums_of(rows_of):
    sums = new_sums()
    for rows in rows_of:
        for row in rows:
            if row["type"] == "peer":
                sums[row["client"]].update({key: row[key] for key in COUNTERS})
    return sums


def plain(sums):
    return {client: {k: v for k, v in counts.items() if v} for client, counts in sums.items()}


def same(rows_of, expected):
    got = plain(sums_of(rows_of))
    expected = plain(expected)
    assert got == expected, (sum(c["sessions"] for c in got.values()),
                             sum(c["sessions"] for c in expected.values()))


def rings(writer):
    return sorted(glob.glob(f"/dev/shm/ehlotap.{writer.sensor}.*"))


def capture(rows):
    return rows[0]["capture"]


def test_normal_minutes_of_two_workers(folder):
    writer = Writer(workers=2)
    for minute in (PAST, PAST + 1):
        writer.minute(minute, 100, workers=2)
    writer.do("sessions", 0, PAST + 2, 5)
    once(folder, writer)
    found = files(folder, writer)
    assert sorted(found) == [PAST, PAST + 1]
    for minute, rows in found.items():
        expected = new_sums()
        for worker in range(2):
            truth(expected, worker, minute, range(100))
        same([rows], expected)
        assert rows[0]["workers"] == {"expected": 2, "seen": 2}
        assert rows[0]["late"] == rows[0]["damaged"] == rows[0]["marks_missing"] == 0
        assert [r["ring"][-2:] for r in rows[0]["rings"]] == [".0", ".1"]
        seen = capture(rows)
        assert (seen["packets"], seen["bytes"], seen["flows_open"], seen["gaps"], seen["cores"],
                seen["seconds"], seen["ring_lost"]) == (2000, 200000, 10, 4, 2, 60.0, 0), seen
        assert seen["drops"] == {"not_tcp": 6}
        assert rows[0]["engine"]["lane_lost"] == 2
        assert any(r.get("client_name") == "client-7.example" for r in rows)
        assert any(r.get("causes") for r in rows)
    # the open end stays in the ring as long as the writer lives
    assert len(rings(writer)) == 2
    writer.end()
    once(folder, writer)
    found = files(folder, writer)
    assert sorted(found) == [PAST, PAST + 1, PAST + 2]
    expected = new_sums()
    truth(expected, 0, PAST + 2, range(5))
    same([found[PAST + 2]], expected)
    assert rings(writer) == []


def test_late_worker_counts_in_the_next_file(folder):
    now = int(time.time()) // 60 + 1
    writer = Writer(workers=2, minute=now - 1)
    writer.do("sessions", 0, now, 10)
    writer.do("mark", 0, now, 1)
    writer.do("sessions", 1, now, 10)
    once(folder, writer, "--grace", "0")
    found = files(folder, writer)
    assert sorted(found) == [now] and found[now][0]["workers"] == {"expected": 2, "seen": 1}
    writer.do("mark", 1, now, 1)
    once(folder, writer, "--grace", "0")
    assert sorted(files(folder, writer)) == [now], "a file was begun before its minute was over"
    for worker in range(2):
        writer.do("sessions", worker, now + 1, 10)
        writer.do("mark", worker, now + 1, 1)
    once(folder, writer, "--grace", "0")
    found = files(folder, writer)
    assert sorted(found) == [now, now + 1]
    assert found[now + 1][0]["late"] == 10 and found[now + 1][0]["workers"]["seen"] == 2
    expected = new_sums()
    for worker in range(2):
        for minute in (now, now + 1):
            truth(expected, worker, minute, range(10))
    same(found.values(), expected)
    writer.end()
    once(folder, writer)
    assert rings(writer) == []


def test_minutes_without_a_file_are_those_without_an_engine(folder):
    first = Writer()
    first.minute(PAST, 5)
    first.do("mark", 0, PAST + 3, 3)
    first.do("sessions", 0, PAST + 4, 2)
    first.kill()
    second = Writer(sensor=first.sensor, minute=PAST + 10)
    second.minute(PAST + 10, 5)
    second.end()
    once(folder, first)
    found = files(folder, first)
    assert sorted(found) == [PAST, PAST + 1, PAST + 2, PAST + 3, PAST + 4, PAST + 10]
    assert found[PAST + 3][0]["marks_missing"] == 2
    assert capture(found[PAST + 1])["packets"] is None
    assert found[PAST + 2][0]["workers"] == {"expected": 1, "seen": 1}
    assert found[PAST + 4][0]["workers"] == {"expected": 1, "seen": 0}
    assert rings(first) == []


def test_a_restart_in_the_middle_of_a_minute(folder):
    first = Writer()
    first.do("sessions", 0, PAST, 7)
    first.kill()
    second = Writer(sensor=first.sensor, minute=PAST + 1)
    second.do("sessions", 0, PAST, 9)
    second.do("mark", 0, PAST, 1)
    once(folder, first)
    expected = new_sums()
    truth(expected, 0, PAST, range(7))
    truth(expected, 0, PAST, range(9))
    found = files(folder, first)
    assert sorted(found) == [PAST] and len(found[PAST][0]["rings"]) == 2
    same(found.values(), expected)
    assert len(rings(first)) == 1
    second.end()
    once(folder, first)
    assert rings(first) == []


def test_an_existing_file_is_never_replaced(folder):
    writer = Writer()
    name = time.strftime(f"{writer.sensor}-%Y%m%dT%H%MZ.jsonl", time.gmtime(PAST * 60))
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write("mine\n")
    writer.minute(PAST, 10)
    writer.end()
    once(folder, writer)
    with open(os.path.join(folder, name), encoding="ascii") as file:
        assert file.read() == "mine\n"
    os.unlink(os.path.join(folder, name))
    found = files(folder, writer)
    assert sorted(found) == [PAST + 1] and found[PAST + 1][0]["late"] == 10


def test_a_full_ring_loses_records_but_no_counts(folder):
    writer = Writer()
    expected = new_sums()
    for minute in range(PAST, PAST + 3):
        writer.do("sessions", 0, minute, 8000)
        writer.do("mark", 0, minute, 1)
        truth(expected, 0, minute, range(8000))
    once(folder, writer)
    for _ in range(100):
        writer.do("slice", 0, 1000)
    writer.do("mark", 0, PAST + 3, 1)
    writer.end()
    once(folder, writer)
    found = files(folder, writer)
    same(found.values(), expected)
    assert sum(capture(rows)["ring_lost"] or 0 for rows in found.values()) > 10000
    names = {row["client_name"] for rows in found.values() for row in rows if
             row["type"] == "peer"}
    assert None not in names


def test_messages_that_mean_nothing_are_counted(folder):
    writer = Writer()
    writer.do("sessions", 0, PAST, 3)
    writer.do("junk", 0)
    writer.do("sessions", 0, PAST, 4)
    writer.do("mark", 0, PAST, 1)
    writer.do("junk", 0)
    writer.end()
    once(folder, writer)
    found = files(folder, writer)
    assert found[PAST][0]["damaged"] == 2
    assert sum(row["sessions"] for row in found[PAST] if row["type"] == "peer") == 7
    assert rings(writer) == []


def corrupt(path, after):
    """Makes the length of the message behind so many marks impossible (lib/ring/ring_file.h)."""
    with open(path, "r+b") as file:
        at = 4096 + 384
        while after:
            file.seek(at)
            number, kind, length = struct.unpack("<QII", file.read(16))
            assert number > 0
            after -= kind == 4
            at += (16 + length + 63) // 64 * 64
        file.seek(at + 12)
        file.write(b"\xff\xff\xff\xff")


def test_a_damaged_ring_is_used_up_to_the_damage(folder):
    writer = Writer(workers=2)
    for minute in range(PAST, PAST + 4):
        writer.minute(minute, 10, workers=2)
    corrupt(rings(writer)[0], 2)
    err = once(folder, writer, code=1)
    assert "damaged" in err and len(err.splitlines()) == 1, err
    expected = new_sums()
    for minute in range(PAST, PAST + 4):
        for worker in range(2 if minute < PAST + 2 else 1):
            truth(expected, worker if minute < PAST + 2 else 1, minute, range(10))
    found = files(folder, writer)
    same(found.values(), expected)
    assert found[PAST + 3][0]["workers"] == {"expected": 2, "seen": 1}
    writer.end()
    once(folder, writer, code=1)
    assert rings(writer) == []


def wait_for(folder, writer, cnt):
    deadline = time.monotonic() + 20
    while len(files(folder, writer, running=True)) < cnt:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_fallbacks_need_no_history(folder):
    fallbacks = {}
    for history in ("0", "1000"):
        writer = Writer()
        exporter = start(folder, writer, "--history", history)
        # each client has one session in a minute: what fails in one goes in clear two later
        for minute in (0, 2, 4):
            writer.minute(PAST + minute, 97)
            wait_for(folder, writer, minute + 1)
            if minute == 2:
                exporter.kill()
                exporter.communicate(timeout=TIMEOUT_S)
                exporter = start(folder, writer, "--history", history)
        exporter.terminate()
        exporter.communicate(timeout=TIMEOUT_S)
        fallbacks[history] = [
            sum(row.get("fallbacks", 0) for row in rows)
            for _, rows in sorted(files(folder, writer).items())]
        writer.end()
    assert fallbacks["0"] == fallbacks["1000"] and fallbacks["0"][0] == 0, fallbacks
    assert fallbacks["0"][2] > 0 and fallbacks["0"][4] > 0, fallbacks


def test_zstd(folder):
    writer = Writer()
    for minute in range(PAST, PAST + 3):
        writer.minute(minute, 50)
    once(folder, writer, "--zstd=5")
    names = sorted(n for n in os.listdir(folder) if n.startswith(writer.sensor))
    assert len(names) == 3 and all(name.endswith(".jsonl.zst") for name in names)
    writer.minute(PAST + 3, 50)
    writer.end()
    once(folder, writer)
    expected = new_sums()
    for minute in range(PAST, PAST + 4):
        truth(expected, 0, minute, range(50))
    same(files(folder, writer).values(), expected)


def test_retention(folder):
    now = int(time.time()) // 60 - 20
    writer = Writer(minute=PAST)
    for minute in (PAST, PAST + 1, now, now + 1, now + 2):
        writer.minute(minute, 50)
    writer.end()
    with open(os.path.join(folder, "other-20200101T0000Z.jsonl"), "w", encoding="ascii"):
        pass
    once(folder, writer, "--keep-days", "2")
    found = sorted(files(folder, writer))
    assert found[-3:] == [now, now + 1, now + 2] and found[0] >= now, found
    again = Writer(sensor=writer.sensor, minute=now + 3)
    again.minute(now + 3, 50)
    again.end()
    once(folder, writer, "--keep-bytes", "1K")
    assert sorted(files(folder, writer)) == [now + 3]
    assert os.path.exists(os.path.join(folder, "other-20200101T0000Z.jsonl"))


def start(folder, writer, *arguments):
    return subprocess.Popen(command(folder, *arguments, sensor=writer.sensor),
                            stderr=subprocess.PIPE, text=True)


def test_exporter_killed_200_times(folder):
    writer = Writer(workers=2, ring_bytes=16 << 20)
    minutes, each = 700, 40
    writer.send("auto", PAST, minutes, each, 20000)
    rng = random.Random(1)
    written = 0
    for turn in range(200):
        arguments = ["--grace", "0"] + (["--zstd=1"] if turn % 5 == 4 else [])
        exporter = start(folder, writer, *arguments)
        time.sleep(rng.uniform(0, 0.1 if turn % 2 else 0.03))
        exporter.kill()
        _, err = exporter.communicate()
        assert err == "", err
        written += any(n.endswith(".tmp") for n in os.listdir(folder))
    writer.answer()
    writer.end()
    once(folder, writer)
    expected = new_sums()
    for minute in range(PAST, PAST + minutes):
        for worker in range(2):
            truth(expected, worker, minute, range(each))
    found = files(folder, writer)
    same(found.values(), expected)
    assert sorted(found)[:minutes] == list(range(PAST, PAST + minutes)), len(found)
    assert sum(capture(rows)["packets"] or 0 for rows in found.values()) == 2000 * minutes
    print(f"         {written} of 200 kills left a file that was being written")
    assert written > 0
    assert rings(writer) == []


def test_writer_killed(folder):
    sensor, expected = None, 0
    rng = random.Random(2)
    for turn in range(20):
        writer = Writer(sensor=sensor, minute=PAST + turn, ring_bytes=64 << 20)
        sensor = writer.sensor
        writer.minute(PAST + turn, 20)
        expected += 20
        writer.send("steps", 0, PAST + turn + 1, 1000000)
        time.sleep(rng.uniform(0, 0.03))
        writer.process.kill()
        expected += len(writer.process.stdout.read().split())
        writer.kill()
        if turn % 4 == 0:
            once(folder, writer)
    once(folder, writer)
    got = sum(c["sessions"] for c in sums_of(files(folder, writer).values()).values())
    # a session may be in the ring whose line was not written any more
    assert expected <= got <= expected + 20, (expected, got)
    assert rings(writer) == []


def test_signals_and_one_exporter_at_a_time(folder):
    writer = Writer()
    writer.minute(PAST, 10)
    exporter = start(folder, writer)
    wait_for(folder, writer, 1)
    err = export(folder, "--once", sensor=writer.sensor, code=2)
    assert f"process {exporter.pid}" in err, err
    with tempfile.TemporaryDirectory() as other:
        err = export(other, "--once", sensor=writer.sensor, code=1)
        assert writer.sensor in err and len(err.splitlines()) == 1, err
    exporter.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    assert exporter.poll() is None
    writer.minute(PAST + 1, 10)
    wait_for(folder, writer, 2)
    exporter.send_signal(signal.SIGTERM)
    _, err = exporter.communicate(timeout=TIMEOUT_S)
    assert exporter.returncode == 0 and err == "", err
    assert len(files(folder, writer)) == 2
    writer.end()
    once(folder, writer)
    assert rings(writer) == []


def test_a_folder_that_cannot_be_written(folder):
    writer = Writer()
    writer.minute(PAST, 10)
    writer.end()
    err = export(folder + "/none", "--once", sensor=writer.sensor, code=2)
    assert "make it first" in err and len(err.splitlines()) == 1, err
    # a limit on the size of files stands for a full disk
    done = subprocess.run(["prlimit", "--fsize=500", *command(folder, "--once",
                                                              sensor=writer.sensor)],
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 1 and "stays in the rings" in done.stderr, done
    assert files(folder, writer) == {} and len(rings(writer)) == 1
    once(folder, writer)
    expected = new_sums()
    truth(expected, 0, PAST, range(10))
    same(files(folder, writer).values(), expected)


def test_left_files_of_dead_exporters_go(folder):
    writer = Writer()
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = time.strftime(f".{writer.sensor}-%Y%m%dT%H%MZ.jsonl", time.gmtime(PAST * 60))
    for pid in (dead.pid, os.getpid()):
        with open(os.path.join(folder, f"{name}.{pid}.tmp"), "w", encoding="ascii"):
            pass
    writer.end()
    once(folder, writer)
    assert [n for n in os.listdir(folder) if n.endswith(".tmp")] == [f"{name}.{os.getpid()}.tmp"]
    assert rings(writer) == []


def test_all_sensors(folder):
    writers = [Writer(), Writer()]
    for writer in writers:
        writer.minute(PAST, 10)
        writer.end()
    subprocess.run(command(folder, "--once"), capture_output=True, timeout=TIMEOUT_S, check=False)
    for writer in writers:
        assert sorted(files(folder, writer)) == [PAST] and rings(writer) == []


def test_usage(folder):
    for arguments, word in ((["--to", folder, "--zstd=20"], "--zstd"),
                            (["--to", folder, "--sensor", "a/b"], "--sensor"),
                            (["--to", folder, "--keep-bytes", "12X"], "--keep-bytes"),
                            (["--to", folder, "--gateway", "x"], "--gateway"),
                            (["--to", folder, "more"], "more"), ([], "--to")):
        done = subprocess.run([BINARY, "export", *arguments], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        lines = done.stderr.splitlines()
        assert done.returncode == 2 and word in lines[0], done
        assert lines[1:] == ["Try: ehlotap export --help"], done
    done = subprocess.run([BINARY, "export", "--help"], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0 and max(map(len, done.stdout.splitlines())) <= 81, done.stdout


def main():
    passed = failed = 0
    wanted = sys.argv[3:]
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        begin = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(folder)
            passed += 1
        except (AssertionError, LookupError, OSError, ValueError, subprocess.SubprocessError):
            failed += 1
            print(f"failed: {name}\n{traceback.format_exc()[-2500:]}")
        print(f"{time.monotonic() - begin:6.1f} s  {name[len('test_'):].replace('_', ' ')}")
    for path in glob.glob(f"/dev/shm/ehlotap.test{os.getpid()}-*"):
        os.unlink(path)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
