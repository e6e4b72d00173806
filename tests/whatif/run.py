#!/usr/bin/env python3
"""What do `ehlotap whatif` and `ehlotap advise` say, and what does a user meet at their command lines?

    run.py BINARY PRESETS

On tests/data/sample.pcap and on files made of it. Every function test_* is one question. Last line
`N passed, N failed`. Exit 0: all passed; 1: not.
"""
import json
import os
import subprocess
import sys
import tempfile
import traceback

BINARY, PRESETS = (os.path.abspath(path) for path in sys.argv[1:3])
SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/sample.pcap")
TIMEOUT_S = 60
FATES = {"same", "changed", "lost", "gained", "still_refused", "fails_otherwise", "no_tls", "unknown"}
SUMS = {"peers", "sessions", "established", "clear_mail", "fates", "changes", "unknown", "after_failure"}


def start(*args, presets=PRESETS):
    return subprocess.run([BINARY, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                          check=False, env=dict(os.environ, EHLOTAP_PRESETS=presets))


def answer(*args, code=0):
    result = start(*args)
    assert result.returncode == code, (args, result.returncode, result.stderr)
    return result.stdout.decode()


def data(*args, code=0):
    return json.loads(answer(*args, "--json", code=code))


def fates(*settings):
    return {name: share["sessions"] for name, share in data("whatif", *settings, SAMPLE)["totals"]["fates"].items()}


def peer(found, name):
    return next(peer for peer in found["peers"] if peer["client_name"] == name)


def minute_files(folder):
    answer("read", "-q", "--minutes", folder, SAMPLE)
    return folder


def test_wrong_usage():
    for args in (["whatif"], ["advise"], ["whatif", "--min-version", "TLSv9", SAMPLE],
                 ["whatif", "--cert", "rsa:99999", SAMPLE], ["whatif", "--cert", "ecdsa:P-999", SAMPLE],
                 ["whatif", "--ciphers", "NOSUCH", SAMPLE], ["whatif", "--preset", "nosuch", SAMPLE],
                 ["whatif", "--security-level", "9", SAMPLE], ["whatif", "--nosuch", SAMPLE],
                 ["whatif", "--min-version", "TLSv1.3", "--max-version", "TLSv1.2", SAMPLE],
                 ["advise", "--lose", "many", SAMPLE], ["advise", "--lose", "101%", SAMPLE],
                 ["advise", "--lose", "-1", SAMPLE], ["advise", "--lose", "1%%", SAMPLE],
                 ["advise", "--lose", "", SAMPLE], ["advise", "--lose", "nan", SAMPLE],
                 ["advise", "--of", "mails", SAMPLE], ["advise", "/nonexistent"], ["whatif", "/nonexistent"]):
        result = start(*args)
        assert result.returncode == 2, (args, result.returncode)
        assert result.stderr and not result.stdout, (args, result.stderr, result.stdout)


def test_presets_are_missing():
    for command in ("whatif", "advise"):
        result = start(command, SAMPLE, presets="/nonexistent")
        assert result.returncode == 2 and b"preset" in result.stderr, result


def test_help():
    for command, option in (("whatif", "--ciphersuites"), ("advise", "--lose")):
        assert option in answer(command, "--help")
        assert answer(command, "--version").startswith("ehlotap ")


def test_damaged_input():
    with tempfile.TemporaryDirectory() as folder:
        minute_files(folder)
        path = os.path.join(folder, sorted(os.listdir(folder))[0])
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) - 40)
        for command in ("whatif", "advise"):
            assert data(command, folder, code=1)["v"] == 1
            assert answer(command, folder, code=1)


def test_minute_files_and_captures_agree():
    with tempfile.TemporaryDirectory() as folder:
        minute_files(folder)
        for command in ("whatif", "advise"):
            assert answer(command, "--json", folder) == answer(command, "--json", SAMPLE)
            assert answer(command, folder) == answer(command, SAMPLE)


def test_keys_are_stable():
    found = data("whatif", "--min-version", "TLSv1.2", SAMPLE)
    assert set(found) == {"type", "v", "first", "until", "settings", "totals", "causes", "changes", "servers",
                          "peers"}
    assert found["type"] == "whatif" and set(found["totals"]) == SUMS and set(found["totals"]["fates"]) == FATES
    assert set(found["totals"]["unknown"]) == {"hello_missing", "hello_not_judged", "outcome_not_seen",
                                               "server_differs", "only_counted", "outbound"}
    assert set(found["totals"]["after_failure"]) == {"clear", "stuck", "tls", "unknown"}
    assert set(found["servers"][0]) == {
        "server", "service", "server_name", "base", "keys_from", "keys", "min_version", "max_version",
        "security_level", "server_order", "complete", "explained", "notes", "result"}
    assert set(found["peers"][0]) == {
        "client", "server", "service", "client_name", "server_name", "sessions", "clear_mail", "fates", "cause",
        "after_failure", "delay_s", "cases"}
    assert set(found["peers"][0]["cases"][0]) == {
        "hello", "sessions", "fate", "unknown", "version", "cipher", "group", "failure", "changes", "next"}
    assert set(found["peers"][0]["cases"][0]["next"]) == {
        "result", "version", "cipher", "group", "dh_bits", "key", "forward_secret", "hello_retry", "cause", "alert"}
    found = data("advise", SAMPLE)
    assert set(found) == {"type", "v", "first", "until", "may_lose", "outbound", "servers"}
    site = found["servers"][0]
    assert set(site) == {"server", "server_name", "role", "services", "peers", "sessions", "not_judged", "now",
                         "advice", "steps", "unserved", "snippets"}
    assert set(site["advice"]) == {
        "preset", "within", "lost", "cert", "keys", "min_version", "max_version", "ciphers", "ciphersuites",
        "groups", "sigalgs", "security_level", "server_order", "dh"}
    assert set(site["steps"][0]) == {"preset", "min_version", "chosen", "cert", "lost", "losers", "sets"}


def test_every_session_has_one_fate():
    for settings in ([], ["--min-version", "TLSv1.3"], ["--preset", "mozilla-modern"], ["--cert", "none"],
                     ["--gateway", "192.0.2.25"]):
        found = data("whatif", *settings, SAMPLE)
        for sums in [found["totals"]] + [server["result"] for server in found["servers"]]:
            assert sum(share["sessions"] for share in sums["fates"].values()) == sums["sessions"], settings
            assert sum(share["sessions"] for share in sums["unknown"].values()) == \
                sums["fates"]["unknown"]["sessions"]
        for one in found["peers"]:
            assert sum(one["fates"].values()) == one["sessions"] == sum(c["sessions"] for c in one["cases"])
        assert found["totals"]["sessions"] == sum(one["sessions"] for one in found["peers"])
        assert found["totals"]["sessions"] == 53
        lost = found["totals"]["fates"]["lost"]["sessions"]
        assert sum(found["causes"].values()) == lost
        assert sum(share["sessions"] for share in found["totals"]["after_failure"].values()) == lost


def test_nothing_asked_nothing_changes():
    found = fates()
    assert found["lost"] == found["gained"] == found["changed"] == found["unknown"] == 0, found


def test_the_minimum_version():
    found = data("whatif", "--min-version", "TLSv1.2", SAMPLE)
    lost = {one["client_name"] for one in found["peers"] if one["fates"]["lost"]}
    assert lost == {"old1.example.org", "old2.example.org"}, lost
    assert found["causes"] == {"protocol_version": 2}
    for name in lost:
        assert peer(found, name)["cause"] == "protocol_version"


def test_the_founding_case():
    for cert, fate in (("rsa:2048,ecdsa:P-384", "gained"), ("ecdsa:P-256", "gained"), ("rsa:2048", "gained"),
                       ("ecdsa:P-384", "still_refused"), ("ecdsa:P-521", "still_refused")):
        found = data("whatif", "--server", "mx2.example.net", "--cert", cert, SAMPLE)
        one = peer(found, "exchange1.example.org")
        assert one["fates"][fate] == one["sessions"], (cert, one["fates"])
    found = data("whatif", "--server", "mx2.example.net", SAMPLE)
    assert peer(found, "exchange1.example.org")["cause"] == "no_shared_cipher/certificate_curve"
    assert found["servers"][0]["keys"] == ["ecdsa:secp384r1"] and found["servers"][0]["keys_from"] == "seen"
    site, = data("advise", "--server", "mx2.example.net", SAMPLE)["servers"]
    assert site["advice"]["cert"] == "ecdsa:P-256" and site["advice"]["within"], site["advice"]
    assert site["now"]["lost"] == {"peers": 4, "sessions": 6} and site["role"] == "mta", site["now"]


def test_who_went_on_in_clear():
    """out8 falls back after its failures; it is a loser once the rest of the server's keys are gone."""
    found = data("whatif", "--preset", "mozilla-modern", SAMPLE)
    habits = {one["client_name"]: one["after_failure"] for one in found["peers"]}
    assert habits["out8.example.org"] == "clear", habits
    assert habits["old1.example.org"] == "unknown", habits


def test_the_direction():
    found = data("whatif", "--gateway", "192.0.2.25", SAMPLE)
    for one in found["peers"]:
        outbound = one["server"] != "192.0.2.25"
        assert (one["fates"]["unknown"] == one["sessions"]) == outbound, one
    assert found["totals"]["unknown"]["outbound"]["sessions"] == 53 - 18
    found = data("advise", "--gateway", "192.0.2.25", SAMPLE)
    assert [site["server"] for site in found["servers"]] == ["192.0.2.25"] and found["outbound"] == 53 - 18


def test_what_may_be_lost():
    """The more may be lost, the stricter the policy, and the limit is kept."""
    before = None
    for limit in ("0", "1", "2", "50%", "100%"):
        site, = data("advise", "--server", "192.0.2.25", "--lose", limit, SAMPLE)["servers"]
        step = [step["chosen"] for step in site["steps"]].index(True)
        assert before is None or step <= before, limit
        before = step
        allowed = site["peers"] * int(limit[:-1]) / 100 if limit.endswith("%") else int(limit)
        assert site["advice"]["within"] and site["advice"]["lost"]["peers"] <= allowed, (limit, site["advice"])
    assert before == 0
    by_peers, = data("advise", "--server", "192.0.2.25", "--lose", "10%", SAMPLE)["servers"]
    by_sessions, = data("advise", "--server", "192.0.2.25", "--lose", "10%", "--of", "sessions", SAMPLE)["servers"]
    assert by_peers["advice"]["lost"]["peers"] <= 1 and by_sessions["advice"]["lost"]["sessions"] <= 1.8


def test_advice_holds_in_whatif():
    """What advise promises is what whatif says of the same settings."""
    for site in data("advise", SAMPLE)["servers"]:
        advice = site["advice"]
        settings = ["--cert", advice["cert"], "--preset", advice["preset"], "--min-version", advice["min_version"]]
        found = data("whatif", *settings, "--server", site["server"], "--service", ",".join(site["services"]),
                     SAMPLE)
        out = {use["client"] for use in site["unserved"]}
        chosen, = [step for step in site["steps"] if step["chosen"]]
        out |= {use["client"] for use in chosen["losers"]}
        for one in found["peers"]:
            if one["client"] not in out:
                assert not one["fates"]["lost"] and not one["fates"]["still_refused"], (site["server"], one)


def test_snippets():
    for site in data("advise", SAMPLE)["servers"]:
        programs = {"mta": {"postfix", "exim"}, "msa": {"postfix", "exim"}, "mda": {"dovecot", "cyrus"}}
        assert set(site["snippets"]) == programs[site["role"]]
        for text in site["snippets"].values():
            assert "{" not in text and text.endswith("\n")
        if site["role"] != "mda":
            least = site["advice"]["min_version"].replace("TLSv1.0", "TLSv1")
            assert f"protocols = >={least}\n" in site["snippets"]["postfix"]


def test_text_is_narrow():
    for args in (["whatif", "--preset", "mozilla-modern", "--top", "0"], ["advise", "--top", "0"]):
        config = False
        for line in answer(*args, SAMPLE).splitlines():
            config = line.startswith("For ") or (config and line != "")
            assert config or len(line) <= 100, line


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            passed += 1
        except (AssertionError, LookupError, OSError, ValueError, StopIteration, subprocess.SubprocessError):
            failed += 1
            print(f"failed: {name[5:].replace('_', ' ')}\n{traceback.format_exc()[-2000:]}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
