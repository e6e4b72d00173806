"""Capture files and frames for the tests of this folder: read, changed, wrapped, written."""
import struct
from dataclasses import dataclass

OUTER = bytes.fromhex("020000000001020000000002")
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass
class Frame:
    ts_ns: int
    data: bytes
    wire_len: int = 0  # 0: as data


def read(path):
    """Frames of a pcap file of Ethernet; None when it is another file."""
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) < 24:
        return None
    for order in "<>":
        magic, = struct.unpack_from(order + "I", raw)
        link, = struct.unpack_from(order + "I", raw, 20)
        if magic in (0xA1B2C3D4, 0xA1B23C4D) and link & 0xFFFF == 1:
            unit = 1000 if magic == 0xA1B2C3D4 else 1
            break
    else:
        return None
    frames, at = [], 24
    while at + 16 <= len(raw):
        sec, part, kept, size = struct.unpack_from(order + "IIII", raw, at)
        if at + 16 + kept > len(raw):
            return None
        frames.append(Frame(sec * 10**9 + part * unit, raw[at + 16:at + 16 + kept], size))
        at += 16 + kept
    return frames if at == len(raw) else None


def write(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", *divmod(frame.ts_ns, 10**9), len(frame.data),
                                   max(frame.wire_len, len(frame.data))))
            file.write(frame.data)
    return path


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(protocol, payload, src=b"\x0a\xff\x00\x01", dst=b"\x0a\xff\x00\x02", number=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, 0, 64, protocol, 0,
                       src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


# ---- wrapped: one frame becomes others; number tells datagrams apart ----

def vlan(data, _number):
    return [data[:12] + b"\x81\x00\x00\x19" + data[12:]]


def qinq(data, _number):
    return [data[:12] + b"\x88\xa8\x00\x02\x81\x00\x00\x19" + data[12:]]


def vxlan(data, number):
    inner = b"\x08\x00\x00\x00\x00\x00\x2a\x00" + data
    udp = struct.pack(">HHHH", 40000 + number % 1000, 4789, 8 + len(inner), 0) + inner
    return [OUTER + b"\x08\x00" + ipv4(17, udp, number=number & 0xFFFF)]


def gre(data, number):
    return [OUTER + b"\x08\x00" + ipv4(47, b"\x00\x00\x65\x58" + data, number=number & 0xFFFF)]


def erspan(data, number):
    head = struct.pack(">HHI", 0x1000, 0x88BE, number) + struct.pack(">HHI", 0x1019, 0x0001, 0)
    return [OUTER + b"\x08\x00" + ipv4(47, head + data, number=number & 0xFFFF)]


def _fragments4(data, number):
    """An untagged IPv4 frame as two; the cut is in the middle."""
    head, total = (data[14] & 15) * 4, struct.unpack_from(">H", data, 16)[0]
    payload = data[14 + head:14 + total]
    cut = len(payload) // 2 // 8 * 8
    out = []
    for at, part, more in ((0, payload[:cut], 0x2000), (cut, payload[cut:], 0)):
        ip = bytearray(data[14:14 + head])
        struct.pack_into(">HHH", ip, 2, head + len(part), number & 0xFFFF, more | at // 8)
        ip[10:12] = b"\0\0"
        struct.pack_into(">H", ip, 10, checksum(bytes(ip)))
        out.append(data[:14] + bytes(ip) + part)
    return out


def _fragments6(data, number):
    payload = data[54:54 + struct.unpack_from(">H", data, 18)[0]]
    cut = len(payload) // 2 // 8 * 8
    out = []
    for at, part, more in ((0, payload[:cut], 1), (cut, payload[cut:], 0)):
        ip = bytearray(data[14:54])
        struct.pack_into(">H", ip, 4, 8 + len(part))
        ip[6] = 44
        out.append(data[:14] + bytes(ip) + struct.pack(">BBHI", data[20], 0, at | more, number) +
                   part)
    return out


def fragments(data, number, longer=600):
    """Two fragments of each frame of more than 600 bytes."""
    kind = data[12:14]
    if len(data) > longer and kind == b"\x08\x00":
        return _fragments4(data, number)
    if len(data) > longer and kind == b"\x86\xdd":
        return _fragments6(data, number)
    return [data]


def swapped(data, number):
    return fragments(data, number)[::-1]


def outer_fragments(data, number):
    return fragments(vxlan(data, number)[0], number)


def outer_swapped(data, number):
    return outer_fragments(data, number)[::-1]


def inner_fragments(data, number):
    return [vxlan(part, number)[0] for part in fragments(data, number)]


def inner_swapped(data, number):
    return inner_fragments(data, number)[::-1]


def both_fragments(data, number):
    """Fragments of the inner packet, of which the outer ones are fragments again."""
    return [part for i, inner in enumerate(fragments(data, number))
            for part in fragments(vxlan(inner, number)[0], 2 * number + i, longer=400)]


def wrapped(frames, how):
    return [Frame(frame.ts_ns, data) for number, frame in enumerate(frames)
            for data in how(frame.data, number)]


# ---- TCP ----

class Segment:
    """Where TCP lies in an untagged frame of IPv4 or IPv6; ok is False where there is none."""

    def __init__(self, data):
        self.ok, self.data = False, data
        kind = data[12:14]
        if kind == b"\x08\x00" and len(data) >= 54 and data[14] >> 4 == 4 and data[23] == 6:
            self.head = 14 + (data[14] & 15) * 4
            self.end = 14 + struct.unpack_from(">H", data, 16)[0]
            self.places, self.width = (26, 30), 4
        elif kind == b"\x86\xdd" and len(data) >= 74 and data[20] == 6:
            self.head, self.end = 54, 54 + struct.unpack_from(">H", data, 18)[0]
            self.places, self.width = (22, 38), 16
        else:
            return
        if self.end > len(data) or self.head + 20 > self.end:
            return
        self.ok = True
        self.start = self.head + (data[self.head + 12] >> 4) * 4
        self.seq, = struct.unpack_from(">I", data, self.head + 4)
        self.flags = data[self.head + 13]
        ports = struct.unpack_from(">HH", data, self.head)
        self.ends = [(data[at:at + self.width], port) for at, port in zip(self.places, ports)]
        self.flow = tuple(sorted(self.ends))

    def payload(self):
        return self.data[self.start:self.end]

    def with_payload(self, payload, flags):
        data = bytearray(self.data[:self.start] + payload)
        data[self.head + 13] = flags
        if self.width == 4:
            struct.pack_into(">H", data, 16, len(data) - 14)
            data[24:26] = b"\0\0"
            struct.pack_into(">H", data, 24, checksum(bytes(data[14:self.head])))
        else:
            struct.pack_into(">H", data, 18, len(data) - 54)
        return bytes(data)


def merged(frames, longest):
    """Segments of one sender that follow each other become one of up to `longest` bytes."""
    out, last = [], {}
    for frame in frames:
        now = Segment(frame.data)
        if not now.ok:
            out.append(frame)
            continue
        at = last.get(tuple(now.ends))
        before = Segment(out[at].data) if at is not None else None
        if before and now.payload() and before.payload() and \
                not before.flags & (SYN | FIN | RST) and \
                now.seq == (before.seq + len(before.payload())) & 0xFFFFFFFF and \
                len(before.payload()) + len(now.payload()) < longest:
            out[at] = Frame(out[at].ts_ns, before.with_payload(
                before.payload() + now.payload(), before.flags | now.flags))
            continue
        last[tuple(now.ends)] = len(out)
        out.append(frame)
    return out


def trailed(frames, size):
    """Each frame with bytes behind its IP packet, `size` in all."""
    return [Frame(frame.ts_ns, frame.data.ljust(size, b"\x16")) for frame in frames]


def split(frames):
    """By direction: the frames from the lower endpoint, and the others."""
    sides = [], []
    for frame in frames:
        segment = Segment(frame.data)
        sides[segment.ok and segment.ends[0] > segment.ends[1]].append(frame)
    return sides


def connections(frames):
    """The frames of each TCP connection, by its endpoints, in the order of their begin."""
    flows = {}
    for frame in frames:
        segment = Segment(frame.data)
        if segment.ok:
            flows.setdefault(segment.flow, []).append(frame)
    return flows


def renamed(data, client, address, port):
    """The frame with another address and port where client stands. Checksums become wrong."""
    segment, out = Segment(data), bytearray(data)
    for i, end in enumerate(segment.ends):
        if end == client:
            out[segment.places[i]:segment.places[i] + segment.width] = address
            struct.pack_into(">H", out, segment.head + 2 * i, port)
    return bytes(out)
