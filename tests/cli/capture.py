"""Captures for the tests: reads a pcap file into frames, writes frames as pcap or pcapng."""
import struct

PCAP = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
MAGIC = 0xA1B2C3D4
ETHERNET = 1


class Frame:
    """A frame and its stamp in microseconds since 1970."""

    def __init__(self, us, data):
        self.us, self.data = us, data

    def later(self, us):
        return Frame(self.us + us, self.data)

    def addresses(self):
        """What tells its conversation: the sorted addresses, as bytes."""
        if self.data[12:14] == b"\x08\x00":
            return sorted((self.data[26:30], self.data[30:34]))
        return sorted((self.data[22:38], self.data[38:54]))


def read(path):
    """The frames of a little-endian pcap file with microseconds."""
    with open(path, "rb") as file:
        content = file.read()
    assert PCAP.unpack_from(content)[0] == MAGIC, "the sample has another form"
    frames, at = [], PCAP.size
    while at < len(content):
        sec, usec, length, _ = RECORD.unpack_from(content, at)
        at += RECORD.size
        frames.append(Frame(sec * 1000000 + usec, content[at:at + length]))
        at += length
    return frames


def head():
    return PCAP.pack(MAGIC, 2, 4, 0, 0, 262144, ETHERNET)


def record(frame):
    return RECORD.pack(frame.us // 1000000, frame.us % 1000000, len(frame.data),
                       len(frame.data)) + frame.data


def pcap(frames):
    return head() + b"".join(record(frame) for frame in frames)


def block(kind, body):
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def pcapng(frames, offset_s=0):
    """Stamps count from offset_s, which may lie before 1970 (the option if_tsoffset)."""
    blocks = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
              block(1, struct.pack("<HHIHHqHH", ETHERNET, 0, 262144, 14, 8, offset_s, 0, 0))]
    for frame in frames:
        us = frame.us - offset_s * 1000000
        blocks.append(block(6, struct.pack("<IIIII", 0, us >> 32, us & 0xFFFFFFFF,
                                           len(frame.data), len(frame.data)) + frame.data))
    return b"".join(blocks)
