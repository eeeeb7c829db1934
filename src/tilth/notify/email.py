"""E-mail over SMTP: `smtp://user:password@host:port` (STARTTLS where it is offered), `smtps://…`."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from tilth.errors import InvalidInput
from tilth.notify.http import Refused
from tilth.notify.message import Message
from tilth.settings import Settings

__all__ = ["check_addresses", "send"]

_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}")
_TIMEOUT = 20.0


def check_addresses(text: str, field: str) -> list[str]:
    """Addresses parted by commas. Raises `InvalidInput`."""
    found = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    if not found:
        raise InvalidInput(field, "is missing")
    for address in found:
        if not _ADDRESS.fullmatch(address):
            raise InvalidInput(field, f"{address[:80]!r} is not an e-mail address")
    return found


def send(to: list[str], message: Message, settings: Settings, key: str) -> None:
    """Send one mail to all addresses. key: what it is for; a server that was handed it twice can tell by the
    Message-ID. Raises `Refused`."""
    if not settings.smtp_url:
        raise Refused("no mail server is set (TILTH_SMTP_URL)", again=False)
    parts = urlsplit(settings.smtp_url)
    host = parts.hostname or "localhost"
    mail = _mail(to, message, settings.smtp_from or f"tilth@{host}", key)
    context = ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=_TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=_TIMEOUT)
        with server:
            server.ehlo()
            if parts.scheme != "smtps" and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            refused = server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        raise Refused(f"{host} said {error.smtp_code} {text}", again=400 <= error.smtp_code < 500) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise Refused(f"{host} takes mail for none of {', '.join(error.recipients)}", again=False) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Refused(f"{host} did not take the mail: {error}", again=True) from None
    if refused:
        # Sending it again would reach the others twice.
        raise Refused(f"{host} takes no mail for {', '.join(refused)}; the others have it", again=False)


def _mail(to: list[str], message: Message, sender: str, key: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = _sender(sender)
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = make_msgid(idstring=re.sub(r"[^A-Za-z0-9.-]", "-", key)[:80], domain="tilth.invalid")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + (f"\n\n{message.link}" if message.link else "") + "\n")
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for one in message.attachments:
        main, _, sub = one.kind.partition("/")
        mail.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)
    return mail


def _sender(text: str) -> str | Address:
    named = re.fullmatch(r"\s*(.*?)\s*<([^<>]+)>\s*", text)
    return Address(named[1].strip('" '), addr_spec=named[2]) if named else text
