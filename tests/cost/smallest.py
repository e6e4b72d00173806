"""C, smallest: one smallest frame after the other, of known connections that nobody parses."""

import random
import struct

FLOWS = 16384
ROUNDS = 5  # the first one opens the connections
SMALLEST = 60  # 64 on the wire, with the frame check sequence
SERVER = bytes((198, 19, 255, 25))  # of the addresses that RFC 2544 keeps for benchmarks
PORT = 25
START_S = 1767225601
STEP_NS = 1000
HEADER = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)
ACK, PSH = 16, 8


def frame(number, back, seq):
    """Six bytes of one connection, the client's or the server's. Checksums: nobody looks."""
    client = bytes((198, 18, number >> 8 & 255, number & 255))
    ends = [(client, 40000 + number % 20000), (SERVER, PORT)]
    (src, src_port), (dst, dst_port) = reversed(ends) if back else ends
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0x4000, 60, 6, 0, src, dst)
    tcp = struct.pack("!HHIIBBHHH", src_port, dst_port, seq, 1, 0x50, ACK | PSH, 65535, 0, 0)
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + ip + tcp + b"abcdef"


def write(path):
    """Each round has every connection once, in no order; directions by chance."""
    rng = random.Random(1)
    numbers = list(range(FLOWS))
    at_ns = 0
    with open(path, "wb") as out:
        out.write(HEADER)
        for i in range(ROUNDS):
            rng.shuffle(numbers)
            for number in numbers:
                data = frame(number, rng.random() < 0.5, 1 + 6 * i)
                assert len(data) == SMALLEST
                out.write(struct.pack("<IIII", START_S, at_ns, len(data), len(data)) + data)
                at_ns += STEP_NS
