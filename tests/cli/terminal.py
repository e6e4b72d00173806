"""Colour and progress on a terminal; signals."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

import capture
from command import BINARY, ENVIRONMENT, FRAMES, HOUR_US, SAMPLE, TIMEOUT_S, read


def on_terminal(*arguments, feed=None, env=None):
    """Output of a run on a terminal: (code, text)."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([BINARY, "read", *arguments], stdin=subprocess.PIPE, stdout=theirs,
                             stderr=theirs, env=dict(ENVIRONMENT, **(env or {})))
    os.close(theirs)
    feeder = threading.Thread(target=feed or (lambda pipe: pipe.close()), args=(child.stdin,))
    feeder.start()
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        text += piece
    feeder.join()
    code = child.wait(TIMEOUT_S)
    os.close(ours)
    return code, text


def test_colour_follows_the_terminal_and_the_wish():
    assert b"\x1b[" not in read(SAMPLE).out
    assert b"\x1b[" in read("--color", "always", SAMPLE).out
    assert b"\x1b[" in read("--color=always", SAMPLE, env={"NO_COLOR": "1"}).out
    assert b"\x1b[" in on_terminal(SAMPLE)[1]
    assert b"\x1b[" in on_terminal(SAMPLE, env={"NO_COLOR": ""})[1]
    assert b"\x1b[" not in on_terminal(SAMPLE, env={"NO_COLOR": "1"})[1]
    assert b"\x1b[" not in on_terminal("--color", "never", SAMPLE)[1]
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", read("--color", "always", SAMPLE).out)
    assert plain == read(SAMPLE).out, "colour changes more than colour"


def slowly(pipe):
    """Feeds captures for more than a second."""
    pipe.write(capture.head())
    for i in range(20):
        pipe.write(b"".join(capture.record(f.later(i * HOUR_US)) for f in FRAMES))
        pipe.flush()
        time.sleep(0.09)
    pipe.close()


def test_progress_shows_on_a_terminal_after_a_second():
    code, text = on_terminal("-", feed=slowly)
    shown = text.split(b"Capture")[0]
    assert code == 0 and re.search(rb"\r\d+\.\d M packets", shown), shown
    # the line is wiped before the answer
    assert shown.endswith(b"\r\x1b[K") or b"\r\x1b[K" in shown, shown


def test_progress_never_shows_elsewhere():
    assert b"\r\x1b[K" not in on_terminal(SAMPLE)[1]
    assert on_terminal("--quiet", "-", feed=slowly) == (0, b"")
    child = subprocess.Popen([BINARY, "read", "-"], env=ENVIRONMENT, stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    slowly(child.stdin)
    assert child.stderr.read() == b"" and child.wait(TIMEOUT_S) == 0
    child.stderr.close()


def start_and_feed(content, *arguments):
    """A run that has read `content` from its standard input and waits for more."""
    child = subprocess.Popen([BINARY, "read", *arguments, "-"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    child.stdin.write(content)
    child.stdin.flush()
    end = time.monotonic() + TIMEOUT_S
    left = struct.pack("i", 0)
    while time.monotonic() < end:
        left = fcntl.ioctl(child.stdin, termios.FIONREAD, left)
        if struct.unpack("i", left) == (0,):
            break
        time.sleep(0.01)
    time.sleep(0.5)
    return child


def test_interrupt_stops_with_an_answer():
    content = capture.pcap(FRAMES[:600])
    for arguments, data in (([], content), ([], content + capture.record(FRAMES[600])[:30]),
                            (["--json"], content), (["--workers", "2"], content)):
        child = start_and_feed(data, *arguments)
        child.send_signal(signal.SIGINT)
        out, err = child.stdout.read(), child.stderr.read().decode()
        assert child.wait(TIMEOUT_S) == 1, err
        for pipe in (child.stdin, child.stdout, child.stderr):
            pipe.close()
        assert err == "ehlotap read: interrupted; the answer covers the first 600 packets\n", err
        if arguments == ["--json"]:
            told = json.loads(out)["capture"]
            assert told["packets"] == 600 and told["damaged"] == 0, told
        else:
            assert out.startswith(b"Capture") and b"600" in out, out


def test_a_reader_that_goes_away_ends_the_program_quietly():
    for arguments in (["--quiet", "--sessions", "-"], ["--json"], ["--top", "0"]):
        child = subprocess.Popen([BINARY, "read", *arguments, SAMPLE], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        assert child.stdout.read(10)
        child.stdout.close()
        err = child.stderr.read()
        child.stderr.close()
        assert child.wait(TIMEOUT_S) in (0, -signal.SIGPIPE) and err == b"", (arguments, err)
