#!/usr/bin/env python3
"""What does a user meet at the command line?

    cli.py BINARY [NAME...]

Every function test_* of the modules here is one question. They run on tests/data/sample.pcap and
on files made of it. Last line `N passed, N failed`, one per question. Exit 0: all passed; 1: not.
"""
import signal
import subprocess
import sys
import traceback

import inputs
import outputs
import terminal
import usage
from command import BINARY, Skip


def questions(wanted):
    """(question, function) of those with a name in `wanted`, or of all."""
    for module in (usage, inputs, outputs, terminal):
        for name, test in vars(module).items():
            if name.startswith("test_") and (not wanted or name in wanted):
                yield name[len("test_"):].replace("_", " "), test


def main():
    passed = failed = 0
    if not BINARY:
        print(__doc__)
        return 2
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for question, test in questions(sys.argv[2:]):
        try:
            test()
            passed += 1
        except Skip as reason:
            print(f"skipped: {question}: {reason}")
        except (AssertionError, LookupError, OSError, ValueError, subprocess.SubprocessError):
            failed += 1
            print(f"failed: {question}\n{traceback.format_exc()[-3000:]}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
