#!/usr/bin/env python3
"""What the servers' own logs, and the clients, said about each connection of the lab.

  truth.py RUN_FOLDER GATEWAY_MASTER_CF

Prints one JSON line per announced connection (see tests/data/README.md). Fails, naming the scene,
when a log does not say what the scene was meant to show, or holds a connection nobody announced.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

PEER = re.compile(r"\[([0-9a-f.:]+)\]:(\d+)")
ALERT_CODES = {"handshake_failure": 40, "bad_certificate": 42, "certificate_expired": 45,
               "unknown_ca": 48, "protocol_version": 70}
# Dovecot does not log the port of a client of LMTP: they all use this one (tests/live/mailboxes.sh)
LMTP_CLIENT_PORT = "40024"
CIPHER_BY_CLIENT = [
    re.compile(r"TLS started with cipher (TLSv[\d.]+):([A-Z0-9_-]+):"),             # swaks
    re.compile(r"TLS connection established to \S+: (TLSv[\d.]+) with cipher (\S+)"),  # Postfix
]


def tls_version(name):
    return {"TLSv1": "TLSv1.0"}.get(name, name)


def new_session(client, server):
    return {"client": client, "server": server, "outcome": "none", "version": None, "cipher": None,
            "key_exchange": None, "resumed": None, "alert": None, "starttls": "unused",
            "client_cert": None, "clear_mails": 0, "tls_mails": 0, "auth": False, "log": []}


def services(master_cf):
    """syslog_name -> address:port, of the smtpd services."""
    found, address = {}, None
    for line in master_cf.read_text().splitlines():
        if re.match(r"\S+ inet ", line):
            address = line.split()[0]
        elif "-o syslog_name=" in line:
            found[line.split("=")[1].strip()] = address
    return found


def postfix_line(now, text):
    """What one line of smtpd adds to its session."""
    if "TLS connection established from" in text:
        hit = re.search(r": (TLSv[\d.]+) with cipher (\S+)(?:.*key-exchange (.*?) server-sig)?", text)
        now.update(outcome="established", version=tls_version(hit[1]), cipher=hit[2],
                   key_exchange=hit[3], resumed=bool(now["resumed"]), starttls="accepted",
                   client_cert=not text.startswith("Anonymous"))
    elif "Reusing old session" in text:
        now["resumed"] = True
        return
    elif "SSL_accept error" in text:
        now.update(outcome="failed", starttls="accepted")
    elif hit := re.match(r"SSL3 alert (read|write):fatal:(.*)", text):
        name = hit[2].lower().replace(" ", "_")
        now["alert"] = {"from": "client" if hit[1] == "read" else "server", "name": name,
                        "code": ALERT_CODES[name]}
    elif re.match(r"[0-9A-F]+: client=", text):
        now["tls_mails" if now["outcome"] == "established" else "clear_mails"] += 1
        return
    elif text.startswith("disconnect from"):
        if "starttls=0/1" in text and now["outcome"] == "none":
            now["starttls"] = "refused"
        # no EHLO again: nobody went on with mail after the handshake
        if now["outcome"] == "established" and re.search(r" ehlo=1 starttls=1 commands=2$", text):
            now["outcome"] = "broken"
    elif "warning: TLS library problem" not in text:
        return
    now["log"].append(text)


def postfix_sessions(log, names):
    running = {}
    for line in log.read_text().splitlines():
        hit = re.search(r" (\S+)/smtpd\[(\d+)\]: (.*)", line)
        if not hit or hit[1] not in names:
            continue
        key, text = (hit[1], hit[2]), hit[3]
        if text.startswith("connect from"):
            running[key] = new_session(PEER.search(text).groups(), names[hit[1]])
        if key in running:
            postfix_line(running[key], text)
            if text.startswith("disconnect from"):
                yield running.pop(key)


def exim_sessions(log):
    running = {}
    for line in log.read_text().splitlines():
        ends = PEER.findall(line)
        if len(ends) != 2 or " I=[" not in line or "=>" in line:
            continue
        text = line[20:]
        if "TCP/IP connection count" in line:
            running[ends[0]] = new_session(ends[0], "%s:%s" % ends[1])
            continue
        now = running[ends[0]]
        now["log"].append(text)
        if " <= " in line:
            secure = " X=" in line
            now["tls_mails" if secure else "clear_mails"] += 1
            now["auth"] |= " A=" in line
            if secure:
                now["outcome"] = "established"
                now["version"] = re.search(r" X=(TLS[\d.]+):", line)[1].replace("TLS", "TLSv")
                now["starttls"] = "implicit" if ends[1][1] == "465" else "accepted"
        elif "closed by" in line:
            yield running.pop(ends[0])


def dovecot_login(text, alert):
    """A line of a login process: it tells all of one connection, of how TLS ended and the login."""
    facts = dict(re.findall(r"\b(r?ip|rport|lip|lport)=([^, ]+)", text))
    now = new_session((facts["rip"], facts["rport"]), f"{facts['lip']}:{facts['lport']}")
    if "TLS handshaking" in text:
        now.update(outcome="failed", alert=alert)
    elif hit := re.search(r", TLS, (TLSv[\d.]+) with cipher (\S+)", text):
        now.update(outcome="established", version=tls_version(hit[1]), cipher=hit[2])
    if now["outcome"] != "none":
        now["starttls"] = "implicit" if facts["lport"] in ("993", "995") else "accepted"
    now["auth"] = text.startswith("Login: ") or "auth failed" in text
    now["log"].append(text)
    return now


def dovecot_delivery(now, session, mailbox):
    """One mail over LMTP: how it came stands in the Received line that Dovecot wrote into it."""
    received = next(filter(None, (
        re.search(r"\AReturn-Path:.*\n(?:Delivered-To:.*\n)?((?:Received:.*\n(?:[ \t].*\n)*)+)",
                  path.read_text(errors="replace")) for path in sorted(mailbox.rglob("*"))
        if path.is_file() and session in path.read_text(errors="replace"))))[1]
    if hit := re.search(r"using (TLSv[\d.]+) with cipher (\S+)", received):
        now.update(outcome="established", version=tls_version(hit[1]), cipher=hit[2],
                   starttls="accepted")
    now["tls_mails" if hit else "clear_mails"] += 1
    now["log"].append(" ".join(received.split()))


def dovecot_sessions(root):
    """An alert that Dovecot logs as written is not taken: it closes without having sent it."""
    alerts, deliveries = {}, {}
    for line in (root / "var/log/dovecot.log").read_text().splitlines():
        who, _, text = line[16:].partition(": ")
        level, _, text = text.partition(": ")
        if level == "Debug":
            if hit := re.match(r"SSL alert: where=0x4004, .*: fatal (.*)", text):
                name = hit[1].lower().replace(" ", "_")
                alerts[who] = {"from": "client", "name": name, "code": ALERT_CODES[name]}
        elif who.endswith("-login") and re.match(r"(Login|Disconnected): ", text):
            yield dovecot_login(text, alerts.pop(who, None))
        elif hit := re.match(r"Connect from (\S+)", text):
            deliveries[who[5:-1]] = new_session((hit[1], LMTP_CLIENT_PORT), "192.0.2.37:24")
        elif hit := re.match(r"lmtp\(demo\)<(\d+)><(.*)>", who):
            dovecot_delivery(deliveries[hit[1]], hit[2], root / "var/mail")
        elif text.startswith("Disconnect from"):
            yield deliveries.pop(who[5:-1])


def peer_sessions(log, server):
    """Of peer.py: the masking box and the server that closes."""
    for line in log.read_text().splitlines():
        facts = json.loads(line)
        now = new_session(tuple(facts["client"].rsplit(":", 1)), server)
        now["log"].append(line)
        if facts["starttls"]:
            now.update(outcome="failed", starttls="accepted")
        now["clear_mails"] = facts.get("mails", 0)
        now["masked"] = facts.get("masked", False)
        yield now


def client_says(run, name, nth, server):
    """The lines of the client's log that decide, and version and cipher if it names them."""
    logs = {"postfix": run / "postfix-world/var/log/mail.log",
            "gateway": run / "postfix-gateway/var/log/mail.log",
            "exim": run / "exim-world/var/log/exim4/mainlog"}
    text = logs.get(name, run / name).read_text(errors="replace")
    if name == "gateway":
        hits = [hit for hit in CIPHER_BY_CLIENT[1].finditer(text) if server in hit[0]]
        return [hits[nth][0]], hits[nth]
    if name in logs:
        return [], None
    lines = [line.strip() for line in text.splitlines() if re.search(
        r"alert number|Received alert|verify error|^(New|Reused), |TLS started|did not advertise|unexpected eof"
        r'|^\{"client"', line)]
    return lines, next(filter(None, (r.search(text) for r in CIPHER_BY_CLIENT)), None)


def endpoint(text):
    ip, port = text.rsplit(":", 1)
    return {"ip": ip.strip("[]"), "port": int(port)}


def record(scene, now, says):
    """The line of one connection, and the complaint if it is not what the scene announced."""
    name, client, server, expected, _ = scene
    lines, hit = says
    if now["cipher"] is None and now["outcome"] == "established" and hit:
        now.update(version=hit[1], cipher=hit[2])
    if now["resumed"] is None and now["outcome"] == "established":  # Dovecot does not say it
        now["resumed"] = next((line.startswith("Reused") for line in lines
                               if re.match("(New|Reused), TLSv", line)), None)
    auth = now.pop("auth")
    log = now.pop("log")
    out = {"scene": name, "client": {"ip": client, "port": int(now["client"][1])},
           "server": endpoint(server), "auth_clear": auth and now["outcome"] == "none"}
    out.update((key, value) for key, value in now.items() if key not in ("client", "server"))
    out.update(server_says=log, client_says=lines)
    said = "resumed" if now["resumed"] else now["outcome"]
    wrong = None if said == expected else f"{name} from {client}: expected {expected}, logged {said}"
    if said == "established" and not now["cipher"]:
        wrong = f"{name} from {client}: no log names the cipher"
    return out, wrong


def main(run, master_cf):
    logged, complaints, seen = defaultdict(list), [], defaultdict(int)
    dovecot = run / "dovecot"
    for source in (
            dovecot_sessions(dovecot) if dovecot.exists() else (),
            postfix_sessions(run / "postfix-gateway/var/log/mail.log", services(master_cf)),
            exim_sessions(run / "exim-submit/var/log/exim4/mainlog"),
            exim_sessions(run / "exim-world/var/log/exim4/mainlog"),
            peer_sessions(run / "peer-192.0.2.34", "192.0.2.34:25"),
            peer_sessions(run / "peer-192.0.2.35", "192.0.2.35:25")):
        for now in source:
            if now["client"][0] != "127.0.0.1":  # the masking box to the server behind it
                logged[now["client"][0], now["server"]].append(now)
    for line in (run / "scenes.tsv").read_text().splitlines():
        scene = line.split("\t")
        key = scene[1], scene[2]
        if not logged[key]:
            complaints.append(f"{scene[0]}: no server logged a connection from {key[0]} to {key[1]}")
            continue
        ip = scene[2].rsplit(":", 1)[0]
        says = client_says(run, scene[4], seen[key], ip)
        seen[key] += 1
        out, wrong = record(scene, logged[key].pop(0), says)
        print(json.dumps(out))
        if wrong:
            complaints.append(wrong)
    complaints += [f"nobody announced a connection from {client} to {server}"
                   for (client, server), rest in logged.items() for _ in rest]
    for complaint in complaints:
        print("truth.py:", complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
