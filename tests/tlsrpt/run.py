#!/usr/bin/env python3
"""Does each report say what was seen, in the form that readers of RFC 8460 expect?

    run.py BINARY PROFILE

BINARY is the path of ehlotap. Of tests/data/sample.pcap, of three days of traffic that `ehlotap gen`
makes from PROFILE, and of rows written by hand, it asks:

  - has each report the members of RFC 8460 4.4, of their types and no others;
  - are success and failures of each day and domain the sums of the session records, by outcome;
  - do the files have the names of 5.1, are they whole, packed the same, and replaced;
  - are directions, domains, times and old, damaged or hostile rows treated as the docs say;
  - do exit codes and --help tell what is to be known.

Last line `N passed, N failed`. Exit 0: all passed; 1: not all.
"""
import collections
import datetime
import gzip
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent / "data" / "sample.pcap"
BINARY, PROFILE = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
TIMEOUT_S = 100
DAY_S = 86400
ME = ("--reporting-domain", "example.org")


def run(*argv, code=0, **more):
    done = subprocess.run([BINARY, *map(str, argv)], capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_S, **more)
    assert done.returncode == code, (argv, done.returncode, done.stdout[-500:], done.stderr)
    return done


# ---- RFC 8460 4.4, member by member ----

RESULT_TYPES = {"starttls-not-supported", "certificate-host-mismatch", "certificate-not-trusted",
                "certificate-expired", "validation-failure"}
EXTRA = {"x-undecided-session-count", "x-not-tried-session-count"}


def is_count(value):
    assert type(value) is int and 0 <= value < 1 << 63, value  # pylint: disable=unidiomatic-typecheck


def is_text(value):
    assert isinstance(value, str) and value, value


def is_time(value):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), value
    datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")


def is_domain(value):
    """RFC 5321 4.1.2 and 4.1.3; the underscore is in use."""
    label = r"[a-z0-9_-]{1,63}"
    if value.startswith("[IPv6:"):
        ipaddress.IPv6Address(value[6:-1])
    elif value.startswith("["):
        ipaddress.IPv4Address(value[1:-1])
    else:
        assert re.fullmatch(rf"{label}(\.{label})*", value), value


def is_uri(value):
    assert re.fullmatch(r"[a-z][a-z0-9+.-]*:[!#$%&'()*+,/:;=?@\[\]~\w.-]+", value, re.A), value


def is_result_type(value):
    assert value in RESULT_TYPES, value


DETAIL = {"result-type": is_result_type,
          "sending-mta-ip": ipaddress.ip_address, "receiving-mx-hostname": is_domain,
          "receiving-ip": ipaddress.ip_address, "failed-session-count": is_count}
DETAIL_MAY = {"additional-information": is_uri, "failure-reason-code": is_text}


def members(o, must, may=None):
    assert isinstance(o, dict), o
    assert must.keys() <= o.keys() <= must.keys() | (may or {}).keys(), o.keys()
    for key, value in o.items():
        (must.get(key) or may[key])(value)


def is_policy(o):
    assert o == {"policy-type": "no-policy-found", "policy-domain": o["policy-domain"]}, o
    is_domain(o["policy-domain"])


def is_summary(o):
    members(o, {"total-successful-session-count": is_count,
                "total-failure-session-count": is_count}, dict.fromkeys(EXTRA, is_count))


def is_details(v):
    assert isinstance(v, list) and v, v
    for detail in v:
        members(detail, DETAIL, DETAIL_MAY)
        assert detail["failed-session-count"] > 0
    keys = [json.dumps({k: v for k, v in d.items() if k != "failed-session-count"}) for d in v]
    assert len(set(keys)) == len(keys), "the same twice"


def is_policies(v):
    assert isinstance(v, list) and len(v) == 1, v
    members(v[0], {"policy": is_policy, "summary": is_summary}, {"failure-details": is_details})
    failed = sum(d["failed-session-count"] for d in v[0].get("failure-details", []))
    assert failed == v[0]["summary"]["total-failure-session-count"], v


def is_range(o):
    members(o, {"start-datetime": is_time, "end-datetime": is_time})
    assert o["start-datetime"] < o["end-datetime"]
    assert o["start-datetime"][:10] == o["end-datetime"][:10]


def is_report(o):
    members(o, {"organization-name": is_text, "date-range": is_range, "contact-info": is_text,
                "report-id": is_text, "policies": is_policies})


# ---- sums of reports, and of what they were made from ----

def sums(reports):
    """{(day, domain): Counter}: success, failed, and each detail."""
    found = {}
    for report in reports:
        is_report(report)
        policy = report["policies"][0]
        key = (report["date-range"]["start-datetime"][:10], policy["policy"]["policy-domain"])
        assert key not in found, key
        found[key] = count = collections.Counter()
        summary = policy["summary"]
        count["success"] = summary["total-successful-session-count"]
        count["failed"] = summary["total-failure-session-count"]
        for name in EXTRA & summary.keys():
            count[name.split("-session")[0]] = summary[name]
        for d in policy.get("failure-details", []):
            count[d["result-type"], d["sending-mta-ip"], d["receiving-ip"],
                  d.get("failure-reason-code")] += d["failed-session-count"]
    assert len({r["report-id"] for r in reports}) == len(reports), "the same id twice"
    return {key: +count for key, count in found.items()}


def ask(*argv, code=0, **more):
    done = run("tlsrpt", "--json", *ME, *argv, code=code, **more)
    return [json.loads(line) for line in done.stdout.splitlines()]


def result_type(cause):
    """By outcome and words, as the docs have it; None: no failure."""
    code, sure = cause["code"].split("/"), cause["confidence"] != "possible"
    if code[0] in ("starttls_not_offered", "starttls_masked", "starttls_refused"):
        return "starttls-not-supported"
    about = code[1] if code[0] == "certificate_rejected" and len(code) > 1 else ""
    if code[0] != "certificate_rejected" or not sure or about in ("curve", "decrypt_error"):
        return "validation-failure"
    return {"expired": "certificate-expired", "name_mismatch": "certificate-host-mismatch"}.get(
        about, "certificate-not-trusted")


def is_failure(session):
    """The outcomes decide here; in the program it is the codes alone."""
    outcome, cause = session["tls"]["outcome"], session["cause"]
    if outcome in ("failed", "broken"):
        return True
    if outcome == "incomplete":
        return not cause["code"].startswith("lost/timeout")
    return outcome == "none" and cause is not None and cause["code"].split("/")[0] in (
        "starttls_not_offered", "starttls_masked", "starttls_refused")


def domain_of(names, ip):
    name = names[ip].most_common(1)[0][0] if names[ip] else None
    if name is None:
        return f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
    return name.split(".", 1)[1] if name.count(".") > 1 else name


def sums_of_sessions(sessions, service=("smtp",)):
    """The same of session records; they belong to the day of their end."""
    names = collections.defaultdict(collections.Counter)  # by (day, address)
    for s in sessions:
        if s["service"] in service and s["server"]["name"]:
            names[s["end"][:10], s["server"]["ip"]][s["server"]["name"]] += 1
    found = collections.defaultdict(collections.Counter)
    for s in sessions:
        if s["service"] not in service:
            continue
        day, ip = s["end"][:10], s["server"]["ip"]
        count = found[day, domain_of({ip: names[day, ip]}, ip)]
        code = s["cause"]["code"] if s["cause"] else None
        if s["tls"]["outcome"] == "established":
            count["success"] += 1
        elif is_failure(s):
            count["failed"] += 1
            count[result_type(s["cause"]), s["client"]["ip"], ip, code] += 1
        else:
            count["x-not-tried" if code == "starttls_not_used" else "x-undecided"] += 1
    return dict(found)


def same(found, expected):
    for key in sorted(found.keys() | expected.keys()):
        a, b = found.get(key, {}), expected.get(key, {})
        assert a == b, (key, dict(a - b) if a and b else a, dict(b - a) if a and b else b)


def records(*argv):
    done = run("read", "--quiet", "--sessions", "-", *argv)
    return [json.loads(line) for line in done.stdout.splitlines()]


def make_days(work):
    """Captures of three days, with more than a day between: those minutes are left out."""
    captures = []
    for day in (20, 22, 24):
        text = PROFILE.read_text(encoding="utf-8")
        for key, value in (("sessions", 1500), ("rate", 4), ("clients", 400),
                           ("start", f"2026-11-{day}T18:00:00Z")):
            text = re.sub(rf"(?m)^{key} = .*", f"{key} = {value}", text)
        (work / "days.ini").write_text(text, encoding="utf-8")
        captures.append(work / f"{day}.pcap")
        run("gen", "--quiet", "--profile", work / "days.ini", "--seed", day, "--out", captures[-1],
            "--truth", work / "truth.jsonl")
    return captures


# ---- rows by hand ----

def peer(**more):
    row = {"type": "peer", "client": "198.51.100.7", "server": "192.0.2.25", "service": "smtp",
           "direction": None, "client_name": "out.example.org", "server_name": "mx.example.net",
           "sessions": 1, "tls_established": 1, "causes": {}, "failures": {}}
    row.update(more)
    return row


def failing(code, count=1, confidence="certain", outcome="tls_failed", **more):
    return peer(sessions=count, tls_established=0, causes={code: count},
                failures={f"{code} {confidence} -": count}, **{outcome: count}, **more)


def write(folder, minute, *rows, sensor="gw1", name=None, end=True):
    """A minute file; minute: "2026-11-22T10:31"."""
    folder.mkdir(exist_ok=True)
    rows = [{"type": "minute", "v": 1, "sensor": sensor, "minute": minute + ":00Z"}, *rows]
    if end:
        rows.append({"type": "end", "rows": len(rows)})
    name = name or f"{sensor}-{re.sub('[-:]', '', minute)}Z.jsonl"
    path = folder / name
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n"
                            for row in rows), encoding="utf-8")
    return path


def only(reports):
    assert len(reports) == 1, reports
    is_report(reports[0])
    return reports[0]["policies"][0]


def counts(reports):
    return {key: (c["success"], c["failed"]) for key, c in sums(reports).items()}


# ---- questions ----

def test_sample_is_its_sessions(work):
    expected = sums_of_sessions(records(SAMPLE))
    found = sums(ask("--extra", SAMPLE))
    same(found, expected)
    assert sum(c["failed"] for c in found.values()) == 18, found
    types = {k[0] for c in found.values() for k in c if isinstance(k, tuple)}
    assert len(types) == 4, types
    # minute files of it say the same
    (work / "minutes").mkdir()
    run("read", "--quiet", "--minutes", work / "minutes", SAMPLE)
    same(sums(ask("--extra", work / "minutes")), expected)


def test_days_are_their_sessions(work):
    captures = make_days(work)
    expected = sums_of_sessions(records(*captures))
    assert {day for day, _ in expected} == {f"2026-11-{day}" for day in (20, 22, 24)}
    (work / "minutes").mkdir()
    run("read", "--quiet", "--minutes", work / "minutes", *captures)
    found = sums(ask("--extra", work / "minutes"))
    same(found, expected)
    assert sum(c["failed"] for c in found.values()) > 100
    assert sum(c["x-undecided"] for c in found.values()) > 0
    assert sum(c["x-not-tried"] for c in found.values()) > 0
    # the captures themselves, files without a day in their names, and all mixed
    same(sums(ask("--extra", *captures)), expected)
    other = work / "other"
    other.mkdir()
    for i, path in enumerate(sorted((work / "minutes").iterdir())):
        path.rename(other / (f"{i}.jsonl" if i % 2 else path.name))
    same(sums(ask("--extra", other)), expected)
    # a day alone, and a pipe that is more than one day
    alone = {k: v for k, v in expected.items() if k[0] == "2026-11-22"}
    same(sums(ask("--extra", "--since", "2026-11-22", "--until", "2026-11-23", other)), alone)
    with open(captures[0], "rb") as file:
        done = run("tlsrpt", "-", captures[1], code=2, stdin=file)
    assert "read --minutes" in done.stderr, done.stderr


def test_a_pipe_of_one_day(_):
    with open(SAMPLE, "rb") as file:
        same(sums(ask("--extra", "-", stdin=file)), sums(ask("--extra", SAMPLE)))


def test_members(work):
    write(work / "m", "2026-11-22T10:31", failing("certificate_rejected/expired", 3), peer())
    reports = ask("--organization", "Example \u00fc", "--contact", "tls@example.org",
                  "--report-id", "id7", "--info-uri", "https://example.org/causes#", work / "m")
    assert reports == [{
        "organization-name": "Example \u00fc",
        "date-range": {"start-datetime": "2026-11-22T00:00:00Z",
                       "end-datetime": "2026-11-22T23:59:59Z"},
        "contact-info": "tls@example.org",
        "report-id": "id7.2026-11-22T00:00:00Z_example.net@example.org",
        "policies": [{
            "policy": {"policy-type": "no-policy-found", "policy-domain": "example.net"},
            "summary": {"total-successful-session-count": 1, "total-failure-session-count": 3},
            "failure-details": [{
                "result-type": "certificate-expired", "sending-mta-ip": "198.51.100.7",
                "receiving-mx-hostname": "mx.example.net", "receiving-ip": "192.0.2.25",
                "failed-session-count": 3,
                "additional-information":
                    "https://example.org/causes#certificate_rejected/expired",
                "failure-reason-code": "certificate_rejected/expired"}]}]}], reports
    plain = ask(work / "m")[0]
    assert plain["organization-name"] == "example.org"
    assert plain["contact-info"] == "postmaster@example.org"
    assert plain["report-id"] == "2026-11-22T00:00:00Z_example.net@example.org"
    assert "additional-information" not in plain["policies"][0]["failure-details"][0]


def test_files(work):
    write(work / "m", "2026-11-22T10:31", peer(), peer(server="192.0.2.99", server_name=None))
    write(work / "m", "2026-11-23T00:00", peer())
    out = work / "out"
    out.mkdir()
    begin = 1795305600
    names = [f"example.org!{domain}!{at}!{at + DAY_S - 1}.json"
             for at, domain in ((begin, "[192.0.2.99]"), (begin, "example.net"),
                                (begin + DAY_S, "example.net"))]
    printed = run("tlsrpt", *ME, "--to", out, work / "m").stdout.splitlines()
    assert printed == [f"{out}/{name}" for name in names], printed
    assert sorted(os.listdir(out)) == sorted(names), os.listdir(out)
    texts = {name: (out / name).read_text(encoding="utf-8") for name in names}
    assert [json.loads(texts[name]) for name in names] == ask(work / "m")
    # again, in place of what is there; packed, the same; and no file of an interrupted run stays
    (out / names[0]).write_text("old", encoding="utf-8")
    assert run("tlsrpt", "-q", *ME, "--to", out, work / "m").stdout == ""
    assert (out / names[0]).read_text(encoding="utf-8") == texts[names[0]]
    run("tlsrpt", *ME, "--to", f"{out}/", "--gzip", "--unique-id", "a7", work / "m")
    for name in names:
        first = (packed := out / name.replace(".json", "!a7.json.gz")).read_bytes()
        assert gzip.decompress(first).decode() == texts[name]
        run("tlsrpt", *ME, "--to", out, "--gzip", "--unique-id", "a7", work / "m")
        assert packed.read_bytes() == first, "not the same bytes"
    assert len(os.listdir(out)) == 6, os.listdir(out)


def test_directions(work):
    rows = [peer(direction=direction, server=f"192.0.2.{i}", server_name=f"mx.{name}.example")
            for i, (direction, name) in enumerate(
                ((None, "unknown"), ("in", "in"), ("out", "out"), ("transit", "transit")))]
    write(work / "m", "2026-11-22T10:31", *rows)
    for argv, expected in (((), {"unknown", "out"}), (("--direction", "out"), {"out"}),
                           (("--direction", "in"), {"in"}),
                           (("--direction", "all"), {"unknown", "in", "out", "transit"})):
        found = {domain.split(".")[0] for _, domain in sums(ask(*argv, work / "m"))}
        assert found == expected, (argv, found)
    done = run("tlsrpt", "--direction", "in", "--server", "192.0.2.0", work / "m")
    assert "--gateway" in done.stderr, done.stderr
    # of captures, --gateway tells
    assert {d for _, d in sums(ask("--gateway", "192.0.2.0/24", SAMPLE))} == {"example.org"}


def test_only_between_servers(work):
    services = ("submission", "smtps", "lmtp", "imap", "imaps", "pop3", "pop3s", "sieve", None)
    write(work / "m", "2026-11-22T10:31",
          *(peer(service=service, sessions=1000) for service in services), peer())
    assert counts(ask(work / "m")) == {("2026-11-22", "example.net"): (1, 0)}
    run("tlsrpt", "--service", "imap", work / "m", code=2)
    run("tlsrpt", "--service", "smtp", work / "m")


def test_domains(work):
    write(work / "m", "2026-11-22T10:31",
          peer(server="192.0.2.1", server_name="mx1.example.net"),
          peer(server="192.0.2.2", server_name="MX2.Example.NET."),
          peer(server="192.0.2.3", server_name="../../etc/passwd"),
          peer(server="192.0.2.4", server_name="a!b.example"),
          peer(server="192.0.2.5", server_name="x" * 300 + ".example"),
          peer(server="2001:db8::6", server_name=None),
          peer(server="192.0.2.7", server_name="in.mail.example"),
          peer(server="192.0.2.8", server_name="h\\x1b[31m\u202e.example"))
    day = "2026-11-22"
    assert counts(ask(work / "m")) == {
        (day, "example.net"): (2, 0), (day, "[192.0.2.3]"): (1, 0), (day, "[192.0.2.4]"): (1, 0),
        (day, "[192.0.2.5]"): (1, 0), (day, "[IPv6:2001:db8::6]"): (1, 0),
        (day, "mail.example"): (1, 0), (day, "[192.0.2.8]"): (1, 0)}
    found = counts(ask("--domain", "192.0.2.0/29=ours.example", "--domain",
                       ".mail.example=theirs.example", work / "m"))
    assert found == {(day, "ours.example"): (6, 0), (day, "[IPv6:2001:db8::6]"): (1, 0),
                     (day, "[192.0.2.8]"): (1, 0)}, found
    run("tlsrpt", *ME, "--to", work / "m", work / "m")  # nothing gets out of the folder
    assert len(os.listdir(work / "m")) == 8, os.listdir(work / "m")


def test_one_server_is_of_one_domain(work):
    """Whatever it said to whom: a masked greeting has no name."""
    write(work / "m", "2026-11-22T10:31", peer(sessions=5, tls_established=5),
          failing("starttls_masked", 2, client="198.51.100.8", server_name=None,
                  outcome="starttls_masked"))
    policy = only(ask(work / "m"))
    assert policy["summary"]["total-failure-session-count"] == 2, policy
    assert policy["failure-details"][0]["receiving-mx-hostname"] == "mx.example.net", policy


def test_unsure_causes(work):
    """A guess at a certificate is no result-type of certificates, and a hole is no failure."""
    code = "certificate_rejected/expired"
    row = peer(sessions=30, tls_established=0, tls_failed=16, tls_incomplete=2,
               causes={code: 15, "starttls_unanswered": 6, "lost/timeout/after_client_hello": 2,
                       "capture/gap": 3, "alert/internal_error": 1},
               failures={f"{code} certain aa": 1, f"{code} certain bb": 1, f"{code} likely aa": 3,
                         f"{code} possible -": 10, "starttls_unanswered possible -": 4,
                         "starttls_unanswered certain -": 2, "capture/gap certain -": 3,
                         "lost/timeout/after_client_hello certain -": 2,
                         "alert/internal_error certain -": 1, "no row of ours": 9,
                         "alert/internal_error": 7})
    write(work / "m", "2026-11-22T10:31", row)
    found = sums(ask("--extra", work / "m"))["2026-11-22", "example.net"]
    who = ("198.51.100.7", "192.0.2.25")
    assert found == {"failed": 18, "x-undecided": 12, ("certificate-expired", *who, code): 5,
                     ("validation-failure", *who, code): 10,
                     ("validation-failure", *who, "starttls_unanswered"): 2,
                     ("validation-failure", *who, "alert/internal_error"): 1}, found


def test_old_and_lost(work):
    """Files without confidences, and sessions of which only sums were left."""
    old = peer(sessions=4, tls_established=1, tls_failed=2,
               causes={"certificate_rejected/expired": 2, "starttls_not_used": 1})
    del old["failures"]
    lost = peer(client="198.51.100.9", sessions=9, tls_established=2, tls_failed=3, tls_broken=1,
                causes={"protocol_version": 1}, failures={"protocol_version certain -": 1})
    write(work / "m", "2026-11-22T10:31", old, lost)
    found = sums(ask("--extra", work / "m"))["2026-11-22", "example.net"]
    assert found == {
        "success": 3, "failed": 6, "x-not-tried": 1, "x-undecided": 3,
        ("validation-failure", "198.51.100.7", "192.0.2.25", "certificate_rejected/expired"): 2,
        ("validation-failure", "198.51.100.9", "192.0.2.25", "protocol_version"): 1,
        ("validation-failure", "198.51.100.9", "192.0.2.25", None): 3}, found


def test_what_contradicts_itself(work):
    """More causes than sessions, and counts up to the end of 63 bits: sums still add up."""
    huge = (1 << 63) - 1
    write(work / "m", "2026-11-22T10:31",
          failing("protocol_version", huge), failing("protocol_version", huge, client="192.0.2.9"),
          peer(server_name="mx.b.example", server="192.0.2.2", sessions=1, tls_established=5,
               causes={"alert/x": 7}, failures={"alert/x certain -": 9}))
    done = run("tlsrpt", "--json", *ME, work / "m")
    reports = {r["policies"][0]["policy"]["policy-domain"]: r["policies"][0]
               for r in map(json.loads, done.stdout.splitlines())}
    assert reports["example.net"]["summary"]["total-failure-session-count"] == huge
    assert reports["b.example"]["summary"]["total-failure-session-count"] == 9
    run("tlsrpt", work / "m")


def test_nothing_tried_is_no_report(work):
    row = peer(sessions=3, tls_established=0, causes={"starttls_not_used": 3},
               failures={"starttls_not_used certain -": 3})
    write(work / "m", "2026-11-22T10:31", row)
    done = run("tlsrpt", "--json", *ME, work / "m")
    assert done.stdout == "" and "3 in which the client did not try" in done.stderr, done
    summary = only(ask("--extra", work / "m"))["summary"]
    assert summary["x-not-tried-session-count"] == 3, summary
    assert "example.net" in run("tlsrpt", work / "m").stdout


def test_part_of_a_day(work):
    write(work / "m", "2026-11-22T10:31", peer())
    write(work / "m", "2026-11-22T12:00", peer(sessions=2, tls_established=2))
    report = ask("--since", "2026-11-22T11:00", "--until", "2026-11-22T13:00", work / "m")
    assert only(report)["summary"]["total-successful-session-count"] == 2
    assert report[0]["date-range"] == {"start-datetime": "2026-11-22T11:00:00Z",
                                       "end-datetime": "2026-11-22T12:59:59Z"}
    assert "--since" in run("tlsrpt", "--since", "2026-11-23", work / "m", code=2).stderr
    run("tlsrpt", "--since", "2026-11-22T12:00", "--until", "2026-11-22T11:00", work / "m", code=2)


def test_damaged_input(work):
    folder = work / "m"
    write(folder, "2026-11-22T10:31", peer(), "{\"type\":\"peer\",\n", peer(sessions=-1), end=False)
    write(folder, "2026-11-23T10:31", peer())
    (folder / "gw1-20261124T0000Z.jsonl").write_bytes(bytes(range(256)) * 9)
    (folder / "gw1-20261125T0000Z.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd\0\0\0")
    reports = ask(folder, code=1)
    assert counts(reports) == {("2026-11-22", "example.net"): (1, 0),
                               ("2026-11-23", "example.net"): (1, 0)}
    assert run("tlsrpt", folder / "gw1-20261124T0000Z.jsonl", work / "none", code=2).stderr
    # a file whose name tells another day
    write(work / "r", "2026-11-22T10:31", peer())
    write(work / "r", "2026-11-22T10:32", peer(), name="gw1-20261123T1031Z.jsonl")
    write(work / "r", "2026-11-23T10:33", peer())
    done = run("tlsrpt", work / "r", code=1)
    assert "another day than their files' names" in done.stderr, done.stderr
    # the same minute twice counts once
    write(work / "t", "2026-11-22T10:31", peer())
    assert counts(ask(folder / "gw1-20261123T1031Z.jsonl", work / "t", work / "m", code=1)) == {
        ("2026-11-22", "example.net"): (1, 0), ("2026-11-23", "example.net"): (1, 0)}


def test_bytes_that_are_anything(work):
    """Each byte of a file changed in turn: no crash, and what is printed is a report."""
    good = write(work / "m", "2026-11-22T10:31", failing("starttls_refused/454", 3)).read_bytes()
    path = work / "fuzz-20261122T1031Z.jsonl"
    for i in range(0, len(good), 7):
        for byte in (0, 0x22, 0xff, good[i] ^ 1):
            path.write_bytes(good[:i] + bytes([byte]) + good[i + 1:])
            done = subprocess.run([BINARY, "tlsrpt", "--json", *ME, path], capture_output=True,
                                  text=True, check=False, timeout=TIMEOUT_S)
            assert done.returncode in (0, 1, 2), (i, byte, done)
            for line in done.stdout.splitlines():
                is_report(json.loads(line))


def test_table(work):
    write(work / "m", "2026-11-22T10:31", failing("certificate_rejected/expired", 3),
          peer(sessions=1234, tls_established=1234, server="192.0.2.3", server_name="m.b.example"))
    write(work / "m", "2026-11-23T10:31", peer())
    text = run("tlsrpt", work / "m").stdout
    lines = text.splitlines()
    assert lines[2].split() == ["-", "3", "-", "-", "example.net"], text
    assert lines[3].split() == ["3", "certificate-expired", "certificate_rejected/expired", "from",
                                "198.51.100.7", "to", "mx.example.net"], text
    assert lines[4].split() == ["1,234", "-", "-", "-", "b.example"], text
    assert text.count("UTC") == 2 and max(map(len, lines)) <= 100, text
    assert "and 1 more" in run("tlsrpt", "--top", "1", work / "m").stdout


def test_usage(work):
    for argv, words in ((("--help",), ("--direction", "--domain", "--to", "RFC 8460")),
                        (("--version",), ("ehlotap",))):
        done = run("tlsrpt", *argv)
        assert all(word in done.stdout for word in words), done.stdout
    for argv in ((), ("--direction", "up", SAMPLE), ("--domain", "x", SAMPLE),
                 ("--domain", "192.0.2.1=a b", SAMPLE), ("--reporting-domain", "a/b", SAMPLE),
                 ("--reporting-domain", "a" * 63 + ".de", SAMPLE), ("--gzip", SAMPLE),
                 ("--to", work, "--json", SAMPLE), ("--unique-id", "a-b", SAMPLE),
                 ("--unique-id", "", SAMPLE), ("--contact", "", SAMPLE),
                 ("--organization", b"\xff", SAMPLE), ("--to", work / "none", SAMPLE),
                 ("--to", SAMPLE, SAMPLE)):
        done = subprocess.run([BINARY, "tlsrpt", *argv], capture_output=True, text=True,
                              errors="replace", check=False, timeout=TIMEOUT_S)
        assert done.returncode == 2 and done.stderr and not done.stdout, (argv, done)
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([BINARY, "tlsrpt", SAMPLE], stdout=full, stderr=subprocess.PIPE,
                              check=False, timeout=TIMEOUT_S)
    assert done.returncode == 2 and b"cannot write" in done.stderr, done


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        with tempfile.TemporaryDirectory(prefix="ehlotap-tlsrpt-") as work:
            try:
                test(pathlib.Path(work))
                passed += 1
            except Exception:  # pylint: disable=broad-exception-caught
                failed += 1
                print(f"{name}:")
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
