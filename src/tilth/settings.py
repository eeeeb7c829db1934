"""A workspace's settings: `tilth.toml` in its folder, overridden by `TILTH_…` variables."""

from __future__ import annotations

import os
import re
import tomllib
import zoneinfo
from pathlib import Path

import msgspec

from tilth.errors import InvalidInput

__all__ = ["CURRENCY_DIGITS", "Settings", "currency_digits", "load_settings", "save_settings"]

# ISO 4217 currencies whose minor unit is not 1/100.
CURRENCY_DIGITS = {
    "BIF": 0,
    "CLP": 0,
    "DJF": 0,
    "GNF": 0,
    "ISK": 0,
    "JPY": 0,
    "KMF": 0,
    "KRW": 0,
    "PYG": 0,
    "RWF": 0,
    "UGX": 0,
    "VND": 0,
    "VUV": 0,
    "XAF": 0,
    "XOF": 0,
    "XPF": 0,
    "BHD": 3,
    "IQD": 3,
    "JOD": 3,
    "KWD": 3,
    "LYD": 3,
    "OMR": 3,
    "TND": 3,
}


def currency_digits(currency: str) -> int:
    """How many decimal digits the currency's minor unit has: 2 for CNY, 0 for JPY, 3 for KWD."""
    return CURRENCY_DIGITS.get(currency, 2)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace is set to.

    name: shown in the console. timezone: IANA name; calendar days are in it. currency: ISO 4217;
    amounts are stored in its minor unit. buckets: how many ways the event table is split by person
    (fixed when the workspace is made). language: the console's default, `zh-CN` or `en`.
    database_url, lake_url: empty for SQLite and the workspace's own folder. ray_address: of a Ray cluster that answers
    questions of behaviour (`host:6379`, `auto`, or `local` for one of this machine); empty for threads of this process.
    memory_mb: the budget of one import or query. port, host: where `tilth serve` listens. pull_folders: folders that
    pulls may read files and SQLite databases from, separated by `:`; relative ones are in the workspace. smtp_url: the
    mail server, `smtp://user:password@host:port` or `smtps://…`; smtp_from: whom mail is from. public_url: where people
    reach the console, for links in notices.
    """

    name: str = "Tilth"
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    buckets: int = 8
    language: str = "zh-CN"
    database_url: str = ""
    lake_url: str = ""
    ray_address: str = ""
    memory_mb: int = 2048
    host: str = "127.0.0.1"
    port: int = 8765
    pull_folders: str = "inbox"
    smtp_url: str = ""
    smtp_from: str = ""
    public_url: str = ""


def check_timezone(name: str, field: str = "timezone") -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, IsADirectoryError):
        raise InvalidInput(field, f"there is no time zone {name!r}; use an IANA name such as Asia/Shanghai") from None
    return name


def check_currency(code: str, field: str = "currency") -> str:
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise InvalidInput(field, f"{code!r} is not an ISO 4217 currency code such as CNY or GBP")
    return code


def _checked(settings: Settings) -> Settings:
    check_timezone(settings.timezone)
    check_currency(settings.currency)
    if not 1 <= settings.buckets <= 1024:
        raise InvalidInput("buckets", "must be between 1 and 1024")
    if settings.language not in ("zh-CN", "en"):
        raise InvalidInput("language", "must be zh-CN or en", ["zh-CN", "en"])
    if not 1 <= settings.port <= 65535:
        raise InvalidInput("port", "must be between 1 and 65535")
    if settings.smtp_url and not re.match(r"smtps?://[^/\s]+", settings.smtp_url):
        raise InvalidInput("smtp_url", "must begin with smtp:// or smtps:// and name a server")
    if settings.public_url and not re.match(r"https?://[^/\s]+", settings.public_url):
        raise InvalidInput("public_url", "must begin with https:// or http://")
    if settings.memory_mb < 256:
        raise InvalidInput("memory_mb", "must be at least 256")
    return settings


def load_settings(folder: Path) -> Settings:
    """Read `tilth.toml` (if any) and the environment; refuse unknown or malformed values."""
    path = folder / "tilth.toml"
    values: dict[str, object] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInput("tilth.toml", str(error)) from None
    known = {f.name: f for f in msgspec.structs.fields(Settings)}
    for key in values:
        if key not in known:
            raise InvalidInput(f"tilth.toml: {key}", "is not a setting", sorted(known))
    for key, field in known.items():
        text = os.environ.get(f"TILTH_{key.upper()}")
        if text is not None and text != "":
            if field.type is int:
                if not re.fullmatch(r"\d+", text):
                    raise InvalidInput(f"TILTH_{key.upper()}", f"{text!r} is not a whole number")
                values[key] = int(text)
            else:
                values[key] = text
    try:
        return _checked(msgspec.convert(values, Settings))
    except msgspec.ValidationError as error:
        raise InvalidInput("tilth.toml", str(error)) from None


def save_settings(folder: Path, settings: Settings) -> None:
    """Write what differs from the defaults to `tilth.toml`, by rename so that it is never half there.

    A value that comes from the environment (a database password among them) is not copied to disk;
    the file keeps what it said before.
    """
    path = folder / "tilth.toml"
    held: dict[str, object] = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    defaults = Settings()
    lines = ["# Settings of this Tilth workspace; TILTH_… variables override them.\n"]
    for field in msgspec.structs.fields(Settings):
        value = getattr(_checked(settings), field.name)
        if os.environ.get(f"TILTH_{field.name.upper()}") == str(value):
            value = held.get(field.name, value if field.name == "buckets" else getattr(defaults, field.name))
        if value != getattr(defaults, field.name) or field.name in ("timezone", "currency", "buckets"):
            lines.append(f"{field.name} = {msgspec.json.encode(value).decode()}\n")
    temporary = folder / "tilth.toml.new"
    temporary.write_text("".join(lines), "utf-8")
    temporary.replace(path)
