"""Captures for run-live that et-traffic does not make: smallest frames, and very many peers."""

import random
import struct

SERVER = (198, 19, 255, 25)  # of the addresses that RFC 2544 keeps for benchmarks
PORT = 25
SMALLEST = 60  # 64 on the wire, with the frame check sequence
SYN, RST, ACK, PSH = 2, 4, 16, 8
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
