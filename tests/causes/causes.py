#!/usr/bin/env python3
"""The causes, how each is produced, by which stack, and whether ehlotap names it.

    causes.py play RUN_FOLDER             inside the lab (see the script `lab` beside this)
    causes.py check RUN_FOLDER EHLOTAP

`check` asks three times for each row: the session record of `ehlotap read`, `ehlotap explain --json`
on the capture, and the same on its minute files. Last line `N passed, N failed`.
"""

import json
import subprocess
import sys
import threading
import time
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
    hold: bool = False          # the client waits until the capture has ended
    peers: tuple = ()           # client and server, where the lab's mailers play


RSA = ["-cert", "rsa.pem", "-key", "rsa.key"]
P256 = ["-cert", "p256.pem", "-key", "p256.key"]
P384 = ["-cert", "p384.pem", "-key", "p384.key"]
VERIFY = ["-tls1_2", "-verify_return_error", "-CAfile", "ca.pem", "-servername", "mail.example.net"]
T12, T13 = ["-tls1_2"], ["-tls1_3"]

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
    Row("certificate_rejected/unsupported", "certain", "clientAuth only",
        client=VERIFY + ["-purpose", "sslserver"], server=["-cert", "usage.pem", "-key", "rsa.key"]),
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
    Row("starttls_not_used", "certain", "the client goes on in clear", "Postfix 3.7", port=25,
        upstream="192.0.2.25", send="EHLO out.example.org\\nQUIT"),
    Row("plaintext_to_tls_port", "certain", "EHLO to 465", server=RSA,
        send="EHLO out.example.org\\nQUIT"),
    Row("tls_to_plaintext_port", "certain", "a hello to port 25", "Postfix 3.7, s_client", port=25,
        upstream="192.0.2.25", client=T12),
]


class Player:
    """Plays one row. Server 10.1.0.N, the client that fails 10.2.0.N, all others 10.3.0.N."""

    def __init__(self, run, number, row):
        self.folder, self.row, self.number = Path(run) / "tls", row, number
        self.log = (Path(run) / "says" / f"cause-{number}").open("wb")
        self.ip = f"10.1.0.{number}"
        self.port = 20000 + number
        self.running = []

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

    def talk(self, source, options):
        """A session of s_client, or of box.py if the options are a text."""
        to = f"{self.ip}:{self.row.port}"
        if isinstance(options, str):
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
            for options in self.row.warm:
                self.talk(f"10.3.0.{self.number}", options)
            self.talk(f"10.2.0.{self.number}", self.row.send or self.row.client)
        finally:
            for process in () if self.row.hold else self.running:
                process.kill()
                process.wait()


def play(run):
    """All rows, a few at once; those that only wait cost nothing."""
    places = threading.Semaphore(12)
    failed = []

    def one(number, row):
        with places:
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
            if not cause["remedies"]]
    bad += [f"{cause['code']}: not the remedies of a garbled verb" for cause in answer["causes"]
            if cause["code"].endswith("/garbled")
            and not any(remedy["product"] == "Cisco ASA" for remedy in cause["remedies"])]
    return found, bad


def check(run, ehlotap):
    capture, folder = f"{run}/sample.pcap", f"{run}/minutes"
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
    failures = bad + worse
    passed = 0
    for number, row in enumerate(TABLE, 1):
        key, expected = ends(number, row), (row.code, row.confidence)
        for what, found in (("read", read), ("explain on the capture", from_capture),
                            ("explain on minute files", from_minutes)):
            if expected in found.get(key, []):
                passed += 1
            else:
                failures.append(f"{number} {' '.join(expected)} ({row.how}): {what} has "
                                f"{found.get(key)}: {why.get(key)}")
    for line in failures:
        print("FAIL", line)
    scripted = sum(row.script for row in TABLE)
    print(f"{len(TABLE)} causes: {len(TABLE) - scripted} by real programs alone, "
          f"{scripted} with a script on one side or between")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(play(sys.argv[2]) if sys.argv[1] == "play" else check(sys.argv[2], sys.argv[3]))
