"""The site with the pages: files, headers, ``/server`` and ``/socket``, over real sockets."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fishchat.services.gateway import pages as gateway_pages
from fishchat.testing.server import Server

SECRET = "static/../../config/schema.py"


class Site(TestCase):
    """All roles in one process."""

    async def setUp(self) -> None:  # type: ignore[override]
        directory = Path(self.mktemp())
        (directory / "assets").mkdir(parents=True)
        (directory / "chat.html").write_text("<p>page")
        (directory / "chat.html.br").write_bytes(b"brotli")
        (directory / "chat.html.gz").write_bytes(b"gzip")
        (directory / "sw.js").write_text("worker")
        (directory / "assets" / "a-1.js").write_text("part")
        self.patch(gateway_pages, "static_directory", lambda: directory)
        self.server = Server()
        await self.server.start()
        self.addCleanup(self.server.stop)
        self.host, port = self.server.web.split(":")
        self.port = int(port)

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """The answer to a request."""

        def ask() -> tuple[int, dict[str, str], bytes]:
            connection = HTTPConnection(self.host, self.port, timeout=10)
            connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
            answer: HTTPResponse = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, body

        found: Any = await deferToThread(ask)
        return found  # type: ignore[no-any-return]

    async def test_headers(self) -> None:
        """Every answer, whatever its status, forbids what no page needs."""
        for path, status in (("/", 200), ("/c/%23fishing/7-1", 200), ("/assets/none.js", 404), ("/../x", 404)):
            found, headers, _ = await self.get(path)
            self.assertEqual(found, status, path)
            policy = headers["content-security-policy"]
            for part in ("default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "base-uri"):
                self.assertIn(part, policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["cross-origin-opener-policy"], "same-origin")
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertIn("geolocation=()", headers["permissions-policy"])

    async def test_every_answer(self) -> None:
        """No answer, whatever its path, method and status, may be guessed at, framed, or read by pages of others."""
        tag = (await self.get("/"))[1]["etag"]
        for status, path, method, more in (
            (200, "/sw.js", "HEAD", {}),
            (200, "/server", "GET", {}),
            (304, "/", "GET", {"If_None_Match": tag}),
            (404, "/assets/none.js", "GET", {}),
            (405, "/", "POST", {}),
            (421, "/", "GET", {"Host": "evil.example"}),
            (421, "/server", "HEAD", {"Host": f"127.attacker.example:{self.port}"}),
            (426, "/socket", "GET", {}),
        ):
            found, headers, _ = await self.get(path, method, **more)
            self.assertEqual(found, status, (path, method))
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["cross-origin-resource-policy"], "same-origin")
            self.assertIn("default-src 'none'", headers["content-security-policy"])
            self.assertIn("frame-ancestors 'none'", headers["content-security-policy"])
            self.assertFalse({"set-cookie", "access-control-allow-origin"} & headers.keys())

    async def test_files(self) -> None:
        """Pages are asked for again, parts are kept for ever, and nothing else is a page."""
        _, page, body = await self.get("/")
        self.assertEqual((body, page["cache-control"]), (b"<p>page", "no-cache"))
        _, part, _ = await self.get("/assets/a-1.js")
        self.assertIn("immutable", part["cache-control"])
        self.assertEqual((await self.get("/", If_None_Match=page["etag"]))[0], 304)
        for encoding, content in (("gzip, br", b"brotli"), ("gzip", b"gzip"), ("zstd", b"<p>page")):
            _, headers, body = await self.get("/", Accept_Encoding=encoding)
            self.assertEqual((body, headers["vary"]), (content, "Accept-Encoding"))
        status, headers, body = await self.get("/assets/old-2.js")
        self.assertEqual((status, headers["content-type"]), (404, "text/plain; charset=utf-8"))
        for path in ("/.source", "/assets/../chat.html", "/chat.html.br", f"/{SECRET}", "/%2e%2e/chat.html", "/a/b/c"):
            self.assertEqual((await self.get(path))[0], 404, path)
        self.assertEqual((await self.get("/", "POST"))[0], 405)
        self.assertEqual((await self.get("/", "HEAD"))[2], b"")

    async def test_names(self) -> None:
        """A request for another host gets nothing, on every path."""
        for path in ("/", "/server", "/socket", "/assets/a-1.js"):
            status, _, body = await self.get(path, Host="evil.example")
            self.assertEqual((status, b"page" in body), (421, False), path)

    async def test_server(self) -> None:
        """A page learns how accounts log in, and where to connect."""
        status, headers, body = await self.get("/server")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        told = json.loads(body)
        self.assertEqual((told["mode"], told["sockets"]), ("open", ["/socket"]))

    async def test_without_pages(self) -> None:
        """Where the pages were not built, the root says so."""
        self.patch(gateway_pages, "static_directory", lambda: None)
        async with Server() as server:
            self.port = int(server.web.split(":")[1])
            status, _, body = await self.get("/")
            self.assertEqual((status, b"make web" in body, b"nc 127.0.0.1 " in body), (503, True, True))

    def open(self, **options: Any) -> Any:
        """A connection to the socket, from a thread."""
        usual: dict[str, Any] = {"subprotocols": ["fishchat.1"], "compression": None, "open_timeout": 10}
        return connect(f"ws://{self.server.web}/socket", **{**usual, **options})

    async def test_socket(self) -> None:
        """The same lines as over TCP, and the limits of lines."""

        def talk() -> list[str]:
            heard = []
            with self.open(origin=f"http://{self.server.web}") as wire:
                heard.append(wire.recv(10))
                for line in ("LOGIN alice", "MSG alice hello", "x" * 9000, "PING\nPING", "NONSENSE"):
                    wire.send(line)
                    heard.append(wire.recv(10))
                    if line == "LOGIN alice":
                        heard.append(wire.recv(10))
            return heard

        heard: list[str] = await deferToThread(talk)
        self.assertTrue(heard[0].startswith("HELLO fishchat/1 server="))
        self.assertEqual(heard[1:3], ["OK SEND_CLIENT_ID alice", "RESP_SYNCED"])
        self.assertRegex(heard[3], r"^OK SEND_MESSAGE_P2P alice\+alice:\d+-1$")
        words = [line.split(" ")[2] for line in heard[4:]]
        self.assertEqual(words, ["TOOLONG", "FIELDS", "UNKNOWN_VERB"])

    async def test_refused(self) -> None:
        """Pages of others, other protocols and other methods get a status and a sentence."""

        def attempt(**options: Any) -> int:
            try:
                with self.open(**options):
                    return 101
            except InvalidStatus as error:
                return error.response.status_code

        for status, options in (
            (403, {"origin": "http://evil.example"}),
            (403, {"origin": f"https://{self.server.web}"}),
            (403, {"origin": "null"}),
            (400, {"subprotocols": None}),
            (400, {"subprotocols": ["mqtt"]}),
            (421, {"additional_headers": {"Host": "evil.example"}}),
        ):
            self.assertEqual(await deferToThread(attempt, **options), status, options)
        self.assertEqual((await self.get("/socket"))[0], 426)

    async def test_early_bytes(self) -> None:
        """What came together with the request is not lost."""

        def talk() -> bytes:
            handshake = (
                f"GET /socket HTTP/1.1\r\nHost: {self.server.web}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Protocol: fishchat.1\r\n\r\n"
            )
            ping = b"\x81\x84\0\0\0\0PING"
            with socket.create_connection((self.host, self.port), timeout=10) as wire:
                wire.sendall(handshake.encode() + ping)
                heard = b""
                while b"OK SEND_PING" not in heard:
                    heard += wire.recv(4096)
            return heard

        self.assertIn(b"101 Switching Protocols", await deferToThread(talk))

    async def test_stop(self) -> None:
        """A server that stops says where to go, then closes in order."""

        def wait(wire: Any) -> list[str]:
            heard = []
            try:
                while True:
                    heard.append(wire.recv(10))
            except ConnectionClosed as closed:
                assert closed.rcvd is not None
                heard.append(str(closed.rcvd.code))
            return heard

        wire = await deferToThread(self.open)
        waiting = deferToThread(wait, wire)
        await self.server.stop()
        heard: Any = await waiting
        self.assertEqual(heard[-2:], ["RESP_MOVE - within=1", "1001"])
