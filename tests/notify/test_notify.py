"""Notices: over a real mail server and a real HTTP server, to robots as their makers describe them, none lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller

from tilth.errors import InvalidInput, NotFound
from tilth.notify import Attachment, Destination, Destinations, Message, Outbox
from tilth.notify.http import Refused, post_json
from tilth.notify.webhook import signature
from tilth.settings import Settings
from tilth.state import Database

HELLO = Message(title="告警：订单", text="订单 <少>\n& 更少", link="http://tilth.example/a", data={"value": 3})


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.answer.startswith("250"):
            self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Settings]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield box, Settings(smtp_url=f"smtp://127.0.0.1:{port}", smtp_from="Tilth <tilth@example.com>")
    finally:
        server.stop()


class Web:
    """A server that notes what is posted and answers what it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.answer, self.wait = 200, b"{}", 0.0
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.calls.append((self.path, dict(self.headers), body))
                time.sleep(web.wait)
                self.send_response(web.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                self.wfile.write(web.answer)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def told(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.calls]


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    yield made
    made.server.shutdown()


def made(database: Database, settings: Settings | None = None) -> tuple[Destinations, Outbox]:
    destinations = Destinations(database, settings or Settings())
    return destinations, Outbox(database, destinations)


def test_a_mail_has_its_text_its_page_and_its_file(database: Database, mailbox: tuple[Mailbox, Settings]) -> None:
    box, settings = mailbox
    destinations, outbox = made(database, settings)
    to = destinations.make(Destination(name="ops", kind="email", address="a@example.com, b@example.com"), "x")
    pdf = Attachment(name="看板.pdf", kind="application/pdf", content=b"%PDF-1.4 x")
    told = Message(
        title="周报", text="一切正常", html="<p>一切正常</p>", link="http://tilth.example", attachments=[pdf]
    )
    assert outbox.put(None, "k1", to.id, told)
    assert not outbox.put(None, "k1", to.id, told), "the same cause again is nothing"
    assert outbox.deliver() == 1
    ((recipients, mail),) = box.mails
    assert recipients == ["a@example.com", "b@example.com"]
    assert (mail["Subject"], str(mail["From"])) == ("周报", "Tilth <tilth@example.com>")
    parts = {part.get_content_type(): part for part in mail.walk() if not part.is_multipart()}
    assert "一切正常" in parts["text/plain"].get_content()
    assert "<p>" in parts["text/html"].get_content()
    assert parts["application/pdf"].get_filename() == "看板.pdf"
    assert parts["application/pdf"].get_content() == b"%PDF-1.4 x"
    assert [d.state for d in outbox.recent()] == ["sent"]


def test_a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(
    database: Database, mailbox: tuple[Mailbox, Settings]
) -> None:
    box, settings = mailbox
    destinations, outbox = made(database, settings)
    to = destinations.make(Destination(name="ops", kind="email", address="a@example.com"), "x")
    box.answer = "451 try later"
    outbox.put(None, "busy", to.id, HELLO)
    assert outbox.deliver() == 0
    (held,) = outbox.recent()
    assert (held.state, held.attempts, "451" in held.error) == ("waiting", 1, True)
    assert held.due_at > held.created_at
    box.answer = "550 no"
    outbox.put(None, "no", to.id, HELLO)
    outbox.deliver()
    dead = next(d for d in outbox.recent() if d.key == "no")
    assert (dead.state, "550" in dead.error) == ("dead", True)
    box.answer = "250 OK"
    outbox.retry(dead.id)
    assert outbox.deliver() == 1
    with pytest.raises(NotFound):
        outbox.retry(dead.id)


def test_without_a_mail_server_a_mail_is_dead_and_says_so(database: Database) -> None:
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="ops", kind="email", address="a@example.com"), "x")
    outbox.put(None, "k", to.id, HELLO)
    outbox.deliver()
    assert "TILTH_SMTP_URL" in outbox.recent()[0].error


def test_a_webhook_is_signed_over_its_time_and_named_by_its_key(database: Database, web: Web) -> None:
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="hook", kind="webhook", address=f"{web.url}/in?x=1", secret="s3"), "x")
    outbox.put(None, "alert:1", to.id, HELLO)
    assert outbox.deliver() == 1
    ((path, headers, body),) = web.calls
    assert (path, headers["Tilth-Id"]) == ("/in?x=1", "alert:1")
    assert headers["Tilth-Signature"] == signature("s3", headers["Tilth-Timestamp"], body)
    assert json.loads(body)["data"] == {"value": 3}
    kept = destinations.get(to.id)
    assert (kept.shown, kept.has_secret) == ("127.0.0.1", True)
    assert "s3" not in repr(kept)
    changed = destinations.change(to.id, Destination(name="hook 2", kind="webhook"))
    assert (changed.name, changed.has_secret) == ("hook 2", True)


@pytest.mark.parametrize(("status", "state"), [(500, "waiting"), (429, "waiting"), (404, "dead"), (302, "dead")])
def test_what_a_server_answers_decides_whether_it_is_asked_again(
    database: Database, web: Web, status: int, state: str
) -> None:
    web.status = status
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="hook", kind="webhook", address=web.url), "x")
    outbox.put(None, "k", to.id, HELLO)
    outbox.deliver()
    assert (outbox.recent()[0].state, len(web.calls)) == (state, 1)


def test_robots_are_told_as_their_makers_describe(database: Database, web: Web) -> None:
    destinations, outbox = made(database)
    for kind, path, secret in (
        ("wecom", "/cgi-bin/webhook/send?key=k", ""),
        ("dingtalk", "/robot/send?access_token=t", "SEC1"),
        ("feishu", "/open-apis/bot/v2/hook/x", "fs"),
        ("slack", "/services/T/B/x", ""),
    ):
        web.answer = {"feishu": b'{"code":0}', "slack": b"ok"}.get(kind, b'{"errcode":0,"errmsg":"ok"}')
        to = destinations.make(Destination(name=kind, kind=kind, address=web.url + path, secret=secret), "x")
        outbox.put(None, kind, to.id, HELLO)
        assert outbox.deliver() == 1, outbox.recent()
    wecom, dingtalk, feishu, slack = web.told
    assert wecom["msgtype"] == "markdown"
    assert wecom["markdown"]["content"].startswith("**告警：订单**")
    asked = parse_qs(urlsplit(web.calls[1][0]).query)
    stamp = asked["timestamp"][0]
    mac = hmac.new(b"SEC1", f"{stamp}\nSEC1".encode(), hashlib.sha256).digest()
    assert asked["sign"][0] == base64.b64encode(mac).decode()
    assert dingtalk["markdown"]["title"] == "告警：订单"
    key = f"{feishu['timestamp']}\nfs".encode()
    assert feishu["sign"] == base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
    assert feishu["content"]["post"]["zh_cn"]["content"][0] == [{"tag": "text", "text": "订单 <少>"}]
    assert "订单 &lt;少&gt;\n&amp; 更少" in slack["text"]


def test_a_robot_that_refuses_says_why(database: Database, web: Web) -> None:
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="w", kind="wecom", address=web.url), "x")
    for answer, state in (
        (b'{"errcode":93000,"errmsg":"invalid webhook url"}', "dead"),
        (b'{"errcode":45009,"errmsg":"limit"}', "waiting"),
        (b"<html>", "dead"),
    ):
        web.answer = answer
        outbox.put(None, answer.decode(), to.id, HELLO)
        outbox.deliver()
        held = next(d for d in outbox.recent() if d.key == answer.decode())
        assert held.state == state, held


def test_long_texts_fit_the_robot(database: Database, web: Web) -> None:
    web.answer = b'{"errcode":0}'
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="w", kind="wecom", address=web.url), "x")
    outbox.put(None, "long", to.id, Message(title="长", text="很长" * 5_000))
    outbox.deliver()
    content = web.told[0]["markdown"]["content"]
    assert len(content.encode()) <= 4_096
    assert content.endswith("…")


def test_nothing_is_sent_to_where_clouds_keep_their_keys() -> None:
    with pytest.raises(Refused, match="nothing is sent"):
        post_json("http://169.254.169.254/latest/meta-data", {})
    with pytest.raises(Refused, match="nothing is sent"):
        post_json("http://0.0.0.0:80/", {})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": " "}, "name"),
        ({"address": ""}, "address"),
        ({"address": "file:///etc/passwd"}, "address"),
        ({"address": "http://user:pw@example.com"}, "address"),
        ({"kind": "email", "address": "nobody"}, "address"),
        ({"kind": "slack", "address": "https://example.com/x"}, "address"),
        ({"kind": "wecom", "address": "https://qyapi.weixin.qq.com/x", "secret": "s"}, "secret"),
    ],
)
def test_what_is_wrong_with_a_destination_is_named(database: Database, fields: dict[str, Any], field: str) -> None:
    destinations, _ = made(database)
    given = {"name": "x", "kind": "webhook", "address": "https://example.com/x", **fields}
    with pytest.raises(InvalidInput) as refused:
        destinations.make(Destination(**given), "x")
    assert refused.value.field == field


DELIVER = """
import sys
from pathlib import Path
from tilth.notify import Destinations, Outbox
from tilth.settings import Settings
from tilth.state import Database
database = Database(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(Outbox(database, Destinations(database, Settings())).deliver())
"""


def deliverer(folder: Path, url: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DELIVER, str(folder), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_who_deliver_at_once_send_each_notice_once(database: Database, tmp_path: Path, web: Web) -> None:
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="hook", kind="webhook", address=web.url), "x")
    for number in range(40):
        outbox.put(None, f"n{number}", to.id, HELLO)
    folder = Path(database.url.removeprefix("sqlite:///")).parent if database.is_sqlite else tmp_path
    url = "" if database.is_sqlite else database.url
    both = [deliverer(folder, url) for _ in range(2)]
    outputs = [process.communicate("go\n", timeout=60)[0] for process in both]
    assert sum(int(output.strip()) for output in outputs) == 40
    assert sorted(t["id"] for t in web.told) == sorted(f"n{n}" for n in range(40))
    assert all(d.state == "sent" for d in outbox.recent())


@pytest.mark.crash
def test_a_deliverer_killed_before_it_noted_the_sending_loses_nothing(
    database: Database, tmp_path: Path, web: Web
) -> None:
    web.wait = 30
    destinations, outbox = made(database)
    to = destinations.make(Destination(name="hook", kind="webhook", address=web.url), "x")
    outbox.put(None, "k", to.id, HELLO)
    folder = Path(database.url.removeprefix("sqlite:///")).parent if database.is_sqlite else tmp_path
    process = deliverer(folder, "" if database.is_sqlite else database.url)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not web.calls and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    web.wait = 0
    (held,) = outbox.recent()
    assert held.state == "waiting"
    assert outbox.deliver() == 0, "the claim of the one that died still runs"
    with database.begin() as connection:
        from tilth.notify.outbox import outbox_table

        connection.execute(outbox_table.update().values(due_at=0))
    assert outbox.deliver() == 1
    assert [t["id"] for t in web.told] == ["k", "k"], "the receiver can tell by the id that it is the same"
