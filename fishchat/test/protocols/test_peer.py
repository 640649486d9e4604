"""Lines on a transport: one write a turn, answers in order, bounded both ways."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from twisted.internet import reactor as the_reactor
from twisted.internet.abstract import FileDescriptor
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.bus import channels
from fishchat.config import schema
from fishchat.errors import Refusal
from fishchat.features.registry import MSG_SERVER_COMMANDS, VERBS
from fishchat.model.bucket import Bucket
from fishchat.model.conversation import Conversation
from fishchat.model.device import WINDOW, Device, Reading
from fishchat.model.message import PLAIN, from_body, pack_body
from fishchat.model.placement import Placement, Way
from fishchat.net.turn import Turn
from fishchat.protocols.exchange import REST, Exchange
from fishchat.protocols.flow import LIST, WAITING
from fishchat.protocols.lines import MAX_LINE
from fishchat.protocols.peer import STUCK, LinePeer
from fishchat.protocols.replies import list_lines, ok_line
from fishchat.protocols.rows import State
from fishchat.protocols.table import Command
from fishchat.services.gateway.connection import HANDLERS
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.services.gateway.service import Gateway
from fishchat.services.msg_server.queue.commits import ANSWERED
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.net.keepalive import GONE_AFTER, PING_AFTER
from fishchat.storage.address import parse_url
from fishchat.storage.epoch import Epoch
from fishchat.storage.redis import Connection
from fishchat.test.support.owners import Unending
from fishchat.test.support.waiting import until
from fishchat.testing.memory_bus import MemoryBus


class Transport(StringTransport):
    """Remembers each write; is aborted like a real one."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        super().write(data)


class Echo(Exchange):
    """Answers everything, but JOIN."""

    commands = MSG_SERVER_COMMANDS
    ended = 0

    def carry_out(self, command: Command) -> None:
        if command.verb.name == b"JOIN_TOPIC":
            raise Refusal("FULL", limit=3)
        if command.verb.name == b"LEAVE_TOPIC":
            self.peer.hold(LIST)
        self.peer.send(ok_line(command, command.text))

    def closed(self) -> None:
        self.ended += 1


def line_peer(clock: Any) -> LinePeer:
    """Lines that are echoed."""
    return LinePeer(lambda peer: Echo(peer, clock), Turn(clock), clock)


class Connected(SynchronousTestCase):
    """An Echo on a transport."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.server = line_peer(self.clock)
        self.session: Any = self.server.session
        self.transport: Any = Transport()
        self.server.makeConnection(self.transport)

    def say(self, data: bytes) -> list[str]:
        """Give it ``data``, and take what it has written at the end of the turn."""
        self.server.dataReceived(data)
        return self.hear()

    def hear(self) -> list[str]:
        """What it has written since the last time, at the end of the turn."""
        self.clock.advance(0)
        lines: list[str] = self.transport.value().decode().split("\r\n")
        self.transport.clear()
        self.assertEqual(lines.pop(), "")
        return lines


class WritingTests(Connected):
    def test_one_write(self) -> None:
        """However many lines come in one turn, the answers go out in one write, in their order."""
        self.server.dataReceived(b"PING\nHELP a\n")
        self.server.dataReceived(b"HELP b\nNOPE\nJOIN x\n")
        self.assertEqual(self.transport.writes, [])
        self.clock.advance(0)
        self.assertEqual(len(self.transport.writes), 1)
        verbs = [line.split(" ")[:3] for line in self.hear()]
        self.assertEqual(
            verbs,
            [
                ["OK", "SEND_PING"],
                ["OK", "HELP", "a"],
                ["OK", "HELP", "b"],
                ["ERR", "-", "UNKNOWN_VERB"],
                ["ERR", "JOIN_TOPIC", "FULL"],
            ],
        )
        self.clock.advance(1)
        self.assertEqual(len(self.transport.writes), 1)

    def test_refusals(self) -> None:
        """A refusal names the verb that was read, the word, what a program needs, and repeats the id."""
        for line, answer in [
            (b"\x80\n", "ERR - BADUTF8 "),
            (b"x" * 9000 + b"\n", f"ERR - TOOLONG limit={MAX_LINE} "),
            (b"@id=7 FOO\n", "@id=7 ERR - UNKNOWN_VERB "),
            (b"@id=7 msg bob\n", "@id=7 ERR SEND_MESSAGE_P2P FIELDS usage: "),
            (rb"@id=a\sb JOIN x" + b"\n", r"@id=a\sb ERR JOIN_TOPIC FULL limit=3 "),
        ]:
            (said,) = self.say(line)
            self.assertTrue(said.startswith(answer), said)

    def test_browser(self) -> None:
        """Of what a page has a browser send nothing is looked at, however long its first line is."""
        for first in (b"POST /a HTTP/1.1\r\nHost: localhost\r\n", b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nhost: x\r\n"):
            self.setUp()
            said = self.say(first + b"\r\nPING\r\n")
            self.assertEqual([line[:6] for line in said], ["ERR - "] * len(said))
            self.assertTrue(self.transport.disconnecting)

    def test_list(self) -> None:
        """A list says how long it is, each line repeats the id, and escaped items have their mark."""
        for line, mark in ((b"TOPICS", b""), (b"@id=7 TOPICS", b"@id=7 ")):
            command = MSG_SERVER_COMMANDS.parse(line)
            escaped = mark[:-1] + b";esc " if mark else b"@esc "
            said = list_lines(command, [(b"a", b""), (b"b", b"esc")]).split(b"\r\n")
            self.assertEqual(
                said,
                [mark + b"BEGIN REQ_TOPICS 2", mark + b"ITEM a", escaped + b"ITEM b", mark + b"END REQ_TOPICS", b""],
            )

    def test_lost(self) -> None:
        """On a lost connection nothing is written, answered or read any more."""
        self.server.dataReceived(b"PING\n")
        self.server.connectionLost()
        self.server.send(b"late\r\n")
        self.server.dataReceived(b"PING\n")
        self.server.hold(LIST)
        self.server.read_on(LIST)
        self.server.abort()
        self.clock.advance(1)
        self.assertEqual((self.transport.writes, self.session.ended), ([], 1))


class ReadingTests(Connected):
    def test_hold(self) -> None:
        """What arrives while held waits, in its order, and is answered when it goes on."""
        self.assertEqual(self.say(b"PING\nLEAVE a\nHELP b\nHELP"), ["OK SEND_PING", "OK LEAVE_TOPIC"])
        self.assertEqual(self.transport.producerState, "paused")
        self.assertEqual(self.say(b" c\nLEAVE a\nHELP d\n"), [])
        self.server.read_on(LIST)
        self.assertEqual(self.hear(), ["OK HELP b", "OK HELP c", "OK LEAVE_TOPIC"])
        self.assertEqual(self.transport.producerState, "paused")
        self.server.read_on(LIST)
        self.server.read_on(LIST)
        self.assertEqual(self.hear(), ["OK HELP d"])
        self.assertEqual(self.transport.producerState, "producing")

    def test_outlet(self) -> None:
        """While the transport is full nothing is read, whoever else wants to go on."""
        outlet = self.transport.producer
        self.clock.advance(7)
        outlet.pauseProducing()
        self.assertEqual((self.transport.producerState, self.server.full_since), ("paused", 7.0))
        self.assertEqual(self.say(b"PING\n"), [])
        self.server.read_on(LIST)
        self.clock.advance(0)
        self.assertEqual(self.hear(), [])
        outlet.resumeProducing()
        self.clock.advance(0)
        self.assertEqual(self.hear(), ["OK SEND_PING"])
        self.assertEqual((self.transport.producerState, self.server.full_since), ("producing", None))

    def test_full_in_the_same_turn(self) -> None:
        """What made the transport full was written at the end of the turn that would have read on."""
        self.say(b"LEAVE a\nPING\n")
        self.server.read_on(LIST)
        self.transport.producer.pauseProducing()
        self.clock.advance(0)
        self.assertEqual((self.hear(), self.transport.producerState), ([], "paused"))
        self.transport.producer.resumeProducing()
        self.clock.advance(0)
        self.assertEqual(self.hear(), ["OK SEND_PING"])

    def test_lines_of_a_turn(self) -> None:
        """Of many lines in one packet some are answered in each turn, in order, so that others have theirs."""
        self.server.dataReceived(b"".join(b"HELP %d\n" % number for number in range(150)))
        self.assertEqual(self.hear(), [f"OK HELP {number}" for number in range(150)])
        self.assertEqual([data.count(b"\n") for data in self.transport.writes], [64, 64, 22])
        self.assertEqual(self.transport.producerState, "producing")

    def test_half_closed(self) -> None:
        """A client that half-closes, such as a piped nc, gets all its replies and is then closed."""
        self.say(b"LEAVE a\nPING\nHELP x\n")
        self.server.readConnectionLost()
        self.assertEqual((self.hear(), self.transport.disconnecting), ([], False))
        self.server.read_on(LIST)
        self.assertEqual(self.hear(), ["OK SEND_PING", "OK HELP x"])
        self.assertTrue(self.transport.disconnecting)

    def test_unfinished(self) -> None:
        """The last line of a client that half-closes needs no end; that of a program is refused: it may have died."""
        self.say(b"LEAVE a\nHELP x\nHELP y")
        self.server.readConnectionLost()
        self.server.read_on(LIST)
        self.assertEqual(self.hear(), ["OK HELP x", "OK HELP y"])
        self.setUp()
        self.say(b"HELP x")
        self.server.readConnectionLost()
        self.assertEqual(self.hear(), ["OK HELP x"])
        self.setUp()
        self.session.said_hello = True
        self.say(b"LEAVE a\nHELP x\nHELP y")
        self.server.readConnectionLost()
        self.server.read_on(LIST)
        first, last = self.hear()
        self.assertEqual((first, last[:16]), ("OK HELP x", "ERR - MALFORMED "))
        self.assertTrue(self.transport.disconnecting)

    def test_carriage_return(self) -> None:
        """A terminal that sends CR for Enter is answered at each Enter, also if CR LF comes in two pieces."""
        self.assertEqual(self.say(b"PING\r"), ["OK SEND_PING"])
        self.assertEqual(self.say(b"HELP a\r"), ["OK HELP a"])
        self.setUp()
        self.assertEqual(self.say(b"PING\r"), ["OK SEND_PING"])
        self.assertEqual(self.say(b"\nHELP a\r"), [])
        self.assertEqual(self.say(b"\n"), ["OK HELP a"])

    def test_pasted_text_with_carriage_returns(self) -> None:
        """A program that ends its lines with LF and passes on a text with a CR in it sends one command."""
        self.assertEqual(self.say(b"PING\nHELP a\rQUIT\n"), ["OK SEND_PING", "OK HELP aQUIT"])

    def test_relayed_keys(self) -> None:
        """A text with keys in it that a program passes on stays one text; what a person typed with them is refused."""
        line = b"HELP a\x15\x17\x08QUIT\x1b[D\xc2\x9b\n"
        [refused] = self.say(line)
        self.assertEqual(refused[:14], "ERR - CONTROL ")
        self.session.said_hello = True
        self.assertEqual(self.say(line), ["OK HELP aQUIT[D"])

    def test_tls(self) -> None:
        """TLS on this port is answered by one plain line at once, and closed."""
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))
        for parts in ([hello], [hello[:1], hello[1:]], [hello[at : at + 1] for at in range(len(hello))]):
            self.setUp()
            for part in parts:
                self.server.dataReceived(part)
            (said,) = self.hear()
            self.assertEqual((said[:14], self.transport.disconnecting), ("ERR - VERSION ", True))

    def test_held_again(self) -> None:
        """A peer that is held in the turn in which it should have resumed stays held."""
        self.say(b"LEAVE a\nPING\n")
        self.server.read_on(LIST)
        self.server.hold(LIST)
        self.assertEqual((self.hear(), self.transport.producerState), ([], "paused"))
        self.server.read_on(LIST)
        self.assertEqual(self.hear(), ["OK SEND_PING"])

    def test_flood(self) -> None:
        """A program that exceeds the limit gets one refusal, and the server stops reading from it for a second."""
        self.session.said_hello = True
        self.session.bucket = Bucket(4, 2, 0)
        self.assertEqual(len(self.say(b"PING\n" * 5)), 3)
        self.assertEqual(self.transport.producerState, "paused")
        self.server.read_on(LIST)
        self.clock.advance(0.9)
        self.assertEqual(self.hear(), [])
        self.clock.advance(0.2)
        self.assertEqual(self.hear(), ["OK SEND_PING"] * 2)
        self.assertEqual(self.transport.producerState, "producing")

    def test_flood_mark(self) -> None:
        """The refusal carries the id of its command."""
        self.session.said_hello = True
        self.session.bucket = Bucket(1, 0, 0)
        (said,) = self.say(b"@id=7 PING\n")
        self.assertEqual(said[:31], "@id=7 ERR SEND_PING FLOOD retry")

    def test_person_is_slowed_down(self) -> None:
        """Nothing that a person pastes is refused: it is carried out in order, not faster than the limit."""
        self.session.bucket = Bucket(20, 100, 0)
        heard = self.say(b"".join(b"HELP %d\n" % number for number in range(200)))
        self.assertEqual(len(heard), 101)
        for second in range(1, 6):
            self.clock.advance(REST)
            heard += self.hear()
            self.assertLessEqual(len(heard), 101 + 20 * second)
        self.assertEqual(heard, [f"OK HELP {number}" for number in range(200)])

    def test_persons_share_a_limit(self) -> None:
        """A token that is not there yet is owed: many connections of one account are no faster than one."""
        bucket = Bucket(2, 0, 0)
        transports = [Transport() for _ in range(5)]
        for transport in transports:
            server: Any = line_peer(self.clock)
            server.session.bucket = bucket
            server.makeConnection(transport)
            server.dataReceived(b"PING\n" * 64)
        self.clock.pump([0.1] * 200)
        answered = sum(transport.value().count(b"\n") for transport in transports)
        self.assertTrue(2 * 20 - 5 <= answered <= 2 * 20 + 5, answered)

    def test_flood_of_nonsense(self) -> None:
        """Lines that are no commands, and refused acknowledgements, count as well; accepted ones do not."""
        self.session.bucket = Bucket(1, 3, 0)
        self.assertEqual(len(self.say(b"ACK a+b:1-1\n" * 9)), 9)
        self.assertEqual(len(self.say(b"x\nJOIN a\n@no=1 PING\n" * 2)), 4)
        self.assertEqual(self.transport.producerState, "paused")

    def test_takes_slowly(self) -> None:
        """A peer that reads a little now and then is not stuck; one that reads nothing for 30 s is."""
        self.transport.dataBuffer, self.transport.offset = b"x" * 1000, 0
        self.transport.producer.pauseProducing()
        for _ in range(9):
            self.clock.advance(10)
            self.transport.offset += 1
            self.assertFalse(self.server.is_stuck(self.clock.seconds()))
        self.clock.advance(29)
        self.assertFalse(self.server.is_stuck(self.clock.seconds()))
        self.clock.advance(1)
        self.assertTrue(self.server.is_stuck(self.clock.seconds()))

    def test_heard(self) -> None:
        """Every received byte counts as a sign of life."""
        self.clock.advance(50)
        self.server.dataReceived(b"\r\n")
        self.assertEqual(self.server.heard_at, 50)


class ClosingTests(Connected):
    def test_close(self) -> None:
        """What has gathered is written first, what comes behind is not looked at."""
        self.server.dataReceived(b"PING\n")
        self.server.close()
        self.assertEqual((self.transport.writes, self.transport.disconnecting), ([b"OK SEND_PING\r\n"], True))
        self.assertEqual(self.say(b"PING\n"), ["OK SEND_PING"])
        self.assertEqual(len(self.transport.writes), 1)

    def test_abort(self) -> None:
        """Nothing is waited for, and nothing more is written."""
        self.server.send(b"x\r\n")
        self.server.abort()
        self.clock.advance(0)
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(self.transport.writes, [])

    def test_real_buffer(self) -> None:
        """A transport that was full closes when it has written everything."""
        descriptor = _Descriptor()
        server = line_peer(self.clock)
        server.makeConnection(descriptor)
        server.send(b"x" * 200_000)
        self.clock.advance(0)
        self.assertIsNotNone(server.full_since)
        server.close()
        for _ in range(10):
            descriptor.turn()
        self.assertEqual((descriptor.written, descriptor.closed), (200_000, True))


class _Reader(Protocol):
    """A peer that keeps what it is sent."""

    def __init__(self) -> None:
        self.heard = b""

    def connectionMade(self) -> None:
        cast(Any, self.transport).pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data


class SocketTests(TestCase):
    """Writing at once, on a real socket."""

    async def test_kernel_takes_a_part(self) -> None:
        """What the kernel does not take at once follows in order, and so does what was said behind it."""
        reactor: Any = the_reactor
        made: list[LinePeer] = []

        def build() -> LinePeer:
            made.append(line_peer(reactor))
            return made[-1]

        port = reactor.listenTCP(0, Factory.forProtocol(build), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        endpoint = HostnameEndpoint(reactor, "127.0.0.1", port.getHost().port)
        reader: Any = await endpoint.connect(Factory.forProtocol(_Reader))
        await until(lambda: bool(made and made[0].transport))
        [server] = made
        lines = [b"%d " % number + b"x" * 150_000 + b"\r\n" for number in range(60)]
        for line in lines:
            server.send(line)
            await deferLater(reactor, 0)
        self.assertIsNotNone(server.full_since)
        server.send(b"last\r\n")
        reader.transport.resumeProducing()
        await until(lambda: reader.heard.endswith(b"last\r\n"))
        self.assertEqual(reader.heard, b"".join([*lines, b"last\r\n"]))
        server.close()
        await until(lambda: server.lost)
        # Twisted tells the two sides in turns of their own.
        await until(lambda: not reader.transport.connected)


class _Descriptor(FileDescriptor):
    """Twisted's own buffer, on a kernel that takes 64 KiB a turn."""

    written = 0
    closed = False

    def __init__(self) -> None:
        self.memory: Any = MemoryReactor()
        super().__init__(self.memory)
        self.connected = True

    def writeSomeData(self, data: bytes) -> int:
        took = min(len(data), 65536)
        self.written += took
        return took

    def turn(self) -> None:
        """What a reactor does with a descriptor that can be written to."""
        if self in self.memory.getWriters() and self.doWrite() is not None:
            self.closed = True
            self.stopWriting()


class ServerCase(SynchronousTestCase):
    """A msg_server without a store: nothing is started, and the clock is the test's."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        config = schema.Config(limits=schema.Limits(rate=1000.0, burst=1000))
        store = Connection(parse_url("unix:///nowhere"))
        epoch = Epoch(self.clock.seconds)
        self.server = MsgServer(config, "ms1", "127.0.0.1:1", store, store, epoch, MemoryBus(), self.clock)
        self.server.running = True

    def connect(self, state: State = State.GREETED) -> tuple[LinePeer, Any]:
        """A client, and its transport, behind the greeting."""
        connection = self.server.peer("192.0.2.1")
        session: Any = connection.session
        transport = Transport()
        connection.makeConnection(transport)
        session.state = state
        self.clock.advance(0)
        transport.clear()
        return connection, transport


class ClientTests(ServerCase):
    def test_waiting(self) -> None:
        """With 64 answers to come nothing more is read; when half have come, the rest is."""
        connection, transport = self.connect(State.ONLINE)
        connection.dataReceived(b"".join(b"@id=%d LOCATE a\n" % number for number in range(WAITING + 10)))
        self.clock.advance(0)
        self.assertEqual(
            (connection.flow.pending, transport.producerState, transport.value()), (WAITING, "paused", b"")
        )
        for _ in range(2):
            self.clock.advance(ANSWERED)
            self.server.commits.expire()
            for _ in range(3):
                self.clock.advance(0)
        self.assertEqual((connection.flow.pending, transport.producerState), (0, "producing"))
        answers = [line.split(b" ")[:4] for line in transport.value().splitlines()]
        expected = [
            [b"@id=%d" % number, b"ERR", b"LOCATE_TOPIC_MSG_ADDR", b"TRYAGAIN"] for number in range(WAITING + 10)
        ]
        self.assertEqual(answers, expected)

    def test_order(self) -> None:
        """What needs no store, or is refused, is answered behind what does, and before what comes later."""
        connection, transport = self.connect(State.ONLINE)
        connection.dataReceived(b"LOCATE a\nPING\nLOGIN x\nNOPE\nLOCATE b\nHELP PING\n")
        self.clock.advance(0)
        self.assertEqual(transport.value(), b"")
        self.clock.advance(ANSWERED)
        self.server.commits.expire()
        self.clock.advance(0)
        answers = [line.split(b" ")[:3] for line in transport.value().splitlines()]
        self.assertEqual(answers[0][1:], [b"LOCATE_TOPIC_MSG_ADDR", b"TRYAGAIN"])
        self.assertEqual(answers[1], [b"OK", b"SEND_PING"])
        self.assertEqual(answers[2], [b"ERR", b"SEND_CLIENT_ID", b"STATE"])
        self.assertEqual(answers[3], [b"ERR", b"-", b"UNKNOWN_VERB"])
        self.assertEqual(answers[4][1:], [b"LOCATE_TOPIC_MSG_ADDR", b"TRYAGAIN"])
        self.assertEqual(answers[5], [b"BEGIN", b"HELP", b"5"])

    def test_before_login(self) -> None:
        """Every verb that needs an account is refused before the login."""
        connection, transport = self.connect()
        connection.dataReceived(b"MSG bob x\nACK alice+bob:7-1\nTOPICS\nPING\n")
        self.clock.advance(0)
        answers = [line.split(b" ")[:3] for line in transport.value().splitlines()]
        self.assertEqual([answer[2] for answer in answers[:3]], [b"STATE"] * 3)
        self.assertEqual(answers[3], [b"OK", b"SEND_PING"])

    def test_quit(self) -> None:
        """What was asked for before is answered before the end."""
        connection, transport = self.connect(State.ONLINE)
        connection.dataReceived(b"LOCATE a\nQUIT\nPING\n")
        self.clock.advance(0)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(ANSWERED)
        self.server.commits.expire()
        self.clock.advance(0)
        self.assertEqual(
            [line.split(b" ")[:2] for line in transport.value().splitlines()],
            [[b"ERR", b"LOCATE_TOPIC_MSG_ADDR"], [b"OK", b"QUIT"]],
        )
        self.assertTrue(transport.disconnecting)


class KeepaliveTests(ServerCase):
    def look(self, connection: LinePeer, seconds: float) -> None:
        """``seconds`` after the connection began."""
        session: Any = connection.session
        self.clock.advance(session.since + seconds - self.clock.seconds())
        self.server.keepalive.check([session], self.clock.seconds())
        self.clock.advance(0)

    def test_silent(self) -> None:
        """A silent program is pinged once, then closed, and told why; any line is an answer."""
        connection, transport = self.connect(State.ONLINE)
        cast(Any, connection.session).said_hello = True
        self.look(connection, PING_AFTER - 1)
        self.assertEqual(transport.value(), b"")
        self.look(connection, PING_AFTER)
        self.look(connection, PING_AFTER + 5)
        self.assertEqual(transport.value(), b"RESP_PING\r\n")
        self.look(connection, GONE_AFTER - 1)
        connection.dataReceived(b"\n")
        self.look(connection, GONE_AFTER)
        self.assertFalse(transport.disconnecting)
        transport.clear()
        self.look(connection, GONE_AFTER - 1 + GONE_AFTER)
        self.look(connection, GONE_AFTER + GONE_AFTER)
        self.assertTrue(transport.disconnecting)
        self.assertRegex(transport.value(), rb"^RESP_BYE silence [^\r\n]+\r\n$")
        self.assertEqual((PING_AFTER, GONE_AFTER), (90, 120))

    def test_silent_person(self) -> None:
        """Who never said HELLO may be silent."""
        connection, transport = self.connect(State.ONLINE)
        for seconds in (PING_AFTER, GONE_AFTER, 1e6):
            self.look(connection, seconds)
        self.assertEqual((transport.value(), transport.disconnecting), (b"", False))

    def test_stuck(self) -> None:
        """Who takes nothing of what is written for 30 seconds is cut off, closing or not."""
        connection, transport = self.connect(State.ONLINE)
        transport.producer.pauseProducing()
        self.look(connection, STUCK - 1)
        self.assertFalse(transport.disconnected)
        self.look(connection, STUCK)
        self.assertTrue(transport.disconnected)
        closing, transport = self.connect(State.ONLINE)
        closing.close()
        self.look(closing, STUCK)
        self.assertTrue(transport.disconnected)

    def test_login(self) -> None:
        """Who does not log in makes room for others, however lively."""
        connection, transport = self.connect()
        self.look(connection, 59)
        connection.dataReceived(b"PING\n")
        self.assertFalse(transport.disconnecting)
        self.look(connection, 60)
        self.assertTrue(transport.disconnecting)
        online, transport = self.connect(State.ONLINE)
        self.look(online, 60)
        self.assertFalse(transport.disconnecting)


class WindowTests(SynchronousTestCase):
    def test_window(self) -> None:
        """An acknowledging device is given 256 messages, then falls behind; a plain one is given all."""
        for acks, given in ((True, WINDOW), (False, WINDOW + 1)):
            device, pushed = self._device(acks)
            conversation: Any = Conversation(b"alice+bob", (0, 0), _NoReads())  # type: ignore[arg-type]
            reading = Reading(device, conversation, (0, 0), [((0, 0), None)])
            conversation.add(reading)
            conversation.settle(reading)
            conversation.read([], False, 0)
            conversation.epoch = 7
            for number in range(1, WINDOW + 2):
                body = pack_body(b"alice", b"main", -1, PLAIN, b"x")
                conversation.hear(from_body(b"alice+bob", 7, number, body, 0))
            self.assertEqual((len(pushed), reading.live), (given, not acks))

    def test_older_epoch(self) -> None:
        """An acknowledgement with a high number of an earlier epoch frees no more than what was given."""
        device, _ = self._device(True)
        conversation: Any = Conversation(b"alice+bob", (7, 10), _NoReads())  # type: ignore[arg-type]
        reading = Reading(device, conversation, (5, 1), [((0, 0), None)])
        for number in range(2, 11):
            reading.given((7, number))
        self.assertEqual(device.room, WINDOW - 9)
        self.assertTrue(reading.acknowledge((6, 1000)))
        self.assertLessEqual(device.room, WINDOW)
        self.assertTrue(reading.acknowledge((7, 10)))
        self.assertEqual((device.room, reading.unacked), (WINDOW, 0))

    def _device(self, acks: bool) -> tuple[Device, list[bytes]]:
        owner = Unending()
        return Device(b"bob", b"bob/main", b"", owner, frozenset([b"ack"] if acks else []), set()), owner.lines


class _NoReads:
    """The server around a conversation, which has nothing to do here."""

    def feed(self, device: Device) -> None:
        """Nothing is in the log."""


class NeighbourTests(ServerCase):
    def test_told_as_they_are(self) -> None:
        """A client is sent to an address; what another server gives out as one and is none, is told to nobody."""
        bus = MemoryBus()
        neighbours = self.server.neighbours
        neighbours.listen(bus)
        for address in ("", "nowhere", "a b:1", "127.0.0.1:19001\r\nOK QUIT"):
            bus.publish(channels.MONITOR, channels.Heartbeat(role="msg_server", id="ms2", address=address).encode())
            self.assertEqual(neighbours.move_line(0, Way()), b"RESP_MOVE - within=0\r\n")
        told = channels.Heartbeat(role="msg_server", id="ms2", address="127.0.0.1:19001")
        bus.publish(channels.MONITOR, told.encode())
        self.assertEqual(neighbours.move_line(0, Way()), b"RESP_MOVE 127.0.0.1:19001 within=0\r\n")


class HandlerTests(ServerCase):
    def test_msg_server(self) -> None:
        """Every verb of the msg_server's table has somebody to do it, and nobody has another."""
        self.assertEqual(set(self.server.sessions.handlers), {verb.name for verb in VERBS})

    def test_gateway(self) -> None:
        """The same for the gateway, and each answers."""
        self.assertEqual(set(HANDLERS), {verb.name for verb in GATEWAY_VERBS})
        gateway = Gateway(MemoryBus(), Placement(["127.0.0.1:1"], Random(1)), schema.Limits(), self.clock)
        for verb in GATEWAY_VERBS:
            connection = gateway.buildProtocol(None)
            transport = StringTransport()
            connection.makeConnection(transport)
            self.clock.advance(0)
            transport.clear()
            connection.dataReceived(b"%s%s\n" % (verb.name, b" 1" if verb.fields else b""))
            self.clock.advance(0)
            self.assertNotIn(b"ERR", transport.value())
            self.assertTrue(transport.value().endswith(b"\r\n"), verb)
