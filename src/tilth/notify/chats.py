"""Robots of chats, by their published contracts: WeCom (企业微信), DingTalk (钉钉), Feishu (飞书) and Slack."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote_plus

from tilth.notify.http import Refused, post_json
from tilth.notify.message import Message, shortened

__all__ = ["HOSTS", "dingtalk", "feishu", "slack", "wecom"]

HOSTS = {
    "wecom": "qyapi.weixin.qq.com",
    "dingtalk": "oapi.dingtalk.com",
    "feishu": "",  # open.feishu.cn, or open.larksuite.com outside China
    "slack": "hooks.slack.com",
}


def wecom(url: str, message: Message) -> None:
    """A markdown message; at most 4,096 bytes."""
    text = f"**{message.title}**\n{message.text}" + (f"\n[{message.link}]({message.link})" if message.link else "")
    answer = _posted(url, {"msgtype": "markdown", "markdown": {"content": shortened(text, 4_096)}})
    # 45009: more than 20 messages a minute.
    _check(answer, "errcode", "errmsg", again={45009, -1})


def dingtalk(url: str, message: Message, secret: str = "") -> None:
    """A markdown message, signed where the robot has a secret; at most 20,000 bytes."""
    if secret:
        stamp = str(round(time.time() * 1000))
        sign = _sign(secret.encode(), f"{stamp}\n{secret}".encode())
        url = f"{url}{'&' if '?' in url else '?'}timestamp={stamp}&sign={quote_plus(sign)}"
    text = f"#### {message.title}\n\n{message.text}".replace("\n", "\n\n")
    text += f"\n\n[{message.link}]({message.link})" if message.link else ""
    body = {"msgtype": "markdown", "markdown": {"title": message.title, "text": shortened(text, 19_000)}}
    # 130101: more than 20 messages a minute.
    _check(_posted(url, body), "errcode", "errmsg", again={130101, -1})


def feishu(url: str, message: Message, secret: str = "") -> None:
    """A rich text, signed where the robot has a secret; at most 20 kB."""
    lines: list[list[dict[str, str]]] = [
        [{"tag": "text", "text": line}] for line in shortened(message.text, 15_000).splitlines()
    ]
    if message.link:
        lines.append([{"tag": "a", "text": message.link, "href": message.link}])
    body: dict[str, Any] = {
        "msg_type": "post",
        "content": {"post": {"zh_cn": {"title": message.title, "content": lines}}},
    }
    if secret:
        stamp = str(int(time.time()))
        body |= {"timestamp": stamp, "sign": _sign(f"{stamp}\n{secret}".encode(), b"")}
    answer = _posted(url, body)
    _check(answer, "StatusCode" if "StatusCode" in answer else "code", "msg", again={11232, 99991400})


def slack(url: str, message: Message) -> None:
    """Text with Slack's marks; at most 40,000 characters."""
    told = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    title = message.title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = f"*{title}*\n{told}" + (f"\n<{message.link}>" if message.link else "")
    post_json(url, {"text": shortened(text, 39_000)})


def _sign(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _posted(url: str, body: dict[str, Any]) -> dict[str, Any]:
    _, raw = post_json(url, body)
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Refused("the robot's answer is not the one it should give", again=False)
    return answer


def _check(answer: dict[str, Any], code: str, reason: str, again: set[int]) -> None:
    number = answer.get(code, 0)
    if number != 0:
        raise Refused(f"the robot said {number} {answer.get(reason, '')}", again=number in again)
