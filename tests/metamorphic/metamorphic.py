#!/usr/bin/env python3
"""Does the answer stay the same when the capture changes in a way that must not matter?

    metamorphic.py BINARY [CAPTURE...]

BINARY is `ehlotap`; the captures are pcap files of untagged Ethernet, tests/data/sample.pcap if
none is given. No expected values are kept: each capture is changed in a known way, and the records
of the changed one are compared with those of the original.

What must change nothing but counts and times: a mirror that shows each packet twice, two taps that
show a reply before its request, segments cut small, segments merged, VLAN tags, a shift of the
clock by years, bytes behind the IP packet.

What may only make the answer weaker: one direction missing, any single packet missing, the capture
ending after any packet. Weaker is `unknown`, `incomplete` or null; another definite answer than
that of the whole capture is an error. A packet whose loss leaves no trace (nothing of its sender
behind it, and nobody acknowledged it) is not taken out.

Last line `N passed, N failed`, one per connection and change. Exit 0: all passed; 1: not all.
"""
import ipaddress
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "..", "data", "sample.pcap")
TIMEOUT_S = 120
SHOWN = 5  # failures printed of each change
FIN, SYN, RST, ACK = 1, 2, 4, 16
YEAR_NS = 365 * 86400 * 10**9
WEAK = {"unknown", "incomplete"}
# Packets of the connections whose packets are dropped one by one; longer ones cost their square.
SINGLE_MAX = 120


class Packet:
    """One frame of the capture, and where its TCP segment lies in it."""

    def __init__(self, ts_ns, data):
        self.ts_ns, self.data, self.flow = ts_ns, bytes(data), None
        kind = struct.unpack_from(">H", data, 12)[0] if len(data) >= 54 else 0
        if kind == 0x0800 and data[14] >> 4 == 4 and data[23] == 6:
            self.head = 14 + (data[14] & 15) * 4
            self.end = 14 + struct.unpack_from(">H", data, 16)[0]
            self.places, self.width = (26, 30), 4
        elif kind == 0x86DD and data[20] == 6 and len(data) >= 74:
            self.head, self.end = 54, 54 + struct.unpack_from(">H", data, 18)[0]
            self.places, self.width = (22, 38), 16
        else:
            return
        if self.end > len(data) or self.head + 20 > self.end:
            return
        self.start = self.head + (data[self.head + 12] >> 4) * 4
        self.seq, ack = struct.unpack_from(">II", data, self.head + 4)
        self.flags = data[self.head + 13]
        self.ack = ack if self.flags & ACK else None
        ports = struct.unpack_from(">HH", data, self.head)
        ends = [(self.data[at:at + self.width], port) for at, port in zip(self.places, ports)]
        self.sender, self.flow = ends[0], tuple(sorted(ends))

    def payload(self):
        return self.data[self.start:self.end]

    def with_payload(self, seq, payload, flags):
        """The same segment with other bytes; what stood behind the IP packet is left out."""
        data = bytearray(self.data[:self.start] + payload)
        struct.pack_into(">I", data, self.head + 4, seq & 0xFFFFFFFF)
        data[self.head + 13] = flags
        if self.width == 4:
            struct.pack_into(">H", data, 16, len(data) - 14)
        else:
            struct.pack_into(">H", data, 18, len(data) - 54)
        return Packet(self.ts_ns, data)

    def renamed(self, client, number):
        """The same packet with another client address, made from the number."""
        data, tail = bytearray(self.data), struct.pack(">I", number)
        for at in self.places:
            if self.data[at:at + self.width] == client:
                data[at:at + self.width] = b"\x0a" + tail[1:] if self.width == 4 else \
                    bytes.fromhex("20010db8ffff00000000000a") + tail
        return Packet(self.ts_ns, data)


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    for order in "<>":
        magic, link = struct.unpack_from(order + "I", raw)[0], \
            struct.unpack_from(order + "I", raw, 20)[0]
        if magic in (0xA1B2C3D4, 0xA1B23C4D) and link & 0xFFFF == 1:
            unit = 1000 if magic == 0xA1B2C3D4 else 1
            break
    else:
        sys.exit(f"{path}: no pcap file of Ethernet")
    packets, at = [], 24
    while at + 16 <= len(raw):
        sec, part, kept, _ = struct.unpack_from(order + "IIII", raw, at)
        packets.append(Packet(sec * 10**9 + part * unit, raw[at + 16:at + 16 + kept]))
        at += 16 + kept
    return packets


def write(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for packet in packets:
            size = len(packet.data)
            file.write(struct.pack("<IIII", *divmod(packet.ts_ns, 10**9), size, size))
            file.write(packet.data)


class Program:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)

    def records(self, packets):
        """Records by (client address, client port, server address, server port)."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "changed.pcap")
            write(path, packets)
            done = subprocess.run([self.binary, "read", "--quiet", "--sessions", "-", path],
                                  capture_output=True, timeout=TIMEOUT_S, check=False)
        if done.returncode != 0:
            sys.exit(f"exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        found = {}
        for line in done.stdout.splitlines():
            record = json.loads(line)
            ends = record["client"], record["server"]
            key = tuple(end[name] for end in ends for name in ("ip", "port"))
            found.setdefault(key, []).append(record)
        return found


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, problems):
        """One per connection and change; problems is a list of sentences."""
        if not problems:
            self.passed += 1
            return
        self.failed += 1
        print(f"{name}:")
        for problem in problems[:SHOWN]:
            print(f"    {problem}")
        if len(problems) > SHOWN:
            print(f"    and {len(problems) - SHOWN} more")


# --- changes that must not matter -------------------------------------------------------------

def doubled(packets):
    return [packet for packet in packets for _ in range(2)]


def reply_first(packets):
    """
    Neighbours of opposite directions change places, once. Not where a connection begins or ends:
    who speaks behind a RST or FIN, and who opens, is told by the order alone.
    """
    out, last, moved = list(packets), {}, set()
    for at, packet in enumerate(packets):
        if packet.flow is None:
            continue
        before = last.get(packet.flow)
        last[packet.flow] = at
        if before is None or before in moved or packets[before].sender == packet.sender or \
                (packets[before].flags | packet.flags) & (SYN | FIN | RST):
            continue
        out[before], out[at] = [Packet(packets[to].ts_ns, packets[of].data)
                                for to, of in ((before, at), (at, before))]
        moved.add(at)
    return out


def split(packets, size=10):
    out = []
    for packet in packets:
        payload = packet.payload() if packet.flow else b""
        if len(payload) <= size:
            out.append(packet)
            continue
        seq, flags = packet.seq, packet.flags
        for at in range(0, len(payload), size):
            end = at + size >= len(payload)
            out.append(packet.with_payload(seq + at, payload[at:at + size],
                                           flags if end else flags & ~(FIN | RST)))
    return out


def merged(packets):
    """Segments of one sender that follow each other become one, as a NIC may do it."""
    out, last = [], {}
    for packet in packets:
        if packet.flow is None:
            out.append(packet)
            continue
        at = last.get(packet.flow)
        before = out[at] if at is not None else None
        if before is not None and before.sender == packet.sender and packet.payload() and \
                before.payload() and not before.flags & (SYN | FIN | RST) and \
                packet.seq == (before.seq + len(before.payload())) & 0xFFFFFFFF and \
                before.end - before.start + packet.end - packet.start < 60000:
            out[at] = before.with_payload(before.seq, before.payload() + packet.payload(),
                                          before.flags | packet.flags)
            continue
        last[packet.flow] = len(out)
        out.append(packet)
    return out


def tagged(packets, tags):
    return [Packet(p.ts_ns, p.data[:12] + tags + p.data[12:]) for p in packets]


def later(packets, years):
    return [Packet(p.ts_ns + years * YEAR_NS, p.data) for p in packets]


def trailed(packets):
    return [Packet(p.ts_ns, p.data + b"\x16\x03\x01\x02\x00\x01trailer") for p in packets]


ANY_TIME = ("start", "end")
# name, change, what of a record it may change
SAME = (
    ("each packet twice", doubled, ("packets", "bytes")),
    ("reply first", reply_first, ANY_TIME + ("tls.handshake_ms",)),
    ("small segments", split, ("packets",)),
    ("merged segments", merged, ("packets", "end", "tls.handshake_ms")),
    ("VLAN tag", lambda p: tagged(p, b"\x81\x00\x00\x19"), ()),
    ("QinQ", lambda p: tagged(p, b"\x88\xa8\x00\x02\x81\x00\x00\x19"), ()),
    # certificates expire
    ("years later", lambda p: later(p, 30), ANY_TIME + ("cause", "fallback.after")),
    ("trailer", trailed, ()),
)


def flat(record, name=""):
    """{"tls.version": ...} of a record."""
    out = {}
    for key, value in record.items():
        if isinstance(value, dict):
            out.update(flat(value, f"{name}{key}."))
        else:
            out[name + key] = value
    return out


def differences(was, now, free):
    was, now = flat(was), flat(now)
    return [f"{key}: {was.get(key)!r} became {now.get(key)!r}"
            for key in sorted(was.keys() | now.keys())
            if was.get(key) != now.get(key) and
            not any(key == f or key.startswith(f + ".") for f in free)]


def check_same(program, count, packets, base):
    for name, change, free in SAME:
        found = program.records(change(packets))
        for key in sorted(base.keys() | found.keys(), key=str):
            was, now = base.get(key, []), found.get(key, [])
            problems = [f"{len(was)} records became {len(now)}"] if len(was) != len(now) else []
            for a, b in zip(was, now):
                problems += differences(a, b, free)
            count.check(f"{name}: {key}", problems)


# --- changes that may only weaken -------------------------------------------------------------

def readable_failure(record):
    alert = record["tls"]["alert"]
    return record["tls"]["outcome"] == "failed" and alert is not None and not alert["inferred"]


def weaker(was, now):
    """What is told of less must be the same or nothing; a list of sentences."""
    problems = []
    outcome = now["tls"]["outcome"]
    # if the missing packet held all TLS that there was
    allowed = WEAK | {was["tls"]["outcome"]} | ({"none"} if now["gaps"]["client"] else set())
    if outcome not in allowed:
        problems.append(f"outcome: {was['tls']['outcome']} became {outcome}")
    for part, names in (("tls", ("version", "cipher_id", "group")),
                        ("starttls", ("offered", "reply"))):
        for name in names:
            if now[part][name] not in (None, was[part][name]):
                problems.append(f"{name}: {was[part][name]} became {now[part][name]}")
    if now["mode"] not in (None, was["mode"]) and \
            (was["mode"], now["mode"]) != ("starttls", "clear"):
        problems.append(f"mode: {was['mode']} became {now['mode']}")
    if (now["mail"]["clear"] or 0) > (was["mail"]["clear"] or 0):
        problems.append(f"clear mails: {was['mail']['clear']} became {now['mail']['clear']}")
    return problems


def leaves_trace(lost, rest):
    """Whether the rest tells that bytes are missing: some behind them, or their ACK."""
    for packet in rest:
        ahead = packet.seq if packet.sender == lost.sender else packet.ack
        if ahead is not None and (ahead - lost.seq - 1) & 0xFFFFFFFF < 1 << 31:
            return True
    return not lost.payload()


def one_missing(packets):
    for at, lost in enumerate(packets):
        rest = packets[:at] + packets[at + 1:]
        if leaves_trace(lost, rest):
            yield f"packet {at + 1} of {len(packets)}", rest


def cut(packets):
    for at in range(1, len(packets)):
        yield f"after packet {at} of {len(packets)}", packets[:at]


def address(ip):
    return ipaddress.ip_address(ip).packed


def check_each(program, count, flows, kind, variants, judge):
    """All variants of all connections in one run, each with a client address of its own."""
    said, packets, number = {}, [], 0
    for key, (record, own) in flows.items():
        client = address(key[0])
        for what, kept in variants(own):
            number += 1
            renamed = [packet.renamed(client, number) for packet in kept]
            packets += renamed
            said[number] = (key, what)
    packets.sort(key=lambda packet: packet.ts_ns)
    problems = {key: [] for key in flows}
    for found in program.records(packets).values():
        for now in found:
            number = int.from_bytes(address(now["client"]["ip"])[-3:], "big")
            if number not in said:  # the client was not known: the addresses changed places
                number = int.from_bytes(address(now["server"]["ip"])[-3:], "big")
            key, what = said[number]
            problems[key] += [f"{what}: {problem}"
                              for problem in judge(flows[key][0], now)]
    for key in flows:
        count.check(f"{kind}: {key}", problems[key])


def early(was, now):
    """A capture that ends early: nothing definite but what the whole one says."""
    outcome, end = now["tls"]["outcome"], was["tls"]["outcome"]
    if outcome == "none":
        return []
    # up to TLS 1.2 both Finished are success; that the connection died of it shows later
    if (outcome, end) == ("established", "broken") and now["tls"]["version"] != "TLSv1.3":
        return []
    return weaker(was, now)[:1] if outcome not in WEAK | {end} else []


def check_one_direction(program, count, packets, base):
    for side, name in enumerate(("client", "server")):
        ends = {(address(key[2 * side]), key[2 * side + 1]) for key in base}
        found = program.records([p for p in packets if p.flow and p.sender in ends])
        for key, records in found.items():
            problems = []
            for now in records:
                outcome = now["tls"]["outcome"]
                if outcome not in ("unknown", "none") and not readable_failure(now):
                    problems.append(f"outcome: {outcome}")
            count.check(f"only the {name}'s packets: {key}", problems)


def connections(packets, base):
    """key -> (record, packets), of those endpoints that have one connection, and not a long one."""
    flows = {}
    for packet in packets:
        if packet.flow:
            flows.setdefault(packet.flow, []).append(packet)
    out = {}
    for key, records in base.items():
        flow = tuple(sorted((address(key[at]), key[at + 1]) for at in (0, 2)))
        own = flows.get(flow, [])
        if len(records) == 1 and 0 < len(own) <= SINGLE_MAX:
            out[key] = (records[0], own)
    return out


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1].strip())
    program, count = Program(sys.argv[1]), Count()
    for path in sys.argv[2:] or [SAMPLE]:
        packets = read(path)
        base = program.records(packets)
        flows = connections(packets, base)
        check_same(program, count, packets, base)
        check_one_direction(program, count, packets, base)
        check_each(program, count, flows, "one packet missing", one_missing, weaker)
        check_each(program, count, flows, "capture cut", cut, early)
    print(f"{count.passed} passed, {count.failed} failed")
    sys.exit(1 if count.failed else 0)


main()
