"""What callgrind wrote, by function and by room."""

import collections
import os
import re

# Objects that are not ours, by the begin of the file's name.
LIBRARIES = {"libc": "libc", "libm": "libc", "ld-linux": "libc", "libhs": "hyperscan",
             "libcrypto": "openssl", "libstdc++": "libc", "libgcc_s": "libc"}
# The rows that the machine's libraries decide, and not this repository.
FOREIGN = sorted(set(LIBRARIES.values()))
STAND_IN = "stand-in"  # tests/cost itself


class Profile:
    """
    Instructions of one run. Code that was inlined counts for the room of the file that it stands
    in, if that is one of ours; else for the room of the function that it was inlined into.
    """

    def __init__(self, path, source, build):
        self.source, self.build = os.path.realpath(source), build
        self.rooms = collections.Counter()
        self.own = collections.Counter()  # (object, file, function): instructions of its own
        self.under = collections.Counter()  # the same with all that it calls
        self.room_of = {}  # the same key: room
        self.lines = collections.Counter()  # (the same key, file, line)
        self.callers = collections.defaultdict(collections.Counter)
        self.known = {}
        self.read(path)
        self.place()

    def read(self, path):
        ob = at = key = callee = None
        ob_of_callee = file_of_callee = None
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                line = line.rstrip("\n")
                if line[:1].isdigit():
                    number, cost = (int(n) for n in line.split()[:2])
                    if callee:  # what a call took stands behind it
                        self.callers[callee][key] += cost
                        self.under[key] += cost
                        callee = None
                    else:
                        self.own[key] += cost
                        self.under[key] += cost
                        self.lines[key, at, number] += cost
                    continue
                name, _, value = line.partition("=")
                if name == "ob":
                    ob = value
                elif name in ("fl", "fi", "fe"):  # fi, fe: of code inlined, and behind it
                    at = value
                elif name == "fn":
                    key = (ob, at, value)
                elif name == "cob":
                    ob_of_callee = value
                elif name in ("cfi", "cfl"):
                    file_of_callee = value
                elif name == "cfn":
                    callee = (ob_of_callee or ob, file_of_callee or at, value)
                    ob_of_callee = file_of_callee = None

    def room_of_file(self, path):
        """lib/flow/table.c is of room flow; app/engine/worker.c of app/engine. None: not ours."""
        if path in self.known:
            return self.known[path]
        room = None
        if path and "/" in path:
            whole = os.path.realpath(os.path.join(self.build, path))
            parts = os.path.relpath(whole, self.source).split("/")
            if parts[0] == "lib":
                room = parts[1]
            elif parts[0] == "app":
                room = "/".join(parts[:2])
            elif parts[0] == "tests":
                room = STAND_IN
        self.known[path] = room
        return room

    def room_of_function(self, key, depth=0):
        """Code of a system's header is of the room that calls it."""
        ob, fl, _ = key
        room = self.room_of_file(fl)
        if room:
            return room
        base = os.path.basename(ob or "")
        for begin, library in LIBRARIES.items():
            if re.match(re.escape(begin) + r"[-.\d]", base):
                return library
        callers = self.callers.get(key)
        if callers and depth < 8:
            return self.room_of_function(callers.most_common(1)[0][0], depth + 1)
        return "other"

    def place(self):
        for key in self.own:
            self.room_of[key] = self.room_of_function(key)
        for (key, path, _), cost in self.lines.items():
            mine = self.room_of[key]
            room = mine if mine in FOREIGN else self.room_of_file(path) or mine
            self.rooms[room] += cost

    def foreign_by_room(self):
        """{(room, library): instructions that the library took when the room called it}"""
        taken = collections.Counter()
        for callee, callers in self.callers.items():
            for caller, cost in callers.items():
                a, b = self.room_of.get(caller), self.room_of.get(callee)
                if a not in FOREIGN and b in FOREIGN:
                    taken[a, b] += cost
                elif a in FOREIGN and b not in FOREIGN:  # called back
                    taken[b, a] -= cost
        return taken

    def dearest(self, cnt):
        """[(name, room, own, with callees)]"""
        return [(key[2], self.room_of[key], own, self.under[key])
                for key, own in self.own.most_common(cnt)]

    def dearest_lines(self, cnt):
        """[(file:line, instructions)], of our own code, also where it was inlined."""
        taken = collections.Counter()
        for (_, path, number), cost in self.lines.items():
            if self.room_of_file(path) not in (None, STAND_IN):
                whole = os.path.realpath(os.path.join(self.build, path))
                taken[f"{os.path.relpath(whole, self.source)}:{number}"] += cost
        return taken.most_common(cnt)
