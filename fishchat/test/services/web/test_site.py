"""A bounded site of pages that say what a browser may do with them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request

from fishchat.services.net.connection_limits import Bounds
from fishchat.services.web.page import NOTHING, Answer, Page
from fishchat.services.web.site import HEADERS, SiteLimits, WebSite

POLICY = "default-src 'self'; frame-ancestors 'none'"
HTML = "text/html; charset=utf-8"


class Greeting(Page):
    """A page for people, which may load what the site has."""

    def answer(self, request: Request) -> Answer:
        return Answer(b"<p>hello</p>", HTML)


class Later(Page):
    """One that has to wait for something."""

    def __init__(self) -> None:
        super().__init__(NOTHING)
        self.waiting: Deferred[bytes] = Deferred()

    async def _answer(self) -> Answer:
        return Answer(await self.waiting, "text/plain", 202, {"X-Kind": "late"})

    def answer(self, request: Request) -> Any:
        return self._answer()


class SiteCase(SynchronousTestCase):
    """A site without a port."""

    def setUp(self) -> None:
        root = Resource()
        self.later = Later()
        root.putChild(b"hello", Greeting(POLICY))
        root.putChild(b"later", self.later)
        limits = SiteLimits(Bounds(2), idle=10, body=100)
        self.clock = Clock()
        self.site = WebSite(root, self.clock, limits)

    def connect(self) -> Any:
        """A transport whose ``protocol`` is what the site made for it, None if it refused."""
        transport: Any = StringTransport()
        transport.protocol = self.site.factory.buildProtocol(None)
        if transport.protocol is not None:
            transport.protocol.makeConnection(transport)
        return transport

    def ask(self, path: str, method: str = "GET") -> Any:
        """The transport of this request."""
        transport = self.connect()
        transport.protocol.dataReceived(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return transport


def parsed(transport: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what was answered."""
    head, _, body = transport.value().partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


class Policies(SiteCase):
    """What a browser may do with an answer."""

    def test_of_the_page(self) -> None:
        """A page has the policy that it was made with, and the headers of all answers."""
        status, headers, body = parsed(self.ask("/hello"))
        self.assertEqual((status, body), (200, b"<p>hello</p>"))
        self.assertEqual((headers["Content-Security-Policy"], headers["Content-Type"]), (POLICY, HTML))
        for name in HEADERS.keys() - {"Content-Security-Policy"}:
            self.assertEqual(headers[name], HEADERS[name])

    def test_of_nothing(self) -> None:
        """Where there is no page, nothing is allowed."""
        status, headers, _ = parsed(self.ask("/nothing"))
        self.assertEqual((status, headers["Content-Security-Policy"]), (404, NOTHING))

    def test_needed(self) -> None:
        """No page is made without one."""
        self.assertRaises(TypeError, Page)


class Answers(SiteCase):
    """Answers that come later."""

    def test_later(self) -> None:
        """Status, headers and body as of any other."""
        transport = self.ask("/later")
        self.assertEqual(transport.value(), b"")
        self.later.waiting.callback(b"done")
        status, headers, body = parsed(transport)
        self.assertEqual((status, headers["X-Kind"], headers["Content-Length"], body), (202, "late", "4", b"done"))

    def test_head(self) -> None:
        """HEAD gets no body."""
        transport = self.ask("/later", "HEAD")
        self.later.waiting.callback(b"done")
        status, headers, body = parsed(transport)
        self.assertEqual((status, headers["Content-Length"], body), (202, "4", b""))

    def test_gone(self) -> None:
        """A client that has gone stops the work for its answer."""
        transport = self.ask("/later")
        transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.later.waiting.called)

    def test_failed(self) -> None:
        """A defect is logged, and the client gets no traceback."""
        transport = self.ask("/later")
        self.later.waiting.errback(RuntimeError("a defect"))
        status, _, body = parsed(transport)
        self.assertEqual((status, body), (500, b"internal error\n"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class Local(SiteCase):
    """A site for this machine only."""

    def status(self, host: str | None, site: WebSite) -> int:
        """The status of the answer to a request for this host."""
        self.site = site
        transport = self.connect()
        line = "" if host is None else f"Host: {host}\r\n"
        version = "1.0" if host is None else "1.1"
        transport.protocol.dataReceived(f"GET /hello HTTP/{version}\r\n{line}\r\n".encode())
        return parsed(transport)[0]

    def test_names(self) -> None:
        """Foreign names, which may resolve to this machine, are refused; addresses and localhost are not."""
        root = Resource()
        root.putChild(b"hello", Greeting(POLICY))
        site = WebSite(root, self.clock, SiteLimits(Bounds(50), local=True))
        for host in ("localhost", "LOCALHOST:30000", "localhost.", "127.0.0.1:30000", "[::1]:30000", "192.0.2.1", None):
            self.assertEqual(self.status(host, site), 200, host)
        for host in ("evil.example", "evil.example:30000", "localhost.evil.example", "127.0.0.1.evil.example", "é"):
            self.assertEqual(self.status(host, site), 403, host)

    def test_refusal(self) -> None:
        """The refusal says what to do, has the headers of every answer, and for HEAD no body."""
        self.site = WebSite(Resource(), self.clock, SiteLimits(Bounds(50), local=True))
        status, headers, body = parsed(self.ask("/hello"))
        self.assertEqual((status, body), (403, b"this port answers only for localhost or an IP address\n"))
        self.assertLessEqual(HEADERS.items(), headers.items())
        status, headers, body = parsed(self.ask("/hello", "HEAD"))
        self.assertEqual((status, body), (403, b""))

    def test_elsewhere(self) -> None:
        """Other sites are asked for by any name."""
        self.assertEqual(parsed(self.ask("/hello"))[0], 200)


class Bounded(SiteCase):
    """Each site has limits of its own."""

    def test_connections(self) -> None:
        """One too many is refused; one that ended makes room."""
        first, _ = self.connect(), self.connect()
        self.assertIsNone(self.connect().protocol)
        first.protocol.connectionLost(None)
        self.assertIsNotNone(self.connect().protocol)

    def test_body(self) -> None:
        """A long body ends the connection."""
        transport = self.connect()
        transport.protocol.dataReceived(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 101)
        self.assertTrue(transport.disconnecting)

    def test_idle(self) -> None:
        """An idle connection ends."""
        transport = self.connect()
        self.clock.advance(9)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)
