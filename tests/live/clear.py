#!/usr/bin/env python3
"""Clients without TLS: Python's own, with an address of their own.

  clear.py imap|pop3|sieve|lmtp SOURCE SERVER

Logs in as demo, or delivers one mail, and says what the server said. Asks for its capabilities
before and after the login, as many clients do: then STARTTLS is no longer in the list.
"""

import imaplib
import poplib
import smtplib
import socket
import sys

USER, PASSWORD = "demo", "not-a-secret"
LMTP_PORT, LMTP_CLIENT_PORT = 24, 40024  # as in mailboxes.sh
SIEVE_PORT = 4190
MAIL = "From: <alice@example.org>\r\nTo: <demo@example.net>\r\nSubject: In clear\r\n\r\nShort.\r\n"


class Imap(imaplib.IMAP4):
    def __init__(self, source, server):
        self.source = source
        super().__init__(server)

    def _create_socket(self, timeout):
        return socket.create_connection((self.host, self.port), timeout, (self.source, 0))


class Pop3(poplib.POP3):
    def __init__(self, source, server):
        self.source = source
        super().__init__(server)

    def _create_socket(self, timeout):
        return socket.create_connection((self.host, self.port), 10, (self.source, 0))


def imap(source, server):
    client = Imap(source, server)
    try:
        print(client.login(USER, PASSWORD))
        print(client.capability())
    finally:
        client.logout()


def pop3(source, server):
    client = Pop3(source, server)
    try:
        print(client.capa())
        print(client.user(USER))
        print(client.pass_(PASSWORD))
        print(client.capa())
    finally:
        client.quit()


def sieve(source, server):
    """No library of Python's speaks it: RFC 5804, one command at a time."""
    conn = socket.create_connection((server, SIEVE_PORT), 10, (source, 0))
    reader = conn.makefile("r", encoding="utf-8")

    def reply():
        for line in reader:
            print(line.rstrip())
            if line.startswith(("OK", "NO", "BYE")):
                return

    reply()
    for command in ('AUTHENTICATE "PLAIN" "AGRlbW8Abm90LWEtc2VjcmV0"', "CAPABILITY", "LOGOUT"):
        conn.sendall(command.encode() + b"\r\n")
        reply()


def lmtp(source, server):
    client = smtplib.LMTP(server, LMTP_PORT, "client.example.org", (source, LMTP_CLIENT_PORT))
    print(client.sendmail("alice@example.org", ["demo"], MAIL))
    client.quit()


def main(argv):
    kinds = {"imap": imap, "pop3": pop3, "sieve": sieve, "lmtp": lmtp}
    if len(argv) != 4 or argv[1] not in kinds:
        raise SystemExit(__doc__)
    kinds[argv[1]](argv[2], argv[3])


if __name__ == "__main__":
    main(sys.argv)
