from __future__ import annotations

import json
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers

from fishchat.bus import channels
from fishchat.config import schema
from fishchat.model.servers import GONE, LATE
from fishchat.services import monitor
from fishchat.services.monitor.pages import BODY, CONNECTIONS, site
from fishchat.services.monitor.service import Monitor
from fishchat.services.role import Parts
from fishchat.services.web.site import HEADERS
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import MemoryBus


class MonitorCase(SynchronousTestCase):
    """A monitor without a port."""

    def setUp(self) -> None:
        """Nobody heard yet."""
        self.clock = Clock()
        self.bus = MemoryBus()
        self.monitor = Monitor(self.bus, self.clock, lambda: "own", wall=lambda: 1000.5)
        self.web = site(self.monitor, self.clock, schema.Limits())

    def beat(self, role: str, id: str, **more: Any) -> None:
        """A heartbeat."""
        self.bus.publish(channels.MONITOR, channels.Heartbeat(role=role, id=id, **more).encode())

    def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to these bytes."""
        transport = self.connect()
        transport.protocol.dataReceived(request)
        head, _, body = transport.value().partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        transport.protocol.connectionLost(None)
        return int(status.split()[1]), headers, body

    def connect(self) -> Any:
        """A transport whose ``protocol`` is what the monitor made for it, None if it refused."""
        transport: Any = StringTransport()
        transport.protocol = self.web.factory.buildProtocol(None)
        if transport.protocol is not None:
            transport.protocol.makeConnection(transport)
        return transport

    def get(self, path: str, method: str = "GET") -> tuple[int, Any]:
        """Status and JSON."""
        status, _, body = self.ask(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return status, json.loads(body)


class Showing(MonitorCase):
    """What every server said, as JSON."""

    def test_server(self) -> None:
        """All that it said, its state and its age."""
        self.beat(
            "msg_server",
            "ms1",
            address="127.0.0.1:19000",
            address_tls="127.0.0.1:19443",
            pid=7,
            version="0.1.0",
            uptime=5000,
            clients=3,
            capacity=10,
            figures={"messages": 12.0},
        )
        self.clock.advance(1.5)
        expected = {
            "role": "msg_server",
            "id": "ms1",
            "state": "alive",
            "stopped": False,
            "age": 1500,
            "address": "127.0.0.1:19000",
            "address_tls": "127.0.0.1:19443",
            "pid": 7,
            "version": "0.1.0",
            "uptime": 5000,
            "clients": 3,
            "capacity": 10,
            "figures": {"messages": 12.0},
        }
        for path in ("/servers", "/"):
            self.assertEqual(self.get(path), (200, {"at": 1000500, "servers": [expected]}))

    def test_for_people(self) -> None:
        """The JSON has a line for each value, and counts are integers."""
        self.beat("msg_server", "ms1", figures={"messages": 205.0})
        _, _, body = self.ask(b"GET /servers HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b'\n        "messages": 205\n', body)
        self.assertTrue(body.endswith(b"}\n"))

    def test_states(self) -> None:
        """All roles, sorted; late, gone, and gone with good-bye."""
        self.beat("router", "r1")
        self.clock.advance(GONE - LATE)
        self.beat("msg_server", "ms1")
        self.clock.advance(LATE)
        self.beat("manager", "m2", stopping=True)
        self.beat("manager", "m1")
        _, shown = self.get("/servers")
        self.assertEqual(
            [(each["id"], each["state"], each["stopped"]) for each in shown["servers"]],
            [
                ("m1", "alive", False),
                ("m2", "gone", True),
                ("ms1", "late", False),
                ("r1", "gone", False),
            ],
        )

    def test_health(self) -> None:
        """The process runs, whatever else may be."""
        status, shown = self.get("/healthz")
        self.assertEqual((status, shown["status"]), (200, "ok"))

    def test_readiness(self) -> None:
        """Ready means that our own heartbeat comes back; otherwise the reason is told."""
        status, shown = self.get("/readyz")
        self.assertEqual((status, shown["status"]), (503, "not ready"))
        self.assertIn("yet", shown["text"])
        self.beat("monitor", "another")
        self.assertEqual(self.get("/readyz")[0], 503)
        self.beat("monitor", "own")
        self.assertEqual(self.get("/readyz"), (200, {"status": "ready"}))
        self.bus.disconnect()
        self.clock.advance(7)
        self.beat("monitor", "own")
        status, shown = self.get("/readyz")
        self.assertEqual((status, shown["text"]), (503, "no heartbeat of our own came back through Redis for 7 s"))
        self.assertEqual(self.get("/healthz")[0], 200)


class Answering(MonitorCase):
    """It only shows, and does that carefully."""

    def test_not_found(self) -> None:
        """In JSON, with what there is, and nothing of what was asked for."""
        for path in ("/secret", "/servers/", "//", "/%2e%2e/", "/servers/ms1"):
            status, shown = self.get(path)
            self.assertEqual((status, shown["error"]), (404, "not found"))
            self.assertEqual(shown["text"], "there are /, /servers, /healthz, /readyz")

    def test_query(self) -> None:
        """A query changes nothing."""
        self.assertEqual(self.get("/healthz?verbose=1")[0], 200)

    def test_methods(self) -> None:
        """GET and HEAD, nothing else."""
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
            request = f"{method} /servers HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            status, headers, body = self.ask(request)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            self.assertEqual(json.loads(body)["error"], "method not allowed")

    def test_head(self) -> None:
        """The headers of GET without its body."""
        status, headers, body = self.ask(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        _, got, full = self.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(headers["Content-Length"], str(len(full)))
        self.assertEqual(headers["Content-Length"], got["Content-Length"])

    def test_headers(self) -> None:
        """Every answer has them, refusals too; none names the software's version."""
        for request in (b"GET / HTTP/1.1\r\n\r\n", b"GET /x HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"):
            _, headers, _ = self.ask(request)
            for name, text in (HEADERS | {"Content-Type": "application/json"}).items():
                self.assertEqual(headers[name], text)
            self.assertNotIn("Twisted", str(headers))

    def test_large_body(self) -> None:
        """A body that nobody asked for is not kept: the connection ends."""
        for head in (b"Content-Length: 100000000", b"Transfer-Encoding: chunked"):
            transport = self.connect()
            transport.protocol.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
            chunk = b"x" * 4096
            if head.endswith(b"chunked"):
                chunk = b"1000\r\n" + chunk + b"\r\n"
            for _ in range(BODY // 4096):
                transport.protocol.dataReceived(chunk)
            self.assertFalse(transport.disconnecting)
            transport.protocol.dataReceived(chunk)
            self.assertTrue(transport.disconnecting)

    def test_connections(self) -> None:
        """So many at a time; one that ended makes room."""
        transports = [self.connect() for _ in range(CONNECTIONS)]
        self.assertIsNone(self.connect().protocol)
        transports[0].protocol.connectionLost(None)
        self.assertIsNotNone(self.connect().protocol)

    def test_stop(self) -> None:
        """Connections that browsers keep open end with the service."""
        transport = self.connect()
        self.web.startService()
        self.web.stopService()
        self.assertTrue(transport.disconnecting)


class Whole(TestCase):
    """All parts together: a port, a bus through Redis, the monitor's own heartbeat."""

    async def test_ready_through_redis(self) -> None:
        """It becomes ready by its own heartbeat, shows itself, and says so when Redis hangs."""
        server = RedisServer()
        self.addCleanup(server.close)
        server.pause()
        config = schema.Config(redis=schema.Redis(url=server.url), monitor=schema.Monitor(listen="127.0.0.1:0"))
        parts = Parts(config)
        services = monitor.build(parts)
        for service in services:
            service.setServiceParent(parts)
        parts.startService()
        self.addCleanup(parts.stopService)
        listener: Any = services[2]
        agent = Agent(reactor)

        async def get(path: str) -> tuple[int, Any]:
            response: Any = await agent.request(b"GET", f"http://127.0.0.1:{listener.port}{path}".encode())
            return response.code, json.loads(await readBody(response))

        self.assertEqual((await get("/readyz"))[0], 503)
        server.resume()
        await parts.listener.when_connected()
        await parts.speaker.when_connected()
        beat: Any = services[1]
        beat.beat()
        shown: list[Any] = []
        while not shown:
            shown = (await get("/servers"))[1]["servers"]
        self.assertEqual([(each["role"], each["state"]) for each in shown], [("monitor", "alive")])
        self.assertEqual(await get("/readyz"), (200, {"status": "ready"}))
        address = f"http://127.0.0.1:{listener.port}/servers".encode()
        rebound: Any = await agent.request(b"GET", address, Headers({b"Host": [b"evil.example"]}))
        self.assertEqual((rebound.code, b"servers" in await readBody(rebound)), (403, False))
        server.kill()
        await until(lambda: not parts.listener.connected)
        self.assertEqual((await get("/healthz"))[0], 200)
