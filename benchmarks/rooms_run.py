"""Runs bench-rooms over its captures, for run-rooms and run-growth."""

import json
import subprocess

from common import Trouble, capture

SESSIONS = {"storm": 2400, "gateway": 300}
QUICK = {"storm": 400, "gateway": 60}


def corpora(args):
    """The options that name the captures."""
    out = []
    for mix, sessions in (QUICK if args.quick else SESSIONS).items():
        pcap, _ = capture(mix, sessions, args.dir)
        out += [f"--{mix}", pcap.with_suffix("")]
    return out


def run_bench(tools, args, *more):
    """What bench-rooms says, as an object."""
    cmd = [tools / "bench-rooms", *corpora(args), "--json", *more]
    done = subprocess.run(cmd, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"bench-rooms ended with {done.returncode}")
    return json.loads(done.stdout)
