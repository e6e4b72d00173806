"""Field by field: what truth says of a stream beside what its session record says.

`compare(stream, record)` yields a Check per comparable field. What truth cannot know gives no
Check at all, so that the table of counts tells how much was really compared.
"""
import datetime
import re
from dataclasses import dataclass

import match
import truth

GROUP_NAMES = {
    0x0017: "secp256r1", 0x0018: "secp384r1", 0x0019: "secp521r1", 0x001D: "x25519",
    0x001E: "x448", 0x0100: "ffdhe2048", 0x0101: "ffdhe3072", 0x0102: "ffdhe4096",
    0x11EB: "SecP256r1MLKEM768", 0x11EC: "X25519MLKEM768", 0x11ED: "SecP384r1MLKEM1024",
    0x6399: "X25519Kyber768Draft00"}
KEY_NAMES = {"rsaEncryption": {"rsa"}, "id-ecPublicKey": {"ecdsa"}, "dsaEncryption": {"dsa"},
             "rsassaPss": {"rsa", "rsa-pss", "rsa_pss"}, "ED25519": {"ed25519"},
             "ED448": {"ed448"}}
CURVE_NAMES = {"prime256v1": "secp256r1", "prime192v1": "secp192r1"}
SERVICES = {"SMTP": {"smtp", "submission", "smtps", "lmtp"}, "IMAP": {"imap", "imaps"},
            "POP": {"pop3", "pop3s"}}
MAY_HIDE = ("lost_seg", "truncated_frames")
# Extensions whose lists tshark runs into those of signature_algorithms (delegated_credential,
# signature_algorithms_cert) and of key_share (the drafted encrypted_server_name)
MORE_SIGALGS, MORE_KEY_SHARES = {34, 50}, {0xFFCE}


@dataclass
class Check:
    field: str
    truth: object
    ours: object
    agreed: bool


def same(field, expected, ours):
    return Check(field, expected, ours, expected == ours)


def among(field, allowed, ours):
    """For facts where several answers are right: null beside false, say."""
    return Check(field, "|".join(sorted(str(a) for a in allowed)), ours, ours in allowed)


def hexes(values, digits=4):
    return [format(v, f"0{digits}x") for v in values]


def numbers(texts):
    """A record's hexadecimal ids as numbers; GREASE is left in, for the program must drop it."""
    return [int(text, 16) for text in texts]


def compare(stream, record):
    """All Checks of one matched pair."""
    yield from connection(stream, record)
    yield from starttls(stream, record)
    yield from hello(stream, record)
    yield from server_hello(stream, record)
    yield from outcome(stream, record)
    yield from alerts(stream, record)
    if stream.legacy_tls:
        yield from certificates(stream, record)
        yield from client_certificate(stream, record)
    yield from mail(stream, record)


def connection(stream, record):
    theirs, ours = (stream.client, stream.server), match.ends(record)
    if stream.direction_known:
        yield same("direction", theirs, ours)
    if stream.facts["mail_proto"] in SERVICES:
        yield among("service", SERVICES[stream.facts["mail_proto"]], record["service"])


def reply_number(code):
    """Truth's reply as the record writes it: 220 stands for OK, 500 for a refusal."""
    if code == "none-seen":
        return None
    if code.isdigit():
        return int(code)
    return 220 if code.upper() in ("OK", "+OK") else 500


def starttls(stream, record):
    if not stream.facts["mail_proto"]:
        return
    ours = record["starttls"]
    offered = stream.facts["starttls_offered"] == "yes"
    yield among("starttls_offered", {True} if offered else {False, None}, ours["offered"])
    requested = stream.count("starttls_requested") > 0
    yield among("starttls_requested", {True} if requested else {False, None}, ours["requested"])
    replies = {reply_number(c) for c in stream.facts["starttls_reply"].split(",") if c} or {None}
    yield among("starttls_reply", replies, ours["reply"])
    accepted = stream.facts["starttls_accepted"] == "yes"
    yield same("starttls_accepted", accepted,
               ours["requested"] is True and ours["reply"] == 220)


def hello(stream, record):
    """The ClientHello. Where truth has several (after a HelloRetryRequest, or sent twice), the
    record may speak of any, but of one: the one with the fewest disagreements is taken."""
    yield same("client_hello", bool(stream.hellos), record["hello"] is not None)
    if not stream.hellos or record["hello"] is None:
        return
    rounds = [list(hello_fields(row, record["hello"])) for row in stream.hellos]
    yield from min(rounds, key=lambda checks: sum(not c.agreed for c in checks))


def hello_fields(row, ours):
    sslv2 = row["rec_ver"] == "SSLv2"
    legacy = truth.version_name(truth.ints(row["hs_ver"])[0]) if row["hs_ver"] else None
    # tshark gives an SSLv2-format record no version of its own
    record_version = "SSLv2" if sslv2 else truth.version_name(int(row["rec_ver"], 0))
    if record_version:
        yield same("record_version", record_version, ours["record_version"])
    if legacy:
        yield same("legacy_version", legacy, ours["legacy_version"])
    known = set(truth.VERSIONS.values())
    versions = [truth.VERSIONS.get(v) for v in truth.ints(row["sup_vers"] or row["hs_ver"])]
    yield same("client_versions", [v for v in versions if v],
               [v for v in ours["versions"] if v in known])
    suites = [s for s in truth.ints(row["ciphers"]) if s not in truth.SIGNALLING]
    if sslv2:  # the records name its TLS suites first, then SSLv2's own kinds
        suites.sort(key=lambda suite: suite > 0xffff)
    yield same("ciphers", hexes(suites), hexes(numbers(ours["ciphers"])))
    if row["ja3"]:
        yield same("ja3", row["ja3"], ours["ja3"])
    if sslv2:
        return
    yield same("compression", hexes(truth.ints(row["comp"]), 2), ours["compression"])
    yield same("groups", hexes(truth.ints(row["groups"])), ours["groups"])
    yield run_of("sigalgs", row, "sigalgs", ours, MORE_SIGALGS)
    yield run_of("key_shares", row, "key_shares", ours, MORE_KEY_SHARES)
    yield same("extensions", hexes(truth.ints(row["exts"])), ours["extensions"])
    if all(" " < c <= "~" for c in row["sni"]):
        first = row["sni"].split(",")[0] or None
        yield Check("sni", row["sni"] or None, ours["sni"], ours["sni"] in (row["sni"], first))
    if all(" " < c <= "~" for c in row["alpn"]):
        yield same("alpn", row["alpn"], ",".join(ours["alpn"]))


def run_of(field, row, column, hello_record, strangers):
    """The same list; or, where an extension among `strangers` has put its values into truth's
    list too, a run within that."""
    theirs, ours = hexes(truth.ints(row[column])), hello_record[field]
    if strangers.isdisjoint(truth.ints(row["exts"])):
        return same(field, theirs, ours)
    runs = (theirs[i:i + len(ours)] for i in range(len(theirs) - len(ours) + 1))
    return Check(field, theirs, ours, bool(ours) and ours in runs)


def server_hello(stream, record):
    row, tls = stream.server_hello, record["tls"]
    ours = record["server_hello"] or {"extensions": [], "session_id_len": None, "ja3s": None}
    seen = record["server_hello"] is not None and tls["version"] is not None
    # a number that is no version, out of garbage that looks like a ServerHello, decides nothing
    if row is not None and stream.version is None:
        return
    yield same("server_hello", row is not None, seen)
    if row is None or not seen:
        return
    yield same("version", stream.version, tls["version"])
    chosen = truth.ints(stream.facts["neg_cipher"])
    if chosen:
        theirs = hexes(chosen[:1], 6 if chosen[0] > 0xFFFF else 4)[0]
        yield same("cipher", theirs, tls["cipher_id"])
    yield same("hello_retry", stream.count("hrr") > 0, tls["hello_retry"])
    if stream.facts["resumption"]:
        yield same("resumed", stream.facts["resumption"] != "no", tls["resumed"])
    if stream.version == "SSLv2":
        return
    yield same("server_extensions", hexes(truth.ints(row["exts"])), ours["extensions"])
    if row["sid_len"]:
        yield same("session_id_len", truth.ints(row["sid_len"])[0], ours["session_id_len"])
    if row["ja3s"]:
        yield same("ja3s", row["ja3s"], ours["ja3s"])
    shares = truth.ints(row["key_shares"]) if row["key_shares"].isdigit() else []
    if stream.version == "TLSv1.3" and shares and shares[0] in GROUP_NAMES:
        yield same("group", GROUP_NAMES[shares[0]], tls["group"])


def fatal_alerts(stream):
    return [alert for alert in stream.plain_alerts if alert[1] == 2]


def outcome(stream, record):
    """Truth has no outcome; but some message rows leave only few."""
    ours = record["tls"]["outcome"]
    hidden = {"unknown"} if any(stream.count(name) for name in MAY_HIDE) else set()
    if not stream.direction_known:
        return
    finished = {row["dir"] for row in stream.rows
                if row["kind"] == "HS" and row["name"] in ("ENC", "Finished")}
    if not any(row["kind"] in ("HS", "ALERT") for row in stream.rows):
        yield among("outcome", {"none", "incomplete", "unknown"}, ours)
    elif fatal_alerts(stream) and stream.hellos and stream.server_hello is None:
        yield among("outcome", {"failed"} | hidden, ours)
    elif (stream.hellos and stream.legacy_tls and stream.version != "SSLv2"
          and finished == {"c2s", "s2c"} and not stream.plain_alerts):
        yield among("outcome", {"established", "broken"} | hidden, ours)
    elif stream.hellos or stream.server_hello:
        states = {"established", "failed", "incomplete", "broken", "unknown"}
        yield among("outcome", states, ours)


def alerts(stream, record):
    """The record holds one alert. A plain fatal one must be it; a plain warning may be; an
    encrypted one has no readable code, and what is inferred of it is not compared."""
    plain, ours = stream.plain_alerts, record["tls"]["alert"]
    if not stream.hellos and stream.server_hello is None:
        return
    levels, sides = {1: "warning", 2: "fatal"}, {"c2s": "client", "s2c": "server"}
    theirs = [(sides.get(d, "?"), levels.get(level, str(level)), code)
              for d, level, code in (fatal_alerts(stream) or plain)]
    if ours is None or ours["inferred"]:
        yield Check("alert", theirs or None, ours and "inferred", not fatal_alerts(stream))
        return
    mine = (ours["from"], ours["level"], ours["code"])
    yield Check("alert", theirs or None, mine, mine in theirs or ("?",) + mine[1:] in theirs)


def dn_parts(text):
    """A distinguished name as a sorted list of its attributes, free of order and escaping:
    truth has RFC 2253 order with hexadecimal escapes, the record may have either."""
    if text is None:
        return None
    parts = re.split(r"(?<!\\)[,+]\s*", text)
    return sorted(unescape(re.sub(r"^([^=]*?)\s*=\s*", r"\1=", part)) for part in parts)


def unescape(text):
    raw = re.sub(rb"\\([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
    plain = re.sub(r"\\(.)", r"\1", raw.decode("utf-8", "replace"))
    return " ".join(plain.split())


def iso_date(text):
    """openssl's "Feb 17 04:07:46 2012 GMT" as the record writes it."""
    when = datetime.datetime.strptime(" ".join(text.split()), "%b %d %H:%M:%S %Y GMT")
    return f"{when.year:04d}-{when:%m-%dT%H:%M:%S}Z"


def certificates(stream, record):
    row, ours = stream.certificates("s2c"), record["certs"]["server"] or []
    if not stream.direction_known:
        return
    yield same("cert_count", int(row["n_certs"]) if row else 0, len(ours))
    if row is None or not ours or not row["cert_sha256"]:
        return
    leaf, sums = ours[0], row["cert_sha256"].split(",")
    yield same("cert_sha256", sums[0], leaf["sha256"])
    if len(sums) == len(ours):
        yield same("cert_chain", sums, [cert["sha256"] for cert in ours])
    if not row["leaf_key"]:
        return
    yield Check("cert_subject", row["leaf_subject"], leaf["subject"],
                dn_parts(row["leaf_subject"]) == dn_parts(leaf["subject"]))
    yield Check("cert_issuer", row["leaf_issuer"], leaf["issuer"],
                dn_parts(row["leaf_issuer"]) == dn_parts(leaf["issuer"]))
    yield same("cert_dates", [iso_date(row["leaf_not_before"]), iso_date(row["leaf_not_after"])],
               [leaf["not_before"], leaf["not_after"]])
    if "INVALID" not in row["leaf_sigalg"]:
        yield Check("cert_sigalg", row["leaf_sigalg"], leaf["sigalg"],
                    row["leaf_sigalg"].lower() == (leaf["sigalg"] or "").lower())
    yield key(row["leaf_key"], leaf)


def key(text, leaf):
    """Kind, bits and named curve; a curve by explicit parameters has no name in truth."""
    kind, bits, curve = (text.split() + ["", ""])[:3]
    agreed = leaf["key"] in KEY_NAMES.get(kind, {kind})
    agreed = agreed and (not bits or int(bits) == leaf["bits"])
    agreed = agreed and (not curve or CURVE_NAMES.get(curve, curve) == leaf["curve"])
    return Check("cert_key", text, f"{leaf['key']} {leaf['bits']} {leaf['curve']}", agreed)


def client_certificate(stream, record):
    ours, names = record["tls"]["client_cert"], {row["name"] for row in stream.rows}
    if "CertificateRequest" in names:
        yield same("cert_request", True, ours["requested"])
    elif "ServerHelloDone" in names:
        yield among("cert_request", {False, None}, ours["requested"])
    row = stream.certificates("c2s")
    if row is not None and stream.direction_known:
        yield same("client_cert", int(row["n_certs"]), len(record["certs"]["client"] or []))


def mail(stream, record):
    """Mail and credentials in clear, where the dialogue is whole and stays in clear."""
    if stream.facts["mail_proto"] != "SMTP" and stream.facts["mail_proto"] not in SERVICES:
        return
    if stream.facts["starttls_accepted"] == "yes":
        return
    names = [row["name"] for row in stream.rows]
    if stream.facts["mail_proto"] == "SMTP":
        replies = [row["mail_code"] for row in stream.rows if row["kind"] == "SMTP_RSP"]
        if any(pair == ("354", "250") for pair in zip(replies, replies[1:])):
            yield same("mail_clear", True, (record["mail"]["clear"] or 0) > 0)
        elif {"DATA", "BDAT"}.isdisjoint(names) and "354" not in replies:
            yield same("mail_clear", False, (record["mail"]["clear"] or 0) > 0)
    if any(reveals(row) for row in stream.rows) and answered(stream):
        yield same("auth_clear", True, record["auth_clear"])
    elif {"AUTH", "LOGIN", "AUTHENTICATE", "USER", "PASS", "APOP"}.isdisjoint(names):
        yield among("auth_clear", {False, None}, record["auth_clear"])


def reveals(row):
    """A command that carries a password, or lets it follow, readable by anyone on the path."""
    if row["kind"] == "SMTP_CMD":
        return row["name"] == "AUTH" and row["mail_arg"].upper().startswith(("PLAIN", "LOGIN"))
    return (row["kind"], row["name"]) in (("IMAP_CMD", "LOGIN"), ("POP_CMD", "PASS"))


def answered(stream):
    """SMTP's AUTH may be refused before anything is revealed: 334 asks, 235 and 535 have seen."""
    if stream.facts["mail_proto"] != "SMTP":
        return True
    return any(row["kind"] == "SMTP_RSP" and row["mail_code"] in ("334", "235", "535")
               for row in stream.rows)
