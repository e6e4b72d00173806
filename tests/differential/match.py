"""Which session record tells of which truth stream."""
import datetime

EPOCH = datetime.datetime(1970, 1, 1)


def start_us(record):
    start = datetime.datetime.strptime(record["start"], "%Y-%m-%dT%H:%M:%S.%fZ")
    return (start - EPOCH) // datetime.timedelta(microseconds=1)


def ends(record):
    return tuple((record[side]["ip"], record[side]["port"]) for side in ("client", "server"))


def pair(streams, records):
    """-> (list of (stream, record or None), records left over).

    The two ends are compared without order, since truth may not know who the client is. Where a
    4-tuple recurs, a stream belongs to the last record that starts no later than the stream's
    first message; failing that (clocks in damaged captures), to the first one not yet taken."""
    waiting = {}
    for record in sorted(records, key=start_us):
        waiting.setdefault(frozenset(ends(record)), []).append(record)
    pairs = []
    for stream in sorted(streams, key=lambda s: s.number):
        candidates = waiting.get(frozenset((stream.client, stream.server)), [])
        first = stream.first_us
        begun = [r for r in candidates if first is not None and start_us(r) <= first]
        record = begun[-1] if begun else next(iter(candidates), None)
        if record is not None:
            candidates[:] = [r for r in candidates if r is not record]
        pairs.append((stream, record))
    return pairs, [r for group in waiting.values() for r in group]
