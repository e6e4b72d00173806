"""Session records made out of truth: what an ehlotap that agrees with tshark would write.

Only the self-test uses this. It is written apart from compare.py, from the contract, so that a
mistake in one of them shows.
"""
import datetime
import json

import truth

PORT_SERVICES = {25: "smtp", 2525: "smtp", 587: "submission", 465: "smtps", 24: "lmtp",
                 143: "imap", 993: "imaps", 110: "pop3", 995: "pop3s"}
DIALOGUES = {"SMTP": "smtp", "IMAP": "imap", "POP": "pop3"}
GROUPS = {23: "secp256r1", 24: "secp384r1", 25: "secp521r1", 29: "x25519", 30: "x448",
          256: "ffdhe2048", 0x11EB: "SecP256r1MLKEM768", 0x11EC: "X25519MLKEM768",
          0x11ED: "SecP384r1MLKEM1024",
          0x6399: "X25519Kyber768Draft00"}
KEYS = {"rsaEncryption": "rsa", "id-ecPublicKey": "ecdsa", "dsaEncryption": "dsa"}
SIDES = {"c2s": "client", "s2c": "server", "?": "server"}


def time_text(us):
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us or 0)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def hex_list(cell, digits=4):
    return [f"{v:0{digits}x}" for v in truth.ints(cell)]


def starttls_of(stream):
    facts = stream.facts
    asked = facts["starttls_requested"] != "0"
    replies = facts["starttls_reply"].split(",")
    reply = {"none-seen": None, "OK": 220, "+OK": 220, "": None}.get(replies[0], replies[0])
    return {"offered": True if facts["starttls_offered"] == "yes" else None, "requested": asked,
            "reply": int(reply) if reply else None, "masked": False, "injected": False,
            "reply_injected": False}


def hello_of(row):
    names = [truth.VERSIONS[v] for v in truth.ints(row["sup_vers"] or row["hs_ver"])
             if v in truth.VERSIONS]
    suites = [v for v in truth.ints(row["ciphers"]) if v not in truth.SIGNALLING]
    suites.sort(key=lambda suite: suite > 0xFFFF)  # SSLv2's own kinds come last
    record = "SSLv2" if row["rec_ver"] == "SSLv2" else truth.VERSIONS.get(int(row["rec_ver"], 0))
    legacy = truth.VERSIONS.get(truth.ints(row["hs_ver"])[0]) if row["hs_ver"] else None
    return {"id": "0123456789abcdef", "sni": row["sni"] or None,
            "alpn": row["alpn"].split(",") if row["alpn"] else [], "record_version": record,
            "legacy_version": legacy, "versions": names,
            "ciphers": [f"{v:06x}" if v > 0xFFFF else f"{v:04x}" for v in suites],
            "groups": hex_list(row["groups"]), "sigalgs": hex_list(row["sigalgs"]),
            "key_shares": hex_list(row["key_shares"]), "extensions": hex_list(row["exts"]),
            "compression": hex_list(row["comp"], 2), "signals": [],
            "point_formats": [], "ja3": row["ja3"] or None, "ja4": None}


def certs_of(row):
    if row is None or not row["n_certs"]:
        return []
    sums = row["cert_sha256"].split(",")
    blank = dict.fromkeys(("subject", "issuer", "names", "key", "bits", "curve", "sigalg",
                           "not_before", "not_after"))
    chain = [dict(blank, sha256=s) for s in sums[:int(row["n_certs"])] if len(s) == 64]
    if chain and row["leaf_key"]:
        kind, bits, curve = (row["leaf_key"].split() + ["", ""])[:3]
        dates = [datetime.datetime.strptime(row[c], "%b %d %H:%M:%S %Y GMT")
                 .strftime("%Y-%m-%dT%H:%M:%SZ") for c in ("leaf_not_before", "leaf_not_after")]
        chain[0].update(subject=row["leaf_subject"], issuer=row["leaf_issuer"],
                        sigalg=row["leaf_sigalg"], key=KEYS.get(kind, kind),
                        bits=int(bits) if bits else None, names=[],
                        curve={"prime256v1": "secp256r1"}.get(curve, curve) or None,
                        not_before=dates[0], not_after=dates[1])
    return chain


def alert_of(stream):
    for row in sorted((r for r in stream.rows if r["kind"] == "ALERT" and r["alert_desc"]),
                      key=lambda r: r["alert_level"] != "2"):
        level = {"1": "warning", "2": "fatal"}.get(row["alert_level"])
        names = {40: "handshake_failure", 20: "bad_record_mac", 70: "protocol_version",
                 50: "decode_error", 46: "certificate_unknown", 47: "illegal_parameter",
                 45: "certificate_expired", 48: "unknown_ca", 112: "unrecognized_name"}
        code = int(row["alert_desc"])
        return {"from": SIDES[row["dir"]], "level": level, "code": code, "name": names.get(code),
                "inferred": False}
    return None


def outcome_of(stream, alert):
    if not any(row["kind"] in ("HS", "ALERT") for row in stream.rows):
        return "none"
    if alert and stream.server_hello is None:
        return "failed"
    ended = {r["dir"] for r in stream.rows
             if r["kind"] == "HS" and r["name"] in ("ENC", "Finished")}
    return "established" if len(ended) == 2 and stream.server_hello else "incomplete"


def tls_of(stream):
    facts, row, alert = stream.facts, stream.server_hello, alert_of(stream)
    names = {r["name"] for r in stream.rows}
    suite = truth.ints(facts["neg_cipher"])[:1] if stream.version else []
    share = int(row["key_shares"]) if row and row["key_shares"].isdigit() else None
    return {"outcome": outcome_of(stream, alert), "version": stream.version,
            "cipher": "TLS_SOMETHING" if suite else None,
            "cipher_id": (f"{suite[0]:06x}" if suite[0] > 65535 else f"{suite[0]:04x}")
            if suite else None, "group": GROUPS.get(share), "dh_bits": None,
            "resumed": facts["resumption"] not in ("", "no"),
            "hello_retry": facts["hrr"] != "0", "early_data": False, "handshake_ms": None,
            "alert": alert,
            "client_cert": {"requested": True if "CertificateRequest" in names else None,
                            "sent": None}}


def mail_of(stream):
    replies = [r["mail_code"] for r in stream.rows if r["kind"] == "SMTP_RSP"]
    given = any(a == "354" and b == "250" for a, b in zip(replies, replies[1:]))
    words = [(r["kind"], r["name"], r["mail_arg"][:5].upper()) for r in stream.rows]
    seen = bool({"334", "235", "535"} & set(replies))
    clear = any(w[:2] in (("IMAP_CMD", "LOGIN"), ("POP_CMD", "PASS")) or
                seen and w[:2] == ("SMTP_CMD", "AUTH") and w[2] in ("PLAIN", "LOGIN")
                for w in words)
    return int(given), clear


def record_of(stream):
    """One session record that agrees with truth about `stream`."""
    times = [t for t in (truth.micros(r["epoch"]) for r in stream.rows) if t is not None]
    row, tls = stream.server_hello, tls_of(stream)
    starttls = starttls_of(stream)
    given, clear = mail_of(stream)
    proto = stream.facts["mail_proto"]
    port = stream.server[1]
    hello = hello_of(stream.hellos[0]) if stream.hellos else None
    mode = "starttls" if starttls["requested"] else "implicit" if hello or row else "clear"
    nothing = {"client": 0, "server": 0}
    return {
        "type": "session", "v": 1, "sensor": "test", "start": time_text(min(times, default=0)),
        "end": time_text(max(times, default=0)),
        "client": {"ip": stream.client[0], "port": stream.client[1], "name": None},
        "server": {"ip": stream.server[0], "port": port, "name": None},
        "service": DIALOGUES.get(proto) or PORT_SERVICES.get(port), "mode": mode,
        "starttls": starttls, "tls": tls, "hello": hello,
        "server_hello": {"extensions": hex_list(row["exts"]),
                         "session_id_len": int(row["sid_len"] or 0),
                         "ja3s": row["ja3s"] or None} if row and tls["version"] else None,
        "certs": {side: certs_of(stream.certificates(way)) if stream.legacy_tls else []
                  for way, side in (("s2c", "server"), ("c2s", "client"))},
        "mail": {"clear": given}, "auth_clear": clear, "cause": None, "fallback": None,
        "packets": nothing, "bytes": nothing, "gaps": nothing, "quality": "complete"}


def write(record):
    return json.dumps(record, separators=(",", ":")) + "\n"
