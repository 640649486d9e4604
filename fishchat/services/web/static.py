"""The built pages: files that never change under their name, and pages that are asked for again each time."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from twisted.web.http import CACHED
from twisted.web.server import Request

from fishchat.net.addresses import parse_address
from fishchat.services.web.page import Answer, Page

#: What a page may do in a browser. ``trusted-types`` names the only policy of the pages: it admits the service worker.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'{sockets}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types fishchat"
)
#: Further headers of a page: it is alone in its group of windows, and needs no sensors.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), usb=(), serial=(), payment=(), midi=(), display-capture=()",
}
FOR_EVER = "public, max-age=31536000, immutable"
EACH_TIME = "no-cache"
#: The encodings that the build makes, the best first, with the endings of their files.
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))

MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>鱼传 FishChat</title>
<h1>鱼传 FishChat</h1>
<p>FishChat is running, but its pages for browsers were not built. Build them with <code>make web</code>, or talk to it
from a terminal: <code>nc {host} {port}</code>, then <code>HELP</code>.</p>
<p lang="zh">鱼传正在运行，但网页尚未构建。请用 <code>make web</code> 构建，或在终端里使用：
<code>nc {host} {port}</code>，然后输入 <code>HELP zh</code>。</p>
</html>
"""

mimetypes.add_type("application/manifest+json", ".webmanifest")


class Pages(Page):
    """The resource for all paths that no other has.

    :param directory: of the built pages; None if there are none. :param sockets: returns the origins to which a page at
    a host, with TLS or not, connects besides its own. :param lines: the address of a msg_server for lines.
    """

    def __init__(self, directory: Path | None, sockets: Callable[[str, bool], list[str]], lines: str) -> None:
        super().__init__("")
        self._directory = directory
        self._sockets = sockets
        host, port = parse_address(lines)
        self._missing = MISSING.format(host=host, port=port).encode()
        self._read = lru_cache(maxsize=256)(_read)

    def answer(self, request: Request) -> Answer:
        path = request.path.decode("latin-1")
        if request.method not in (b"GET", b"HEAD"):
            return self._plain(request, "only GET and HEAD are possible here\n", 405, {"Allow": "GET, HEAD"})
        if self._directory is None:
            return Answer(self._missing, "text/html; charset=utf-8", 503, self._headers(request, EACH_TIME))
        name = _file_of(path)
        if name is None or not (found := self._find(request, name)):
            return self._plain(request, "there is no such page\n", 404, {})
        return found

    def _find(self, request: Request, name: str) -> Answer | None:
        assert self._directory is not None
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        accepted = (request.getHeader(b"accept-encoding") or b"").decode("latin-1")
        for encoding, ending in (*ENCODINGS, ("", "")):
            if encoding and encoding not in accepted:
                continue
            read = self._read(self._directory / (name + ending))
            if read is None:
                continue
            body, tag = read
            headers = self._headers(request, FOR_EVER if name.startswith("assets/") else EACH_TIME)
            headers |= {"Vary": "Accept-Encoding"} | ({"Content-Encoding": encoding} if encoding else {})
            if request.setETag(tag) is CACHED:
                return Answer(b"", kind, 304, headers)
            return Answer(body, f"{kind}; charset=utf-8" if kind.startswith("text/") else kind, 200, headers)
        return None

    def _headers(self, request: Request, caching: str) -> dict[str, str]:
        # The host is one of the site's own: others were refused.
        host = request.getRequestHostname().decode("ascii")
        host = f"[{host}]" if ":" in host else host
        sockets = "".join(f" {origin}" for origin in self._sockets(host, request.isSecure()))
        policy = {"Content-Security-Policy": POLICY.format(sockets=sockets)}
        return {**HEADERS, **policy, "Cache-Control": caching}

    def _plain(self, request: Request, text: str, status: int, headers: dict[str, str]) -> Answer:
        return Answer(text.encode(), "text/plain; charset=utf-8", status, self._headers(request, "no-store") | headers)


def _file_of(path: str) -> str | None:
    """Return the file for a path: places in the chat are all one page. None for a path that leads out."""
    name = path.lstrip("/")
    first = name.split("/", 1)[0]
    if first in ("", "c", "contacts", "settings"):
        return "chat.html"
    parts = name.split("/")
    if len(parts) > 2 or any(not part or part.startswith(".") for part in parts):
        return None
    return None if name.endswith((".br", ".gz")) else name


def _read(path: Path) -> tuple[bytes, bytes] | None:
    """Return a file and a tag for its content; None where there is no file."""
    try:
        body = path.read_bytes()
    except OSError:
        return None
    return body, b'"%s"' % hashlib.sha256(body).hexdigest()[:20].encode()
