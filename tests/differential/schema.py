"""The contract of a session record: keys, types, enumerations, null rules, formats.

`problems(record)` gives one sentence per violation; an empty list means that the record keeps
the contract. Unknown extra keys are allowed, since names may be added.

A shape is a dict (an object with at least these keys), a one-element list (an array of that
shape), or a predicate with a description as made by `rule`. `maybe(shape)` also allows null.
"""
import datetime
import ipaddress
import json
import re

SERVICES = {"smtp", "submission", "smtps", "lmtp", "imap", "imaps", "pop3", "pop3s", "sieve"}
MODES = {"starttls", "implicit", "clear"}
OUTCOMES = {"established", "failed", "incomplete", "broken", "none", "unknown"}
VERSION_NAMES = {"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
QUALITY_REASONS = {"gap", "one_direction", "midstream", "truncated"}
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
    22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure",
    41: "no_certificate", 42: "bad_certificate", 43: "unsupported_certificate",
    44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
    51: "decrypt_error", 60: "export_restriction", 70: "protocol_version",
    71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback",
    90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
    110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
    113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
    115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol"}


def rule(description, holds):
    holds.description = description
    return holds


def maybe(shape):
    return ("maybe", shape)


def matching(description, pattern):
    compiled = re.compile(pattern)
    return rule(description, lambda v: isinstance(v, str) and compiled.fullmatch(v) is not None)


def one_of(values):
    return rule("one of " + " ".join(sorted(values)), lambda v: isinstance(v, str) and v in values)


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_time(text, layout):
    """strptime alone would let fewer digits through: write it back and compare."""
    if not isinstance(text, str):
        return False
    try:
        return datetime.datetime.strptime(text, layout).strftime(layout) == text
    except ValueError:
        return False


def is_canonical_ip(value):
    try:
        return isinstance(value, str) and str(ipaddress.ip_address(value)) == value
    except ValueError:
        return False


TEXT = rule("a string", lambda v: isinstance(v, str))
FLAG = rule("true or false", lambda v: isinstance(v, bool))
COUNT = rule("an integer >= 0", lambda v: is_int(v) and v >= 0)
NUMBER = rule("a number >= 0", lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
              and v >= 0)
PORT = rule("a port", lambda v: is_int(v) and 0 <= v <= 65535)
BYTE = rule("0..255", lambda v: is_int(v) and 0 <= v <= 255)
REPLY = rule("a reply code 200..599", lambda v: is_int(v) and 200 <= v <= 599)
ONE = rule("1", lambda v: is_int(v) and v == 1)
IP = rule("an address in canonical text", is_canonical_ip)
TIME = rule("UTC with microseconds", lambda v: is_time(v, "%Y-%m-%dT%H:%M:%S.%fZ"))
DATE = matching("UTC with whole seconds", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
HEX2 = matching("2 hexadecimal digits", r"[0-9a-f]{2}")
HEX4 = matching("4 hexadecimal digits", r"[0-9a-f]{4}")
SUITE = matching("4 hexadecimal digits (6 for an SSLv2 kind)", r"[0-9a-f]{4}([0-9a-f]{2})?")
MD5 = matching("an MD5", r"[0-9a-f]{32}")
SHA256 = matching("a SHA-256", r"[0-9a-f]{64}")
HELLO_ID = matching("a hexadecimal id", r"[0-9a-f]{8,64}")
JA4 = matching("a JA4", r"t(1[0-3]|s[23]|00)[di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}")
VERSION = one_of(VERSION_NAMES)
SIDE = one_of({"client", "server"})

END = {"ip": IP, "port": PORT, "name": maybe(TEXT)}
ALERT = {"from": SIDE, "level": maybe(one_of({"warning", "fatal"})), "code": maybe(BYTE),
         "name": maybe(TEXT), "inferred": FLAG}
CERT = {"subject": maybe(TEXT), "issuer": maybe(TEXT), "names": maybe([TEXT]), "key": maybe(TEXT),
        "bits": maybe(COUNT), "curve": maybe(TEXT), "sigalg": maybe(TEXT),
        "not_before": maybe(DATE), "not_after": maybe(DATE), "sha256": SHA256}
PAIR = {"client": COUNT, "server": COUNT}
SESSION = {
    "type": one_of({"session"}), "v": ONE, "sensor": TEXT, "start": TIME, "end": TIME,
    "client": END, "server": END, "service": maybe(one_of(SERVICES)), "mode": maybe(one_of(MODES)),
    "starttls": {"offered": maybe(FLAG), "requested": maybe(FLAG), "reply": maybe(REPLY),
                 "masked": maybe(FLAG), "injected": maybe(FLAG), "reply_injected": maybe(FLAG)},
    "tls": {"outcome": one_of(OUTCOMES), "version": maybe(VERSION), "cipher": maybe(TEXT),
            "cipher_id": maybe(SUITE), "group": maybe(TEXT), "dh_bits": maybe(COUNT),
            "resumed": maybe(FLAG), "hello_retry": maybe(FLAG), "early_data": maybe(FLAG),
            "handshake_ms": maybe(NUMBER), "alert": maybe(ALERT),
            "client_cert": {"requested": maybe(FLAG), "sent": maybe(FLAG)}},
    "hello": maybe({"id": HELLO_ID, "sni": maybe(TEXT), "alpn": [TEXT],
                    "record_version": maybe(TEXT), "legacy_version": maybe(TEXT),
                    "versions": [TEXT], "ciphers": [SUITE], "groups": [HEX4], "sigalgs": [HEX4],
                    "key_shares": [HEX4], "extensions": [HEX4], "compression": [HEX2],
                    "signals": [HEX4], "point_formats": [HEX2],
                    "ja3": maybe(MD5), "ja4": maybe(JA4)}),
    "server_hello": maybe({"extensions": [HEX4], "session_id_len": maybe(BYTE),
                           "ja3s": maybe(MD5)}),
    "certs": {"server": maybe([CERT]), "client": maybe([CERT])},
    "mail": {"clear": maybe(COUNT)}, "auth_clear": maybe(FLAG),
    "cause": maybe({"code": TEXT, "confidence": one_of({"certain", "likely", "possible"}),
                    "why": TEXT}),
    "fallback": maybe({"after": TIME, "delay_s": NUMBER, "same_connection": FLAG}),
    "packets": PAIR, "bytes": PAIR, "gaps": PAIR, "quality": one_of({"complete", "partial"}),
}


def walk(shape, value, where):
    """Violations of `shape` by `value`; the nesting is that of SESSION, four levels."""
    if isinstance(shape, tuple):
        return [] if value is None else walk(shape[1], value, where)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        found = [f"{where}.{key} is missing" for key in shape if key not in value]
        for key in shape.keys() & value.keys():
            found += walk(shape[key], value[key], f"{where}.{key}")
        return found
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is no array"]
        return [p for i, v in enumerate(value) for p in walk(shape[0], v, f"{where}[{i}]")]
    return [] if shape(value) else [f"{where} is not {shape.description}: {value!r}"]


def contradictions(record):
    """Values that exclude each other; only asked of records whose shape is right."""
    tls, starttls = record["tls"], record["starttls"]
    alert = tls["alert"]
    checks = [
        (record["end"] < record["start"], "end before start"),
        ((tls["cipher"] is None) != (tls["cipher_id"] is None),
         "cipher and cipher_id: one without the other"),
        (tls["outcome"] == "none" and tls["version"] is not None, "a version without TLS"),
        (tls["outcome"] == "established" and record["mode"] == "clear",
         "TLS established in mode clear"),
        (record["mode"] == "starttls" and starttls["requested"] is False,
         "mode starttls, not requested"),
        (starttls["requested"] is False and starttls["reply"] is not None,
         "a reply to no STARTTLS"),
        (tls["version"] == "TLSv1.3" and bool(record["certs"]["server"]),
         "a certificate out of an encrypted TLS 1.3 handshake"),
        (record["quality"] == "partial" and record.get("quality_reason") not in QUALITY_REASONS,
         "partial without a known quality_reason"),
        (alert is not None and alert["code"] is not None and not alert["inferred"]
         and alert["code"] in ALERTS and alert["name"] != ALERTS[alert["code"]],
         f"alert name is not the registered one: {alert}"),
    ]
    return [text for wrong, text in checks if wrong]


def problems(record):
    """Everything in which a decoded session record breaks the contract."""
    return walk(SESSION, record, "session") or contradictions(record)


def no_constant(text):
    raise ValueError(f"{text} is no JSON")


def no_twins(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key twice in one object")
    return dict(pairs)


def decode(output):
    """JSON Lines bytes -> (records, problems). A line that does not decode gives no record."""
    records, found = [], []
    if output and not output.endswith(b"\n"):
        found.append("the last line has no newline")
    for number, line in enumerate(output.split(b"\n")[:-1] if output else [], 1):
        try:
            record = json.loads(line.decode("utf-8"), parse_constant=no_constant,
                                object_pairs_hook=no_twins)
            # a lone surrogate escape is legal JSON and not legal UTF-8
            json.dumps(record, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            found.append(f"line {number}: {error}")
            continue
        wrong = problems(record)
        found += [f"line {number}: {text}" for text in wrong]
        if not wrong:
            records.append(record)
    return records, found
