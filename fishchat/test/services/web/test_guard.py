"""The monitor over TLS: who may look, how often one may be wrong, and what nobody can hold up."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers

from fishchat.config import schema
from fishchat.features.accounts.administration import Accounts
from fishchat.protocols.peer import HANDSHAKE
from fishchat.services import monitor
from fishchat.services.monitor import pages
from fishchat.services.monitor.pages import IDLE, OF_SOURCE
from fishchat.services.net.listen import HTTP, Listener
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Heartbeat
from fishchat.services.web.guard import LONGEST, Guard, Wrong
from fishchat.storage.redis import StoreError
from fishchat.storage.script import every_script
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.tls_clients import begin_tls, connect_plain, trust
from fishchat.test.support.tls_fixture import authority
from fishchat.test.support.waiting import until


def basic(account: bytes, secret: bytes) -> bytes:
    """The header of a request."""
    return b"Basic " + base64.b64encode(account + b":" + secret)


class Known:
    """A store that knows one token of each account, and may be away."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.away = False
        self.waiting: list[Deferred[None]] = []
        self.slow = False

    async def check_token(self, account: bytes, token: bytes) -> bytes | None:
        """``fct_`` and the name is right."""
        self.asked.append(account)
        if self.away:
            raise StoreError("away")
        if self.slow:
            self.waiting.append(Deferred())
            await self.waiting[-1]
        return b"main" if token == b"fct_" + account else None


class GuardCase(SynchronousTestCase):
    """A guard that lets Anna and Ben pass."""

    limits = schema.Limits(guesses=3, guess_seconds=60)

    def setUp(self) -> None:
        self.clock, self.known = Clock(), Known()
        self.guard = Guard(["anna", "ben"], self.known, self.limits, self.clock)

    def check(self, header: bytes | None, address: str = "192.0.2.1") -> int | None:
        """None when it is let pass, else the seconds to wait, 0 for a mere refusal."""
        results: list[Any] = []
        Deferred.fromCoroutine(self.guard.check(header, address)).addBoth(results.append)
        (result,) = results
        if result is None:
            return None
        self.assertIsInstance(result.value, Wrong)
        retry: int = result.value.retry
        return retry


class Passing(GuardCase):
    """Who is let pass."""

    def attempt(self, header: bytes | None) -> int | None:
        """One that has no former ones against it."""
        self.setUp()
        return self.check(header)

    def test_right(self) -> None:
        """An account that is named, with its token."""
        self.assertIsNone(self.attempt(basic(b"anna", b"fct_anna")))
        self.assertIsNone(self.attempt(b"basic  " + basic(b"ben", b"fct_ben")[6:] + b" "))

    def test_wrong(self) -> None:
        """Another token, another account although its token is right, no account."""
        for header in (basic(b"anna", b"fct_ben"), basic(b"carol", b"fct_carol"), basic(b"", b""), None, b""):
            self.assertEqual(self.attempt(header), 0)

    def test_not_asked(self) -> None:
        """The store is not asked for accounts that are not named, nor for nonsense."""
        right = basic(b"anna", b"fct_anna")
        for header in (
            basic(b"carol", b"fct_carol"),
            b"Bearer fct_anna",
            b"Basic",
            b"Basic !!!",
            b"Basic " + base64.b64encode(b"anna"),
            b"Basic \xff",
            right + b"=",
            basic(b"anna", b"x" * LONGEST),
            basic(b"a\0nna", b"fct_anna"),
        ):
            self.assertEqual(self.attempt(header), 0, header)
            self.assertEqual(self.known.asked, [])


class Guessing(GuardCase):
    """How often one may be wrong."""

    wrong, right = basic(b"anna", b"fct_nna"), basic(b"anna", b"fct_anna")

    def test_bounded(self) -> None:
        """After some wrong attempts nobody of that address is asked any more, one more each minute."""
        self.assertEqual([self.check(self.wrong) for _ in range(5)], [0, 0, 0, 60, 60])
        self.assertEqual(self.check(self.right), 60)
        self.assertEqual(len(self.known.asked), 3)
        self.assertIsNone(self.check(self.right, "192.0.2.2"))
        self.clock.advance(59.5)
        self.assertEqual(self.check(self.right), 1)
        self.clock.advance(0.5)
        self.assertEqual([self.check(self.wrong), self.check(self.wrong)], [0, 60])

    def test_networks(self) -> None:
        """Of IPv6 a whole /64 is one."""
        for number in range(3):
            self.assertEqual(self.check(self.wrong, f"2001:db8::{number}"), 0)
        self.assertEqual(self.check(self.wrong, "2001:db8::99"), 60)
        self.assertEqual(self.check(self.wrong, "2001:db8:0:1::1"), 0)

    def test_right_ones_are_free(self) -> None:
        """Who is right may ask as often as it likes, also between two guesses of somebody else there."""
        for _ in range(20):
            self.assertIsNone(self.check(self.right))
        self.check(self.wrong)
        for _ in range(20):
            self.assertIsNone(self.check(self.right))

    def test_no_header(self) -> None:
        """A browser asks without one first; that is no guess."""
        self.assertEqual([self.check(None) for _ in range(10)], [0] * 10)
        self.assertIsNone(self.check(self.right))

    def test_all_at_once(self) -> None:
        """Attempts that are made before any is answered are counted, too."""
        self.known.slow = True
        checks = [Deferred.fromCoroutine(self.guard.check(self.wrong, "192.0.2.1")) for _ in range(10)]
        self.assertEqual(len(self.known.asked), 3)
        for waiting in self.known.waiting:
            waiting.callback(None)
        retries = [self.failureResultOf(check, Wrong).value.retry for check in checks]
        self.assertEqual(sorted(retries), [0] * 3 + [60] * 7)

    def test_store_away(self) -> None:
        """What could not be checked was no guess."""
        self.known.away = True
        for _ in range(10):
            checking = Deferred.fromCoroutine(self.guard.check(self.wrong, "192.0.2.1"))
            self.failureResultOf(checking, StoreError)
        self.known.away = False
        self.assertIsNone(self.check(self.right))


class DoorTests(SynchronousTestCase):
    """Connections that would stay for ever."""

    def setUp(self) -> None:
        self.clock = Clock()
        guard = Guard([], Known(), schema.Limits(), self.clock)
        self.web = pages.site(None, self.clock, schema.Limits(), guard)  # type: ignore[arg-type]

    def connect(self) -> tuple[Any, Any]:
        """The monitor's side of one, and what is below it."""
        transport, protocol = StringTransport(), self.web.factory.buildProtocol(None)
        protocol.makeConnection(transport)
        return protocol, transport

    def test_handshake(self) -> None:
        """A handshake has ten seconds."""
        _, late = self.connect()
        in_time, transport = self.connect()
        self.clock.advance(HANDSHAKE - 1)
        in_time.handshakeCompleted()
        self.clock.advance(1)
        self.assertEqual((late.disconnected, transport.disconnected), (True, False))

    def test_no_answer(self) -> None:
        """A peer that does not answer the end of a session is cut off."""
        protocol, transport = self.connect()
        protocol.handshakeCompleted()
        protocol.loseConnection()
        self.clock.advance(IDLE)
        self.assertTrue(transport.disconnected)

    def test_of_source(self) -> None:
        """One source has a part of the connections; who goes makes room."""
        build = self.web.factory.buildProtocol
        doors = [build(IPv6Address("TCP", f"2001:db8::{n:x}", 1)) for n in range(OF_SOURCE)]
        for door in doors:
            door.makeConnection(StringTransport())
        self.assertIsNone(build(IPv6Address("TCP", "2001:db8::ffff", 1)))
        self.assertIsNotNone(build(IPv4Address("TCP", "192.0.2.1", 1)))
        doors[0].connectionLost(None)
        self.assertIsNotNone(build(IPv6Address("TCP", "2001:db8::ffff", 1)))

    def test_gone(self) -> None:
        """Of one that is gone nothing is left."""
        protocol, _ = self.connect()
        protocol.loseConnection()
        protocol.connectionLost(None)
        self.assertEqual(len(self.web.factory.protocols), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(2 * IDLE)


class Whole(TestCase):
    """A monitor with a port for TLS, real accounts in a real store, and a client that knows HTTP."""

    timeout = 30

    async def begin(self) -> None:
        """Anna has an account and a token, and may look."""
        server = RedisServer()
        self.addCleanup(server.close)
        self.redis = server
        config = schema.Config(
            redis=schema.Redis(url=server.url, timeout=0.5),
            tls=schema.Tls(certificate=str(authority().server), key=str(authority().server_key)),
            monitor=schema.Monitor(listen="127.0.0.1:0", listen_tls="127.0.0.1:0", accounts=["anna"]),
            limits=schema.Limits(guesses=3),
        )
        self.parts = Parts(config)
        store = self.parts.store(every_script())
        services = monitor.build(self.parts)
        for service in services:
            service.setServiceParent(self.parts)
        self.parts.startService()
        self.addCleanup(self.parts.stopService)
        listeners: Any = [service for service in services if isinstance(service, Listener)]
        self.plain, self.port = (listener.port for listener in listeners)
        self.web: Any = listeners[1].factory
        await store.when_connected()
        await until(lambda: self.parts.speaker.connected)
        accounts = Accounts(store, 30)
        await accounts.add(b"anna", None)
        self.token = await accounts.grant(b"anna", b"watch", 10)
        pool = HTTPConnectionPool(reactor, persistent=False)
        self.agent = Agent(reactor, BrowserLikePolicyForHTTPS(trust()), pool=pool)

    async def get(self, path: str, authorization: bytes | None = None, method: bytes = b"GET") -> tuple[int, Any, Any]:
        """Status, JSON and headers."""
        headers = Headers({b"authorization": [authorization]} if authorization else {})
        url = f"https://localhost:{self.port}{path}".encode()
        response: Any = await self.agent.request(method, url, headers)
        body = await readBody(response)
        return response.code, json.loads(body) if body else None, response.headers

    async def test_looking(self) -> None:
        """With her token Anna sees what the port without TLS shows to anybody."""
        await self.begin()
        right = basic(b"anna", self.token)
        status, shown, headers = await self.get("/servers", right)
        self.assertEqual((status, list(shown)), (200, ["at", "servers"]))
        self.assertEqual(
            headers.getRawHeaders(b"content-security-policy"), [b"default-src 'none'; frame-ancestors 'none'"]
        )
        self.assertEqual((await self.get("/nothing", right))[0], 404)
        self.assertEqual((await self.get("/servers", right, b"POST"))[0], 405)
        status, shown, _ = await self.get("/readyz", right, b"HEAD")
        self.assertIn(status, (200, 503))
        self.assertIsNone(shown)
        beat: Any = next(service for service in self.parts if isinstance(service, Heartbeat))
        beat.beat()
        while not (shown := (await self.get("/servers", right))[1]["servers"]):
            continue
        self.assertGreater(shown[0]["figures"]["certificate_days"], 390)
        plain: Any = await self.agent.request(b"GET", f"http://127.0.0.1:{self.plain}/servers".encode())
        self.assertEqual((plain.code, list(json.loads(await readBody(plain)))), (200, ["at", "servers"]))

    async def test_refused(self) -> None:
        """Whoever else asks is told how, and only that the process runs; then to wait."""
        await self.begin()
        for header in (None, basic(b"anna", b"fct_wrong"), basic(b"ben", self.token)):
            status, shown, headers = await self.get("/servers", header)
            self.assertEqual((status, shown["error"]), (401, "unauthorized"))
            self.assertEqual(headers.getRawHeaders(b"www-authenticate"), [b'Basic realm="FishChat", charset="UTF-8"'])
        self.assertEqual((await self.get("/healthz"))[1]["status"], "ok")
        await self.get("/", basic(b"ben", self.token))
        status, shown, headers = await self.get("/", basic(b"anna", self.token))
        self.assertEqual((status, shown["error"]), (429, "too many requests"))
        self.assertEqual(headers.getRawHeaders(b"retry-after"), [b"60"])

    async def test_store_away(self) -> None:
        """Without the store nobody can be let pass, which is no fault of theirs."""
        await self.begin()
        self.redis.kill()
        status, shown, _ = await self.get("/servers", basic(b"anna", self.token))
        self.assertEqual((status, shown["error"]), (503, "unavailable"))

    async def test_protocols(self) -> None:
        """HTTP/1.1 by ALPN; a chat client is refused in the handshake."""
        await self.begin()
        client, wire = await begin_tls(self.port, protocols=[HTTP])
        client.send("GET /healthz HTTP/1.1", "Host: x", "Connection: close", "")
        await until(lambda: client.closed)
        self.assertIn(b'"status": "ok"', wire.heard)
        client, wire = await begin_tls(self.port)
        await until(lambda: client.closed)
        self.assertIn("no application protocol", str(wire.reason))

    async def test_bounded(self) -> None:
        """Connections that have not even begun a handshake count; one more is closed at once."""
        self.patch(pages, "CONNECTIONS", 2)
        await self.begin()
        clients = [(await connect_plain(self.port))[0] for _ in range(2)]
        await until(lambda: len(self.web.protocols) == 2)
        client, _ = await begin_tls(self.port, protocols=[HTTP])
        await until(lambda: client.closed)
        for each in clients:
            each.drop()
        await until(lambda: not self.web.protocols)

    async def test_stopping(self) -> None:
        """The end of the monitor ends its connections."""
        await self.begin()
        client, _ = await begin_tls(self.port, protocols=[HTTP])
        await until(lambda: self.web.protocols)
        await self.parts.stopService()
        await until(lambda: client.closed)
