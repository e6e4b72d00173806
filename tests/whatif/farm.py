#!/usr/bin/env python3
"""Do real servers do what `ehlotap whatif` and `ehlotap advise` say that they would?

    farm.py BINARY PRESETS

Some fifty real clients (OpenSSL, GnuTLS, Python's ssl) meet a real server, `openssl s_server`, with a
configuration X; the capture becomes minute files. whatif then says what each client would get of
configuration Y, and the same clients meet the real server with Y: outcome, version, suite and group
must be those that were said, of each client. What advise says is installed on the server too: each
client that was promised TLS must get it.

Runs in a network namespace of its own, so that it needs root; without it it is skipped (exit 77).
Last line `N passed, N failed`. Exit 0: all passed; 1: not.
"""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import warnings

SERVER = "192.0.2.25"
PORT = 25
TIMEOUT_S = 60
CLEAN = dict(os.environ, OPENSSL_CONF="/dev/null")

EXCHANGE_SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256:"
                   "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:"
                   "AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA")
EXCHANGE_SIGALGS = ("RSA+SHA256:RSA+SHA384:RSA+SHA1:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA1:RSA+SHA512:"
                    "ECDSA+SHA512")

# What is behind `openssl s_client -connect ...`.
OPENSSL = {
    "exchange": ["-tls1_2", "-cipher", EXCHANGE_SUITES, "-curves", "P-256", "-sigalgs", EXCHANGE_SIGALGS],
    "default": [],
    "tls12": ["-tls1_2"],
    "tls13": ["-tls1_3"],
    "tls11": ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"],
    "tls10": ["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"],
    "tls10-up": ["-min_protocol", "TLSv1", "-cipher", "ALL:@SECLEVEL=0"],
    "all": ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
    "rsa-kx": ["-tls1_2", "-cipher", "kRSA"],
    "rsa-kx-cbc": ["-tls1_2", "-cipher", "AES128-SHA:AES256-SHA"],
    "rsa-kx-11": ["-tls1_1", "-cipher", "AES128-SHA:@SECLEVEL=0"],
    "dhe": ["-tls1_2", "-cipher", "kDHE:!aNULL"],
    "dhe-cbc": ["-tls1_2", "-cipher", "DHE-RSA-AES256-SHA"],
    "ecdsa-only": ["-tls1_2", "-cipher", "aECDSA"],
    "ecdsa-only-p256": ["-tls1_2", "-cipher", "aECDSA", "-curves", "P-256"],
    "rsa-only": ["-tls1_2", "-cipher", "ECDHE+aRSA"],
    "cbc": ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256"],
    "chacha": ["-tls1_2", "-cipher", "CHACHA20"],
    "camellia": ["-tls1_2", "-cipher", "CAMELLIA"],
    "ccm": ["-tls1_2", "-cipher", "AESCCM"],
    "anon": ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
    "aes256": ["-tls1_2", "-cipher", "AES256+AESGCM"],
    "p256": ["-curves", "P-256"],
    "p384": ["-curves", "P-384"],
    "p384-12": ["-tls1_2", "-curves", "P-384"],
    "p521": ["-curves", "P-521"],
    "x25519": ["-curves", "X25519"],
    "x25519-12": ["-tls1_2", "-curves", "X25519"],
    "x448": ["-curves", "X448"],
    "ffdhe": ["-tls1_3", "-curves", "ffdhe2048"],
    "retry": ["-curves", "X448:P-384:P-256"],
    "rsa-sigalgs": ["-sigalgs", "RSA+SHA256:RSA-PSS+SHA256"],
    "pkcs1-12": ["-tls1_2", "-sigalgs", "RSA+SHA256:RSA+SHA512"],
    "ecdsa-sigalgs": ["-sigalgs", "ECDSA+SHA256:ECDSA+SHA384"],
    "ecdsa-sha256": ["-sigalgs", "ECDSA+SHA256"],
    "ed25519-sigalgs": ["-sigalgs", "ed25519"],
    "aes128-13": ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
    "chacha-13": ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
}
GNUTLS = {
    "normal": "NORMAL",
    "secure256": "SECURE256",
    "pfs": "PFS",
    "suiteb128": "SUITEB128",
    "suiteb192": "SUITEB192",
    "no-13": "NORMAL:-VERS-TLS1.3",
    "tls10": "NORMAL:-VERS-ALL:+VERS-TLS1.0:%VERIFY_ALLOW_SIGN_WITH_SHA1",
    "tls11": "NORMAL:-VERS-ALL:+VERS-TLS1.1:%VERIFY_ALLOW_SIGN_WITH_SHA1",
    "p256": "NORMAL:-GROUP-ALL:+GROUP-SECP256R1",
    "p256-12": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-SECP256R1",
    "rsa-kx": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
    "dhe": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA",
    "ecdhe-rsa": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA",
    "cbc": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
    "ccm": "NORMAL:-CIPHER-ALL:+AES-128-CCM",
    "priority": "NORMAL:%SERVER_PRECEDENCE:-AES-256-GCM",
}


def python_default(context):
    pass


def python_12(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def python_12_rsa(context):
    python_12(context)
    context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384")


def python_10(context):
    warnings.simplefilter("ignore")  # that it is deprecated
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")


def python_p256(context):
    context.set_ecdh_curve("prime256v1")


PYTHON = {"default": python_default, "tls12": python_12, "rsa": python_12_rsa, "tls10": python_10,
          "p256": python_p256}

# Configurations as options of whatif. A dict is a server's; its keys are the options.
LAX = {"min-version": "TLSv1.0", "ciphers": "ALL:@SECLEVEL=0", "groups": "X25519:P-256:X448:P-521:P-384",
       "ciphersuites": "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"}
PLAIN = {"ciphers": "DEFAULT"}
STRICT = {"min-version": "TLSv1.2", "ciphers": "ECDHE+AESGCM:ECDHE+CHACHA20",
          "ciphersuites": "TLS_AES_128_GCM_SHA256", "groups": "P-256:P-384", "server-order": "yes"}

passed = failed = 0


def check(good, question, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"failed: {question} {detail}", flush=True)


def run(*command, **options):
    return subprocess.run(command, check=True, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **options)


class Keys:
    """Files of keys and self-signed certificates, made when they are asked for."""

    def __init__(self, folder):
        self.folder, self.made = folder, {}

    def files(self, key):
        if key not in self.made:
            kind, _, size = key.partition(":")
            path = os.path.join(self.folder, key.replace(":", "-"))
            what = {"rsa": ["rsa:" + size], "ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:" + size],
                    "ed25519": ["ed25519"]}[kind]
            run("openssl", "req", "-x509", "-newkey", *what, "-nodes", "-subj", "/CN=mx.example.net",
                "-keyout", path + ".key", "-out", path + ".crt", "-days", "30", env=CLEAN)
            self.made[key] = path + ".crt", path + ".key"
        return self.made[key]


class Server:
    """s_server with the options of a configuration. -rev answers each line, so that data flows."""

    def __init__(self, keys, certs, config):
        args = ["-accept", f"{SERVER}:{PORT}", "-rev", "-quiet"]
        certs = [keys.files(cert) for cert in certs.split(",")]
        args += ["-cert", certs[0][0], "-key", certs[0][1]]
        if len(certs) == 2:
            args += ["-dcert", certs[1][0], "-dkey", certs[1][1]]
        elif len(certs) > 2:  # -xcert replaces the others
            for crt, key in certs:
                args += ["-xcert", crt, "-xkey", key]
        ciphers = config.get("ciphers")
        if ciphers:
            level = config.get("security-level")
            args += ["-cipher", ciphers + (f":@SECLEVEL={level}" if level is not None else "")]
        for name, option in (("min-version", "-min_protocol"), ("max-version", "-max_protocol"),
                             ("ciphersuites", "-ciphersuites"), ("groups", "-curves"),
                             ("sigalgs", "-sigalgs")):
            if config.get(name):
                value = config[name]
                args += [option, "TLSv1" if value == "TLSv1.0" else value]
        if config.get("server-order") == "yes":
            args += ["-serverpref"]
        if config.get("dh") == "none":
            args += ["-no_dhe"]
        self.log = tempfile.TemporaryFile()  # it says much there: a pipe that nobody reads would stop it
        self.process = subprocess.Popen(["openssl", "s_server", *args], env=CLEAN, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log,
                                        restore_signals=False)  # SIGPIPE does not end it
        for _ in range(100):
            time.sleep(0.02)
            if self.process.poll() is not None:
                self.log.seek(0)
                raise RuntimeError(f"s_server {args}: {self.log.read().decode()}")
            table = open("/proc/net/tcp").read()
            if f":{PORT:04X} 00000000:0000 0A" in table:
                return
        raise RuntimeError("s_server does not listen")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Capture:
    def __init__(self, path):
        self.process = subprocess.Popen(["tcpdump", "-i", "lo", "--immediate-mode", "-B", "16384", "-U", "-w", path,
                                         "-s", "0", "tcp"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.process.stderr.readline()  # "listening on": from now on nothing is lost
        time.sleep(0.1)

    def stop(self):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(TIMEOUT_S)
        self.process.stderr.close()


def talk(command):
    """Sends a line, waits for the answer or for the end, then goes."""
    process = subprocess.Popen(command, env=CLEAN, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    got = b""
    try:
        process.stdin.write(b"EHLO me\n")
        process.stdin.flush()
        os.set_blocking(process.stdout.fileno(), False)
        end = time.monotonic() + 5
        while b"em OLHE" not in got and time.monotonic() < end:
            part = process.stdout.read()
            if part:
                got += part
            elif process.poll() is not None:
                break
            else:
                time.sleep(0.003)
    except BrokenPipeError:
        pass
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        try:
            pipe.close()
        except BrokenPipeError:
            pass


def talk_python(prepare):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    prepare(context)
    try:
        with socket.create_connection((SERVER, PORT), timeout=5) as plain:
            with context.wrap_socket(plain) as tls:
                tls.sendall(b"EHLO me\n")
                tls.recv(100)
    except OSError:
        pass


def clients():
    """(name, function) of all; the number of one gives its address."""
    for name, args in OPENSSL.items():
        yield "openssl " + name, lambda args=args: talk(
            ["openssl", "s_client", "-connect", f"{SERVER}:{PORT}", "-quiet", "-noservername", *args])
    for name, priority in GNUTLS.items():
        yield "gnutls " + name, lambda priority=priority: talk(
            ["gnutls-cli", "--insecure", "--priority", priority, "-p", str(PORT), SERVER])
    for name, prepare in PYTHON.items():
        yield "python " + name, lambda prepare=prepare: talk_python(prepare)


CLIENTS = list(clients())


def address(number):
    return f"198.51.100.{number + 1}"


def meet(folder, keys, certs, config, name):
    """All clients meet a server; the capture's path."""
    path = os.path.join(folder, name + ".pcap")
    server = Server(keys, certs, config)
    capture = Capture(path)
    for number, (_, client) in enumerate(CLIENTS):
        run("ip", "route", "replace", "local", SERVER, "dev", "lo", "table", "local", "src", address(number))
        client()
    capture.stop()
    server.stop()
    return path


def ehlotap(*args):
    result = subprocess.run([BINARY, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=TIMEOUT_S, check=False, env=dict(os.environ, EHLOTAP_PRESETS=PRESETS))
    if result.returncode != 0:
        raise RuntimeError(f"{args}: {result.returncode} {result.stderr.decode()[-500:]}")
    return result.stdout.decode()


def outcomes(path):
    """{client's address: session}"""
    found = {}
    for line in ehlotap("read", "-q", "--sessions", "-", path).splitlines():
        session = json.loads(line)
        check(session["client"]["ip"] not in found, "one session a client", session["client"]["ip"])
        found[session["client"]["ip"]] = session
    return found


def minutes(folder, path):
    into = path + ".minutes"
    os.mkdir(into)
    ehlotap("read", "-q", "--minutes", into, path)
    return into


def options(certs, config):
    args = ["--cert", certs] if certs else []
    for name, value in config.items():
        args += ["--" + name, value]
    return args


def compare(name, answer, seen, real):
    """What was said of each client, and what it got."""
    said = {peer["client"]: peer for peer in answer["peers"]}
    agreed = counted = 0
    unknown = []
    for number, (client, _) in enumerate(CLIENTS):
        at = address(number)
        if at not in seen or at not in real:
            check(client.startswith("gnutls") and at not in seen and at not in real,
                  f"{name}: {client} was captured twice")
            continue
        check(seen[at]["hello"]["id"] == real[at]["hello"]["id"], f"{name}: {client} sends the same hello")
        cases = said[at]["cases"]
        check(len(cases) == 1, f"{name}: {client} has one case", cases)
        case, tls = cases[0], real[at]["tls"]
        counted += 1
        expected = (None,) * 4
        if case["next"] and case["next"]["result"] == "accept":
            expected = tuple(case["next"][key] for key in ("version", "cipher", "group", "dh_bits"))
        got = (None,) * 4
        if tls["outcome"] == "established":
            got = tuple(tls[key] for key in ("version", "cipher", "group", "dh_bits"))
        # an alert of the server, or of the client that judges what it got
        same = expected == got
        agreed += same
        check(same, f"{name}: {client} gets what was said", f"said {expected} got {got} {real[at]['cause']}")
        before, after = seen[at]["tls"]["outcome"] == "established", expected[0] is not None
        fates = {(True, True): ("same", "changed"), (True, False): ("lost",), (False, True): ("gained",),
                 (False, False): ("still_refused",)}[before, after]
        if case["fate"] == "unknown":
            unknown.append(f"{client} ({case['unknown']})")
        else:
            check(case["fate"] in fates, f"{name}: fate of {client}", f"{case['fate']} not {fates}")
    print(f"{name}: {agreed} of {counted} clients get what was said, unknown: {', '.join(unknown) or 'none'}",
          flush=True)


def advised(name, folder, keys, files, seen):
    """Installs what advise says."""
    site = json.loads(ehlotap("advise", "--json", files))["servers"][0]
    advice = site["advice"]
    config = {"min-version": advice["min_version"], "max-version": advice["max_version"],
              "ciphersuites": advice["ciphersuites"], "groups": advice["groups"],
              "sigalgs": advice["sigalgs"], "server-order": "yes" if advice["server_order"] else "no",
              "ciphers": advice["ciphers"], "security-level": advice["security_level"], "dh": advice["dh"]}
    chosen = [step for step in site["steps"] if step["chosen"]][0]
    out = {use["client"] for use in site["unserved"] + chosen["losers"]}
    real = outcomes(meet(folder, keys, advice["cert"], config, name + "-advised"))
    promised = 0
    for number, (client, _) in enumerate(CLIENTS):
        at = address(number)
        if at not in seen or at in out:
            continue
        promised += 1
        check(real.get(at, {}).get("tls", {}).get("outcome") == "established",
              f"{name}: {client} was promised TLS", real.get(at, {}).get("cause"))
    print(f"{name}: advise says {advice['cert']} with {advice['preset']} from {advice['min_version']}: "
          f"{promised} clients promised, {len(site['unserved'])} unserved, {len(chosen['losers'])} lost",
          flush=True)
    check(advice["within"] == (chosen["lost"]["peers"] == 0), f"{name}: what is lost is admitted")


def founding(files):
    """The P-384 server, and the Exchange sender that knows P-256 only."""
    at = address(list(OPENSSL).index("exchange"))
    for certs, fate in (("ecdsa:P-384", "still_refused"), ("rsa:2048,ecdsa:P-384", "gained"),
                        ("ecdsa:P-256", "gained"), ("rsa:2048", "gained")):
        answer = json.loads(ehlotap("whatif", "--json", "--peer", at, "--cert", certs, files))
        # what it has already cannot be told from what it is believed to have
        check(answer["peers"][0]["fates"][fate] == 1, f"founding case with {certs}",
              answer["peers"][0]["fates"])
    site = json.loads(ehlotap("advise", "--json", "--peer", at, files))["servers"][0]
    check(site["advice"]["cert"] == "ecdsa:P-256" and site["now"]["keys"] == ["ecdsa:secp384r1"] and
          site["now"]["lost"]["peers"] == 1, "founding case, advised", site["advice"])


def inside():
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", SERVER + "/32", "dev", "lo")
    for number in range(len(CLIENTS)):
        run("ip", "address", "add", address(number) + "/32", "dev", "lo")
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(folder)
        scenes = [
            ("p384", ("ecdsa:P-384", PLAIN),
             [("rsa:2048,ecdsa:P-384", {}), ("ecdsa:P-256", {})]),
            ("lax", ("rsa:2048,ecdsa:P-256", LAX), [(None, {"min-version": "TLSv1.2"}), ("ed25519", STRICT)]),
        ]
        for name, (certs, config), others in scenes:
            path = meet(folder, keys, certs, config, name)
            seen, files = outcomes(path), minutes(folder, path)
            check(len(seen) >= 50, f"{name}: clients came", len(seen))
            for number, (new_certs, new) in enumerate(others):
                answer = json.loads(ehlotap("whatif", "--json", *options(new_certs, new), files))
                real = outcomes(meet(folder, keys, new_certs or certs, dict(config, **new), f"{name}-{number}"))
                compare(f"{name}, then {new_certs or certs} {' '.join(new)}".strip(), answer, seen, real)
            if name == "p384":
                founding(files)
            advised(name, folder, keys, files, seen)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def main():
    if os.geteuid() != 0 or not all(map(shutil.which, ("tcpdump", "openssl", "gnutls-cli", "ip", "unshare"))):
        print("skipped: needs root, tcpdump, openssl, gnutls-cli, ip and unshare")
        return 77
    if os.environ.get("EHLOTAP_FARM_INSIDE"):
        return inside()
    os.environ["EHLOTAP_FARM_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


BINARY, PRESETS = (os.path.abspath(path) for path in sys.argv[1:3])
sys.exit(main())
