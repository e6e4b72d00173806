#!/usr/bin/env python3
"""Does ehlotap say the same of a capture as tshark does?

    differential.py BINARY [--class mail|tls|oddity|all] [--capture GLOB] [--field NAME] [-j N]

Each capture is run through `BINARY read --quiet --sessions - FILE`. Its session records must
keep the contract (schema.py), be the same bytes for 1, 2 and 3 workers, and agree with truth
(truth.py) in every field that can be compared (compare.py). Where tshark is wrong, known.tsv
says why: capture, stream, field, reason, tab-separated. An entry that no longer disagrees is a
failure too.

The captures folder is $EHLOTAP_CAPTURES, or ../shared/captures beside the repository. Without
one the test prints SKIP and exits with 77. Exit 0: all captures passed; 1: not all.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays clean
import compare
import match
import schema
import truth

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_CAPTURES = os.path.join(HERE, "..", "..", "..", "shared", "captures")
SKIPPED = 77
WORKERS = (1, 2, 3)
# failures of the run itself; known.tsv can excuse none of them
HYGIENE = ("process", "schema", "workers")


class Report:
    """What one capture gave: lines to print, and counts per field."""

    def __init__(self, capture, options, known):
        self.capture, self.options, self.known = capture, options, known
        self.lines, self.counts, self.used = [], collections.defaultdict(collections.Counter), set()

    def wants(self, field):
        return not self.options.field or field in self.options.field

    def fail(self, field, text):
        if self.wants(field):
            self.counts[field].update(compared=1, disagreed=1)
            self.lines.append(f"{self.capture.path} - - {field}: {text}")

    def check(self, check, stream, flow, hint=""):
        if not self.wants(check.field):
            return
        entry = (self.capture.path, stream, check.field)
        counts = self.counts[check.field]
        counts["compared"] += 1
        if check.agreed:
            counts["agreed"] += 1
        elif entry in self.known:
            counts["listed"] += 1
            self.used.add(entry)
        else:
            counts["disagreed"] += 1
            self.lines.append(f"{self.capture.path} {stream} {flow} {check.field}: "
                              f"truth={show(check.truth)} ehlotap={show(check.ours)}"
                              + (f" ({hint})" if hint else ""))

    def stale(self):
        """Entries of known.tsv for this capture that excused nothing."""
        for entry in sorted(self.known - self.used):
            if entry[0] == self.capture.path and self.wants(entry[2]):
                self.counts[entry[2]]["disagreed"] += 1
                self.lines.append(f"{entry[0]} {entry[1]} - {entry[2]}: stale entry in known.tsv")


def show(value):
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 400 else text[:400] + "..."


def run(options, file, workers):
    """-> (standard output, sentence on what went wrong with the process or None, exit code)."""
    command = [options.binary, "read", "--quiet", "--sessions", "-", "--workers", str(workers),
               file]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True) as child:
        try:
            output, errors = child.communicate(timeout=options.timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return b"", f"no end after {options.timeout} s with --workers {workers}", None
    code, last = child.returncode, errors.decode("utf-8", "replace").strip()[-300:]
    if code < 0:
        return output, f"killed by signal {-code} with --workers {workers}: {last}", code
    if code not in (0, 1, 2):
        return output, f"exit code {code} with --workers {workers}: {last}", code
    return output, None, code


def outputs(report, options):
    """The capture's sessions, run once per number of workers; None if there is no use in them."""
    first = code = None
    for workers in WORKERS:
        output, trouble, code = run(options, report.capture.file, workers)
        if trouble:
            report.fail("process", trouble)
            return None, None
        if first is None:
            first = (output, code)
        elif first != (output, code):
            report.fail("workers", f"--workers {workers} differs from --workers {WORKERS[0]}")
    output, code = first
    if code == 2 and report.capture.readable:
        report.fail("process", "exit code 2, but tshark read packets")
        return None, None
    return output, code


def examine(capture, options, known):
    """Everything about one capture -> its Report."""
    report = Report(capture, options, known)
    output, code = outputs(report, options)
    if output is not None:
        records, broken = schema.decode(output)
        for text in broken:
            report.fail("schema", text)
        if capture.damaged:
            report.check(compare.among("exit_code", {1, 2}, code), "-", "-")
        against_truth(report, records)
    report.stale()
    return report


def against_truth(report, records):
    pairs, extra = match.pair(report.capture.streams, records)
    for stream, record in pairs:
        flow = flow_text(stream.client, stream.server)
        if record is None:
            if stream.has_message:
                report.check(compare.same("session", "present", "absent"), str(stream.number),
                             flow, stream.doubts)
            continue
        report.check(compare.same("session", "present", "present"), str(stream.number), flow)
        for check in compare.compare(stream, record):
            report.check(check, str(stream.number), flow, stream.doubts)
    # tshark finds TLS on any port: a hello that only the program saw needs an explanation
    for record in extra:
        if record["hello"] is not None or record["tls"]["version"] is not None:
            report.check(compare.same("unexpected_tls", "absent", "present"), "-",
                         flow_text(*match.ends(record)))


def flow_text(client, server):
    return f"{client[0]}:{client[1]}>{server[0]}:{server[1]}"


def read_known(path):
    """known.tsv as a set of (capture, stream, field). Bad entries are the author's mistake."""
    entries = set()
    for row in truth.table(path)[0]:
        if not row["reason"].strip() or row["field"] in HYGIENE:
            raise truth.TruthError(f"{path}: an entry without reason, or of a field that "
                                   f"cannot be excused: {row}")
        entries.add((row["capture"], row["stream"], row["field"]))
    return entries


def summary(reports):
    counts = collections.defaultdict(collections.Counter)
    for report in reports:
        for field, count in report.counts.items():
            counts[field].update(count)
    columns = ("compared", "agreed", "listed", "disagreed")
    print(f"\n{'field':<20}" + "".join(f"{name:>11}" for name in columns))
    for field in sorted(counts):
        print(f"{field:<20}" + "".join(f"{counts[field][name]:>11}" for name in columns))


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", help="path of ehlotap")
    parser.add_argument("--class", dest="kind", default="mail",
                        choices=("mail", "tls", "oddity", "all"), help="class of captures")
    parser.add_argument("--capture", metavar="GLOB", help="only captures of this name")
    parser.add_argument("--field", action="append", metavar="NAME", help="only this field")
    parser.add_argument("--known", default=os.path.join(HERE, "known.tsv"), metavar="FILE")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="per run")
    parser.add_argument("-j", dest="jobs", type=int, default=1, help="captures at a time")
    return parser.parse_args(argv)


def chosen(folder, options):
    """The captures that the options ask for, in the order of INDEX.tsv."""
    for entry in truth.index(folder):
        if options.kind not in ("all", entry["class"]):
            continue
        pattern = options.capture or entry["path"]
        if entry["path"] != pattern and not fnmatch.fnmatch(entry["path"], pattern):
            continue
        yield truth.load_capture(folder, entry)


def main(argv):
    options = arguments(argv)
    folder = os.environ.get("EHLOTAP_CAPTURES") or DEFAULT_CAPTURES
    if not os.path.isfile(os.path.join(folder, "INDEX.tsv")):
        print(f"SKIP: no captures at {folder}; set EHLOTAP_CAPTURES to their folder")
        return SKIPPED
    known = read_known(options.known)
    gone = {entry[0] for entry in known} - {entry["path"] for entry in truth.index(folder)}
    if gone:
        print(f"{options.known} names captures that do not exist: {' '.join(sorted(gone))}")
        return 1
    captures, reports = list(chosen(folder, options)), []
    if not captures:
        print("no capture fits --class and --capture", file=sys.stderr)
        return 2
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for report in pool.map(lambda capture: examine(capture, options, known), captures):
            print("\n".join(report.lines), end="\n" if report.lines else "", flush=True)
            reports.append(report)
    summary(reports)
    failed = sum(bool(report.lines) for report in reports)
    print(f"{len(reports) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
