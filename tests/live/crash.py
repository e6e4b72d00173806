#!/usr/bin/env python3
"""Is every session counted exactly once, whoever is killed with SIGKILL and when?

    crash.py BINARY [NAME...]

Frames come through a FIFO into net_pcap, so that there is traffic for as long as a test wants,
with the time stamps of the capture. It is made of the sample's connections, each with a client
address of its own: peer rows tell every single session.

Where the engine lives, the truth is what it writes with --sessions, and what `ehlotap read` says.
Where it is killed, the truth is what it had published by then: the message that is last in the
ring's file, of a sequence that is the same in each run.

EHLOTAP_CRASH_ROUNDS: kills in all, 200 if it is not set; EHLOTAP_CRASH_SEED: another course.
Last line `N passed, N failed`. Exit 0: all passed; 1: not; 77: it cannot be run here.
"""
import collections
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # the source folder stays clean
import engine
import ringfile
from traffic import HEAD, Feeder, Traffic, address, client_name

ROUNDS = int(os.environ.get("EHLOTAP_CRASH_ROUNDS", "200"))
SEED = int(os.environ.get("EHLOTAP_CRASH_SEED", "1"))
UNREAD = 4
COUNTERS = ("sessions", "starttls_offered", "starttls_not_offered", "starttls_masked",
            "starttls_requested", "starttls_refused", "tls_established", "tls_failed",
            "tls_incomplete", "tls_broken", "tls_unknown", "resumed", "hello_retry", "injected",
            "clear_mail", "auth_clear")
MAPS = ("versions", "ciphers", "groups", "alerts")
BINARY = None


# ---- truth ----

def peer_sums(files):
    """{client: counts} over minute files."""
    sums = collections.defaultdict(collections.Counter)
    for rows in files.values():
        for row in rows:
            if row["type"] != "peer":
                continue
            counts = sums[row["client"]]
            counts.update({name: row[name] for name in COUNTERS if row[name]})
            for name in MAPS:
                counts.update({f"{name} {key}": cnt for key, cnt in row[name].items()})
    return sums


def read_sums(traffic):
    """What `ehlotap read` says of the whole traffic."""
    folder = engine.new_folder()
    path = os.path.join(folder, "traffic.pcap")
    with open(path, "wb") as file:
        file.write(HEAD + traffic.blob())
    subprocess.run([BINARY, "read", "--quiet", "--minutes", folder, path], check=True,
                   timeout=engine.TIMEOUT_S)
    sums = peer_sums(engine.minute_files(folder))
    shutil.rmtree(folder)
    return sums


def differences(found, expected):
    problems = []
    for client in sorted(found.keys() | expected.keys()):
        a, b = +found[client], +expected[client]
        if a != b:
            problems.append(f"{client}: in files {dict(a - b)} too much, {dict(b - a)} missing")
    if problems:
        problems.insert(0, f"{len(problems)} of {len(expected)} clients differ")
    return problems


def left_over(sensor, folder):
    problems = [f"left over: {name}" for name in engine.rings(sensor)]
    for name in os.listdir(folder):
        if not name.endswith(".jsonl") and name not in (f".ehlotap-{sensor}.lock",
                                                        f".ehlotap-{sensor}.stories"):
            problems.append(f"left over: {name}")
    return problems


# ---- the killed ----

class Exporters:
    """Runs exporters one after the other and kills each at a random moment, in a thread."""

    def __init__(self, sensor, folder, chance, longest_s=0.04):
        self.sensor, self.folder = sensor, folder
        self.chance, self.longest_s = chance, longest_s
        self.kills = self.ended = 0
        self.problems, self.stop = [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            once = ("--once",) if self.chance.random() < 0.7 else ()
            process = engine.popen(engine.export_command(BINARY, self.sensor, self.folder,
                                                         "--grace", "0", "-q", *once),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                process.wait(self.chance.uniform(0.001, self.longest_s))
                self.ended += 1
                if process.returncode != 0:
                    self.problems.append(f"exporter: {process.returncode}: "
                                         f"{process.stderr.read().decode()}")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.kills += 1
            process.stderr.close()
            time.sleep(0.005)

    def end(self):
        self.stop.set()
        self.thread.join(engine.TIMEOUT_S)
        return self.problems


def start(feeder, sensor, sessions=None, args=engine.TINY, cores="0"):
    return engine.Engine(BINARY, [engine.pcap_port(0, feeder.path)], cores, args, sessions, sensor,
                         idle_sleep_us=1000)


def finish(sensor, folder):
    """The last exporter, which nobody kills."""
    engine.export_once(BINARY, sensor, folder, "--grace", "0")


def session_clients(lines):
    return collections.Counter(json.loads(line)["client"]["ip"] for line in lines)


def exporter_killed(kills, cores="0"):
    """The engine lives, exporters die while it is fed."""
    traffic, sensor, folder = Traffic(4000, 40), engine.new_sensor(), engine.new_folder()
    chance, sessions = random.Random(SEED), os.path.join(folder, "sessions")
    files, part = os.path.join(folder, "files"), traffic.frames // 2
    os.mkdir(files)
    expected = read_sums(traffic)
    feeder = Feeder(folder, [traffic.blob(0, 0, part), traffic.blob(0, part)],
                    kills * 0.025)
    live = start(feeder, sensor, sessions, engine.TINY + ("--mbufs", "32768"), cores)
    feeder.go_on()
    exporters = Exporters(sensor, files, chance)
    end = time.monotonic() + engine.TIMEOUT_S
    while exporters.kills < kills and time.monotonic() < end:
        time.sleep(0.01)
    live.wait_packets(traffic.frames)
    problems = exporters.end()
    code, _ = live.end()
    feeder.end()
    finish(sensor, files)
    with open(sessions, encoding="utf-8") as file:
        told = session_clients(file)
    if code != 0:
        problems.append(f"the engine ended with {code}: {live.said()}")
    found = peer_sums(engine.minute_files(files))
    problems += differences(found, expected)
    if told != {client: counts["sessions"] for client, counts in expected.items()}:
        problems.append("--sessions tells other sessions than read")
    print(f"    {exporters.kills} exporters killed, {exporters.ended} came to their end, "
          f"{len(glob.glob(files + '/*.jsonl'))} files")
    return problems + left_over(sensor, files)


def two_workers(kills):
    return exporter_killed(kills, "0,1,1")


def sequence(traffic):
    """{number: client} of the messages of an undisturbed run, and the last number."""
    sensor, folder = engine.new_sensor(), engine.new_folder()
    feeder = Feeder(folder, [traffic.blob()])
    live = start(feeder, sensor, args=engine.TINY + ("--ring-size", "16M"))
    live.wait_packets(traffic.frames)
    live.kill()
    feeder.end()
    _, held = ringfile.messages(engine.rings(sensor)[0])
    engine.forget(sensor)
    known = {address(i): client_name(i) for i in range(traffic.sessions)}
    found = {}
    for number, _, data in held:
        at = data.find(b"\xff\xff\x0a\xab")
        if at >= 0:  # the address of a client, mapped into IPv6
            found[number] = known[data[at + 2:at + 6]]
    return found, held[-1][0]


def engine_killed(kills):
    """Engine and exporter die at random, again and again; one exporter reads it all."""
    traffic, sensor, folder = Traffic(600, 6), engine.new_sensor(), engine.new_folder()
    chance, files = random.Random(SEED + 1), os.path.join(folder, "files")
    os.mkdir(files)
    once = read_sums(traffic)
    order, last = sequence(traffic)
    problems, expected = [], collections.defaultdict(collections.Counter)
    if sorted(order.values()) != sorted(once):
        return ["the ring of an undisturbed run does not tell each session once"]
    begin, killed, whole = time.monotonic(), 0, 0
    for number in range(kills):
        feeder = Feeder(folder, [traffic.blob(number)], 0.3)
        live = start(feeder, sensor)
        exporters = Exporters(sensor, files, chance)
        time.sleep(chance.uniform(0.0, 0.4))
        problems += exporters.end()  # first: it would delete the ring of a dead engine
        mine = engine.rings(sensor)[-1]
        live.kill()
        feeder.end()
        if "no exporter has read it" in live.said():
            problems.append(f"round {number}: a ring was deleted unread, the test is too slow")
        published = ringfile.last_number(mine)
        killed += exporters.kills
        if len(engine.rings(sensor)) > UNREAD:
            finish(sensor, files)  # else an engine that starts deletes the oldest
        whole += published >= last
        for at, client in order.items():
            if at <= published:
                expected[client].update(once[client])
    finish(sensor, files)
    found = peer_sums(engine.minute_files(files))
    problems += differences(found, expected)
    total = sum(counts["sessions"] for counts in expected.values())
    print(f"    {kills} engines and {killed} exporters killed in "
          f"{time.monotonic() - begin:.0f} s; {total} sessions were published, "
          f"{whole} engines had told all")
    if total == 0 or whole == kills:
        problems.append("no engine was killed at work")
    return problems + left_over(sensor, files)


def ring_full(kills):
    """No exporter for long, the ring is full, sessions go into sums; then exporters die."""
    traffic, sensor, folder = Traffic(24000, 24), engine.new_sensor(), engine.new_folder()
    chance, files = random.Random(SEED + 2), os.path.join(folder, "files")
    os.mkdir(files)
    expected, part = read_sums(traffic), traffic.frames * 5 // 6
    feeder = Feeder(folder, [traffic.blob(0, 0, part), traffic.blob(0, part)])
    live = start(feeder, sensor)
    feeder.seconds = 0.025 * kills
    # what is in the FIFO's buffers comes with the next part
    live.wait_packets(part - 1000)
    problems = []
    exporters = Exporters(sensor, files, chance)
    feeder.go_on()
    end = time.monotonic() + engine.TIMEOUT_S
    while exporters.kills < kills and time.monotonic() < end:
        time.sleep(0.01)
    live.wait_packets(traffic.frames)
    sums = live.ask("/ehlotap/workers")["worker_0"]["sessions_as_sums"]
    problems += exporters.end()
    for _ in range(3):  # room for all sums
        finish(sensor, files)
        time.sleep(0.05)
    code, _ = live.end()
    feeder.end()
    finish(sensor, files)
    if code != 0:
        problems.append(f"the engine ended with {code}: {live.said()}")
    if sums == 0:
        problems.append("the ring was never full")
    problems += differences(peer_sums(engine.minute_files(files)), expected)
    print(f"    {exporters.kills} exporters killed, {exporters.ended} came to their end; "
          f"{sums} sessions went as sums")
    return problems + left_over(sensor, files)


def ended_full(_kills):
    """The engine ends while nobody has emptied the ring: its sums take what room there is, and what
    found none is said."""
    traffic, sensor, files = Traffic(16000, 16), engine.new_sensor(), engine.new_folder()
    feeder = Feeder(files, [traffic.blob()])
    live = start(feeder, sensor)
    live.wait_packets(traffic.frames)
    code, _ = live.end()
    feeder.end()
    finish(sensor, files)
    rows = engine.minute_files(files)
    told = sum(counts["sessions"] for counts in peer_sums(rows).values())
    sums = sum(row[0]["capture"]["ring_lost"] or 0 for row in rows.values())
    untold = sum(int(cnt) for cnt in re.findall(r"([0-9]+) of them not told", live.said()))
    print(f"    {traffic.sessions} sessions, {told} in files, {sums} as sums, {untold} not told")
    problems = left_over(sensor, files)
    if code != 0:
        problems.append(f"the engine ended with {code}: {live.said()}")
    if sums == 0 or told + untold != traffic.sessions:
        problems.append(f"{traffic.sessions - told - untold} sessions are neither in files nor said")
    return problems


def test(function, kills):
    def run():
        return function(kills)
    run.__name__ = function.__name__
    return run


def main():
    global BINARY
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1].strip())
    BINARY = os.path.abspath(sys.argv[1])
    engine.need_live(BINARY)
    engine.main([test(exporter_killed, ROUNDS // 5), test(two_workers, ROUNDS // 5),
                 test(engine_killed, ROUNDS // 5), test(ring_full, ROUNDS // 5),
                 test(ended_full, 0)], sys.argv[2:])


main()
