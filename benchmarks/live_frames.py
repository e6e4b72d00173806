"""Captures for run-live and run-engine that are no sessions of a mix as they are."""

import ipaddress
import json
import pathlib
import random
import struct
import sys

SERVER = (198, 19, 255, 25)  # of the addresses that RFC 2544 keeps for benchmarks
PORT = 25
SMALLEST = 60  # 64 on the wire, with the frame check sequence
SYN, RST, PSH, ACK = 2, 4, 8, 16
COMMANDS = 3  # in TLS, until all is known of a session
START_S = 1767225600  # the start of a minute
PCAP_HEADER = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)


def frame(src, dst, src_port, dst_port, seq, ack, flags, payload=b""):
    """One TCP segment, without checksums: nobody who only listens checks them."""
    ip = struct.pack("!BBHHHBBH4B4B", 0x45, 0, 40 + len(payload), 0, 0x4000, 60, 6, 0, *src, *dst)
    tcp = struct.pack("!HHIIBBHHH", src_port, dst_port, seq, ack, 0x50, flags, 65535, 0, 0)
    whole = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + ip + tcp + payload
    return whole.ljust(SMALLEST, b"\0")


def record(data, at_ns):
    second, ns = divmod(at_ns, 1000000000)
    return struct.pack("<IIII", START_S + second, ns, len(data), len(data)) + data


def client(number):
    """One of 65,536 * 2 clients: 198.18.0.0/15 without the server's last byte."""
    return 198, 18 + (number >> 16 & 1), number >> 8 & 255, number & 255


def smallest(path, flows):
    """One smallest frame of each flow, in no order. Every round of a replay repeats all."""
    numbers = list(range(flows))
    random.Random(1).shuffle(numbers)
    with open(path, "wb") as out:
        out.write(PCAP_HEADER)
        for at, number in enumerate(numbers):
            data = frame(client(number), SERVER, 40000 + number % 20000, PORT, 1, 1, ACK | PSH,
                         b"abcdef")
            out.write(record(data, at * 1000))


def session(number, port):
    """The frames of a mail session in clear that its client ends early."""
    lines = [(0, b"220 mx.example ESMTP\r\n"), (1, b"EHLO c.example\r\n"),
             (0, b"250 mx.example\r\n")]
    ends = [(SERVER, client(number), PORT, port), (client(number), SERVER, port, PORT)]
    seq = [2001, 1001]
    frames = [frame(*ends[1], 1000, 0, SYN), frame(*ends[0], 2000, 1001, SYN | ACK)]
    for side, line in lines:
        frames.append(frame(*ends[side], seq[side], seq[1 - side], ACK | PSH, line))
        seq[side] += len(line)
    frames.append(frame(*ends[1], seq[1], seq[0], RST | ACK))
    return frames


def many_peers(path, peers, rounds, border):
    """
    Each peer has `rounds` sessions within the first minute, and every tenth one more behind it; in
    the same minute without `border`, so that the two differ in nothing else.
    """
    # the last session of the minute ends some milliseconds before it does
    at_ns, step_ns = 59900000000 - peers * rounds * 6 * 90, 90
    with open(path, "wb") as out:
        out.write(PCAP_HEADER)
        for i in range(rounds + 1):
            if i == rounds and border:
                at_ns = 60000000000
            for number in range(0, peers, 1 if i < rounds else 10):
                for data in session(number, 40000 + i):
                    out.write(record(data, at_ns))
                    at_ns += step_ns


def frames_of(pcap):
    """The frames of a capture with nanoseconds or microseconds, in its order."""
    data = pcap.read_bytes()
    at = len(PCAP_HEADER)
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def ends_of(data):
    """(address, port) of both ends, and the payload, of a TCP segment over IPv4; else None."""
    if len(data) < 54 or data[12:14] != b"\x08\0" or data[23] != 6:
        return None
    at = 14 + 4 * (data[14] & 15)
    ports = struct.unpack_from("!HH", data, at)
    end = 14 + int.from_bytes(data[16:18], "big")
    return (data[26:30], ports[0]), (data[30:34], ports[1]), data[at + 4 * (data[at + 12] >> 4):end]


def known(path, pcap, truth):
    """
    For ET_REPLAY_FLOWS: the shortest session of the capture that comes to TLS 1.3, up to its
    client's first commands in TLS, and behind it a smallest frame of this client.
    """
    sessions = [json.loads(line) for line in truth.read_text().splitlines()]
    sessions = [s for s in sessions if (s["tls"] or {}).get("version") == "TLSv1.3" and
                s["tls"]["outcome"] == "established" and "." in s["client"]["ip"]]
    best = min(sessions, key=lambda s: sum(s["packets"].values()))
    client, server = ((ipaddress.ip_address(best[end]["ip"]).packed, best[end]["port"])
                      for end in ("client", "server"))
    protected = 0  # segments of the client that begin with a TLS record of application data
    with open(path, "wb") as out:
        out.write(PCAP_HEADER)
        for data in frames_of(pcap):
            ends = ends_of(data)
            if not ends or {ends[0], ends[1]} != {client, server} or protected > COMMANDS:
                continue
            out.write(record(data, 0))
            protected += ends[0] == client and ends[2][:1] == b"\x17"
        out.write(record(frame(client[0], server[0], client[1], server[1], 1, 1, ACK | PSH,
                               b"abcdef"), 0))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("live_frames.py OUT PCAP TRUTH: a capture for ET_REPLAY_FLOWS")
    known(*map(pathlib.Path, sys.argv[1:]))
