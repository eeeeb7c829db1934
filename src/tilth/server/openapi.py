"""The OpenAPI document, made fit for generating clients from.

What the framework cannot know is put right: an answer always carries all of its fields (so they are
required), every error is a problem document, and two structs of one name that say the same are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from litestar import Litestar

__all__ = ["described", "finished"]

_PROBLEM = "Problem"
_BINARY = {"schema": {"type": "string", "format": "binary"}}

# Bodies that are streamed, so the framework does not see their shape.
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/api/v1/imports"): {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    },
    ("post", "/api/v1/events"): {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]}
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
}


def described(app: Litestar) -> bytes:
    """The application's document as JSON, finished."""
    roles = {
        (r.path_format, method.lower()): str(handler.opt.get("role", "admin"))
        for r in app.routes
        for handler in getattr(r, "route_handlers", ())
        for method in getattr(handler, "http_methods", ())
    }
    return msgspec.json.encode(finished(app.openapi_schema.to_schema(), roles))


def finished(document: dict[str, Any], roles: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The document with required answer fields and problem answers. roles: (path, method) -> role needed."""
    document = msgspec.json.decode(msgspec.json.encode(document))
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schemas[_PROBLEM] = _problem_schema()
    asked: set[str] = set()
    answered: set[str] = set()
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            asked |= _reached(operation.get("requestBody", {}), schemas)
            responses = operation["responses"]
            for status, response in list(responses.items()):
                if status.startswith("2"):
                    _describe_content(path, status, response)
                    answered |= _reached(response, schemas)
                else:
                    del responses[status]
            if (method, path) in _BODIES:
                operation["requestBody"] = _BODIES[method, path]
            role = roles.get((path, method), "admin")
            responses["default"] = {
                "description": "What went wrong",
                "content": {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}"}}},
            }
            operation["x-role"] = role
            operation["security"] = [] if role == "anyone" else [{"token": []}, {"session": []}]
    for name in answered - asked:
        schema = schemas.get(name, {})
        if schema.get("type") == "object" and "properties" in schema:
            schema["required"] = sorted(schema["properties"])
    _tell_apart(document)
    _use_short_names(document)
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token (`tilth token create`)"},
        "session": {"type": "apiKey", "in": "cookie", "name": "tilth_session"},
    }
    return document


def _describe_content(path: str, status: str, response: dict[str, Any]) -> None:
    """Downloads are files, and an empty answer has no content."""
    if status == "204":
        response.pop("content", None)
    elif path.endswith("/stream"):
        response["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif path.endswith("/plan/export"):
        response["content"] = {"application/yaml": {"schema": {"type": "object"}}}
    elif path.endswith("/export"):
        response["content"] = {
            "text/csv": _BINARY,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
        }


def _tell_apart(node: Any) -> None:
    """Leave `integer` out beside `number`, which a whole number is as well: of `oneOf` exactly one may fit."""
    if isinstance(node, dict):
        choices = node.get("oneOf")
        if isinstance(choices, list) and any(one.get("type") == "number" for one in choices):
            node["oneOf"] = [one for one in choices if one.get("type") != "integer"]
        for value in node.values():
            _tell_apart(value)
    elif isinstance(node, list):
        for value in node:
            _tell_apart(value)


def _use_short_names(document: dict[str, Any]) -> None:
    """Give schemas their structs' own names again, which the framework spells out by module where two meet.

    Structs of one name that say the same become one; of those that differ, one keeps the short name only
    when it is the sole user of it, and the others get the folder in front (`SegmentsMoney`).
    """
    schemas: dict[str, Any] = document["components"]["schemas"]
    by_title: dict[str, list[str]] = {}
    for name, schema in schemas.items():
        by_title.setdefault(str(schema.get("title", name)), []).append(name)
    renamed: dict[str, str] = {}
    for title, names in by_title.items():
        shapes: dict[bytes, list[str]] = {}
        for name in names:
            shapes.setdefault(msgspec.json.encode(schemas[name], order="deterministic"), []).append(name)
        for group in shapes.values():
            short = title if len(shapes) == 1 else _with_folder(group[0], title)
            renamed |= dict.fromkeys(group, short)
    document["components"]["schemas"] = {
        renamed[name]: schema for name, schema in sorted(schemas.items(), key=lambda item: renamed[item[0]])
    }
    _rename(document, renamed)


def _with_folder(name: str, title: str) -> str:
    """`tilth_collect_imports_shapes_Money` is `ImportsMoney`; in a file named for it (`money.py`) it stays `Money`."""
    parts = [part for part in name.removesuffix(title).strip("_").split("_") if part != "tilth"]
    if not parts or parts[-1] == title.lower():
        return title
    return f"{parts[-2 if len(parts) > 1 else -1].title()}{title}"


def _rename(node: Any, renamed: dict[str, str]) -> None:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            head, _, name = reference.rpartition("/")
            node["$ref"] = f"{head}/{renamed.get(name, name)}"
        for value in node.values():
            _rename(value, renamed)
    elif isinstance(node, list):
        for value in node:
            _rename(value, renamed)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference.rsplit("/", 1)[-1]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _reached(node: Any, schemas: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(_references(node))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas.get(name, {}))
    return found


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "title": _PROBLEM,
        "type": "object",
        "description": "RFC 9457 problem document; `type` is stable, `id` is what to quote in a report.",
        "required": ["detail", "id", "status", "title", "type"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "id": text,
            "field": text,
            "reason": text,
            "choices": {"type": "array", "items": text},
        },
    }


def main() -> None:
    """Print the document (`make openapi`)."""
    import tempfile

    from tilth.server.app import create_app
    from tilth.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder, Workspace.create(f"{folder}/workspace") as workspace:
        document = described(create_app(workspace, background=False))
    print(msgspec.json.format(document, indent=4).decode())


if __name__ == "__main__":
    main()
