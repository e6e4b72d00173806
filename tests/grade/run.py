#!/usr/bin/env python3
"""Does `ehlotap grade --json` find in real servers what was set up in them, and nothing else?

    run.py EHLOTAP POLICIES

Four parts: real servers of OpenSSL and GnuTLS with chosen weaknesses, recorded on the loopback of a
network namespace (needs root, unshare and tcpdump; else that part is skipped); minute rows made by
hand for what no stack of today speaks (SSLv2, SSLv3, export, RC4) and for STARTTLS on the way;
captures of others that do speak it, if EHLOTAP_CAPTURES names the folder that holds them; the
command line. Last line `N passed, N failed, N skipped`. Exit 0: all passed; 1: not.
"""
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

EHLOTAP, POLICIES = sys.argv[1], os.path.abspath(sys.argv[2])
os.environ["EHLOTAP_POLICIES"] = POLICIES
TIMEOUT_S = 60
passed, skipped, failures = 0, 0, []

# What every server on the loopback has: one address, no name but the greeting's, few sessions.
# name, port, service, server arguments, client arguments of each session, findings, grade
L0 = ["-cipher", "ALL:COMPLEMENTOFALL@SECLEVEL=0"]
V12 = ["-tls1_2", "-cipher", "ALL:COMPLEMENTOFALL@SECLEVEL=0"]


def v12(cipher):
    return ["-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"]


SELF = {"cert_self_signed"}
SERVERS = [
    # the same good server in all three roles: only its certificate is its own issuer
    ("good", 10025, "smtp", "rsa2048", L0, [["-tls1_2"], ["-tls1_3"]], SELF, "A"),
    ("good msa", 10587, "submission", "rsa2048", L0, [["-tls1_2"], ["-tls1_3"]], SELF, "C"),
    ("good mda", 10993, "imaps", "rsa2048", L0, [["-tls1_2"], ["-tls1_3"]], SELF, "C"),
    # TLS 1.3 alone: the certificate is not seen, and nothing is said of it
    ("1.3 only", 10465, "smtps", "rsa1024", L0, [["-tls1_3"]], set(), "A"),
    ("anonymous", 10026, "smtp", None, ["-nocert", *L0], [v12("AECDH-AES256-SHA")],
     {"anonymous"}, "A"),
    ("anonymous msa", 10466, "smtps", None, ["-nocert", *L0], [v12("AECDH-AES256-SHA")],
     {"anonymous"}, "F"),
    ("null", 10027, "smtp", "rsa2048", L0, [v12("NULL-SHA256")],
     SELF | {"null", "no_forward_secrecy"}, "F"),
    ("rsa kx", 10028, "smtp", "rsa2048", L0, [v12("AES128-GCM-SHA256")],
     SELF | {"no_forward_secrecy"}, "A"),
    ("dh 1024", 10029, "smtp", "rsa2048", ["-dhparam", "dh1024.pem", *L0],
     [v12("DHE-RSA-AES128-GCM-SHA256")], SELF | {"dh_1024", "dh_well_known"}, "C"),
    ("dh 1024 msa", 10467, "smtps", "rsa2048", ["-dhparam", "dh1024.pem", *L0],
     [v12("DHE-RSA-AES128-GCM-SHA256")], SELF | {"dh_1024", "dh_well_known"}, "D"),
    ("rsa 1024", 10030, "smtp", "rsa1024", L0, [["-tls1_2"]], SELF | {"cert_key_2048"}, "B"),
    ("expired", 10031, "smtp", "expired", L0, [["-tls1_2"]], {"cert_expired"}, "A"),
    ("expired mda", 10994, "imaps", "expired", L0, [["-tls1_2"]], {"cert_expired"}, "D"),
    ("early", 10032, "smtp", "early", L0, [["-tls1_2"]], {"cert_not_yet_valid"}, "A"),
    ("sha1", 10033, "smtp", "sha1", ["-sigalgs", "RSA+SHA1", *L0], [V12 + ["-sigalgs", "RSA+SHA1"]],
     {"cert_sha1", "signature_sha1"}, "A"),
    ("sha1 msa", 10468, "smtps", "sha1", ["-sigalgs", "RSA+SHA1", *L0],
     [V12 + ["-sigalgs", "RSA+SHA1"]], {"cert_sha1", "signature_sha1"}, "C"),
    ("old", 10034, "smtp", "rsa2048", ["-tls1", *L0],
     [["-tls1", "-cipher", "AES128-SHA@SECLEVEL=0"]],
     SELF | {"tlsv1.0", "tlsv1.2_unseen", "no_forward_secrecy", "cbc_tlsv1.0"}, "A"),
    # it was asked for more
    ("old asked", 10469, "smtps", "rsa2048", ["-tls1_1", *L0], [L0],
     SELF | {"tlsv1.1", "tlsv1.2_missing", "tlsv1.3_missing"}, "F"),
    ("server order", 10035, "smtp", "rsa2048", ["-serverpref", *L0],
     [v12("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"),
      v12("ECDHE-RSA-AES128-GCM-SHA256")], SELF, "A"),
    ("client order", 10036, "smtp", "rsa2048", L0,
     [v12("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"),
      v12("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")], SELF, "A"),
    # GnuTLS
    ("gnutls", 10037, "gnutls", "rsa2048", ["NORMAL:-VERS-TLS1.3"], [["-tls1_2"]],
     SELF, "C"),
    ("gnutls no ems", 10038, "gnutls", "rsa2048", ["NORMAL:-VERS-TLS1.3:%NO_SESSION_HASH"],
     [["-tls1_2"]], SELF | {"no_extended_master_secret"}, "C"),
    ("gnutls 3des", 10039, "gnutls", "rsa2048",
     ["NORMAL:-VERS-ALL:+VERS-TLS1.1:+3DES-CBC:%SERVER_PRECEDENCE"], "gnutls 3des",
     SELF | {"tlsv1.1", "3des", "tlsv1.2_unseen", "no_forward_secrecy"}, "C"),
]
SERVICE_OF = {"gnutls": "smtps"}
STARTTLS = {"smtp": "smtp", "submission": "smtp"}
ORDERS = {"server order": ("server", "likely"), "client order": ("client", "certain"),
          "good": ("unknown", None)}


def check(good, sentence):
    global passed
    if good:
        passed += 1
    else:
        failures.append(sentence)


def skip(sentence):
    global skipped
    skipped += 1
    print(f"SKIP: {sentence}")


def run(*arguments, code=0, **keywords):
    done = subprocess.run([EHLOTAP, *arguments], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, **keywords)
    check(done.returncode == code,
          f"{arguments}: exit {done.returncode}, not {code}: {done.stderr.strip()}")
    return done


def grade(*arguments, code=0):
    text = run("grade", "-q", "--json", *arguments, code=code).stdout
    return json.loads(text) if text else {"servers": [], "clients": []}


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True, text=True,
                   timeout=TIMEOUT_S)


def certificate(folder, name, bits, *options, issuer=True):
    """Signed by itself, or by a CA at the dates and with the digest of the options."""
    openssl("req", "-new", "-nodes", "-newkey", f"rsa:{bits}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr", "-subj", "/CN=mail.example.com",
            "-addext", "subjectAltName=DNS:mail.example.com", cwd=folder)
    if issuer:
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-in", f"{name}.csr",
                "-out", f"{name}.pem", *options, cwd=folder)
    else:
        openssl("x509", "-req", "-in", f"{name}.csr", "-signkey", f"{name}.key", "-days", "30",
                "-copy_extensions", "copy", "-out", f"{name}.pem", cwd=folder)


def make_keys(folder):
    folder.joinpath("ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\n"
        "certificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=p\n"
        "copy_extensions=copy\nunique_subject=no\ndefault_days=30\n[p]\ncommonName=supplied\n",
        encoding="ascii")
    folder.joinpath("index").touch()
    openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=Test CA", "-days", "30", cwd=folder)
    certificate(folder, "rsa2048", 2048, issuer=False)
    certificate(folder, "rsa1024", 1024, issuer=False)
    certificate(folder, "expired", 2048, "-startdate", "20200101000000Z",
                "-enddate", "20210101000000Z")
    certificate(folder, "early", 2048, "-startdate", "20980101000000Z",
                "-enddate", "20990101000000Z")
    certificate(folder, "sha1", 2048, "-md", "sha1")
    # RFC 2409 6.2, the second Oakley group: generating one takes too long
    folder.joinpath("dh.cnf").write_text(
        "asn1=SEQUENCE:dh\n[dh]\np=INTEGER:0xFFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E"
        "088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245"
        "E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651EC"
        "E65381FFFFFFFFFFFFFFFF\ng=INTEGER:2\n", encoding="ascii")
    openssl("asn1parse", "-genconf", "dh.cnf", "-noout", "-out", "dh.der", cwd=folder)
    openssl("dhparam", "-inform", "DER", "-in", "dh.der", "-out", "dh1024.pem", cwd=folder)


def server_command(service, port, key, options):
    if service == "gnutls":
        return ["gnutls-serv", "--echo", "-q", "-p", str(port), "--x509keyfile", f"{key}.key",
                "--x509certfile", f"{key}.pem", "--priority", *options]
    keys = ["-key", f"{key}.key", "-cert", f"{key}.pem"] if key else []
    return ["openssl", "s_server", "-quiet", "-rev", "-accept", str(port), *keys, *options]


def await_port(port):
    for _ in range(200):
        with socket.socket() as sock:
            # bound but not connected: no connection is recorded before the capture begins
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def relay(port, inner):
    """SMTP up to STARTTLS, then a pipe to the TLS server at `inner`: s_server knows no SMTP."""
    code = """
import socket, sys, threading
port, inner = int(sys.argv[1]), int(sys.argv[2])
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for sock in (a, b):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def talk(client):
    with client:
        lines = client.makefile("rb", buffering=0)
        client.sendall(b"220 mail.example.com ESMTP\\r\\n")
        while line := lines.readline():
            verb = line.strip().upper()
            if verb.startswith(b"EHLO"):
                client.sendall(b"250-mail.example.com\\r\\n250 STARTTLS\\r\\n")
            elif verb == b"STARTTLS":
                client.sendall(b"220 go ahead\\r\\n")
                with socket.create_connection(("127.0.0.2", inner)) as server:
                    threading.Thread(target=pump, args=(server, client), daemon=True).start()
                    pump(client, server)
                return
            else:
                client.sendall(b"250 ok\\r\\n")
listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
"""
    return [sys.executable, "-c", code, str(port), str(inner)]


def talk(service, port, options, cwd):
    """One session: as far as a line of mail each way, then a close."""
    if options == "gnutls 3des":
        command = ["gnutls-cli", "--insecure", "-p", str(port), "127.0.0.1", "--priority",
                   "NONE:+VERS-TLS1.1:+3DES-CBC:+SHA1:+RSA:+COMP-NULL:+SIGN-ALL:+CTYPE-X509"]
    else:
        command = ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}", *options]
        if service in STARTTLS:
            command += ["-starttls", STARTTLS[service], "-name", "client.example.org"]
    with subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as client:
        said, deadline = b"", time.monotonic() + 8
        try:
            client.stdin.write(b"noop one\r\n")
            client.stdin.flush()
            # s_server -rev answers backwards, gnutls-serv --echo as it was
            while b"eno poon" not in said and b"noop one" not in said:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([client.stdout], [], [], left)[0]:
                    break
                chunk = os.read(client.stdout.fileno(), 4096)
                if not chunk:
                    break
                said += chunk
            client.stdin.close()
        except OSError:
            pass
        time.sleep(0.03)
        client.terminate()


def play(folder, capture):
    """The inner half: in a namespace of its own, with nobody else on its loopback."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=TIMEOUT_S)
    processes = []

    def start(command):
        processes.append(subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))

    os.environ["OPENSSL_CONF"] = str(folder / "openssl.cnf")
    folder.joinpath("openssl.cnf").write_text("openssl_conf = init\n[init]\n", encoding="ascii")
    for _, port, service, key, options, _, _, _ in SERVERS:
        if service in STARTTLS:
            start(server_command(service, port + 10000, key, options))
            start(relay(port, port + 10000))
        else:
            start(server_command(service, port, key, options))
    for _, port, service, _, _, _, _, _ in SERVERS:
        await_port(port + 10000 if service in STARTTLS else port)
        await_port(port)
    time.sleep(0.3)
    # servers are at 127.0.0.1; what the relay sends on goes to 127.0.0.2 and is not recorded
    tap = subprocess.Popen(["tcpdump", "-i", "lo", "--immediate-mode", "-U", "-s0", "-Z", "root",
                            "-w", str(capture), "tcp and not host 127.0.0.2"],
                           stderr=subprocess.PIPE, text=True)
    tap.stderr.readline()
    for _, port, service, _, _, sessions, _, _ in SERVERS:
        for options in [sessions] if isinstance(sessions, str) else sessions:
            talk(service, port, options, folder)
    time.sleep(0.5)
    tap.terminate()
    tap.wait(timeout=10)
    for process in processes:
        process.kill()
        process.wait()


def check_servers(folder, capture):
    ports = ",".join(f"{port}={SERVICE_OF.get(service, service)}"
                     for _, port, service, *_ in SERVERS)
    for name, port, service, _, _, sessions, findings, letter in SERVERS:
        part = folder / f"{port}.pcap"
        subprocess.run(["tcpdump", "-r", str(capture), "-w", str(part), f"tcp port {port}"],
                       check=True, capture_output=True, timeout=TIMEOUT_S)
        answer = grade("--clients", "--ports", ports, str(part))
        check(len(answer["servers"]) == 1, f"{name}: {len(answer['servers'])} servers")
        if not answer["servers"]:
            continue
        server = answer["servers"][0]
        found = {finding["id"] for finding in server["findings"]}
        cnt = 1 if isinstance(sessions, str) else len(sessions)
        check(server["established"] == cnt,
              f"{name}: {server['established']} sessions with TLS, not {cnt}")
        check(found == findings,
              f"{name}: without {sorted(findings - found)}, but with {sorted(found - findings)}")
        check(server["grade"] == letter, f"{name}: {server['grade']}, not {letter}")
        check(server["few"] is True, f"{name}: not few")
        check(server["service"] == SERVICE_OF.get(service, service), f"{name}: {server['service']}")
        for finding in server["findings"]:
            check(finding["peers"] == 1 and finding["top_peers"][0]["ip"] == "127.0.0.1"
                  and 1 <= finding["sessions"] <= finding["of"], f"{name}: {finding}")
        if name in ORDERS:
            order = (server["order"]["order"], server["order"]["confidence"])
            check(order == ORDERS[name], f"{name}: {server['order']}")
        unseen = {entry["id"] for entry in server["not_visible"]}
        check(("certificate" in unseen) == (name in ("1.3 only", "anonymous", "anonymous msa")),
              f"{name}: not visible {unseen}")


def real_servers():
    wanted = ["openssl", "gnutls-serv", "gnutls-cli", "tcpdump", "unshare", "ip"]
    missing = [tool for tool in wanted if not shutil.which(tool)]
    if os.geteuid() != 0 or missing:
        skip(f"real servers: {'no ' + ', '.join(missing) if missing else 'needs root'}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_keys(folder)
        capture = folder / "all.pcap"
        done = subprocess.run(["unshare", "--net", "--pid", "--fork", "--kill-child",
                               sys.executable, __file__, EHLOTAP, POLICIES, "--play", name],
                              timeout=TIMEOUT_S, check=False)
        check(done.returncode == 0 and capture.exists(), "the servers could not be played")
        if capture.exists():
            check_servers(folder, capture)


# --- minute rows, made by hand ---

def minute(folder, name, *rows, at="2026-11-22T10:31:00Z"):
    path = pathlib.Path(folder, f"{name}.jsonl")
    head = {"type": "minute", "v": 1, "sensor": name, "minute": at}
    lines = [head, *rows]
    path.write_text("".join(json.dumps(row) + "\n"
                            for row in [*lines, {"type": "end", "rows": len(lines)}]),
                    encoding="utf-8")
    return str(path)


def peer(client, service, version=None, suite=None, sessions=1, **more):
    row = {"type": "peer", "client": client, "server": "192.0.2.25", "service": service,
           "sessions": sessions, **more}
    if version:
        row.update(tls_established=sessions, versions={version: sessions},
                   version_ciphers={f"{version} {suite}": sessions})
    return row


HAND_MADE = [
    ("sslv2", [peer("198.51.100.1", "smtp", "SSLv2", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5")],
     {"sslv2", "3des", "md5_mac", "no_forward_secrecy", "tlsv1.2_unseen"}, "F"),
    ("sslv3", [peer("198.51.100.1", "smtp", "SSLv3", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA")],
     {"sslv3", "cbc_tlsv1.0", "tlsv1.2_unseen"}, "D"),
    ("sslv3 msa", [peer("198.51.100.1", "smtps", "SSLv3", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA")],
     {"sslv3", "cbc_tlsv1.0", "tlsv1.2_unseen"}, "F"),
    ("export", [peer("198.51.100.1", "smtp", "TLSv1.2", "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA")],
     {"export", "des", "no_forward_secrecy"}, "F"),
    ("rc4", [peer("198.51.100.1", "smtp", "TLSv1.2", "TLS_ECDHE_RSA_WITH_RC4_128_SHA")],
     {"rc4"}, "C"),
    # the way to one client strips or masks STARTTLS, the way to the other does not
    ("stripped", [peer("198.51.100.1", "smtp", starttls_not_offered=1, starttls_masked=1),
                  peer("198.51.100.2", "smtp", "TLSv1.3", "TLS_AES_128_GCM_SHA256",
                       starttls_offered=1)],
     {"starttls_not_to_all", "starttls_masked"}, "A"),
    ("never", [peer("198.51.100.1", "submission", starttls_not_offered=1, auth_clear=1)],
     {"starttls_never", "auth_clear"}, "F"),
]


def hand_made(folder):
    for name, rows, findings, letter in HAND_MADE:
        answer = grade("--clients", minute(folder, name.replace(" ", "-"), *rows))
        if not answer["servers"]:
            continue
        server = answer["servers"][0]
        found = {finding["id"] for finding in server["findings"]}
        check(found == findings,
              f"{name}: without {sorted(findings - found)}, but with {sorted(found - findings)}")
        check(server["grade"] == letter, f"{name}: {server['grade']}, not {letter}")
        check(len(answer["clients"]) == len(rows), f"{name}: {len(answer['clients'])} clients")
    stripped = grade(str(pathlib.Path(folder, "stripped.jsonl")))["servers"][0]
    first = [finding["top_peers"][0]["ip"] for finding in stripped["findings"]]
    check(first == ["198.51.100.1", "198.51.100.1"], f"stripped for {first}")


CAPTURES = [  # of others; path, --ports, findings that have to be among those
    ("CESNET-FlowTest/pcap__ssl-v2.pcap", "443=smtps", {"sslv2", "cert_md5", "cert_key_2048"}),
    ("boundary-wireshark/test__captures__rsasnakeoil2.pcap", "443=smtps", {"sslv3", "cert_md5"}),
    ("OISF-suricata-verify/tests__bypass-depth-disabled__input.pcap", "4430=smtps",
     {"export", "rc4", "md5_mac", "cert_self_signed", "cert_sha1", "cert_key_2048"}),
    ("arkime-arkime/tests__pcap__smtp-starttls.pcap", "1=smtp", {"rc4", "tlsv1.0", "cert_sha1"}),
]


def captures():
    root = os.environ.get("EHLOTAP_CAPTURES", "")
    for name, ports, wanted in CAPTURES:
        path = pathlib.Path(root, "files", name)
        if not root or not path.exists():
            skip(f"no capture {name}: EHLOTAP_CAPTURES is not its folder")
            continue
        answer = grade("--ports", ports, str(path))
        found = {finding["id"] for server in answer["servers"] for finding in server["findings"]}
        check(wanted <= found, f"{name}: without {sorted(wanted - found)}, found {sorted(found)}")


def command_line(folder):
    good = minute(folder, "line", peer("198.51.100.1", "smtp", "TLSv1.2",
                                       "TLS_RSA_WITH_AES_128_GCM_SHA256", sessions=50))
    cut = pathlib.Path(folder, "cut.jsonl")
    cut.write_text("".join(pathlib.Path(good).read_text(encoding="utf-8").splitlines(True)[:-1]),
                   encoding="utf-8")
    text = run("grade", "--help").stdout
    check("--policy" in text and "Examples:" in text, "--help does not teach")
    text = run("grade", "--predicates").stdout
    check("starttls_not_to_all" in text and "falls_back" in text, "--predicates")
    check("no policy 'nope'" in run("grade", "--policy", "nope", good, code=2).stderr, "no policy")
    run("grade", code=2)
    run("grade", "--nonsense", good, code=2)
    run("grade", str(pathlib.Path(folder, "missing")), code=2)
    run("grade", str(cut), code=1)
    text = run("grade", "--clients", good).stdout
    check("without forward secrecy" in text and "not visible" in text and "\x1b" not in text, text)
    check(all(len(line) <= 100 for line in text.splitlines()), "a line is too long")
    check(run("grade", "--json", good).stdout == run("grade", "--json", good).stdout,
          "not the same")
    server = grade(good)["servers"][0]
    check((server["grade"], server["few"]) == ("A", False), f"{server['grade']} {server['few']}")
    server = grade("--policy", "strict", good)["servers"][0]
    check(server["grade"] == "C", f"strict: {server['grade']}")
    mine = pathlib.Path(folder, "mine.ini")
    mine.write_text("[policy]\nlike = default\n[mta]\nno_forward_secrecy = critical | E | mine\n",
                    encoding="ascii")
    server = grade("--policy", str(mine), good)["servers"][0]
    check(server["grade"] == "E" and server["findings"][0]["reference"] == "mine",
          f"mine: {server}")
    check(grade("--server", "192.0.2.99", good)["servers"] == [], "--server takes in all")


def main():
    if "--play" in sys.argv:
        folder = pathlib.Path(sys.argv[sys.argv.index("--play") + 1])
        play(folder, folder / "all.pcap")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        hand_made(folder)
        command_line(folder)
    captures()
    real_servers()
    for sentence in failures:
        print(sentence)
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures else 0


sys.exit(main())
