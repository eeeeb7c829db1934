"""The built-in kinds of layering, in the order they are offered."""

from __future__ import annotations

import types
import typing
from typing import Any

import msgspec

from tilth.errors import InvalidInput, NotFound
from tilth.segments import clusters, matrix, pareto, rfm, stage, value
from tilth.segments.layering import Kind
from tilth.segments.words import Text

__all__ = ["KINDS", "KindInfo", "ParameterInfo", "describe_kinds", "kind_of", "read_parameters"]

KINDS: dict[str, Kind] = {
    kind.key: kind for kind in (rfm.KIND, value.KIND, pareto.KIND, stage.KIND, matrix.KIND, clusters.KIND)
}


class ParameterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """type: `integer`, `number`, `boolean`, `choice` (see choices), `numbers` or `texts` (a list of them)."""

    name: str
    type: str
    default: Any
    choices: list[str]
    about: Text


class KindInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of layering and what can be set."""

    kind: str
    name: Text
    about: Text
    parameters: list[ParameterInfo]


def kind_of(key: str) -> Kind:
    """The kind named `key`. Raises `NotFound` with those there are."""
    if key not in KINDS:
        raise NotFound("kind of layering", key, list(KINDS))
    return KINDS[key]


def read_parameters(kind: Kind, given: dict[str, Any] | msgspec.Struct | None) -> msgspec.Struct:
    """The parameters as the kind's struct. Raises `InvalidInput` naming the parameter."""
    if isinstance(given, kind.parameters):
        return given
    try:
        return msgspec.convert(given or {}, kind.parameters, strict=False)
    except msgspec.ValidationError as error:
        message = str(error)
        text, _, path = message.partition(" - at `$.")
        field = path.rstrip("`") if path else ""
        unknown = text.partition("unknown field `")[2].rstrip("`")
        if unknown:
            raise InvalidInput(
                f"parameters.{unknown}", f"is not a parameter of {kind.key}", [*kind.about_parameters]
            ) from None
        raise InvalidInput(f"parameters.{field}" if field else "parameters", text) from None


def describe_kinds() -> list[KindInfo]:
    """All kinds with their parameters, defaults and meanings."""
    return [
        KindInfo(
            kind=kind.key,
            name=kind.name,
            about=kind.about,
            parameters=[
                _parameter(field, kind.about_parameters[field.name])
                for field in msgspec.structs.fields(kind.parameters)
            ],
        )
        for kind in KINDS.values()
    ]


def _parameter(field: msgspec.structs.FieldInfo, about: Text) -> ParameterInfo:
    kind, choices = _type_name(field.type)
    return ParameterInfo(name=field.name, type=kind, default=field.default, choices=choices, about=about)


def _type_name(hint: Any) -> tuple[str, list[str]]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _type_name(next(a for a in typing.get_args(hint) if a is not type(None)))
    if origin is typing.Literal:
        return "choice", [str(a) for a in typing.get_args(hint)]
    if origin is tuple:
        return ("texts" if typing.get_args(hint)[0] is str else "numbers"), []
    return {bool: "boolean", int: "integer", float: "number"}[hint], []
