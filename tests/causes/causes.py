#!/usr/bin/env python3
"""The causes, how each is produced, by which stack, and whether ehlotap names it.

    causes.py play RUN_FOLDER             inside the lab (see the script `lab` beside this)
    causes.py check RUN_FOLDER EHLOTAP

`check` asks three times for each row: the session record of `ehlotap read`, `ehlotap explain --json`
on the capture, and the same on its minute files. Last line `N passed, N failed`.
"""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
OPENSSL = "OpenSSL 3.0 (s_server, s_client)"
GNUTLS = "GnuTLS 3.7 (gnutls-serv)"
LEVEL0 = "@SECLEVEL=0"
MANY = "ALL:COMPLEMENTOFALL:" + LEVEL0


@dataclass
class Row:
    """One cause. `script`: no stack of today does it, or Debian 12 has none that does."""
    code: str
    confidence: str
    how: str
    stack: str = OPENSSL
    server: list = field(default_factory=list)  # s_server's options
    warm: list = field(default_factory=list)    # s_client's, sessions that succeed before
    client: list = field(default_factory=list)  # s_client's, the one that fails
    script: bool = False
    rule: str = ""              # box.py stands before the server
    gnutls: list = field(default_factory=list)  # gnutls-serv in place of s_server
    send: str = ""              # box.py sends, in place of s_client
    upstream: str = ""          # SMTP: the server behind the box; without a rule the server itself
    port: int = 465
    program: tuple = ()         # another client in place of s_client; {ip} and {port} are the server's
    exim: str = ""              # Exim as the client, with these options of its transport
    daemon: str = ""            # Exim as the server, with these options
    withdraw: bool = False      # the file offer-N is there for the warm sessions only, of the same client
    dump: tuple = ()            # a capture of its own: tcpdump's options and filter; {ip}, {client}
    hold: bool = False          # the client waits until the capture has ended
    peers: tuple = ()           # client and server, where the lab's mailers play


RSA = ["-cert", "rsa.pem", "-key", "rsa.key"]
P256 = ["-cert", "p256.pem", "-key", "p256.key"]
P384 = ["-cert", "p384.pem", "-key", "p384.key"]
VERIFY = ["-tls1_2", "-verify_return_error", "-CAfile", "ca.pem", "-servername", "mail.example.net"]
EXIM = "Exim 4.96 (GnuTLS), s_server"
LATE = "tls_sni = mail.example.net\n  tls_verify_cert_hostnames ="
T12, T13 = ["-tls1_2"], ["-tls1_3"]

# the type of the record that a segment begins with
RECORD = "tcp[((tcp[12] & 0xf0) >> 2)]"

TABLE = [
    # --- versions
    Row("protocol_version", "certain", "TLS 1.0 to a server of TLS 1.2", server=RSA + T12,
        warm=[T12], client=["-tls1", "-cipher", "ALL:" + LEVEL0]),
    Row("protocol_version/sslv2_only", "certain", "a CLIENT-HELLO of SSLv2", OPENSSL, script=True,
        server=RSA, warm=[T12], send="sslv2"),
    Row("inappropriate_fallback", "certain", "TLS_FALLBACK_SCSV", server=RSA,
        client=["-fallback_scsv", "-no_tls1_3"]),
    Row("inappropriate_fallback/downgrade_sentinel", "likely", "a box hides supported_versions",
        server=RSA, rule="mark-versions", client=[], script=True),
    # --- no shared cipher
    Row("no_shared_cipher/certificate_curve", "certain", "P-384 key, client of P-256",
        server=P384, warm=[T12], client=T12 + ["-curves", "P-256"]),
    Row("no_shared_cipher/certificate_curve", "certain", "the same between Postfixes",
        "Postfix 3.7", peers=("198.51.100.44", "192.0.2.26")),
    Row("no_shared_cipher/certificate_key_type", "certain", "ECDSA key, client of RSA suites",
        server=P256, warm=[T12], client=T12 + ["-cipher", "aRSA"]),
    Row("no_shared_cipher/signature_algorithm", "certain", "Ed25519 key, client without ed25519",
        server=["-cert", "ed25519.pem", "-key", "ed25519.key"], warm=[T12],
        client=T12 + ["-sigalgs", "RSA+SHA256:ECDSA+SHA256", "-cipher", "aECDSA"]),
    Row("no_shared_cipher/suites", "likely", "disjoint lists",
        server=RSA + T12 + ["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], warm=[T12] * 5,
        client=T12 + ["-cipher", "AES256-SHA"]),
    Row("no_shared_cipher/group", "likely", "disjoint groups",
        server=RSA + T12 + ["-cipher", "ECDHE+aRSA", "-groups", "P-521"], warm=[T12] * 5,
        client=T12 + ["-cipher", "ECDHE+aRSA", "-curves", "P-256"]),
    Row("no_shared_cipher", "likely", "disjoint lists, nothing else is known of the server",
        server=RSA + T12 + ["-cipher", "AES128-SHA"], client=T12 + ["-cipher", "AES256-SHA"]),
    Row("no_shared_cipher/first_64_suites", "likely", "Exchange 2003: no such system is at hand",
        server=RSA + T12 + ["-cipher", "AES128-SHA:" + LEVEL0], rule="first64:002f", script=True,
        warm=[T12 + ["-cipher", "AES128-SHA"]] * 5,
        client=T12 + ["-cipher", "ALL:-AES128-SHA:AES128-SHA:" + LEVEL0]),
    Row("dh_too_small", "likely", "a prime of 1024 bits",
        server=RSA + T12 + ["-dhparam", "dh1024.pem", "-cipher", "DHE:" + LEVEL0],
        client=T12 + ["-cipher", "DHE"]),
    # --- certificates
    Row("certificate_rejected/expired", "certain", "TLS 1.2", client=VERIFY,
        server=["-cert", "expired.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/expired", "certain", "TLS 1.3: the alert is in clear",
        client=T13 + VERIFY[1:], server=["-cert", "expired.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/not_yet_valid", "likely", "bad_certificate, and such dates",
        client=VERIFY, server=["-cert", "future.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/unknown_ca", "certain", "of a private CA", client=VERIFY,
        server=["-cert", "unknown.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/self_signed", "certain", "self-signed", client=VERIFY,
        server=["-cert", "selfsigned.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/name_mismatch", "likely", "bad_certificate, and another name",
        client=[*VERIFY[:-1], "other.example.net", "-verify_hostname", "other.example.net"],
        server=RSA),
    Row("certificate_rejected/weak_signature", "likely", "signed with MD5", client=VERIFY,
        server=["-cert", "md5.pem", "-key", "rsa.key", "-cipher", "ALL:" + LEVEL0]),
    Row("certificate_rejected/weak_key", "likely", "RSA of 1024 bits",
        client=VERIFY + ["-cipher", "DEFAULT:@SECLEVEL=2"],
        server=["-cert", "rsa1024.pem", "-key", "rsa1024.key", "-cipher", "ALL:" + LEVEL0]),
    Row("certificate_rejected/wrong_usage", "certain", "clientAuth only",
        client=VERIFY + ["-purpose", "sslserver"], server=["-cert", "usage.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/wrong_usage", "likely", "clientAuth only, and bad_certificate for the name",
        client=VERIFY + ["-purpose", "any", "-verify_hostname", "other.example.net"],
        server=["-cert", "usage.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/unsupported", "certain", "an intermediate that signs for clients only",
        client=VERIFY + ["-purpose", "sslserver"],
        server=["-cert", "clients.pem", "-key", "rsa.key", "-cert_chain", "clients-chain.pem"]),
    Row("certificate_rejected/unknown", "certain", "an intermediate that is constrained to another domain",
        client=VERIFY,
        server=["-cert", "narrow.pem", "-key", "rsa.key", "-cert_chain", "narrow-chain.pem"]),
    Row("certificate_rejected/bad_certificate", "certain", "another name is wanted than the SNI says",
        client=VERIFY + ["-verify_hostname", "other.example.net"], server=RSA),
    Row("certificate_rejected/decrypt_error", "certain", "a certificate with a spoilt signature",
        client=VERIFY, server=["-cert", "spoilt.pem", "-key", "rsa.key"]),
    Row("certificate_rejected", "likely", "TLS 1.3: GnuTLS encrypts its alert",
        "OpenSSL 3.0 (s_server), GnuTLS 3.7 (gnutls-cli)", server=RSA + T13,
        program=("gnutls-cli", "--port", "{port}", "{ip}")),
    Row("certificate_rejected/bad_status_response", "certain", "a box spoils the stapled OCSP answer",
        client=T12 + ["-status"], server=RSA + ["-status_file", "status.der"],
        rule="spoil-status", script=True),
    *(Row(f"certificate_rejected/{name}", "certain", "no stack at hand sends it: a script does",
          server=RSA, send=f"alert:{code}", script=True)
      for name, code in (("access_denied", 49), ("unobtainable", 111), ("bad_hash_value", 114))),
    Row("certificate_rejected/revoked", "certain", "on the client's CRL",
        client=VERIFY + ["-crl_check", "-CRL", "crl.pem"],
        server=["-cert", "revoked.pem", "-key", "rsa.key"]),
    Row("certificate_rejected/curve", "certain", "GnuTLS serves P-384 to a client of P-256",
        GNUTLS + ", s_client", port=993, gnutls=["--x509certfile", "p384.pem", "--x509keyfile", "p384.key"],
        client=T12 + ["-curves", "P-256", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]),
    Row("client_certificate/missing", "certain", "TLS 1.2", client=T12,
        server=RSA + ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"]),
    Row("client_certificate/rejected", "certain", "of a CA that the server does not know",
        server=RSA + ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"],
        client=T12 + ["-cert", "unknown.pem", "-key", "rsa.key"]),
    Row("client_certificate/weak_signature", "likely", "signed with MD5",
        server=RSA + ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"],
        client=T12 + ["-cert", "md5.pem", "-key", "rsa.key", "-cipher", "DEFAULT:" + LEVEL0]),
    Row("client_certificate/missing", "likely", "TLS 1.3: said behind the handshake, encrypted",
        server=RSA + ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"], client=T13),
    Row("broken/after_handshake", "certain", "Exim judges the certificate after the handshake",
        "Exim 4.96 (GnuTLS)", peers=("203.0.113.23", "192.0.2.29")),
    *(Row(f"broken/after_handshake/certificate_{name}", "possible",
          "Exim judges it after the handshake; the answer to its close comes late", EXIM, rule="late",
          script=True, server=["-cert", f"{cert}.pem", "-key", f"{key}.key", "-cipher", "ALL:" + LEVEL0],
          exim=options)
      for name, cert, key, options in (
          ("expired", "expired", "rsa", LATE), ("not_yet_valid", "future", "rsa", LATE),
          ("self_signed", "selfsigned", "rsa", LATE), ("weak_signature", "md5", "rsa", LATE),
          ("name_mismatch", "rsa", "rsa", "tls_sni = other.example.net"),
          # GnuTLS asks for neither: it is the name that Exim does not take
          ("weak_key", "rsa1024", "rsa1024", "tls_sni = mail.example.net"),
          ("wrong_usage", "usage", "rsa", "tls_sni = mail.example.net"))),
    Row("broken/after_handshake/3des", "possible", "3DES, and Exim does not take the certificate: "
        "Exchange 2003, which dies by itself, is not at hand", "GnuTLS 3.7 (gnutls-serv), Exim 4.96",
        port=993, gnutls=["--x509certfile", "rsa.pem", "--x509keyfile", "rsa.key", "--priority",
                "NORMAL:+3DES-CBC"], exim="tls_require_ciphers = NORMAL:-VERS-TLS1.3:-CIPHER-ALL:+3DES-CBC"),
    Row("client_certificate/rejected", "likely", "Exim judges the client's after the handshake, too",
        "Exim 4.96 (GnuTLS), s_client", client=T12 + ["-cert", "unknown.pem", "-key", "rsa.key"],
        daemon="tls_on_connect_ports = 465\ntls_advertise_hosts = *\ntls_verify_hosts = *\n"
               "tls_verify_certificates = /etc/ssl/lab/ca.pem"),
    Row("broken/after_handshake/client_certificate", "possible",
        "all servers here say it in an alert: a script with OpenSSL closes without",
        "OpenSSL 3.0 (box.py, s_client)", server=RSA, rule="turn-away", script=True,
        client=T12 + ["-cert", "p256.pem", "-key", "p256.key"]),
    # --- other alerts
    Row("alert/handshake_failure", "certain", "the client asks for secure renegotiation",
        GNUTLS + ", s_client", port=993, client=T12,
        gnutls=["--x509certfile", "rsa.pem", "--x509keyfile", "rsa.key", "--priority",
                "NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"]),
    Row("alert/bad_record_mac", "certain", "two different shared keys",
        server=["-nocert", "-psk", "0011", "-cipher", "PSK"] + T12,
        client=T12 + ["-psk", "0012", "-cipher", "PSK"]),
    Row("alert/200", "certain", "a number without a name: a script sends it", server=RSA,
        send="alert:200", script=True),
    # --- names
    Row("unrecognized_name", "certain", "-servername_fatal", client=T12 + ["-servername", "no.example"],
        server=RSA + ["-cert2", "rsa.pem", "-key2", "rsa.key", "-servername", "mail.example.net",
                      "-servername_fatal"]),
    Row("no_application_protocol", "certain", "h2 to a server of another protocol",
        server=RSA + ["-alpn", "smtp"], client=["-alpn", "h2"]),
    # --- hellos
    Row("hello_intolerance/post_quantum", "possible", "a box drops hellos with an ML-KEM share",
        server=RSA, rule="drop-pq", warm=[T13], send="pq", script=True),
    Row("hello_intolerance/version", "likely", "a box resets at TLS 1.3", server=RSA,
        rule="reset-version:0304", warm=[T12] * 5, client=[], script=True),
    Row("hello_intolerance/extension", "likely", "a box closes at ALPN", server=RSA,
        rule="close-extension:16", warm=[T12] * 5, client=T12 + ["-alpn", "smtp"], script=True),
    Row("hello_intolerance/size", "likely", "a box drops hellos of more than 300 bytes",
        server=RSA + ["-cipher", MANY], rule="drop-longer:300", script=True,
        warm=[T12 + ["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]] * 5,
        client=T12 + ["-cipher", "ALL:" + LEVEL0]),
    # --- lost
    Row("lost/closed_by_client/after_client_hello", "certain", "a box drops all hellos; the client gives up",
        server=RSA, rule="drop-longer:0", client=T12, script=True),
    Row("lost/timeout/after_client_hello", "likely", "the same; the capture ends first",
        server=RSA, rule="drop-longer:0", client=T12, script=True, hold=True),
    Row("lost/closed_by_server/after_client_hello", "certain", "closes without a word", server=RSA,
        rule="close-extension:10", client=T12, script=True),
    Row("lost/reset_by_server/after_client_hello", "certain", "a box resets", server=RSA,
        rule="reset-version:0304", client=[], script=True),
    Row("lost/closed_by_client/after_starttls", "certain", "the client thinks better of it",
        "Postfix 3.7", port=25, upstream="192.0.2.25", send="EHLO out.example.org\\nSTARTTLS"),
    # --- STARTTLS
    Row("starttls_refused/454", "certain", "the server cannot do it now", "Postfix 3.7, both",
        peers=("198.51.100.60", "192.0.2.33")),
    Row("starttls_refused/500/garbled", "likely", "a box overwrites the verb", "Postfix 3.7", port=25,
        upstream="192.0.2.25", rule="garble", script=True,
        send="EHLO out.example.org\\nSTARTTLS\\nQUIT"),
    Row("starttls_refused/421", "certain", "a box answers: overloaded", "Postfix 3.7", port=25,
        upstream="192.0.2.25", rule="reply:421", script=True,
        send="EHLO out.example.org\\nSTARTTLS\\nQUIT"),
    Row("starttls_unanswered", "certain", "a box swallows the command", "Postfix 3.7", port=25,
        upstream="192.0.2.25", rule="swallow", script=True, send="EHLO out.example.org\\nSTARTTLS\\n%5"),
    Row("starttls_masked", "certain", "a box overwrites the capability", "Postfix 3.7", port=25,
        upstream="192.0.2.25", rule="mask", script=True, send="EHLO out.example.org\\nQUIT"),
    Row("starttls_not_offered", "certain", "TLS is off", "Postfix 3.7", port=25,
        upstream="192.0.2.32", send="EHLO out.example.org\\nQUIT"),
    Row("starttls_not_offered/to_this_client", "likely", "a box takes the offer out for one client",
        "Postfix 3.7", port=25, upstream="192.0.2.25", rule="strip:10.2.0.{n}", script=True,
        warm=["EHLO other.example.org\\nQUIT"], send="EHLO out.example.org\\nQUIT"),
    Row("starttls_not_offered/vanished", "likely", "the server is told to offer none any more",
        "Exim 4.96", port=25, withdraw=True, warm=["EHLO out.example.org\\nQUIT"],
        send="EHLO out.example.org\\nQUIT",
        daemon="tls_advertise_hosts = ${if exists{/tmp/offer-N}{*}{}}"),
    Row("starttls_not_used", "certain", "the client goes on in clear", "Postfix 3.7", port=25,
        upstream="192.0.2.25", send="EHLO out.example.org\\nQUIT"),
    Row("plaintext_to_tls_port", "certain", "EHLO to 465", server=RSA,
        send="EHLO out.example.org\\nQUIT"),
    Row("tls_to_plaintext_port", "certain", "a hello to port 25", "Postfix 3.7, s_client", port=25,
        upstream="192.0.2.25", client=T12),
    # --- captures with holes, made so by tcpdump
    Row("capture/one_direction", "certain", "tcpdump sees the client only", server=RSA, client=T12,
        dump=("tcp and src host {client}",)),
    Row("capture/truncated", "certain", "tcpdump cuts at 120 bytes", server=RSA, client=T12,
        dump=("-s", "120", "tcp and host {ip}")),
    Row("capture/gap", "certain", "tcpdump loses the server's handshake", server=RSA, client=T12,
        dump=("tcp and host {ip} and (src host {client} or less 80 or "
              f"{RECORD} != 22)",)),
    Row("capture/unreadable", "likely", "a box spoils the server's first message", server=RSA,
        rule="scramble", send="hello", script=True),
    Row("capture/midstream", "certain", "tcpdump sees what comes behind the handshake", server=RSA,
        client=T12, dump=(f"tcp and host {{ip}} and {RECORD} == 23",)),
]

# What no row produces, and why.
WITHOUT = {
    "alert/encrypted": "an alert under keys that is no answer to a certificate: none of the stacks "
                       "here sends one",
}


class Player:
    """Plays one row. Server 10.1.0.N, the client that fails 10.2.0.N, all others 10.3.0.N."""

    def __init__(self, run, number, row):
        self.folder, self.row, self.number = Path(run) / "tls", row, number
        self.log = (Path(run) / "says" / f"cause-{number}").open("wb")
        self.ip = f"10.1.0.{number}"
        self.port = 20000 + number
        self.running = []
        self.root = Path(run) / "exim-world"
        self.offer = self.root / "tmp" / f"offer-{number}"

    def start(self, net, argv):
        self.running.append(subprocess.Popen(
            ["ip", "netns", "exec", net, *argv], cwd=self.folder, stdin=subprocess.PIPE,
            stdout=self.log, stderr=self.log))

    def listening(self, ip, port):
        for _ in range(200):
            out = subprocess.run(["ip", "netns", "exec", "gw", "ss", "-Hltn", f"sport = :{port}"],
                                 capture_output=True, text=True, check=False).stdout
            if f"{ip}:{port}" in out or f"*:{port}" in out or f"0.0.0.0:{port}" in out:
                return
            time.sleep(0.05)
        raise SystemExit(f"{self.row.code}: no server")

    def start_server(self):
        row = self.row
        ip, port = ("127.0.0.1", self.port) if row.rule else (self.ip, row.port)
        if row.upstream:
            ip, port = row.upstream, 25
        elif row.daemon:
            self.start_daemon()
        elif row.gnutls:
            self.start("gw", ["gnutls-serv", "--echo", "--port", str(port), *row.gnutls])
            ip = "*"
        else:
            self.start("gw", ["openssl", "s_server", "-accept", f"{ip}:{port}", "-rev", *row.server])
        self.listening(ip, port)
        if row.upstream and not row.rule:
            self.ip = row.upstream
        if row.rule:
            self.start("gw", [sys.executable, str(HERE / "box.py"), "serve", self.ip, str(row.port),
                              ip, str(port), row.rule.format(n=self.number)])
            self.listening(self.ip, row.port)

    def settings(self, text):
        """A file of settings for Exim, with a spool of its own; its name within Exim's root."""
        name = f"/etc/exim4/cause-{self.number}.conf"
        head = f"""primary_hostname = host{self.number}.example.org
spool_directory = /var/spool/cause-{self.number}
log_file_path = /var/log/exim4/cause-{self.number}-%s
keep_environment =
host_lookup =
"""
        (self.root / name[1:]).write_text(head + text, encoding="utf-8")
        return name

    def start_daemon(self):
        for key in ("rsa.key", "rsa.pem"):
            shutil.copy(self.folder / key, self.root / "etc/ssl/lab" / key)
        name = self.settings(f"""local_interfaces = {self.ip}
daemon_smtp_ports = {self.row.port}
tls_certificate = /etc/ssl/lab/rsa.pem
tls_privatekey = /etc/ssl/lab/rsa.key
{self.row.daemon.replace("offer-N", f"offer-{self.number}")}
""")
        self.offer.touch()
        self.start("gw", ["chroot", str(self.root), "/usr/sbin/exim4", "-C", name, "-bdf"])

    def send_by_exim(self, source):
        options = self.row.exim
        if "tls_require_ciphers" not in options:
            options += "\n  tls_require_ciphers = NORMAL:-VERS-TLS1.3"
        name = self.settings(f"""begin routers
all:
  driver = manualroute
  route_list = * {self.ip}
  transport = out
begin transports
out:
  driver = smtp
  protocol = smtps
  port = {self.row.port}
  interface = {source}
  tls_verify_certificates = /etc/ssl/lab/ca.pem
  tls_verify_hosts = *
  {options}
""")
        subprocess.run(["ip", "netns", "exec", "world", "chroot", str(self.root), "/usr/sbin/exim4", "-C",
                        name, "-odi", "-i", "-f", "alice@example.org", "bob@example.net"],
                       input=b"Subject: A letter\n\nBy Exim.\n", stdout=self.log, stderr=self.log,
                       timeout=20, check=False)

    def dump(self):
        """A capture of this row alone; returns when it has begun."""
        says = self.folder.parent / "says" / f"cause-{self.number}-tcpdump"
        options = [part.format(ip=self.ip, client=f"10.2.0.{self.number}") for part in self.row.dump]
        with says.open("wb") as log:
            self.running.append(subprocess.Popen(
                ["ip", "netns", "exec", "gw", "tcpdump", "-i", "mirror", "-U", "--immediate-mode", "-Z",
                 "root", "-w", str(dumped(self.folder.parent, self.number)), *options], stderr=log))
        for _ in range(200):
            if b"listening on" in says.read_bytes():
                return
            time.sleep(0.05)
        raise SystemExit(f"{self.row.code}: no tcpdump")

    def talk(self, source, options):
        """A session of s_client, or of box.py if the options are a text."""
        to = f"{self.ip}:{self.row.port}"
        if self.row.exim:
            self.send_by_exim(source)
            return
        if self.row.program:  # those that cannot choose their address
            subprocess.run(["ip", "-n", "world", "route", "replace", f"{self.ip}/32", "dev", "outside",
                            "src", source], check=True)
            argv = [part.format(ip=self.ip, port=self.row.port) for part in self.row.program]
        elif isinstance(options, str):
            argv = [sys.executable, str(HERE / "box.py"), "send", source, self.ip,
                    str(self.row.port), options]
        else:
            argv = ["openssl", "s_client", "-connect", to, "-bind", f"{source}:0", *options]
        client = subprocess.Popen(["ip", "netns", "exec", "world", *argv], cwd=self.folder,
                                  stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        if self.row.hold:
            return
        try:
            time.sleep(0.7)
            client.stdin.write(b"ehlo out.example.org\n")
            client.stdin.flush()
            time.sleep(0.3)
            client.stdin.write(b"noop\n")
            client.stdin.flush()
            time.sleep(0.3)
            client.communicate(timeout=5)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            client.terminate()
            client.wait()

    def play(self):
        try:
            self.start_server()
            if self.row.dump:
                self.dump()
            for options in self.row.warm:
                self.talk(f"10.{2 if self.row.withdraw else 3}.0.{self.number}", options)
            if self.row.withdraw:
                self.offer.unlink()
            self.talk(f"10.2.0.{self.number}", self.row.send or self.row.client)
        finally:
            for process in () if self.row.hold else self.running:
                process.terminate()
                try:
                    process.wait(timeout=2)
                except subprocess.TimeoutExpired:
                    process.kill()
                process.wait()


def play(run):
    """All rows, a few at once; those that only wait cost nothing."""
    places = threading.Semaphore(12)
    wildcard = threading.Lock()  # gnutls-serv listens on all addresses at once
    failed = []

    def one(number, row):
        with wildcard if row.gnutls else nullcontext(), places:
            try:
                Player(run, number, row).play()
            except (Exception, SystemExit) as error:  # pylint: disable=broad-except
                failed.append(f"{row.code}: {error}")

    threads = [threading.Thread(target=one, args=numbered)
               for numbered in enumerate(TABLE, 1) if not numbered[1].peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in failed:
        print(line)
    return 1 if failed else 0


def dumped(run, number):
    return Path(run) / f"cause-{number}.pcap"


def documented():
    """Codes in the first cells of the tables of docs/causes.md, those with places left out."""
    text = (HERE.parent.parent / "docs/causes.md").read_text(encoding="utf-8")
    cells = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    codes = {code for cell in cells for code in re.findall(r"`([^`]+)`", cell) if "<" not in code}
    return codes - {"certain", "likely", "possible"}


def ends(number, row):
    if row.peers:
        return row.peers
    server = row.upstream if row.upstream and not row.rule else f"10.1.0.{number}"
    return f"10.2.0.{number}", server


def explained(ehlotap, path):
    """{(client, server): [(code, confidence)]}, and the complaints about the answer itself."""
    out = subprocess.run([ehlotap, "explain", "--json", path], capture_output=True, text=True,
                         check=True, timeout=60).stdout
    answer, found, bad = json.loads(out), {}, []
    for finding in answer["findings"]:
        found.setdefault((finding["client"], finding["server"]), []).append(
            (finding["code"], finding["confidence"]))
        if not finding["why"] or "{" in finding["why"]:
            bad.append(f"{finding['code']}: no sentence, or one with holes: {finding['why']}")
        # a server that takes few suites is not the simulated one, of which that is not known
        if finding["code"] == "no_shared_cipher/suites" and finding["would_work"]:
            bad.append(f"{finding['code']}: a simulation that does not fail is believed")
    bad += [f"{cause['code']}: nothing is said of what to do" for cause in answer["causes"]
            if not cause["remedies"] and not cause["code"].startswith("capture/")]
    bad += [f"{cause['code']}: not the remedies of a garbled verb" for cause in answer["causes"]
            if cause["code"].endswith("/garbled")
            and not any(remedy["product"] == "Cisco ASA" for remedy in cause["remedies"])]
    return found, bad


def asked(ehlotap, capture, folder):
    """What each of the three says of a capture, why, and complaints about the answers."""
    Path(folder).mkdir(exist_ok=True)
    out = subprocess.run([ehlotap, "read", "-q", "--sessions", "-", "--minutes", folder, capture],
                         capture_output=True, text=True, check=True, timeout=60).stdout
    read, why = {}, {}
    for line in out.splitlines():
        session = json.loads(line)
        key = session["client"]["ip"], session["server"]["ip"]
        if session["cause"]:
            read.setdefault(key, []).append((session["cause"]["code"], session["cause"]["confidence"]))
            why[key] = session["cause"]["why"]
    from_capture, bad = explained(ehlotap, capture)
    from_minutes, worse = explained(ehlotap, folder)
    return (("read", read), ("explain on the capture", from_capture),
            ("explain on minute files", from_minutes)), why, bad + worse


def incomplete():
    """What docs/causes.md has and no row, and the reverse of WITHOUT."""
    rows = {row.code for row in TABLE}
    return ([f"{code}: neither a row nor a reason why there is none"
             for code in sorted(documented() - rows - set(WITHOUT))]
            + [f"{code}: a reason why there is no row, and a row" for code in sorted(rows & set(WITHOUT))])


def check(run, ehlotap):
    everything, why, failures = asked(ehlotap, f"{run}/sample.pcap", f"{run}/minutes")
    failures += incomplete()
    passed = 0
    for number, row in enumerate(TABLE, 1):
        answers, reasons = everything, why
        if row.dump:
            answers, reasons, bad = asked(ehlotap, str(dumped(run, number)), f"{run}/minutes-{number}")
            failures += bad
        key, expected = ends(number, row), (row.code, row.confidence)
        for what, found in answers:
            if expected in found.get(key, []):
                passed += 1
            else:
                failures.append(f"{number} {' '.join(expected)} ({row.how}): {what} has "
                                f"{found.get(key)}: {reasons.get(key)}")
    for line in failures:
        print("FAIL", line)
    scripted = sum(row.script for row in TABLE)
    print(f"{len(TABLE)} causes: {len(TABLE) - scripted} by real programs alone, "
          f"{scripted} with a script on one side or between; none for {', '.join(WITHOUT)}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(play(sys.argv[2]) if sys.argv[1] == "play" else check(sys.argv[2], sys.argv[3]))
