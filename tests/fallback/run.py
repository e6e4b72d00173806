#!/usr/bin/env python3
"""Is every story of a client whose TLS failed told once, whoever is killed and when?

    run.py BINARY WRITER [NAME...]

WRITER (tests/export/writer.c) plays the engine. The stories of its sessions are made here a second
time, by other code, and compared row by row. The rest asks what `ehlotap fallback` says of them, and
of tests/data/sample.pcap. Every function test_* is one question. Last line `N passed, N failed`.
Exit 0: all passed; 1: not.
"""
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

BINARY, WRITER = (os.path.abspath(path) for path in sys.argv[1:3])
SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/sample.pcap")
TIMEOUT_S = 60
PAST = 29_000_000  # minutes since 1970, in 2025: a time when all is over
WEEK = 7 * 24 * 60
sensors = iter(range(1000))


class Writer:
    def __init__(self, workers=1, sensor=None, minute=PAST):
        self.sensor = sensor or f"story{os.getpid()}-{next(sensors)}"
        self.process = subprocess.Popen(
            [WRITER, self.sensor, str(minute * 60_000_000), str(workers), str(32 << 20)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        assert line == "ok\n", line

    def send(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")

    def minute(self, minute, cnt, workers=1):
        for worker in range(workers):
            for words in (("sessions", worker, minute, cnt), ("mark", worker, minute, 1)):
                self.send(*words)
                self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait(TIMEOUT_S)
        self.process.stdout.close()


# ---- the stories, told by other code ----

def sessions(minutes, each, workers=1):
    """What writer.c makes: (decided, start, client, what) in microseconds, in the order of et_story.h."""
    found = []
    for minute in minutes:
        for worker in range(workers):
            for i in range(each):
                decided = minute * 60_000_000 + i
                client = f"198.51.100.{(minute * 31 + worker * 7 + i) % 97}"
                found.append((decided, decided - 1000, i, client, (minute + worker + i) % 4))
    # equal but for the address: by address, as numbers
    found.sort(key=lambda s: (s[:3], int(s[3].rsplit(".", 1)[1])))
    return [(decided, start, client, what) for decided, start, _, client, what in found]


def text(us):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 1_000_000))
    return f"{stamp}.{us % 1_000_000:06d}Z"


def tell(told):
    """({minute: {row of a story that ended}}, {minute: fallbacks}) of sessions."""
    rows, fallbacks = collections.defaultdict(set), collections.Counter()
    stories, failed = {}, {}
    for decided, start, client, what in told:
        minute = decided // 60_000_000
        if what == 2:
            story = stories.setdefault(client, {"opened": start, "attempts": 0})
            story["attempts"] += 1
            story["last"] = start
            if client not in failed or failed[client][1]:
                failed[client] = [start, False]
            continue
        if what < 2:
            failed.pop(client, None)
        elif client in failed:
            failed[client][1] = True
            fallbacks[minute] += 1
        if client in stories:
            story = stories.pop(client)
            rows[minute].add((client, "clear" if what == 3 else "tls", text(story["opened"]),
                              text(story["last"]), story["attempts"], text(start),
                              round((start - story["opened"]) / 1e6, 6)))
    return rows, fallbacks


def open_rows(told):
    """{minute: {row}} of the stories that were open at a minute's end and changed in it."""
    rows = collections.defaultdict(set)
    stories, changed = {}, {}
    minute = None
    for decided, start, client, what in told + [(1 << 60, 0, "", 0)]:
        if decided // 60_000_000 != minute:
            for name in changed:
                if name in stories:
                    s = stories[name]
                    rows[minute].add((name, "open", text(s[0]), text(s[2]), s[1], None, None))
            minute, changed = decided // 60_000_000, {}
        if what == 2:
            story = stories.setdefault(client, [start, 0, start])
            story[1] += 1
            story[2] = start
            changed[client] = True
        else:
            stories.pop(client, None)
    return rows


def row_of(row):
    return (row["client"], row["how"], row["opened"], row["last"], row["attempts"], row["closed"],
            row["delay_s"])


# ---- the exporter ----

def command(folder, writer, *arguments):
    return [BINARY, "export", "--to", folder, "--sensor", writer.sensor, *arguments]


def once(folder, writer, *arguments, code=0):
    done = subprocess.run(command(folder, writer, "--once", *arguments), capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stderr


def read_rows(folder, writer):
    """{minute since 1970: rows}"""
    found = {}
    for name in sorted(os.listdir(folder)):
        if not name.startswith(writer.sensor + "-"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        stamp = time.strptime(rows[0]["minute"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z")
        found[int(time.mktime(stamp) - time.timezone) // 60] = rows
    return found


def stories_of(rows):
    return [row for row in rows if row["type"] == "fallback"]


def compare(found, told):
    closed, fallbacks = tell(told)
    expected = open_rows(told)
    for minute, rows in closed.items():
        expected[minute] |= rows
    for minute in sorted(found.keys() | expected.keys()):
        rows = stories_of(found.get(minute, []))
        got = {row_of(row) for row in rows}
        assert len(got) == len(rows), (minute, "a row twice")
        assert got == expected[minute], (minute, got - expected[minute], expected[minute] - got)
        peers = [row for row in found.get(minute, []) if row["type"] == "peer"]
        assert sum(row["fallbacks"] for row in peers) == fallbacks[minute], minute
    return sum(len(rows) for rows in expected.values())


def hidden(folder, writer):
    return sorted(n for n in os.listdir(folder) if n.startswith(f".ehlotap-{writer.sensor}"))


def state_path(folder, writer, end=""):
    return os.path.join(folder, f".ehlotap-{writer.sensor}.stories{end}")


def answer(*arguments, code=0):
    done = subprocess.run([BINARY, "fallback", "--json", *arguments], capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout)


# ---- questions ----

def test_stories_of_an_undisturbed_run(folder):
    writer, minutes = Writer(workers=2), range(PAST, PAST + 60)
    for minute in minutes:
        writer.minute(minute, 40, 2)
    writer.end()
    once(folder, writer)
    cnt = compare(read_rows(folder, writer), sessions(minutes, 40, 2))
    assert cnt > 500, cnt
    assert hidden(folder, writer) == [f".ehlotap-{writer.sensor}.{end}" for end in
                                      ("lock", "stories")]


def test_a_restart_behind_every_minute(folder):
    writer, minutes = Writer(), range(PAST, PAST + 30)
    for minute in minutes:
        writer.minute(minute, 40)
        once(folder, writer)
    writer.end()
    once(folder, writer)
    compare(read_rows(folder, writer), sessions(minutes, 40))


def test_killed_100_times(folder):
    writer, cnt, each = Writer(), 400, 40
    writer.send("auto", PAST, cnt, each, 12000)
    rng = random.Random(3)
    nexts = 0
    for turn in range(100):
        exporter = subprocess.Popen(command(folder, writer, "--grace", "0", "-q"),
                                    stderr=subprocess.PIPE, text=True)
        time.sleep(rng.uniform(0, 0.1 if turn % 2 else 0.03))
        exporter.kill()
        _, err = exporter.communicate()
        assert err == "", err
        nexts += os.path.exists(state_path(folder, writer, ".next"))
    writer.answer()
    writer.end()
    once(folder, writer)
    rows = compare(read_rows(folder, writer), sessions(range(PAST, PAST + cnt), each))
    print(f"         {nexts} of 100 kills were between a state and its file; {rows} rows")
    assert nexts > 0


def test_a_full_disk(folder):
    writer, minutes = Writer(), range(PAST, PAST + 20)
    for minute in minutes[:10]:
        writer.minute(minute, 40)
    once(folder, writer)
    size = os.path.getsize(state_path(folder, writer))
    for minute in minutes[10:]:
        writer.minute(minute, 40)
    writer.end()
    # enough for the state and not for the file, then for neither
    for limit in (size * 2, 300):
        done = subprocess.run(["prlimit", f"--fsize={limit}",
                               *command(folder, writer, "--once")], capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 1 and "stays in the rings" in done.stderr, done
        assert not os.path.exists(state_path(folder, writer, ".next"))
    once(folder, writer)
    compare(read_rows(folder, writer), sessions(minutes, 40))


def test_a_state_without_its_file(folder):
    """What a kill leaves between the state and its file, and between the file and the rename."""
    writer, minutes = Writer(), range(PAST, PAST + 6)
    for minute in minutes[:3]:
        writer.minute(minute, 40)
        once(folder, writer)
        shutil.copy(state_path(folder, writer), os.path.join(folder, f"state{minute}"))
    state, following = state_path(folder, writer), state_path(folder, writer, ".next")
    # the file is there, the rename did not happen
    shutil.move(state, following)
    shutil.copy(os.path.join(folder, f"state{PAST + 1}"), state)
    writer.minute(minutes[3], 40)
    once(folder, writer)
    # the file is not there: the state of a minute that nobody wrote
    with open(state, encoding="utf-8") as file:
        lines = file.read().splitlines()
    head = json.loads(lines[0])
    head["state"] += 1
    head["minute_ns"] += 60_000_000_000
    with open(following, "w", encoding="utf-8") as file:
        file.write(json.dumps(head) + "\n" + "\n".join(lines[1:4]) + "\n")
    writer.minute(minutes[4], 40)
    once(folder, writer)
    # a file of that minute that names another state
    with open(following, "w", encoding="utf-8") as file:
        head["minute_ns"] -= 60_000_000_000
        head["state"] += 7
        file.write(json.dumps(head) + "\n")
    writer.minute(minutes[5], 40)
    writer.end()
    once(folder, writer)
    compare(read_rows(folder, writer), sessions(minutes, 40))


def test_a_damaged_state(folder):
    writer = Writer()
    writer.minute(PAST, 40)
    once(folder, writer)
    with open(state_path(folder, writer), encoding="utf-8") as file:
        lines = file.read().splitlines()
    cases = json.loads(lines[0])["cases"]
    assert cases == len(lines) - 1 == 10, lines[0]
    rng = random.Random(5)
    for turn in range(40):
        if turn == 0:
            bad = b""
        elif turn == 1:
            bad = "\n".join(lines[:4]).encode()
        elif turn == 2:
            bad = ("\n".join([lines[0], "{}", *lines[2:]]) + "\n").encode()
        else:
            bad = bytearray("\n".join(lines).encode() + b"\n")
            bad[rng.randrange(len(bad))] = rng.randrange(256)
            bad = bytes(bad)
        with open(state_path(folder, writer), "wb") as file:
            file.write(bad)
        writer.minute(PAST + 1 + turn, 4)
        err = once(folder, writer)
        if turn < 3:
            assert "is damaged" in err and len(err.splitlines()) == 1, err
    writer.end()
    once(folder, writer)
    rows = read_rows(folder, writer)
    assert len(rows) == 41
    assert sum(row["sessions"] for minute in rows.values() for row in minute
               if row["type"] == "peer") == 40 + 40 * 4


def test_never_came_back(folder):
    writer = Writer()
    writer.minute(PAST, 4)  # one of them fails
    once(folder, writer)
    writer.minute(PAST + WEEK - 1, 0)
    once(folder, writer)
    rows = read_rows(folder, writer)
    assert [row["how"] for minute in sorted(rows) for row in stories_of(rows[minute])] == ["open"]
    said = answer(folder)
    assert said["open"] == said["tried_once"] == len(said["never_back"]) == 1, said
    for minute in (PAST + WEEK, PAST + WEEK + 1):
        writer.minute(minute, 0)
    writer.end()
    once(folder, writer)
    rows = read_rows(folder, writer)
    last = stories_of(rows[PAST + WEEK])
    assert [row["how"] for row in last] == ["stuck"] and last[0]["attempts"] == 1, last
    assert rows[PAST + WEEK - 1][0]["stories"]["open"] == 1
    assert rows[PAST + WEEK][0]["stories"]["open"] == 0
    said = answer(folder)
    assert said["stories"] == said["stuck"] == 1 and said["open"] == 0, said
    assert said["never_back"][0]["how"] == "stuck"


def test_sensors_add_up(folder):
    parts, both = [], os.path.join(folder, "both")
    os.mkdir(both)
    for begin in (PAST, PAST + 3):
        writer = Writer()
        for minute in range(begin, begin + 20):
            writer.minute(minute, 40)
        writer.end()
        single = os.path.join(folder, writer.sensor)
        os.mkdir(single)
        once(single, writer)
        for name in os.listdir(single):
            if name.startswith(writer.sensor):
                shutil.copy(os.path.join(single, name), both)
        parts.append((single, answer(single)))
    whole = answer(both)
    for key in ("stories", "attempts", "clear", "tls", "open", "tried_once"):
        assert whole[key] == parts[0][1][key] + parts[1][1][key] > 0, key
    # in any order, and some of it twice
    again = answer(parts[1][0], parts[0][0])
    assert again == whole and answer(both, parts[1][0]) == whole
    some = answer("--peer", "198.51.100.0/27", both)
    peers = [p for p in whole["peers"] if int(p["client"].rsplit(".", 1)[1]) < 32]
    assert some["peers"] == peers and some["stories"] == sum(p["stories"] for p in peers) > 0
    assert answer("--server", "192.0.2.26", both)["stories"] == 0


def test_the_sample(folder):
    subprocess.run([BINARY, "read", "-q", "--minutes", folder, SAMPLE], check=True,
                   timeout=TIMEOUT_S)
    said = answer(folder)
    captured = answer(SAMPLE)
    for row in said["never_back"] + captured["never_back"]:
        del row["sensor"]  # files have one, a capture has none
    assert said == captured
    clear = {p["client_name"]: p for p in said["peers"] if p["clear"]}
    assert sorted(clear) == ["exchange2.example.org", "out10.example.org", "out8.example.org",
                             "relay3.example.org"], clear
    # Postfix: two failures, then clear; Exim: complete, rejected, at once in clear
    assert clear["out8.example.org"]["attempts"] == 2
    assert 3 < clear["out8.example.org"]["delays"]["p50"] < 10
    assert clear["relay3.example.org"]["delays"]["max_s"] < 1
    assert list(clear["relay3.example.org"]["causes"]) == ["broken/after_handshake"]
    assert clear["out10.example.org"]["same_connection"] == 1
    assert clear["out10.example.org"]["delays"] is None
    assert said["delays"]["stories"] == 3 and said["clear"] == 4
    shown = subprocess.run([BINARY, "fallback", folder], capture_output=True, text=True,
                           timeout=TIMEOUT_S, check=True).stdout
    assert "4 of 12" in shown and "out8.example.org" in shown, shown
    assert max(map(len, shown.splitlines())) <= 100, shown
    few = subprocess.run([BINARY, "fallback", "--top", "2", folder], capture_output=True, text=True,
                         timeout=TIMEOUT_S, check=True).stdout
    assert few.count("more\n") == 2 and len(few) < len(shown), few


def test_rows_that_cannot_be_believed(folder):
    subprocess.run([BINARY, "read", "-q", "--minutes", folder, SAMPLE], check=True,
                   timeout=TIMEOUT_S)
    name = sorted(os.listdir(folder))[0]
    path = os.path.join(folder, name)
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    good = stories_of(rows)[1]
    whole = answer(folder)
    bad = [{"client": None}, {"client": 5}, {"servers": []}, {"servers": ["x"]},
           {"servers": ["192.0.2.1"] * 9}, {"service": "http"}, {"how": "maybe"}, {"stories": 0},
           {"stories": -1}, {"stories": 1 << 40}, {"attempts": 1.5}, {"opened": "yesterday"},
           {"opened": "2026-11-22T10:31:07+01:00"}, {"closed": None}, {"closed_by": None},
           {"delay_s": -1}, {"delay_s": 1e300}, {"delay_max_s": "1"}, {"same_connection": None},
           {"cause": "x" * 5000}]
    for change in bad:
        changed = [dict(row, **change) if row is good else row for row in rows]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in changed)
        said = answer(folder, code=1)
        assert said["stories"] == whole["stories"] - 1, change


def test_usage(folder):
    done = subprocess.run([BINARY, "fallback", "--help"], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 100, done.stdout
    for arguments in (["--nothing"], [os.path.join(folder, "none")], []):
        done = subprocess.run([BINARY, "fallback", *arguments], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        assert done.returncode == 2 and "ehlotap fallback: " in done.stderr, done


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
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
