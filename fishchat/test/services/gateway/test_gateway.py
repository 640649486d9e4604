from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.bus import channels
from fishchat.config import schema
from fishchat.model.placement import GONE, Placement
from fishchat.protocols.peer import HANDSHAKE, STUCK
from fishchat.services import gateway
from fishchat.services.gateway.service import LINGER, Gateway
from fishchat.services.net.keepalive import EVERY, GONE_AFTER, PING_AFTER
from fishchat.services.role import Parts
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import MemoryBus

GREETING = "HELLO fishchat/1 server=gateway maxline=8192"


class Client:
    """The other side of a gateway's connection."""

    def __init__(self, served: Gateway, clock: Clock, host: str = "192.0.2.1", secure: bool = False) -> None:
        peer = IPv4Address("TCP", host, 4000)
        self.clock = clock
        self.transport: Any = StringTransportWithDisconnection(peerAddress=peer)
        build: Any = served.build_secure if secure else served.buildProtocol
        self.protocol = build(peer)
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)

    def say(self, *lines: str) -> list[str]:
        """Send ``lines``, and what came back since the last time."""
        self.protocol.dataReceived("".join(line + "\n" for line in lines).encode())
        return self.hear()

    def hear(self) -> list[str]:
        """What came since the last time."""
        self.clock.advance(0)
        data: str = self.transport.value().decode()
        self.transport.clear()
        assert not data or data.endswith("\r\n")
        return data.split("\r\n")[:-1]

    @property
    def open(self) -> bool:
        """Whether the gateway has not ended it."""
        return bool(self.transport.connected)


class GatewayCase(SynchronousTestCase):
    """A gateway by itself, on a bus and a clock of its own."""

    fallback: tuple[str, ...] = ()
    limits = schema.Limits()

    def setUp(self) -> None:
        """Running."""
        self.clock = Clock()
        self.bus = MemoryBus()
        placement = Placement(self.fallback, Random(1))
        self.gateway = Gateway(self.bus, placement, self.limits, self.clock)
        self.gateway.startService()

    def connect(self, host: str = "192.0.2.1", secure: bool = False) -> Client:
        """A client that was greeted."""
        client = Client(self.gateway, self.clock, host, secure)
        if secure:
            self.assertEqual(client.hear(), [])
            client.protocol.handshakeCompleted()
        self.assertEqual(client.hear(), [GREETING])
        return client

    def beat(self, id: str, address: str, **more: Any) -> None:
        """A heartbeat of a msg_server."""
        said = channels.Heartbeat(
            **{"role": "msg_server", "id": id, "address": address, "pid": 1, "capacity": 10, **more}
        )
        self.bus.publish(channels.MONITOR, said.encode())


class Placing(GatewayCase):
    """A client asks where to go."""

    def test_live_server(self) -> None:
        """It is told the address of a live msg_server; the id of the command comes back."""
        self.beat("ms1", "127.0.0.1:19000")
        client = self.connect()
        answer = "SELECT_MSG_SERVER_FOR_CLIENT 127.0.0.1:19000"
        self.assertEqual(client.say("REQ_MSG_SERVER"), [answer])
        self.assertEqual(client.say("@id=7 server"), [f"@id=7 {answer}"])
        self.assertEqual(self.gateway.placed, 2)

    def test_several(self) -> None:
        """Up to three, in case that the first does not answer."""
        for number in range(5):
            self.beat(f"ms{number}", f"127.0.0.1:1900{number}")
        (line,) = self.connect().say("REQ_MSG_SERVER")
        self.assertEqual(len(set(line.split()[1:])), 3)

    def test_nobody(self) -> None:
        """When there is none, it is told when to ask again, and the connection stays."""
        client = self.connect()
        self.assertEqual(
            client.say("@id=1 REQ_MSG_SERVER"),
            ["@id=1 ERR REQ_MSG_SERVER TRYAGAIN retry=2 no msg_server is available; try again later"],
        )
        self.beat("ms1", "127.0.0.1:19000")
        self.assertTrue(client.say("REQ_MSG_SERVER")[0].startswith("SELECT"))

    def test_gone(self) -> None:
        """A server that says good-bye or falls silent is not offered any more."""
        client = self.connect()
        self.beat("ms1", "127.0.0.1:19000")
        self.beat("ms1", "127.0.0.1:19000", stopping=True)
        self.assertIn(" TRYAGAIN ", client.say("REQ_MSG_SERVER")[0])
        self.beat("ms1", "127.0.0.1:19000")
        self.clock.advance(GONE)
        self.assertIn(" TRYAGAIN ", client.say("REQ_MSG_SERVER")[0])

    def test_only_msg_servers(self) -> None:
        """Other roles have addresses too, and an address that is none goes to nobody."""
        self.beat("gateway", "127.0.0.1:17000", role="gateway")
        for address in ("", "somewhere", "a:1 b:2", "a:1\r\nOK", "a:99999"):
            self.beat(f"ms-{len(address)}", address)
        self.assertIn(" TRYAGAIN ", self.connect().say("REQ_MSG_SERVER")[0])


class Secure(GatewayCase):
    """Clients with TLS; the handshake itself is not played here."""

    limits = schema.Limits(before_login=3, per_address=2)

    def test_placed(self) -> None:
        """Each is told addresses of its own kind, of the servers that have such a one."""
        self.beat("ms1", "127.0.0.1:19000")
        self.beat("ms2", "127.0.0.1:19001", address_tls="chat.example:19444")
        self.assertEqual(
            self.connect(secure=True).say("REQ_MSG_SERVER"), ["SELECT_MSG_SERVER_FOR_CLIENT chat.example:19444"]
        )
        (line,) = self.connect().say("REQ_MSG_SERVER")
        self.assertEqual(set(line.split()[1:]), {"127.0.0.1:19000", "127.0.0.1:19001"})

    def test_nobody(self) -> None:
        """Servers without a port for TLS are nothing to them."""
        self.beat("ms1", "127.0.0.1:19000")
        self.assertIn(" TRYAGAIN ", self.connect(secure=True).say("REQ_MSG_SERVER")[0])

    def test_no_address(self) -> None:
        """Neither goes to anybody when one of the two is none."""
        self.beat("ms1", "127.0.0.1:19000", address_tls="a:1 b:2")
        self.assertIn(" TRYAGAIN ", self.connect().say("REQ_MSG_SERVER")[0])

    def test_at_the_door(self) -> None:
        """Who is too many gets no handshake."""
        first = self.connect(secure=True)
        self.connect()
        peer = IPv4Address("TCP", "192.0.2.1", 4000)
        self.assertIsNone(self.gateway.build_secure(peer))
        first.say("QUIT")
        self.assertIsNotNone(self.gateway.build_secure(peer))

    def test_handshake(self) -> None:
        """One that is not done within ten seconds is cut off, and counts until then."""
        late, done = Client(self.gateway, self.clock, secure=True), self.connect(secure=True)
        self.assertEqual(self.gateway.clients, 2)
        self.clock.pump([EVERY] * (round(HANDSHAKE / EVERY) - 1))
        self.assertTrue(late.open)
        self.clock.advance(EVERY)
        self.assertEqual((late.open, done.open, late.hear()), (False, True, []))
        self.assertEqual(self.gateway.clients, 1)

    def test_stopping(self) -> None:
        """The end of the gateway waits for no handshake."""
        late = Client(self.gateway, self.clock, secure=True)
        self.successResultOf(self.gateway.stopService())
        self.assertFalse(late.open)


class Fallback(GatewayCase):
    """The configured list, when nobody was heard."""

    fallback = ("10.0.0.1:19000",)

    def test_configured(self) -> None:
        """It is what is offered then."""
        self.assertEqual(self.connect().say("REQ_MSG_SERVER"), ["SELECT_MSG_SERVER_FOR_CLIENT 10.0.0.1:19000"])
        self.assertIn(" TRYAGAIN ", self.connect(secure=True).say("REQ_MSG_SERVER")[0])


class Talking(GatewayCase):
    """The same rules of the line protocol as everywhere."""

    def test_small_talk(self) -> None:
        """Hello, ping, good-bye; exactly one answer each, in order."""
        client = self.connect()
        self.assertEqual(
            client.say("HELLO 1 caps=ack", "@id=2 ping", "", "QUIT", "SEND_PING"),
            ["OK HELLO fishchat/1", "@id=2 OK SEND_PING", "OK QUIT"],
        )
        self.assertFalse(client.open)

    def test_help(self) -> None:
        """The gateway's own verbs, and one of them explained."""
        client = self.connect()
        lines = client.say("HELP")
        self.assertEqual(lines[0], "BEGIN HELP 8")
        self.assertEqual(lines[-1], "END HELP")
        self.assertIn("ITEM     SERVER: returns the addresses of up to three msg_servers to connect to", lines)
        self.assertFalse(any("SEND_MESSAGE_P2P" in line for line in lines))
        self.assertIn("ITEM full name: REQ_MSG_SERVER, also in replies", client.say("HELP SERVER"))
        self.assertIn("ITEM     SERVER：返回最多三个可以连接的 msg_server 的地址", client.say("HELP zh"))
        self.assertTrue(client.say("HELP MSG")[0].startswith("ERR HELP UNKNOWN_VERB "))

    def test_msg_servers_verbs(self) -> None:
        """Who logs in here is told where to, whether or not the rest of the line is right."""
        client = self.connect()
        hint = "not a verb of the gateway; SERVER returns the address of a msg_server"
        self.assertEqual(
            client.say("@id=1 SEND_CLIENT_ID alice", "msg bob hi", "@id=2 LOGIN"),
            [
                f"@id=1 ERR SEND_CLIENT_ID STATE {hint}",
                f"ERR SEND_MESSAGE_P2P STATE {hint}",
                f"@id=2 ERR SEND_CLIENT_ID STATE {hint}",
            ],
        )

    def test_nonsense(self) -> None:
        """Is answered by its word; the connection stays."""
        client = self.connect()
        lines = client.say("REQ_MSG_SERVR", "ROUTE_MESSAGE x", "REQ_MSG_SERVER now", "x" * 9000)
        self.assertEqual(
            [line.split()[:3] for line in lines],
            [
                ["ERR", "-", "UNKNOWN_VERB"],
                ["ERR", "-", "SERVER_VERB"],
                ["ERR", "REQ_MSG_SERVER", "FIELDS"],
                ["ERR", "-", "TOOLONG"],
            ],
        )
        self.assertEqual(client.say("PING"), ["OK SEND_PING"])

    def test_as_people_send_it(self) -> None:
        """A byte order mark, blanks and a CR alone do not matter; an answer says where a special blank is."""
        client = self.connect()
        self.assertEqual(client.say("\ufeffHELLO 1", " \t@id=1  PING"), ["OK HELLO fishchat/1", "@id=1 OK SEND_PING"])
        client = self.connect()
        client.protocol.dataReceived(b"PING\r")
        self.assertEqual(client.hear(), ["OK SEND_PING"])
        (said,) = client.say("HELP\u3000SERVER")
        self.assertEqual(said[:19], "ERR - UNKNOWN_VERB ")
        self.assertIn("U+3000", said)

    def test_too_fast(self) -> None:
        """A program is refused, a person is slowed down."""
        program, person = self.connect(), self.connect()
        program.say("HELLO 1")
        burst = round(self.limits.burst) + 2
        self.assertIn(" FLOOD ", program.say(*["PING"] * burst)[-1])
        heard = person.say(*["PING"] * burst)
        self.clock.pump([1.0] * 2)
        self.assertEqual(heard + person.hear(), ["OK SEND_PING"] * burst)


class Bounds(GatewayCase):
    """Nobody can hold the gateway up."""

    limits = schema.Limits(before_login=3, per_address=2)

    def refused(self, host: str) -> None:
        """Told why, and closed."""
        client = Client(self.gateway, self.clock, host)
        self.assertEqual(client.hear(), ["ERR - BUSY retry=2 the gateway is full; try again later"])
        self.assertFalse(client.open)

    def test_per_address(self) -> None:
        """So many from one address; a place that is free again can be had."""
        first = self.connect("192.0.2.1")
        self.connect("192.0.2.1")
        self.refused("192.0.2.1")
        self.connect("192.0.2.2")
        first.say("QUIT")
        self.connect("192.0.2.1")

    def test_networks(self) -> None:
        """Of IPv6 a whole /64 is one address."""
        self.connect("2001:db8::1")
        self.connect("2001:db8::2")
        self.refused("2001:db8::3")
        self.connect("2001:db8:0:1::1")

    def test_in_all(self) -> None:
        """So many at all."""
        for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            self.connect(host)
        self.refused("192.0.2.4")
        self.assertEqual(self.gateway.clients, 3)

    def test_silent(self) -> None:
        """A program is pinged after 90 s of silence, closed half a minute later and told why; who answers stays."""
        silent, alive = self.connect(), self.connect()
        silent.say("HELLO 1")
        alive.say("HELLO 1")
        self.clock.pump([EVERY] * round(PING_AFTER / EVERY))
        self.assertEqual(silent.hear(), ["RESP_PING"])
        self.assertEqual(alive.hear(), ["RESP_PING"])
        alive.say("PING")
        self.clock.pump([EVERY] * round((GONE_AFTER - PING_AFTER) / EVERY))
        self.assertEqual((silent.open, alive.open), (False, True))
        (said,) = silent.hear()
        self.assertEqual(said[:17], "RESP_BYE silence ")

    def test_time(self) -> None:
        """Nobody stays longer than two minutes and a half; a person is asked nothing until then, and told why."""
        client = self.connect()
        self.clock.pump([EVERY] * round((GONE_AFTER + STUCK) / EVERY - 1))
        self.assertEqual((client.hear(), client.open), ([], True))
        self.clock.pump([EVERY])
        self.assertEqual(client.hear(), ["RESP_BYE time a connection to the gateway ends after 150 s; connect again"])
        self.assertFalse(client.open)

    def test_takes_nothing(self) -> None:
        """Who takes nothing for 30 s is cut off."""
        client = self.connect()
        client.transport.producer.pauseProducing()
        self.clock.pump([EVERY] * 5)
        self.assertTrue(client.open)
        self.clock.pump([EVERY] * 2)
        self.assertFalse(client.open)


class NoFlood(GatewayCase):
    """Load tests come from one address."""

    limits = schema.Limits(flood=False, per_address=1, before_login=2)

    def test_lifted(self) -> None:
        """The count per address is lifted, the count in all is not."""
        self.connect()
        self.connect()
        self.assertEqual(Client(self.gateway, self.clock).open, False)


class Exempt(GatewayCase):
    """Addresses that are not counted."""

    limits = schema.Limits(per_address=1, exempt=["192.0.2.0/24"])

    def test_proxy(self) -> None:
        """All that come through a proxy have its address."""
        self.connect()
        self.connect()
        self.connect("198.51.100.1")
        self.assertEqual(Client(self.gateway, self.clock, "198.51.100.1").open, False)


class Stopping(GatewayCase):
    """A stopped gateway leaves nobody hanging."""

    def test_closed(self) -> None:
        """Everybody's connection is closed, and a last line says why."""
        client = self.connect()
        self.successResultOf(self.gateway.stopService())
        self.assertFalse(client.open)
        (said,) = client.hear()
        self.assertEqual(said[:14], "RESP_BYE stop ")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lingering(self) -> None:
        """Who does not take its last lines is cut off after a second."""
        client = self.connect()
        self.patch(client.transport, "loseConnection", lambda: None)
        stopped = self.gateway.stopService()
        self.assertNoResult(stopped)
        self.patch(client.transport, "abortConnection", lambda: client.protocol.connectionLost())
        self.clock.advance(LINGER)
        self.successResultOf(stopped)


class _Lines(LineReceiver):
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line)


class Whole(TestCase):
    """All parts together: a port, a bus through Redis, a heartbeat."""

    async def test_one_way(self) -> None:
        """A msg_server's heartbeat goes through Redis; a client that asks on the port is sent there."""
        redis, none = schema.Redis(url=shared_redis().url), schema.Web(listen="")
        config = schema.Config(redis=redis, gateway=schema.Gateway(listen="127.0.0.1:0"), web=none)
        parts = Parts(config)
        services = gateway.build(parts)
        for service in services:
            service.setServiceParent(parts)
        listener: Any = services[1]
        heard: list[bytes] = []
        parts.bus.subscribe(channels.MONITOR, heard.append)
        parts.startService()
        self.addCleanup(parts.stopService)
        await parts.listener.when_connected()
        await parts.speaker.when_connected()
        said = channels.Heartbeat(role="msg_server", id="ms1", address="127.0.0.1:19000", capacity=1)
        parts.bus.publish(channels.MONITOR, said.encode())
        await until(lambda: said.encode() in heard)
        factory: Any = Factory.forProtocol(_Lines)
        client: Any = await TCP4ClientEndpoint(reactor, "127.0.0.1", listener.port).connect(factory)
        client.sendLine(b"REQ_MSG_SERVER")
        await until(lambda: len(client.lines) == 2)
        self.assertEqual(client.lines, [GREETING.encode(), b"SELECT_MSG_SERVER_FOR_CLIENT 127.0.0.1:19000"])
        beat: Any = services[-1]
        beat.beat()
        await until(lambda: b'"placed":1' in heard[-1])
        own = msgspec.json.decode(heard[-1], type=channels.Heartbeat)
        self.assertEqual((own.role, own.clients), ("gateway", 1))
        await parts.stopService()
        await until(lambda: not client.transport.connected)
