"""Files that are damaged, compressed, many, hostile, or no captures at all."""
import collections
import gzip
import json
import os
import re
import shutil
import subprocess
import time

import capture
from command import (FRAMES, HOUR_US, SAMPLE, Skip, in_folder, is_refusal, minutes, read,
                     records, sessions, stamps, totals, write)

NOBODY = 65534


@in_folder
def test_what_is_no_capture_is_told_by_name(folder):
    text = write(folder, "notes.txt", b"nothing but text, of some length\n" * 3)
    empty = write(folder, "empty.pcap", b"")
    for path, word in ((folder + "/none.pcap", "No such file"), (folder, "directory"),
                       (text, "not a capture"), (empty, "empty"),
                       (write(folder, "t.gz", gzip.compress(b"text" * 9)), "not a capture"),
                       (write(folder, "e.gz", gzip.compress(b"")), "empty"),
                       (write(folder, "c.xz", b"\xfd7zXZ\0 and more"), "xz"), ("", "No such file")):
        is_refusal(read(path), path, word)
    is_refusal(read("-", data=b""), "standard input", "empty")


@in_folder
def test_a_file_without_permission_is_told(folder):
    os.chmod(folder, 0o755)
    path = write(folder, "secret.pcap", capture.pcap(FRAMES))
    os.chmod(path, 0)
    more = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    try:
        done = read(path, **more)
    except PermissionError:
        raise Skip("the program's folder is closed to others") from None
    is_refusal(done, path, "Permission denied")


@in_folder
def test_a_capture_without_frames_has_an_answer(folder):
    for content in (capture.pcap([]), capture.pcapng([])):
        path = write(folder, "none.pcap", content)
        assert sessions(path) == []
        done = read(path)
        assert (done.code, done.err) == (0, "") and done.out, done
        json.loads(read("--json", path).out)
        minutes(path)


@in_folder
def test_a_cut_capture_gives_all_before_the_cut(folder):
    content = capture.pcap(FRAMES)
    whole = sessions(SAMPLE)
    for at in (len(content) // 2, len(content) * 5 // 6, len(content) - 1):
        kept, size = 0, capture.PCAP.size
        while size + len(capture.record(FRAMES[kept])) <= at:
            size += len(capture.record(FRAMES[kept]))
            kept += 1
        path = write(folder, "cut.pcap", content[:at])
        clean = write(folder, "clean.pcap", capture.pcap(FRAMES[:kept]))
        done = read("--quiet", "--sessions", "-", path)
        assert done.code == 1 and len(done.err.splitlines()) == 1, done.err
        assert path in done.err and str(kept) in done.err, (kept, done.err)
        assert done.out == records(clean)
        assert read(path).code == 1 and b"Capture" in read(path).out
        # a session that ended before the cut is as it is in the whole
        last = FRAMES[kept - 1].us
        now = {ends(row): core(row) for row in sessions(clean)}
        over = [row for row in whole if stamp_us(row["end"]) < last]
        assert over
        for row in over:
            assert now[ends(row)] == core(row)


def ends(row):
    return row["start"], *((row[end]["ip"], row[end]["port"]) for end in ("client", "server"))


def core(row):
    """What a session says by itself, without what other sessions tell about it."""
    return {key: row[key] for key in ("end", "service", "mode", "starttls", "hello", "mail",
                                      "server_hello", "certs", "packets", "bytes", "quality")}


def stamp_us(text):
    whole, fraction = text[:-1].split(".")
    sec = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return int(sec) * 1000000 + int(fraction)


@in_folder
def test_compressed_files_give_the_same_bytes(folder):
    content = capture.pcap(FRAMES)
    paths = [write(folder, "s.pcap.gz", gzip.compress(content)),
             write(folder, "no-suffix", gzip.compress(content)),
             write(folder, "two.gz", gzip.compress(content[:99]) + gzip.compress(content[99:])),
             write(folder, "s.pcapng", capture.pcapng(FRAMES))]
    if shutil.which("zstd"):
        packed = subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True)
        paths.append(write(folder, "s.pcap.zst", packed.stdout))
    for path in paths:
        for arguments in (["--quiet", "--sessions", "-"], ["--json"], []):
            assert read(*arguments, path) == read(*arguments, SAMPLE), path
        assert minutes(path) == minutes(SAMPLE)


def test_standard_input_gives_the_same_bytes():
    content = capture.pcap(FRAMES)
    for data in (content, gzip.compress(content), capture.pcapng(FRAMES)):
        assert records("-", data=data) == records(SAMPLE)
        assert read("-", data=data) == read(SAMPLE)
    assert records("-", "-", data=content, code=1) == records(SAMPLE)


@in_folder
def test_several_files_give_the_same_in_any_order(folder):
    parts = collections.defaultdict(list)
    for frame in FRAMES:
        parts[sum(b"".join(frame.addresses())) % 3].append(frame)
    stretch = [FRAMES[:400], FRAMES[400:800], FRAMES[800:]]
    for kind, pieces in (("peers", list(parts.values())), ("time", stretch)):
        assert len(pieces) == 3 and all(pieces)
        paths = [write(folder, f"{kind}{i}", capture.pcap(p)) for i, p in enumerate(pieces)]
        for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
            assert records(*(paths[i] for i in order)) == records(SAMPLE), (kind, order)
            assert minutes(*(paths[i] for i in order)) == minutes(SAMPLE), (kind, order)


@in_folder
def test_a_bad_file_among_good_ones_is_left_out(folder):
    bad = [folder + "/none", folder, write(folder, "t", b"text"), write(folder, "empty", b"")]
    for path in bad:
        done = read("--quiet", "--sessions", "-", path, SAMPLE)
        assert done.code == 1 and path in done.err, done.err
        assert done.out == records(SAMPLE)
    done = read("--json", *bad, SAMPLE)
    assert done.code == 1 and len(done.err.splitlines()) == 4, done.err
    assert json.loads(done.out)["capture"]["unreadable"] == 4


@in_folder
def test_hostile_lengths_in_record_headers(folder):
    good = capture.pcap(FRAMES[:300])
    clean = records(write(folder, "clean", good))
    for length in (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 262144 + 1, 0x00FFFFFF):
        for tail in (b"", bytes(100), os.urandom(70000)):
            header = capture.RECORD.pack(FRAMES[300].us // 1000000, 0, length, length)
            path = write(folder, "bad", good + header + tail)
            assert records(path, code=1) == clean, (length, len(tail))
    for length in (0, 1, 13, 20, 33):
        header = capture.RECORD.pack(FRAMES[300].us // 1000000, 0, length, 0xFFFFFFFF)
        path = write(folder, "short", good + header + bytes(length))
        assert records(path) == clean, length


@in_folder
def test_any_byte_of_a_frame_may_be_wrong(folder):
    content = bytearray(capture.pcap(FRAMES))
    state = 1
    for _ in range(20):
        damaged, at = bytearray(content), capture.PCAP.size
        for frame in FRAMES:
            at += capture.RECORD.size
            state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
            if state >> 60 == 0:
                damaged[at + (state >> 20) % len(frame.data)] ^= 1 << (state >> 50) % 8
            at += len(frame.data)
        path = write(folder, "damaged", damaged)
        assert sessions(path) and json.loads(read("--json", path).out)
        assert read("--top", "0", path).out


@in_folder
def test_absurd_stamps_survive(folder):
    for seconds in (0, -1, -7, -62135596800, 9223372036, 9223372020, 9223372037, 1 << 43,
                    -9223372036, -9223372040):
        path = write(folder, "stamps", stamps(seconds))
        rows = sessions(path)
        assert len(rows) == len(sessions(SAMPLE)), seconds
        for row in rows:
            assert is_stamp(row["start"]) and is_stamp(row["end"]), row["start"]
        files = minutes(path)
        assert 1 <= len(files) <= 2, list(files)
        assert totals(files)["sessions"] == len(rows), seconds
        assert read(path).code == 0 and json.loads(read("--json", path).out)


@in_folder
def test_stamps_that_leap_make_no_flood_of_files(folder):
    half = len(FRAMES) // 2
    for leap in (4 * 3600, 3600 * 24 * 365 * 50, -3600 * 24 * 365 * 50):
        frames = FRAMES[:half] + [f.later(leap * 1000000) for f in FRAMES[half:]]
        path = write(folder, "leap", capture.pcap(frames))
        files = minutes(path)
        assert len(files) < 10000, len(files)
        assert totals(files)["sessions"] == len(sessions(path))


def is_stamp(text):
    return re.fullmatch(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)


@in_folder
def test_a_4_tuple_that_comes_again_is_another_session(folder):
    cnt = len(sessions(SAMPLE))
    for gap in (20 * 1000000, 90 * 1000000, HOUR_US):
        frames = FRAMES + [frame.later(gap) for frame in FRAMES]
        rows = sessions(write(folder, "again", capture.pcap(frames)))
        assert len(rows) == 2 * cnt, (gap, len(rows))
        outcomes = collections.Counter(row["tls"]["outcome"] for row in rows)
        once = collections.Counter(row["tls"]["outcome"] for row in sessions(SAMPLE))
        assert outcomes == once + once, (outcomes, once)
