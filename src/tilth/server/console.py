"""The built console: its files from memory, index.html for every page's address, and the headers that guard it."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response

from tilth.errors import NotFound

__all__ = ["SECURITY_HEADERS", "STATIC", "Console"]

STATIC = Path(__file__).parent / "static"

# Styles may be inline because Ant Design writes its rules into the page as it runs; scripts may not.
_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

# Python's table depends on the machine; a wrong type with nosniff is a page that does not run. (The framework adds
# the charset to text.)
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESS = (".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".txt", ".webmanifest", ".wasm")

_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tilth</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style></head>
<body><h1>Tilth 耕耘</h1>
<p>The server runs; its console has not been built in this checkout.</p>
<pre>cd console &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>Then load this page again. The API works without it: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
<p lang="zh-CN">服务已经在运行，但这份代码里还没有构建控制台。执行上面的命令后刷新本页即可；API 不受影响。</p>
</body></html>
"""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    body: bytes
    packed: bytes | None
    etag: str
    media_type: str


class Console:
    """Serves the files under `folder`. Only files found there when it was opened (or asked for again) exist."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._lock = threading.Lock()

    def answer(self, path: str, headers: MutableMapping[str, str] | Any) -> Response[bytes]:
        """The file at `path`, or the console's page, which finds its own way by the address."""
        name = path.strip("/")
        if name.startswith("api/") or name == "api":
            raise NotFound("address", f"/{name}")
        file = self._file(name) if name else None
        if file is None:
            if name.startswith("assets/"):
                # A page from before an update asks for files that are gone; HTML in their place would confuse it.
                raise NotFound("file", f"/{name}")
            name, file = "index.html", self._file("index.html")
        if file is None:
            return Response(_NOT_BUILT.encode(), media_type="text/html", headers={"Cache-Control": "no-store"})
        # Files under assets/ have a hash of their content in the name, so they never change.
        cache = "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
        out = {"Cache-Control": cache, "ETag": file.etag, "Vary": "Accept-Encoding"}
        if headers.get("if-none-match") == file.etag:
            return Response(b"", status_code=304, headers=out, media_type=file.media_type)
        body = file.body
        if file.packed is not None and "gzip" in headers.get("accept-encoding", ""):
            body = file.packed
            out["Content-Encoding"] = "gzip"
        return Response(body, headers=out, media_type=file.media_type)

    def _file(self, name: str) -> _File | None:
        with self._lock:
            known = self._files.get(name)
            path = self._path(name)
            if path is None:
                return None
            if known is None or name == "index.html":
                body = path.read_bytes()
                etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
                if known is None or known.etag != etag:
                    known = self._files[name] = _File(
                        body=body,
                        packed=gzip.compress(body, 6, mtime=0)
                        if path.suffix in _COMPRESS and len(body) > 1024
                        else None,
                        etag=etag,
                        media_type=_TYPES.get(path.suffix)
                        or mimetypes.guess_type(path.name)[0]
                        or "application/octet-stream",
                    )
            return known

    def _path(self, name: str) -> Path | None:
        """The file of that name inside the folder, never outside it and never a hidden one."""
        if "\0" in name or any(part in ("..", "") or part.startswith(".") for part in name.split("/")):
            return None
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()) or not path.is_file():
            return None
        return path
