#!/usr/bin/env python3
"""The peers that no real mail program plays: a box on the path that masks STARTTLS, a server that
closes after the ClientHello, a client that dies in the handshake, one that injects a command.

  peer.py mask LISTEN_IP UPSTREAM_PORT       middlebox before 127.0.0.1:UPSTREAM_PORT, port 25
  peer.py drop LISTEN_IP                     server on port 25
  peer.py vanish SOURCE_IP SERVER_IP HELO    client
  peer.py inject SOURCE_IP SERVER_IP HELO    client

Each prints one JSON line per connection that it saw from outside.
"""

import json
import re
import socket
import ssl
import struct
import sys
import threading

KNOWN_KEYWORDS = {"8BITMIME", "AUTH", "DSN", "ENHANCEDSTATUSCODES", "ETRN", "EXPN", "HELP",
                  "PIPELINING", "SAML", "SEND", "SIZE", "SMTPUTF8", "SOML", "TURN", "VRFY"}


def say(**facts):
    print(json.dumps(facts), flush=True)


def listen(address, serve):
    with socket.create_server((address, 25)) as door:
        while True:
            conn, peer = door.accept()
            threading.Thread(target=serve, args=(conn, peer), daemon=True).start()


def mask_line(line):
    """What such a firewall makes of a server's line: same length, unknown keywords overwritten."""
    if line.startswith(b"220 "):
        return re.sub(rb"[^ .\d\r\n]", b"*", line[:4] + line[4:])
    hit = re.match(rb"(250[- ])([A-Z0-9]+)(.*)", line, re.S)
    if not hit or hit[2].decode() in KNOWN_KEYWORDS:
        return line
    return hit[1] + b"X" * (len(hit[2]) - 1) + b"A" + hit[3]


def mask(upstream_port):
    def serve(conn, peer):
        server = socket.create_connection(("127.0.0.1", upstream_port))
        facts = {"masked": False, "mails": 0}

        def forward():
            for line in conn.makefile("rb"):
                if line.rstrip().upper() == b"DATA":
                    facts["mails"] += 1
                server.sendall(line)
            server.shutdown(socket.SHUT_WR)

        threading.Thread(target=forward, daemon=True).start()
        for line in server.makefile("rb"):
            masked = mask_line(line)
            facts["masked"] |= masked != line and line.startswith(b"250")
            conn.sendall(masked)
        conn.shutdown(socket.SHUT_RDWR)
        conn.close()
        say(client=f"{peer[0]}:{peer[1]}", starttls=False, **facts)

    return serve


def drop(conn, peer):
    reader = conn.makefile("rb")
    conn.sendall(b"220 mx11.example.net ESMTP\r\n")
    for line in reader:
        verb = line.strip().upper()
        if verb.startswith(b"EHLO"):
            conn.sendall(b"250-mx11.example.net\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n")
        elif verb == b"STARTTLS":
            conn.sendall(b"220 2.0.0 Ready to start TLS\r\n")
            break
        else:
            conn.sendall(b"502 5.5.1 Command not implemented\r\n")
    header = reader.read(5)
    hello = reader.read(struct.unpack(">H", header[3:5])[0]) if len(header) == 5 else b""
    reader.close()
    conn.close()
    say(client=f"{peer[0]}:{peer[1]}", starttls=True, hello_octets=len(hello), closed="after hello")


def greet(source, server, helo):
    conn = socket.create_connection((server, 25), timeout=10, source_address=(source, 0))
    reader = conn.makefile("rb")

    def reply():
        for line in reader:
            if line[3:4] != b"-":
                return line.decode()
        raise SystemExit("the server closed")

    reply()
    conn.sendall(f"EHLO {helo}\r\n".encode())
    reply()
    return conn, reply


def handshake(server):
    """A TLS client over memory: the bytes to send and receive are ours to move."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
    return context.wrap_bio(inbound, outbound, server_hostname=server), inbound, outbound


def vanish(source, server, helo):
    conn, reply = greet(source, server, helo)
    conn.sendall(b"STARTTLS\r\n")
    reply()
    tls, _, outbound = handshake("mx.example.net")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        conn.sendall(outbound.read())
    flight = conn.recv(65536)
    # what a killed process leaves: a reset, no alert
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    say(client="%s:%d" % conn.getsockname()[:2], server_octets=len(flight), closed="after server flight")
    conn.close()


def inject(source, server, helo):
    conn, reply = greet(source, server, helo)
    conn.sendall(b"STARTTLS\r\nRSET\r\n")
    answer = reply()
    tls, inbound, outbound = handshake("mx.example.net")

    def exchange(step):
        while True:
            try:
                result = step()
                conn.sendall(outbound.read())
                return result
            except ssl.SSLWantReadError:
                conn.sendall(outbound.read())
                data = conn.recv(65536)
                if not data:
                    raise SystemExit("the server closed in the handshake")
                inbound.write(data)

    exchange(tls.do_handshake)
    exchange(lambda: tls.write(f"EHLO {helo}\r\n".encode()))
    exchange(lambda: tls.read(4096))
    exchange(lambda: tls.write(b"QUIT\r\n"))
    last = exchange(lambda: tls.read(4096))
    say(client="%s:%d" % conn.getsockname()[:2], starttls_reply=answer.strip(),
        version=tls.version(), cipher=tls.cipher()[0], last=last.decode().strip())
    conn.close()


def main(argv):
    if len(argv) == 4 and argv[1] == "mask":
        listen(argv[2], mask(int(argv[3])))
    elif len(argv) == 3 and argv[1] == "drop":
        listen(argv[2], drop)
    elif len(argv) == 5 and argv[1] in ("vanish", "inject"):
        {"vanish": vanish, "inject": inject}[argv[1]](*argv[2:])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
