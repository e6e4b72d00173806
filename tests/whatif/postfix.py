#!/usr/bin/env python3
"""Do real mail servers do what `ehlotap explain`, `whatif` and `advise` say?

    postfix.py EHLOTAP PRESETS RUN_FOLDER      inside the lab (see the script `lab` beside this)

The founding case: a Postfix whose only certificate is ECDSA P-384, and a sender that knows P-256
only. What is it said to be, what is said to cure it, and does each cure give what was said?

The snippets: advise's lines of configuration, for peers of many kinds, are loaded by Postfix, Exim
and Dovecot; none may find fault with a line, and each peer must get TLS.

Last line `N passed, N failed`. Exit 0: all passed; 1: not.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

EHLOTAP, PRESETS, RUN = sys.argv[1], sys.argv[2], Path(sys.argv[3])
TIMEOUT_S = 60
SERVER, EXIM = "192.0.2.26", "192.0.2.27"
MAIL = "etc/ssl/mail"  # where the snippets look for keys

EXCHANGE_SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256:"
                   "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:"
                   "AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA:@SECLEVEL=0")
EXCHANGE_SIGALGS = ("RSA+SHA256:RSA+SHA384:RSA+SHA1:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA1:DSA+SHA1:"
                    "RSA+SHA512:ECDSA+SHA512")
# Options of s_client. The number of one gives its address.
CLIENTS = {
    "modern": ["-tls1_2"],
    "exchange": ["-tls1_2", "-cipher", EXCHANGE_SUITES, "-curves", "P-256", "-sigalgs", EXCHANGE_SIGALGS],
    "tls13": ["-tls1_3"],
    "aes128-13": ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
    "chacha": ["-tls1_2", "-cipher", "CHACHA20"],
    "ccm": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-CCM"],
    "dhe": ["-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384"],
    "rsa-kx": ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
    "ecdsa": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    "ed25519": ["-tls1_3", "-sigalgs", "ed25519"],
    "camellia": ["-tls1_2", "-cipher", "ECDHE-RSA-CAMELLIA128-SHA256"],
    "tls11": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "tls10": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
}
# Peers that advise is asked about together.
GROUPS = [["exchange"], ["tls13"], ["aes128-13"], ["chacha"], ["ccm"], ["dhe", "exchange"], ["rsa-kx", "ecdsa"],
          ["ed25519", "ecdsa", "rsa-kx"], ["camellia"], ["tls11", "ecdsa"], ["tls10"]]
SERVICES = {25: "smtp", 465: "smtps", 993: "imaps"}
CURES = {"rsa:2048,ecdsa:P-384": "rsa:2048", "ecdsa:P-256": "ecdsa:secp256r1"}  # and the key that serves

passed = failed = 0
lock = threading.Lock()


def check(good, question, detail=""):
    global passed, failed
    with lock:
        if good:
            passed += 1
        else:
            failed += 1
            print(f"failed: {question} {detail}", flush=True)


def wait_for(what, condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(0.02)


def run(*command, **options):
    return subprocess.run(command, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", **options)


def ehlotap(*args):
    result = run(EHLOTAP, *args, env=dict(os.environ, EHLOTAP_PRESETS=PRESETS))
    if result.returncode != 0:
        raise RuntimeError(f"{args}: {result.returncode} {result.stderr[-500:]}")
    return result.stdout


# --- keys --------------------------------------------------------------------------------------

def make_keys(folder):
    """NAME.key, NAME.crt, NAME.pem for all keys that advise can name."""
    folder.mkdir()
    for name in ("rsa-2048", "rsa-3072", "ecdsa-P-256", "ecdsa-P-384", "ed25519"):
        kind, _, size = name.partition("-")
        what = {"rsa": ["rsa:" + size], "ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:" + size],
                "ed25519": ["ed25519"]}[kind]
        path = folder / name
        run("openssl", "req", "-x509", "-newkey", *what, "-nodes", "-subj", "/CN=mx2.example.net", "-keyout",
            f"{path}.key", "-out", f"{path}.crt", "-days", "30", check=True)
        Path(f"{path}.pem").write_text(Path(f"{path}.key").read_text() + Path(f"{path}.crt").read_text())
    run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out",
        str(folder / "dh.pem"), check=True)
    for path in folder.iterdir():
        path.chmod(0o644)


def certificate(name):
    """As s_client prints it."""
    return (RUN / "keys" / (name.replace(":", "-") + ".crt")).read_text().strip()


# --- servers -----------------------------------------------------------------------------------

class Program:
    """A server in its private root. Lines about TLS are added to its own settings."""

    def __init__(self, root, config, log, command, ports, address=SERVER):
        self.root, self.command, self.ports, self.address = RUN / root, command, ports, address
        self.config, self.log = self.root / config, self.root / log
        self.own = self.config.read_text()
        self.process = None
        shutil.copytree(RUN / "keys", self.root / MAIL)

    def inside(self, *command):
        return ["ip", "netns", "exec", "gw", "chroot", str(self.root), *command]

    def listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended: {self.says()[-1000:]}")
        found = run("ip", "netns", "exec", "gw", "ss", "-Hltn", "src", self.address).stdout
        return all(f"{self.address}:{port} " in found for port in self.ports)

    def start(self, lines):
        self.stop()
        self.config.write_text(self.merge(lines))
        if self.log.exists():
            self.log.write_text("")
        self.process = subprocess.Popen(self.inside(*self.command), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.command[0], self.listens)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(TIMEOUT_S)
            self.process = None

    def says(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def merge(self, lines):
        return self.own + lines


class Postfix(Program):
    def start(self, lines):
        """Once; from then on each smtpd reads main.cf anew (max_use = 1)."""
        if not self.process:
            super().start(lines)
            return
        self.config.write_text(self.merge(lines))
        self.log.write_text("")

    def faults(self, lines):
        """What Postfix's own check of main.cf says, and lines that it does not have."""
        self.config.write_text(self.merge(lines))
        result = run(*self.inside("/usr/sbin/postconf", "-n"))
        missing = [line for line in settings(lines) if line not in result.stdout.splitlines()]
        return result.stderr, missing


class Exim(Program):
    def merge(self, lines):
        return lines + self.own  # main options come before the first section

    def faults(self, lines):
        self.config.write_text(self.merge(lines))
        lines = re.sub(r"\.else\n.*?(?=\.endif)", "", lines, flags=re.S)  # Debian's has GnuTLS
        result = run(*self.inside("/usr/sbin/exim4", "-C", "/etc/exim4/exim4.conf", "-bV"))
        bad = result.stderr if result.returncode == 0 else result.stderr + result.stdout[:300]
        names = [line.split(" = ")[0] for line in settings(lines)]
        known = run(*self.inside("/usr/sbin/exim4", "-bP", *names)).stdout.splitlines()
        return bad, [line for line in settings(lines) if line not in known]


class Dovecot(Program):
    def faults(self, lines):
        self.config.write_text(self.merge(lines))
        result = run(*self.inside("/usr/bin/doveconf", "-n", "-c", "/etc/dovecot/dovecot.conf"))
        # keys are not shown, and what is as by default neither
        names = [line.split(" = ")[0] for line in settings(lines)]
        known = run(*self.inside("/usr/bin/doveconf", "-P", "-c", "/etc/dovecot/dovecot.conf", *names))
        return result.stderr + known.stderr, [line for line in settings(lines)
                                              if line not in known.stdout.splitlines()]


def settings(lines):
    return [line for line in lines.splitlines() if line and line[0] not in "#."]


# --- clients -----------------------------------------------------------------------------------

def address(client):
    return f"198.51.100.{80 + list(CLIENTS).index(client)}"


class Session:
    """What s_client says of a session."""

    def __init__(self, client, port, server=SERVER):
        smtp = ["-starttls", "smtp", "-name", client + ".example.org"] if port == 25 else []
        text = run("ip", "netns", "exec", "world", "timeout", "15", "openssl", "s_client", "-connect",
                   f"{server}:{port}", "-bind", address(client) + ":0", *smtp, *CLIENTS[client]).stdout
        found = re.search(r"^New, (?:.*), Cipher is (\S+)$", text, re.M)
        cipher = found[1] if found else "(NONE)"
        self.cipher = None if cipher == "(NONE)" else cipher
        found = re.search(r"^    Protocol  : (\S+)$", text, re.M) or re.search(r"^New, (\S+), ", text, re.M)
        self.version = found[1] if found and self.cipher else None
        found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
        self.certificate = found[0] if found else None

    def __str__(self):
        return f"{self.version} {self.cipher}"


def standard_names():
    """{OpenSSL's name of a suite: the registered one}"""
    lines = run("openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", check=True).stdout
    return {line.split()[2]: line.split()[0] for line in lines.splitlines()}


def play(path, ports):
    """All clients at all ports, captured."""
    log = RUN / "tcpdump.err"
    with log.open("w") as err:
        dump = subprocess.Popen(["ip", "netns", "exec", "gw", "tcpdump", "-i", "mirror", "-s", "0", "-U",
                                 "--immediate-mode", "-Z", "root", "-w", str(path), "tcp"], stderr=err)
    wait_for("tcpdump", lambda: "listening on" in log.read_text())
    sessions = {(client, port): Session(client, port) for client in CLIENTS for port in ports}
    time.sleep(0.3)
    dump.send_signal(signal.SIGINT)
    dump.wait(TIMEOUT_S)
    return sessions


# --- questions ---------------------------------------------------------------------------------

def founding(postfix, sessions, minutes):
    exchange = ["--peer", address("exchange"), "--server", SERVER, "--service", "smtp", "--json", minutes]
    check(sessions["modern", 25].certificate == certificate("ecdsa:P-384"), "a modern sender gets P-384")
    check(sessions["exchange", 25].version is None, "the sender with P-256 is refused")
    check("no shared cipher" in postfix.says(), "Postfix logs: no shared cipher")
    finding, = json.loads(ehlotap("explain", *exchange))["findings"]
    check((finding["code"], finding["confidence"]) == ("no_shared_cipher/certificate_curve", "certain"),
          "explained", (finding["code"], finding["confidence"]))
    advice = json.loads(ehlotap("advise", *exchange))["servers"][0]["advice"]
    check(advice["cert"] == "ecdsa:P-256" and advice["within"], "smallest set", advice["cert"])
    names = standard_names()
    for certs, key in CURES.items():
        peer, = json.loads(ehlotap("whatif", "--cert", certs, *exchange))["peers"]
        case, = peer["cases"]
        said = case["next"]
        check(case["fate"] == "gained" and said["result"] == "accept" and said["key"] == key,
              f"{certs} is said to cure", case)
        files = ", ".join(f"/{MAIL}/{name.replace(':', '-')}.pem" for name in certs.split(","))
        postfix.start(f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {files}\n")
        got = Session("exchange", 25)
        check(got.version == said["version"] and names.get(got.cipher) == said["cipher"],
              f"{certs} gives what was said", f"said {said['version']} {said['cipher']}, got {got}")
        check(got.certificate == certificate("ecdsa:P-256" if "P-256" in certs else "rsa:2048"),
              f"{certs}: by the key that was said")
        wait_for("Postfix's log", lambda: "TLS connection established from" in postfix.says())
        check(f"{said['version']} with cipher {got.cipher} " in postfix.says(), f"{certs}: Postfix's log agrees")
        print(f"founding case with {certs}: {got}, as was said", flush=True)


def load(program, name, group, port, site):
    """A snippet in the server that it is for, then its peers."""
    label = f"{name}, {SERVICES[port]}, for {' '.join(group)}"
    lines = site["snippets"][name]
    try:
        bad, missing = program.faults(lines)
        check(not bad, f"{label}: the settings are in order", bad[-500:])
        check(not missing, f"{label}: the server has the settings", missing)
        program.start(lines)
        for client in group:
            got = Session(client, port, program.address)
            check(got.version is not None, f"{label}: {client} was promised TLS",
                  f"{site['advice']['preset']} {site['advice']['cert']}")
        bad = re.findall(r".*(?:warning:|fatal:|panic:|error:|Warning:|Error:|Fatal:|Panic:).*", program.says())
        check(not bad, f"{label}: the server's log is quiet", bad[:3])
    except RuntimeError as error:
        check(False, label, error)


def snippets(name, program, ports, sites):
    loaded = 0
    for (group, port), site in sites.items():
        if port in ports and name in site["snippets"]:
            load(program, name, group, port, site)
            loaded += 1
    program.stop()
    check(loaded >= 8, f"{name}: snippets were loaded", loaded)
    print(f"{name}: {loaded} snippets loaded", flush=True)


def plans(minutes):
    """{(group, port): what advise says}, where it can keep all of the group."""
    found = {}
    for group in map(tuple, GROUPS):
        peers = [word for client in group for word in ("--peer", address(client))]
        for port, service in SERVICES.items():
            answer = json.loads(ehlotap("advise", "--json", "--server", SERVER, "--service", service, *peers, minutes))
            for site in answer["servers"]:
                if not site["unserved"] and site["advice"]["within"]:
                    found[group, port] = site
    return found


def all_programs():
    """{name: program} of those that are there."""
    found = {"postfix": Postfix("postfix-cures", "etc/postfix/main.cf", "var/log/mail.log",
                                ["/usr/lib/postfix/sbin/master", "-c", "/etc/postfix", "-d"], [25, 465])}
    if (RUN / "exim-cures").exists():
        found["exim"] = Exim("exim-cures", "etc/exim4/exim4.conf", "var/log/exim4/mainlog",
                             ["/usr/sbin/exim4", "-bdf"], [25, 465], EXIM)
    if (RUN / "dovecot").exists():
        found["dovecot"] = Dovecot("dovecot", "etc/dovecot/dovecot.conf", "var/log/dovecot.log",
                                   ["/usr/sbin/dovecot", "-F", "-c", "/etc/dovecot/dovecot.conf"], [143, 993])
    return found


def main():
    make_keys(RUN / "keys")
    programs = all_programs()
    postfix, dovecot = programs["postfix"], programs.get("dovecot")
    postfix.start(f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /{MAIL}/ecdsa-P-384.pem\n")
    if dovecot:
        dovecot.start(f"ssl = required\nssl_cert = </{MAIL}/ecdsa-P-384.crt\nssl_key = </{MAIL}/ecdsa-P-384.key\n")
    capture, minutes = RUN / "sample.pcap", RUN / "minutes"
    sessions = play(capture, [25, 465, 993] if dovecot else [25, 465])
    minutes.mkdir()
    ehlotap("read", "-q", "--gateway", "192.0.2.0/24", "--minutes", str(minutes), str(capture))
    founding(postfix, sessions, str(minutes))
    sites = plans(str(minutes))
    policies = sorted({f"{site['advice']['preset']} {site['advice']['min_version']}" for site in sites.values()})
    certs = sorted({site["advice"]["cert"] for site in sites.values()})
    check(len(policies) >= 8 and len(certs) >= 4, "plans of many kinds", (policies, certs))
    print(f"plans: {len(sites)}; {', '.join(policies)}; {'; '.join(certs)}", flush=True)
    threads = [threading.Thread(target=snippets, args=(name, program, [993] if name == "dovecot" else [25, 465], sites))
               for name, program in programs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("exim", "dovecot", "cyrus"):
        if name not in programs:
            print(f"skipped: {name} is not here, its snippets are not loaded")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
