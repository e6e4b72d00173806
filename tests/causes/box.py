#!/usr/bin/env python3
"""What no stack and no mailer of today does any more: boxes on the path, and clients of old.

  box.py serve LISTEN_IP PORT UPSTREAM_IP UPSTREAM_PORT RULE   a box before a real server
  box.py send SOURCE_IP SERVER_IP PORT WHAT                    a client that sends fixed bytes

WHAT: sslv2, pq, hello, alert:N (behind the server's flight), or lines of dialogue.

Rules for hellos: late (passes the server's close on 0.3 s later, behind that of a client that said
good-bye to the server first), drop-longer:N, drop-pq, reset-version:HEX, close-extension:N, first64:HEX
(an alert 40 unless one of the first 64 suites is this one), mark-versions (hides
supported_versions), spoil-status (a byte of the stapled OCSP answer),
scramble (the length of the server's first message), turn-away (no box: a TLS server that asks for a
certificate and closes without an alert).
Rules for SMTP: garble, swallow, mask, reply:CODE, strip:CLIENT_IP (takes the offer of STARTTLS out).
"""

import re
import socket
import ssl
import struct
import sys
import threading
import time


def read_record(conn):
    """The first TLS record of the client, whole."""
    data = b""
    while len(data) < 5 or len(data) < 5 + struct.unpack(">H", data[3:5])[0]:
        more = conn.recv(65536)
        if not more:
            return data
        data += more
    return data


def hello_parts(record):
    """(suites, {extension: bytes}) of a ClientHello."""
    body = record[9:]
    at = 34
    at += 1 + body[at]
    n = struct.unpack(">H", body[at:at + 2])[0]
    suites = struct.unpack(f">{n // 2}H", body[at + 2:at + 2 + n])
    at += 2 + n
    at += 1 + body[at]
    extensions = {}
    if at + 2 <= len(body):
        at += 2
        while at + 4 <= len(body):
            kind, size = struct.unpack(">HH", body[at:at + 4])
            extensions[kind] = body[at + 4:at + 4 + size]
            at += 4 + size
    return suites, extensions


def judge(rule, record):
    """What the box does with a hello: pass, drop, reset, close, alert; and what it passes on."""
    name, _, value = rule.partition(":")
    suites, extensions = hello_parts(record)
    if name == "drop-longer" and len(record) > int(value):
        return "drop", record
    if name == "drop-pq" and b"\x11\xec\x04\xc0" in extensions.get(51, b""):
        return "drop", record
    if name == "reset-version" and bytes.fromhex(value) in extensions.get(43, b""):
        return "reset", record
    if name == "close-extension" and int(value) in extensions:
        return "close", record
    if name == "first64" and int(value, 16) not in suites[:64]:
        return "alert", record
    if name == "mark-versions":
        at = record.find(b"\x00\x2b\x00" + bytes([len(extensions[43])]) + extensions[43])
        return "pass", record[:at] + b"\xfd\xe8" + record[at + 2:]
    return "pass", record


def reset_at_close(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def pump(source, sink, change=bytes, pause=0.0):
    try:
        while data := source.recv(65536):
            sink.sendall(change(data))
        time.sleep(pause)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def spoil_status(data):
    """The type of a short OCSP answer becomes another, so that it is none."""
    return data.replace(b"\x00\x00\x05\x30\x03\x0a\x01\x06", b"\x00\x00\x05\x31\x03\x0a\x01\x06")


def scramble(data):
    return data[:6] + b"\xff\xff\xff" + data[9:] if data.startswith(b"\x16\x03") else data


def turn_away(conn):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain("rsa.pem", "rsa.key")
    context.load_verify_locations("ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.wrap_socket(conn, server_side=True).close()


def tls_box(conn, upstream, rule):
    act, record = judge(rule, read_record(conn))
    if act == "drop":
        time.sleep(60)
    elif act == "reset":
        reset_at_close(conn)
    elif act == "alert":
        conn.sendall(bytes.fromhex("15030100020228"))
        time.sleep(0.1)
    elif act == "pass":
        server = socket.create_connection(upstream)
        server.sendall(record)
        change = {"spoil-status": spoil_status, "scramble": scramble}.get(rule, bytes)
        back = threading.Thread(target=pump, args=(server, conn, change, 0.3 * (rule == "late")), daemon=True)
        back.start()
        pump(conn, server)
        back.join(5)
    conn.close()


def from_client(conn, server, rule):
    for line in conn.makefile("rb"):
        if line.strip().upper() == b"STARTTLS":
            if rule == "garble":
                line = b"XXXXXXXX\r\n"
            elif rule == "swallow":
                continue
            elif rule.startswith("reply:"):
                conn.sendall(f"{rule[6:]} not now\r\n".encode())
                continue
        server.sendall(line)
    server.close()


def smtp_box(conn, peer, upstream, rule):
    server = socket.create_connection(upstream)
    threading.Thread(target=from_client, args=(conn, server, rule), daemon=True).start()
    for line in server.makefile("rb"):
        if rule == "mask":
            line = re.sub(rb"^(250[- ])STARTTLS", rb"\1XXXXXXXA", line)
        elif rule == "strip:" + peer[0]:
            line = re.sub(rb"^(250[- ])STARTTLS", rb"\1X-NOTHING", line)
        conn.sendall(line)
    conn.close()


def guard(function, *args):
    try:
        function(*args)
    except OSError:
        pass


def serve(ip, port, upstream_ip, upstream_port, rule):
    upstream = upstream_ip, int(upstream_port)
    smtp = rule.split(":")[0] in ("garble", "swallow", "mask", "reply", "strip")
    with socket.create_server((ip, int(port))) as door:
        while True:
            conn, peer = door.accept()
            args = (smtp_box, conn, peer, upstream, rule) if smtp else (tls_box, conn, upstream, rule)
            if rule == "turn-away":
                args = (turn_away, conn)
            threading.Thread(target=guard, args=args, daemon=True).start()


def hello_pq():
    """A hello of TLS 1.3 with a key share of X25519MLKEM768, which Debian 12's stacks do not have."""
    def ext(kind, body):
        return struct.pack(">HH", kind, len(body)) + body
    share = struct.pack(">HH", 0x11ec, 1216) + bytes(range(256)) * 4 + bytes(192)
    extensions = (ext(43, b"\x04\x03\x04\x03\x03") + ext(10, b"\x00\x06\x11\xec\x00\x1d\x00\x17")
                  + ext(13, b"\x00\x08\x04\x03\x08\x04\x04\x01\x08\x05")
                  + ext(51, struct.pack(">H", len(share)) + share))
    body = (b"\x03\x03" + bytes(range(32)) + b"\x20" + bytes(32)
            + b"\x00\x06\x13\x01\x13\x02\xc0\x2f" + b"\x01\x00"
            + struct.pack(">H", len(extensions)) + extensions)
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def hello_12():
    extensions = bytes.fromhex("000a00040002001d" "000b00020100" "000d000400020401" "ff01000100")
    body = (b"\x03\x03" + bytes(range(32)) + b"\x00" + bytes.fromhex("0004c02f009c" "0100")
            + struct.pack(">H", len(extensions)) + extensions)
    return b"\x16\x03\x01" + struct.pack(">HI", len(body) + 4, 1 << 24 | len(body)) + body


def send_alert(conn, code):
    conn.sendall(hello_12())
    data = b""
    while not data.endswith(b"\x0e\x00\x00\x00"):
        more = conn.recv(65536)
        if not more:
            return
        data += more
    conn.sendall(b"\x15\x03\x03\x00\x02\x02" + bytes([code]))


def send(source, ip, port, what):
    conn = socket.create_connection((ip, int(port)), timeout=10, source_address=(source, 0))
    if what == "sslv2":  # CLIENT-HELLO of SSLv2, three cipher kinds
        body = b"\x01\x00\x02\x00\x09\x00\x00\x00\x10" + bytes.fromhex("0700c0050080030080") + bytes(range(16))
        conn.sendall(struct.pack(">H", 0x8000 | len(body)) + body)
    elif what.startswith("alert:"):
        send_alert(conn, int(what[6:]))
    elif what == "hello":
        conn.sendall(hello_12())
        reset_at_close(conn)  # a FIN would make the server send an alert
    elif what == "pq":
        conn.sendall(hello_pq())
    else:  # lines of dialogue, with \n for their ends; %5: five seconds of silence
        for line in what.split("\\n"):
            if line == "%5":
                time.sleep(5)
                continue
            time.sleep(0.2)
            conn.sendall(line.encode() + b"\r\n")
    conn.settimeout(5)
    try:
        while conn.recv(65536):
            if what not in ("sslv2", "pq", "hello") and not what.startswith("alert:"):
                conn.settimeout(0.3)
    except OSError:
        pass
    conn.close()


if __name__ == "__main__":
    {"serve": serve, "send": send}[sys.argv[1]](*sys.argv[2:])
