#!/usr/bin/env python3
"""Does a packet cost more instructions than last time, and in which room?

    run.py [--update] [--top N] [--lines N] [--markdown] [--build DIR] [--gen FILE] [MIX...]

Builds a release of its own (in DIR, by default build-cost), generates the mixes below, and counts
with callgrind the instructions that `ehlotap live` takes for them, from the frame in memory to the
record in the ring. That is the same number in every run, however busy the machine is. figures.tsv
has what was counted last time.

Fails when a mix costs 2.5% more instructions per packet than there, or a room 5% more. What costs
less is a reason to run --update, and fails when it is more than 10%: what was won could be lost
again unseen. A room's change by less than 0.5% of the whole mix is left alone.
docs/performance.md says how to read the table.

Skipped (exit 77): without callgrind, in a build with sanitizers, and with another compiler than
that of the figures. The rows of libraries (libc, hyperscan) are compared only when their versions,
and the instruction set that valgrind offers them, are those of the figures; a mix is not when
another OpenSSL has led to other traffic.

Last line `N passed, N failed`, one per row. Exit 0: all passed; 1: not all; 2: could not be run.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import callgrind  # noqa: E402
import figures  # noqa: E402
import smallest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SHOWN = 0.5  # instructions per packet
TIMEOUT_S = 300
# what a shell could change about the build, or about the first call of a library's function
CLEAN = {"LC_ALL": "C", "LD_BIND_NOW": "1", "CC": None, "CFLAGS": None, "CPPFLAGS": None,
         "LDFLAGS": None, "GLIBC_TUNABLES": None, "LD_PRELOAD": None, "DESTDIR": None}

# skip: percent of the frames that are worked on before counting begins: tables are filled then
Mix = collections.namedtuple("Mix", "title skip flows undecided")
MIXES = {
    "storm": Mix("A, handshake storm", 10, 65536, 16384),
    "gateway": Mix("B, gateway mix", 10, 65536, 16384),
    "smallest": Mix("C, smallest packets", 100 // smallest.ROUNDS, 65536, 1),
    "split": Mix("D, hellos in pieces", 10, 65536, 16384),
}


class Stop(Exception):
    """A sentence, and the exit code."""


def environment(work=None):
    clean = {name: value for name, value in os.environ.items() if name not in CLEAN}
    clean.update({name: value for name, value in CLEAN.items() if value})
    if work:
        clean["XDG_CACHE_HOME"] = str(work)
    return clean


def run(command, work=None):
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=environment(work), text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as late:
        raise Stop(f"{' '.join(words)}: not ready after {TIMEOUT_S} s", 2) from late
    if done.returncode:
        raise Stop(f"{' '.join(words)}: exit code {done.returncode}\n"
                   f"{done.stdout[-4000:]}{done.stderr[-4000:]}", 2)
    return done.stdout


def make(source, build, gen):
    """A release with the names of functions and lines, which change no instruction."""
    if not (build / "build.ninja").exists():
        # valgrind 3.19 cannot read the DWARF 5 of clang
        run(["meson", "setup", "--buildtype=release", "-Dc_args=-gdwarf-4", "-Dwerror=false",
             build, source])
    run(["ninja", "-C", build, "tests/cost/cost", *([] if gen else ["app/ehlotap-gen"])])


# ---- one mix ----

Result = collections.namedtuple("Result", "facts rows profile")


def count(name, source, build, gen, work):
    mix, capture, out = MIXES[name], work / f"{name}.pcap", work / f"{name}.callgrind"
    if name == "smallest":
        smallest.write(capture)
    else:
        run([gen or build / "app/ehlotap-gen", "--profile", HERE / f"{name}.ini", "--seed", 1,
             "--out", capture])
    text = run(["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={out}",
                build / "tests/cost/cost", capture, mix.skip, mix.flows, mix.undecided], work)
    capture.unlink()
    facts = facts_of(text)
    profile = callgrind.Profile(out, source, build)
    packets = int(facts["packets"])
    rows = {room: cost / packets for room, cost in profile.rooms.most_common()
            if room != callgrind.STAND_IN}
    total = sum(rows.values())
    shown = {room: value for room, value in rows.items() if value >= SHOWN}
    return Result(facts, {"total": total, **shown}, profile)


def facts_of(text):
    return dict(line.split(" ", 1) for line in text.splitlines())


def count_all(names, source, build, gen):
    with tempfile.TemporaryDirectory(prefix="ehlotap-cost-") as folder:
        work = pathlib.Path(folder)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = {}
            for name in names:
                (work / name).mkdir()  # the compiled patterns are cached there
                jobs[name] = pool.submit(count, name, source, build, gen, work / name)
            return {name: job.result() for name, job in jobs.items()}


# ---- what is told ----

def show(name, result, was, libraries_same):
    """(passed, failed) rows of one mix, with its table."""
    facts, now, profile = result
    packets, passed, failed = int(facts["packets"]), 0, 0
    was = {row: value for row, value in was.items() if row not in figures.TRAFFIC}
    if not libraries_same:
        now, was = figures.ours(now), figures.ours(was)
    called = collections.Counter()
    for (room, _), cost in profile.foreign_by_room().items():
        called[room] += cost / packets
    print(f"\n{MIXES[name].title} ({name}): {packets} packets of {int(facts['bytes']) // packets} "
          f"bytes, {facts['sessions']} sessions. Instructions per packet:")
    print(f"  {'room':<12}{'now':>8}{'figure':>8}{'change':>8}{'share':>8}{'calls':>8}")
    for row in {**now, **was}:
        value, before = now.get(row, 0.0), was.get(row, 0.0)
        ok, text = figures.judge(row, value, before, was.get("total", 0))
        passed, failed = passed + ok, failed + (not ok)
        change = f"{100 * (value / before - 1):+.1f}%" if before else "new"
        calls = f"{called[row]:.1f}" if called[row] >= 0.05 else ""
        print(f"  {row:<12}{value:8.1f}{before:8.1f}{change:>8}{value / now['total']:8.1%}"
              f"{calls:>8}  {text}".rstrip())
    return passed, failed


def show_top(result, cnt, lines):
    packets = int(result.facts["packets"])
    if cnt:
        print(f"\n  {'own':>8}{'all':>8}  function (all: with what it calls)")
        for function, room, own, under in result.profile.dearest(cnt):
            print(f"  {own / packets:8.1f}{under / packets:8.1f}  {function} ({room})")
    if lines:
        print(f"\n  {'own':>8}  line")
        for place, cost in result.profile.dearest_lines(lines):
            print(f"  {cost / packets:8.1f}  {place}")


def compare(results, options):
    """The exit code. A mix whose traffic another OpenSSL has changed is left out."""
    facts, mixes = figures.read()
    machine = next(iter(results.values())).facts
    differ = [fact for fact in figures.LIBRARY_FACTS if machine[fact] != facts.get(fact)]
    passed = failed = skipped = 0
    for fact in differ:
        print(f"{fact} {machine[fact]}, and {facts.get(fact, 'none')} when the figures were "
              "counted: the libraries' rows are not compared")
    for name, result in results.items():
        was = mixes.get(name, {})
        changed = figures.other_traffic(name, result, was)
        if changed and machine["openssl"] != facts.get("openssl"):
            print(f"{changed}. OpenSSL {machine['openssl']}, and {facts.get('openssl')} then: not "
                  "compared")
            skipped += 1
            continue
        if changed:
            print(f"{changed}. The generator or the profile was changed: run --update first")
            failed += 1
        good, bad = show(name, result, was, not differ)
        passed, failed = passed + good, failed + bad
        show_top(result, options.top or (10 if bad else 0), options.lines)
    if skipped == len(results):
        print("SKIP: other traffic, by another OpenSSL, than the figures were counted with")
        return 77
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


def markdown(results):
    """The table of docs/performance.md."""
    rooms = collections.Counter()
    for result in results.values():
        rooms.update(result.rows)
    print("| room | " + " | ".join(MIXES[name].title for name in results) + " |")
    print("|---|" + "---:|" * len(results))
    for room, _ in rooms.most_common():
        values = [result.rows.get(room, 0) for result in results.values()]
        print(f"| {room} | " + " | ".join(f"{value:.0f}" for value in values) + " |")


# ---- the program ----

def skip_reason(options):
    if options.sanitize not in ("", "none"):
        return f"a build with sanitizers ({options.sanitize}): the release is what counts"
    if not shutil.which("valgrind"):
        return "no valgrind; tools/setup test installs it"
    if not pathlib.Path("/usr/include/valgrind/callgrind.h").exists():
        return "no valgrind/callgrind.h; tools/setup test installs it"
    return None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("mixes", nargs="*", metavar="MIX", help=", ".join(MIXES))
    parser.add_argument("--update", action="store_true", help="write figures.tsv anew")
    parser.add_argument("--top", type=int, default=0, help="show the N dearest functions")
    parser.add_argument("--lines", type=int, default=0, help="show the N dearest source lines")
    parser.add_argument("--markdown", action="store_true", help="one table of all mixes")
    parser.add_argument("--source", type=pathlib.Path, default=HERE.parent.parent)
    parser.add_argument("--build", type=pathlib.Path, help="folder of the release build")
    parser.add_argument("--gen", type=pathlib.Path, metavar="FILE",
                        help="an ehlotap-gen to use instead of building one")
    parser.add_argument("--sanitize", default="none", help="b_sanitize of the build that asks")
    options = parser.parse_args()
    unknown = [name for name in options.mixes if name not in MIXES]
    if unknown:
        parser.error(f"no mix {unknown[0]}; there are {', '.join(MIXES)}")
    if options.update and options.mixes:
        parser.error("--update counts all mixes")
    return options


def main():
    options = arguments()
    reason = skip_reason(options)
    if reason:
        print(f"SKIP: {reason}")
        return 77
    source = options.source.resolve()
    build = (options.build or source / "build-cost").resolve()
    make(source, build, options.gen)
    results = count_all(options.mixes or list(MIXES), source, build, options.gen)
    if options.update:
        figures.write(results)
    if options.markdown:
        markdown(results)
        return 0
    ours, was = (facts.get(figures.OURS) for facts in (
        next(iter(results.values())).facts, figures.read()[0]))
    if ours != was:
        print(f"SKIP: compiler {ours}, and {was} when the figures were counted")
        return 77
    return compare(results, options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as stop:
        print(stop.args[0], file=sys.stderr)
        sys.exit(stop.args[1])
