"""Who a Sensors Analytics event is about: `identities` of ID-Mapping 3 and the older single ids."""

from __future__ import annotations

import re
from typing import Any

from tilth.collect.formats.contract import Refusal
from tilth.collect.formats.ids import person_id_text
from tilth.collect.model import Id

__all__ = ["identities_of", "ids_of"]

_LOGIN = "$identity_login_id"
# (kind of ours, made up by the device rather than known of the person)
_KINDS: dict[str, tuple[str, bool]] = {
    _LOGIN: ("id", False),
    "$identity_distinct_id": ("id", False),
    "$identity_anonymous_id": ("id", True),
    "$identity_cookie_id": ("id", True),
    "$identity_mobile": ("phone", False),
    "$identity_email": ("email", False),
    "$identity_mp_openid": ("wechat_openid", False),
    "$identity_mp_unionid": ("wechat_unionid", False),
    "$identity_android_id": ("device", True),
    "$identity_android_uuid": ("device", True),
    "$identity_idfa": ("device", True),
    "$identity_idfv": ("device", True),
    "$identity_ios_uuid": ("device", True),
    "$identity_harmonyos_uuid": ("device", True),
    "$identity_mp_id": ("device", True),
}
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,99}")


def identities_of(value: Any) -> tuple[Id, ...]:
    """The ids of `identities`, the sign-in id first, then in the order sent.

    A key this product does not know becomes a kind of its own, without `$identity_`. A list holds
    several ids of a kind.
    """
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise Refusal("identities", "must be an object")
    found: dict[tuple[str, str], Id] = {}
    for key in sorted(value, key=lambda k: k != _LOGIN):
        field = f"identities.{key[:100]}"
        if _NAME.fullmatch(key) is None:
            raise Refusal(field, "must be 1 to 100 letters, digits, _ or $, not starting with a digit")
        kind, anonymous = _KINDS.get(key, (key.removeprefix("$identity_") or key, False))
        for one in value[key] if isinstance(value[key], list) else [value[key]]:
            text = person_id_text(one, field)
            if text is None:
                raise Refusal(field, "must have 1 to 255 characters")
            found.setdefault((kind, text), Id(kind, text, anonymous))
    return tuple(found.values())


def ids_of(distinct_id: Any, identities: Any, login_id: Any, anonymous_id: Any, login: bool) -> tuple[Id, ...]:
    """All ids of an event, the one it is filed under first: the sign-in id, or else `distinct_id`.

    login: `distinct_id` is a sign-in id (`$is_login_id`). With `identities` but no sign-in id,
    SDKs put `kind+value` in `distinct_id`, which is no id of its own.
    """
    main = person_id_text(distinct_id, "distinct_id")
    if main is not None and identities is None and login_id is None and anonymous_id is None:
        return (Id("id", main),)
    typed = identities_of(identities)
    signed_in = person_id_text(login_id, "login_id")
    unknown = person_id_text(anonymous_id, "anonymous_id")
    if main is None:
        raise Refusal("distinct_id", "must have 1 to 255 characters")
    found: list[Id] = []
    if signed_in is not None:
        found.append(Id("id", signed_in))
    if isinstance(identities, dict) and _LOGIN in identities:
        found.append(typed[0])
    among_typed = [one for one in typed if one.value == main]
    if among_typed:
        found += among_typed
    elif not _is_made_of(main, identities):
        found.append(Id("id", main, not login and main == unknown))
    found += typed
    if unknown is not None and all(unknown != one.value for one in found):
        found.append(Id("id", unknown, True))
    unique: dict[tuple[str, str], Id] = {}
    for one in found:
        unique.setdefault((one.kind, one.value), one)
    return tuple(unique.values())


def _is_made_of(distinct_id: str, identities: Any) -> bool:
    """True for `$identity_mobile+13900000000` beside that very identity."""
    key, plus, value = distinct_id.partition("+")
    return bool(plus) and isinstance(identities, dict) and identities.get(key) == value
