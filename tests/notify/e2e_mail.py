#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail of a real sekishod, to servers that behave and servers that do not."""

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from e2e import loopback
from e2e.daemon import Daemon
from e2e.smtp import Smtp
from e2e.tap import case, run

loopback.own()
BINARY, CLI = sys.argv[1:3]
PATIENCE = 60
place = tempfile.TemporaryDirectory()


def certificate(name):
    """A certificate of its own authority, and the authority."""
    key, pem = os.path.join(place.name, name + ".key"), os.path.join(place.name, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name], check=True, capture_output=True)
    return pem, key


GOOD, OTHER = certificate("localhost"), certificate("mail.example.com")


def until(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError(f"it never came to that: {what()}")


def daemon_for(server, host="127.0.0.1", scheme="smtp", **keys):
    mail = {"server": f"{scheme}://{host}:{server.port}", "from": "sekisho@example.jp", "from_name": "関所, \"Sekisho\"",
            "operator": "noc@example.jp", **keys}
    return Daemon(BINARY, {"mail": mail, "console": {"url": "https://console.example.jp/?a=1&b=2"}})


def test_mail(daemon, address="somebody@example.jp"):
    answer = daemon.api.local("POST", "/v1/notices/test", {"address": address, "language": "ja"})
    assert answer.status == 201, answer
    return answer.json["id"]


def notice(daemon, id):
    return daemon.api.local("GET", f"/v1/notices/{id}").json


def in_state(daemon, id, state, tries=1):
    return until(lambda: (n := notice(daemon, id))["state"] == state and n["tries"] >= tries and n)


def parsed(message):
    mail = email.message_from_bytes(message, policy=email.policy.SMTP)
    assert not mail.defects and all(not part.defects for part in mail.walk()), mail.defects
    assert all(len(line) <= 78 for line in message.split(b"\r\n")), max(message.split(b"\r\n"), key=len)
    return mail


def bodies(mail):
    return (mail.get_body(("plain",)).get_content().replace("\r\n", "\n"),
            mail.get_body(("html",)).get_content().replace("\r\n", "\n"))


@case
def a_mail_says_what_the_template_says():
    with Smtp() as server, daemon_for(server) as daemon:
        id = test_mail(daemon)
        in_state(daemon, id, "sent")
        (sender, to, message), = server.got
        mail = parsed(message)
        text, html = bodies(mail)
        assert (sender, to) == ("sekisho@example.jp", ["somebody@example.jp"])
        assert mail["Subject"] == "関所からのテストメール"
        assert mail["From"].addresses[0].display_name == "関所, \"Sekisho\""
        assert mail["From"].addresses[0].addr_spec == "sekisho@example.jp"
        assert mail["To"] == "somebody@example.jp" and mail["Auto-Submitted"] == "auto-generated"
        assert mail["Date"].datetime and mail["Message-ID"].endswith("@example.jp>")
        assert mail.get_content_type() == "multipart/alternative"
        assert text.startswith("このメールは、関所") and "- 送信を指示した人: uid:" in text, text
        assert "<li>送信を指示した人: uid:" in html
        audit = daemon.api.local("GET", "/v1/audit?limit=3").json["items"]
        assert any(a["action"] == "notice.test" for a in audit), audit


@case
def an_owner_is_told_that_his_rules_were_loosened():
    with Smtp() as server, daemon_for(server) as daemon:
        api = daemon.api
        assert api.local("POST", "/v1/tenants", {"name": "evil", "title": "a\r\nBcc: x@example.jp"}).status == 422
        title = "<b>Acme</b> & \"Söhne\" {{link}} =?UTF-8?Q?x?= \u202e株式会社"
        tenant = api.local("POST", "/v1/tenants", {"name": "acme", "title": title, "language": "ja",
                                                   "mail": ["it@acme.example", "boss@acme.example"]})
        assert tenant.status == 201 and tenant.json["mail"] == ["it@acme.example", "boss@acme.example"], tenant
        account = api.local("POST", "/v1/accounts", {"name": "1001", "tenant": "acme"})
        assert account.status == 201, account
        assert api.local("DELETE", f"/v1/accounts/{account.json['id']}/rules/restrict/010").status == 204
        waiting = api.local("GET", "/v1/notices?kind=rule-loosened").json["items"]
        assert [n["recipient"] for n in waiting] == ["boss@acme.example", "it@acme.example"], waiting
        assert all(n["state"] == "waiting" for n in waiting), "it is gathered"
        # A second one while they wait is told by the same mails.
        assert api.local("PUT", f"/v1/accounts/{account.json['id']}/rules/except/01081").status in (200, 201)
        assert len(api.local("GET", "/v1/notices?kind=rule-loosened").json["items"]) == 2
        for n in waiting:
            assert api.local("POST", f"/v1/notices/{n['id']}/retry").status == 200
        until(lambda: len(server.got) == 2)
        assert sorted(to for _, (to,), _ in server.got) == ["boss@acme.example", "it@acme.example"]
        mail = parsed(server.got[0][2])
        text, html = bodies(mail)
        assert mail["Subject"] == "発信規制が緩和されました（2件）", mail["Subject"]
        assert title.replace("\u202e", "\ufffd") + " ご担当者様" in text, text
        assert "- 1001@local: 規制電話番号 010 を削除" in text, text
        assert "- 1001@local: 01081 を例外として許可" in text, text
        assert "https://console.example.jp/?a=1&b=2" in text
        assert '<a href="https://console.example.jp/?a=1&amp;b=2">' in html
        assert "&lt;b&gt;Acme&lt;/b&gt; &amp; &quot;Söhne&quot; {{link}}" in html and "<b>" not in html, html
        # What is tightened is nobody's business.
        assert api.local("PUT", f"/v1/accounts/{account.json['id']}/rules/restrict/010").status in (200, 201)
        assert len(api.local("GET", "/v1/notices?kind=rule-loosened").json["items"]) == 2
        # A restriction below an exception: 010 does not stand in for it.
        for rule in ("except/0101", "restrict/01018", "restrict/010441"):
            assert api.local("PUT", f"/v1/accounts/{account.json['id']}/rules/{rule}").status in (200, 201)
        for rule in ("01018", "010441"):
            assert api.local("DELETE", f"/v1/accounts/{account.json['id']}/rules/restrict/{rule}").status == 204
        told = json.dumps(notice(daemon, api.local("GET", "/v1/notices?kind=rule-loosened").json["items"][0]["id"]))
        assert '"01018"' in told and '"010441"' not in told, told


@case
def what_is_refused_is_given_up_and_what_is_put_off_is_tried_again():
    answers = {"MAIL": None, "RCPT": b"550 5.1.1 no such user", ".": None}
    with Smtp(lambda what, session: answers.get(what)) as server, daemon_for(server) as daemon:
        gone = in_state(daemon, test_mail(daemon), "failed")
        assert "550" in gone["error"] and "no such user" in gone["error"] and gone["tries"] == 1, gone
        status = daemon.api.local("GET", "/v1/status").json
        until(lambda: any("given up" in w for w in daemon.api.local("GET", "/v1/status").json["warnings"]), 90)
        for verb, answer in (("RCPT", b"451 4.7.1 greylisted"), (".", b"452 4.3.1 disk is full"),
                             (".", b"421 4.3.2 going down"), ("MAIL", b"450 later")):
            answers.update({"MAIL": None, "RCPT": None, ".": None, verb: answer})
            id = test_mail(daemon)
            put_off = in_state(daemon, id, "waiting")
            assert answer[:3].decode() in put_off["error"], (verb, put_off)
            answers[verb] = None
            assert daemon.api.local("POST", f"/v1/notices/{id}/retry").status == 200
            in_state(daemon, id, "sent")
        assert daemon.api.local("POST", f"/v1/notices/{id}/retry").status == 409
        assert status["problems"] == []


@case
def a_mail_that_was_taken_but_not_acknowledged_is_sent_again_by_the_same_name():
    died = []

    def script(what, session):
        if what == "." and not died:
            died.append(session.server.last)
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
            return "close"
        return None

    with Smtp(script) as server, daemon_for(server) as daemon:
        id = test_mail(daemon)
        until(lambda: died)
        daemon.start()
        assert notice(daemon, id)["state"] == "sending"
        assert daemon.api.local("POST", f"/v1/notices/{id}/retry").status == 200
        in_state(daemon, id, "sent")
        first, second = parsed(died[0]), parsed(server.got[0][2])
        assert first["Message-ID"] == second["Message-ID"]
        assert bodies(first) == bodies(second)


def only(session, answer):
    """Says it, and no more."""
    if answer != "close":
        session.say(answer)
    return "close"


@case
def a_server_that_goes_away_or_says_nonsense_delays_nobody():
    for what, answer in (("connect", "close"), ("EHLO", "close"), ("DATA", "close"), ("in DATA", "close"),
                         (".", "close"), ("connect", b"554 go away"), ("connect", b"\xff" * 70000 + b"\r\n"),
                         ("EHLO", b"250-" + b"a" * 100000 + b"\r\n")):
        misbehave = [True]
        with Smtp(lambda w, s: only(s, answer) if misbehave and w == what else None) as server, daemon_for(server) as daemon:
            id = test_mail(daemon)
            failed = in_state(daemon, id, "waiting")
            assert failed["error"], (what, failed)
            misbehave.clear()
            assert daemon.api.local("POST", f"/v1/notices/{id}/retry").status == 200
            in_state(daemon, id, "sent")


@case
def a_server_that_hangs_does_not_keep_sekishod_from_ending():
    with Smtp(lambda what, session: "hang" if what == "." else None) as server, daemon_for(server) as daemon:
        id = test_mail(daemon)
        until(lambda: "." in server.heard)
        assert daemon.api.local("GET", "/v1/status").status == 200
        daemon.process.terminate()
        assert daemon.process.wait(30) == 0
        server.script = lambda what, session: None
        daemon.start()
        assert notice(daemon, id)["state"] == "sending"


PASSWORD = ("sekisho", "pass word,=!")


def with_tls(server, host="localhost", **keys):
    password = os.path.join(place.name, "password")
    with open(password, "w", encoding="utf-8") as f:
        f.write(PASSWORD[1] + "\nsecond line\n")
    os.chmod(password, 0o644)
    os.chmod(place.name, 0o755)
    return daemon_for(server, host=host, starttls="required", user=PASSWORD[0], password_file=password,
                      ca_file=GOOD[0], **keys)


@case
def a_password_goes_through_tls_alone():
    with Smtp(certificate=GOOD, password=PASSWORD) as server, with_tls(server) as daemon:
        in_state(daemon, test_mail(daemon), "sent")
        assert server.auth == [(*PASSWORD, True)] and "STARTTLS" in server.heard


@case
def without_tls_or_with_the_wrong_certificate_nothing_is_said():
    for name, server in (("stripped", Smtp(certificate=GOOD, offer_tls=False, password=PASSWORD)),
                         ("another name", Smtp(certificate=OTHER, password=PASSWORD)),
                         ("refused", Smtp(lambda w, s: b"454 no TLS now" if w == "STARTTLS" else None, certificate=GOOD,
                                          password=PASSWORD))):
        with server, with_tls(server) as daemon:
            failed = in_state(daemon, test_mail(daemon), "waiting")
            assert failed["error"], name
            assert not server.auth and not server.got and "MAIL" not in server.heard, (name, server.heard)


@case
def a_wrong_password_is_for_the_operator_to_mend():
    with Smtp(certificate=GOOD, password=("sekisho", "another")) as server, with_tls(server) as daemon:
        failed = in_state(daemon, test_mail(daemon), "waiting")
        assert "535" in failed["error"] or "denied" in failed["error"].lower(), failed


@case
def the_operators_own_texts_stand_in_and_a_bad_one_is_refused():
    texts = os.path.join(place.name, "texts")
    os.makedirs(texts, exist_ok=True)
    os.chmod(place.name, 0o755)
    with open(os.path.join(texts, "test.ja.txt"), "w", encoding="utf-8") as f:
        f.write("Subject: わが社の{{by}}\n\n本文 {{#operator}}運用{{/operator}}{{^operator}}顧客{{/operator}}\n")
    with Smtp() as server, daemon_for(server, templates=texts) as daemon:
        in_state(daemon, test_mail(daemon), "sent")
        mail = parsed(server.got[0][2])
        assert mail["Subject"].startswith("わが社のuid:") and bodies(mail)[0].startswith("本文"), mail
        shown = daemon.api.local("GET", "/v1/notices/preview/test?language=ja").json
        assert shown["subject"] == "わが社のuid:0", shown
        with open(os.path.join(texts, "test.ja.txt"), "w", encoding="utf-8") as f:
            f.write("Subject: x\n\n{{by}}\n{{nobody}}\n")
        daemon.process.terminate()
        daemon.process.wait(30)
        try:
            daemon.start()
            raise AssertionError("it starts with a template that is none")
        except RuntimeError as e:
            assert "test.ja.txt: line 4: {{nobody}} is not known here; allowed is" in str(e), e


@case
def the_command_shows_it_all():
    with Smtp() as server, daemon_for(server) as daemon:
        def cli(*words):
            return subprocess.run([CLI, "--socket", daemon.socket, *words], capture_output=True, text=True, check=False)
        sent = cli("notices", "test", "a@example.jp", "--language", "en")
        assert sent.returncode == 0, sent
        in_state(daemon, 1, "sent")
        assert "a@example.jp" in cli("notices").stdout and "sent" in cli("notices", "list", "--state", "sent").stdout
        assert "a@example.jp" in cli("notices", "show", "1").stdout
        assert cli("notices", "retry", "1").returncode != 0
        for kind in ("sweep-announced", "sweep-applied", "sweep-undone", "rule-loosened", "lockout", "takeover", "lock-ended",
                     "test"):
            for language in ("ja", "en"):
                shown = cli("notices", "preview", kind, "--language", language)
                assert shown.returncode == 0 and shown.stdout.startswith("Subject: ") and "{{" not in shown.stdout, shown
        assert "<p>" in cli("notices", "preview", "takeover", "--html").stdout
        assert cli("notices", "preview", "nothing").returncode != 0
        assert cli("tenant", "set", "main", "--mail", "x@example.jp", "y@example.jp").returncode == 0
        assert "x@example.jp" in cli("tenant", "show", "main").stdout
        assert "twice" in cli("tenant", "set", "main", "--mail", "x@example.jp", "X@example.jp").stderr
        assert cli("tenant", "set", "main", "--mail", "").returncode == 0
        assert daemon.api.local("GET", "/v1/tenants/main").json["mail"] == []


run()
