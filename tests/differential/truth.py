"""The oracle's side: tshark's truth about a folder of captures, as Python values.

A captures folder holds INDEX.tsv, files/ and truth/. For a capture `repo/file`,
truth/repo__file.streams.tsv has a row per TCP stream with mail or TLS, and
truth/repo__file.tsv a row per handshake message, alert, mail command and reply.
Nothing here knows what ehlotap writes.
"""
import ipaddress
import os
from dataclasses import dataclass, field

VERSIONS = {0x0002: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv1.0",
            0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
GREASE = {0x0A0A + 0x1010 * i for i in range(16)}
# "Signalling cipher suite values" stand in the list of suites but are none: RFC 5746, RFC 7507
SIGNALLING = {0x00FF, 0x5600}


class TruthError(Exception):
    """The captures folder is not what its README says."""


def ints(text):
    """The numbers of a comma-separated cell, decimal or 0x-hexadecimal, GREASE left out."""
    values = [int(part, 0) for part in text.split(",") if part]
    return [v for v in values if v not in GREASE]


def version_name(number):
    """The record's name of a protocol version; None if it has none there.

    The drafts of TLS 1.3 (0x7fNN, and 0xfbNN of one large site) negotiate TLS 1.3."""
    if number >> 8 in (0x7F, 0xFB):
        return "TLSv1.3"
    return VERSIONS.get(number)


def canonical_ip(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def micros(epoch):
    """tshark's epoch ("1675180990.316021000") in whole microseconds; None if it has none."""
    seconds, _, fraction = epoch.partition(".")
    try:
        return int(seconds) * 1_000_000 + int((fraction + "000000")[:6])
    except ValueError:
        return None


@dataclass
class Stream:
    """One TCP stream: the summary row `facts` and the message rows in the order of the wire."""
    number: int
    client: tuple
    server: tuple
    facts: dict
    rows: list = field(default_factory=list)

    def count(self, name):
        return int(self.facts[name] or 0)

    @property
    def direction_known(self):
        """False where nothing showed who is the client: then `client` is only who spoke first."""
        return any(row["dir"] != "?" for row in self.rows)

    @property
    def first_us(self):
        times = [t for t in (micros(row["epoch"]) for row in self.rows) if t is not None]
        return min(times, default=None)

    @property
    def hellos(self):
        return [row for row in self.rows if row["name"] == "ClientHello"]

    @property
    def server_hello(self):
        return next((row for row in self.rows if row["name"] == "ServerHello"), None)

    @property
    def version(self):
        """Negotiated version by its name; None without a ServerHello or for an unknown number."""
        numbers = ints(self.facts["neg_version"])
        return version_name(numbers[0]) if numbers else None

    @property
    def legacy_tls(self):
        """A ServerHello of TLS 1.2 or older: certificates cross the wire in clear."""
        return self.version is not None and self.version != "TLSv1.3"

    def certificates(self, direction):
        """The first Certificate message (or SSLv2 ServerHello) sent in `direction`, or None."""
        for row in self.rows:
            if row["dir"] != direction or not row["n_certs"]:
                continue
            if row["name"] == "Certificate" or row["rec_ver"] == "SSLv2":
                return row
        return None

    @property
    def plain_alerts(self):
        return [(row["dir"], int(row["alert_level"] or 0), int(row["alert_desc"]))
                for row in self.rows if row["kind"] == "ALERT" and row["alert_desc"]]

    @property
    def has_message(self):
        """A hello or a line of mail dialogue: a session record must exist. Encrypted rows alone
        are the middle of a connection, about which there may be nothing to say."""
        return any(row["name"] in ("ClientHello", "ServerHello", "HelloRetryRequest")
                   or row["kind"].endswith(("_CMD", "_RSP")) for row in self.rows)

    @property
    def doubts(self):
        """What makes tshark's word weak here, as a hint beside a disagreement."""
        hints = []
        if any(row["name"] == "ENC" and row["kind"] == "HS" for row in self.rows):
            hints.append("ENC rows")
        if self.facts["syn"] == "0" and self.facts["synack"] == "0":
            hints.append("no SYN")
        hints += [name for name in ("lost_seg", "out_of_order", "truncated_frames",
                                    "overlap_conflict") if self.count(name)]
        if "2" in self.facts["tls_pass"].split(","):
            hints.append("pass 2")
        return ", ".join(hints)


@dataclass
class Capture:
    """One capture: `path` is as in INDEX.tsv, `file` where it lies."""
    path: str
    file: str
    kind: str
    streams: list
    complaints: list
    readable: bool

    @property
    def damaged(self):
        """tshark itself says that the file breaks off or is damaged."""
        words = ("cut short", "appears to be damaged", "bigger than maximum", "too small for")
        return any(word in line for line in self.complaints for word in words)


def table(path):
    """Rows of a TSV with a header as dicts, and the `#tshark:` lines among them."""
    rows, complaints = [], []
    with open(path, encoding="utf-8", errors="replace", newline="\n") as lines:
        names = lines.readline().rstrip("\n").split("\t")
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("#tshark:"):
                complaints.append(line)
                continue
            cells = line.split("\t")
            if len(cells) != len(names):
                raise TruthError(f"{path}: {len(cells)} cells under {len(names)} names")
            rows.append(dict(zip(names, cells)))
    return rows, complaints


def use_inner_addresses(stream):
    """The summary of IPv6 in an IPv4 tunnel has the tunnel's addresses, the rows have the inner
    ones, and so their `dir` says s2c throughout. The ports are right in both: go by them."""
    for row in stream.rows:
        ends = [(canonical_ip(row["src"]), int(row["sport"])),
                (canonical_ip(row["dst"]), int(row["dport"]))]
        if set(ends) == {stream.client, stream.server}:
            continue
        from_client = ends[0][1] == stream.client[1]
        row["dir"] = "c2s" if from_client else "s2c"
        if stream.rows[-1] is row:
            stream.client, stream.server = ends if from_client else ends[::-1]


def load_capture(folder, entry):
    """The Capture of one row of INDEX.tsv."""
    base = os.path.join(folder, "truth", entry["path"].replace("/", "__"))
    summaries, complaints = table(base + ".streams.tsv")
    rows, _ = table(base + ".tsv")
    streams = {}
    for facts in summaries:
        client = (canonical_ip(facts["client"]), int(facts["cport"] or 0))
        server = (canonical_ip(facts["server"]), int(facts["sport"] or 0))
        streams[facts["stream"]] = Stream(int(facts["stream"]), client, server, facts)
    for row in rows:
        if row["stream"] in streams:
            streams[row["stream"]].rows.append(row)
    for stream in streams.values():
        use_inner_addresses(stream)
    # libpcap has no reader for ERF; PDML_ERROR stands where tshark gave up at once
    counted = entry["packets"].isdigit() and entry["packets"] != "0" and "pcap" in entry["format"]
    given_up = any(row["kind"] == "PDML_ERROR" for row in rows)
    readable = bool(streams) or counted and not given_up
    return Capture(entry["path"], os.path.join(folder, "files", entry["path"]), entry["class"],
                   list(streams.values()), complaints, readable)


def index(folder):
    """The rows of INDEX.tsv."""
    return table(os.path.join(folder, "INDEX.tsv"))[0]
