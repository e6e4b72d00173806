"""Reads a ring's file as docs/rings.md describes it, without the program's own code."""
import struct

HEADER, SLOT = 4096, 64
CAPACITY, PROD_TAIL, CONS_TAIL, RELEASED = 16, 32, 36, 256


def messages(path):
    """(number of the first message that is not released, [(number, kind, bytes)] in the ring)."""
    with open(path, "rb") as file:
        raw = file.read()
    magic, version, slot_size = struct.unpack_from("<8sII", raw)
    assert (magic, version, slot_size) == (b"ethring1", 1, SLOT), (magic, version, slot_size)
    slots, = struct.unpack_from("<Q", raw, 24)
    prod, cons, begin = struct.unpack_from("<III", raw, PROD_TAIL)
    written, = struct.unpack_from("<I", raw, prod)
    released, = struct.unpack_from("<I", raw, cons)
    first, = struct.unpack_from("<Q", raw, RELEASED)
    out, at, left = [], released, (written - released) & 0xFFFFFFFF

    def take(at, cnt):
        """cnt slots from position at; they go on at the begin."""
        at %= slots
        head = raw[begin + at * SLOT:begin + min(at + cnt, slots) * SLOT]
        return head + raw[begin:begin + max(0, at + cnt - slots) * SLOT]

    while left:
        number, kind, size = struct.unpack_from("<QII", take(at, 1))
        cnt = (16 + size + SLOT - 1) // SLOT
        assert cnt <= left, f"message {number} is longer than what was written"
        assert not out or number == out[-1][0] + 1, f"message {number} behind {out[-1][0]}"
        out.append((number, kind, take(at, cnt)[16:16 + size]))
        at, left = at + cnt, left - cnt
    return (out[0][0] if out else first), out


def last_number(path):
    """Of all that was ever published."""
    first, held = messages(path)
    return held[-1][0] if held else first - 1
