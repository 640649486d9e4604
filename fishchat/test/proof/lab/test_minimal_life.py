"""The life of the lab's own client, against a server that says what real ones seldom say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from twisted.trial.unittest import TestCase

from fishchat.proof.lab import minimal_wire
from fishchat.proof.lab.minimal import Closed, Gap, MinimalClient
from fishchat.test.support.waiting import until

#: How the gateway is asked.
ASKING = ["REQ_MSG_SERVER", "QUIT"]


class Line(LineOnlyReceiver):
    """A connection to a server that answers as it is told."""

    transport: Any
    factory: Any
    tags = ""

    def connectionMade(self) -> None:
        self.factory.links.append(self)
        self.tell(self.factory.greetings.pop(0) if self.factory.greetings else "HELLO fishchat/1 server=x")

    def tell(self, *lines: str) -> None:
        """Say this."""
        for line in lines:
            self.sendLine(line.encode())

    def lineReceived(self, line: bytes) -> None:
        tags, _, words = line.decode().partition(" ") if line.startswith(b"@") else ("", "", line.decode())
        self.tags = tags
        self.factory.heard.append(words)
        verb = words.split(" ")[0]
        for said in self.factory.answers[verb]() if verb in self.factory.answers else ["OK " + verb]:
            self.tell(said if said.startswith("RESP_") else f"{tags} {said}")
        if verb == "QUIT":
            self.transport.loseConnection()


def listen(reactor: Any, factory: Factory) -> Any:
    """A port of this machine."""
    return reactor.listenTCP(0, factory, interface="127.0.0.1")


class Scripted(Factory):
    """A gateway and a msg_server at one port. ``answers`` has what is said to a verb, ``OK`` where nothing is there."""

    noisy = False

    def __init__(self) -> None:
        self.protocol = Line
        self.greetings: list[str] = []
        self.links: list[Line] = []
        self.heard: list[str] = []
        self.answers: dict[str, Callable[[], list[str]]] = {
            "SEND_CLIENT_ID": lambda: ["OK SEND_CLIENT_ID ann", "RESP_SYNCED"],
            "REQ_MSG_SERVER": lambda: [f"SELECT_MSG_SERVER_FOR_CLIENT 127.0.0.1:{self.port}"],
            "SEND_ACK": lambda: [],
        }
        self.listening: Any = listen(reactor, self)
        self.port: int = self.listening.getHost().port


class LifeTests(TestCase):
    """A client, and a server that does as it is told."""

    timeout = 20

    def setUp(self) -> None:
        self.server = Scripted()
        self.addCleanup(self.server.listening.stopListening)
        self.client = MinimalClient("ann", gateway=f"127.0.0.1:{self.server.port}", reactor=reactor)
        self.addCleanup(self.client.stop)
        self.reasons: list[str] = []
        self.gaps: list[Gap] = []
        self.client.on_closed = self.reasons.append
        self.client.on_gap = self.gaps.append

    async def test_busy(self) -> None:
        """A server without room, a gateway without servers and a store that is away are asked again."""
        words = iter(["ERR REQ_MSG_SERVER TRYAGAIN retry=0.1 none is there"])
        to_ask = self.server.answers["REQ_MSG_SERVER"]
        self.server.answers["REQ_MSG_SERVER"] = lambda: [next(words, to_ask()[0])]
        self.server.greetings = ["HELLO x", "HELLO x", "ERR - BUSY retry=0.1 no room"]
        log_in, away = self.server.answers["SEND_CLIENT_ID"], [["ERR SEND_CLIENT_ID TRYAGAIN retry=0.1 away"]]
        self.server.answers["SEND_CLIENT_ID"] = lambda: away.pop() if away else log_in()
        await self.client.start()
        self.assertEqual(self.server.heard.count("REQ_MSG_SERVER"), 4)
        self.assertEqual(self.reasons, [])

    async def test_refused(self) -> None:
        """A login that is refused for good ends the client, with all that waits."""
        self.server.answers["SEND_CLIENT_ID"] = lambda: ["ERR SEND_CLIENT_ID AUTH the name or the secret is wrong"]
        send, history = self.client.send("bob", "hello"), self.client.history("ann+bob")
        await self.assertFailure(self.client.start(), Closed)
        await self.assertFailure(send, Closed)
        await self.assertFailure(history, Closed)
        self.assertEqual(self.reasons, ["refused AUTH the name or the secret is wrong"])
        await self.client.stop()

    async def test_stop(self) -> None:
        """It can be stopped before it was started, while it cannot connect, and twice."""
        await self.client.stop()
        await self.client.stop()
        self.assertEqual(self.reasons, ["stopped"])
        await self.assertFailure(self.client.send("bob", "too late"), Closed)
        await self.assertFailure(self.client.join("late"), Closed)
        self.server.answers["REQ_MSG_SERVER"] = lambda: ["ERR REQ_MSG_SERVER TRYAGAIN retry=10 none is there"]
        client = MinimalClient("ann", gateway=f"127.0.0.1:{self.server.port}", reactor=reactor)
        started = client.start()
        await until(lambda: "QUIT" in self.server.heard)
        await client.stop()
        await self.assertFailure(started, Closed)

    async def test_ends(self) -> None:
        """Who is replaced or shut out does not come back."""
        for push, reason in (("RESP_REPLACED", "replaced"), ("RESP_REVOKED disabled", "refused disabled")):
            self.reasons.clear()
            client = MinimalClient("ann", gateway=f"127.0.0.1:{self.server.port}", reactor=reactor)
            client.on_closed = self.reasons.append
            await client.start()
            self.server.links[-1].tell(push)
            self.server.links[-1].transport.loseConnection()
            await until(lambda: self.reasons)
            self.assertEqual(self.reasons, [reason])

    async def test_silence(self) -> None:
        """A connection that owes an answer, or that is silent after a ping, is given up for another one."""
        self.patch(minimal_wire, "DUE", 0.2)
        self.patch(minimal_wire, "QUIET", 0.2)
        self.server.greetings = ["HELLO x", "RESP_NOTHING in place of a greeting"]
        to_answer: list[list[str]] = [[], ["OK SEND_MESSAGE_P2P ann+bob:1-1"]]
        self.server.answers["SEND_MESSAGE_P2P"] = lambda: to_answer.pop(0)
        pongs: list[list[str]] = [[]]
        self.server.answers["SEND_PING"] = lambda: pongs.pop() if pongs else ["OK SEND_PING"]
        await self.client.start()
        self.assertEqual(await self.client.send("bob", "hello"), "ann+bob:1-1")
        links = len(self.server.links)
        await until(lambda: len(self.server.links) > links and not pongs)
        self.assertEqual(self.reasons, [])

    async def test_move(self) -> None:
        """Told to move, it waits for its answers, says QUIT, and goes there; to nowhere means to the gateway."""
        told: list[object] = []
        self.client.on_message = told.append
        await self.client.start()
        for place, number in ((f"127.0.0.1:{self.server.port}", 2), ("-", 4)):
            self.server.heard.clear()
            told.clear()
            self.server.answers["SEND_MESSAGE_P2P"] = lambda: []
            before = self.server.links[-1]
            sent = self.client.send("bob", "hello")
            await until(lambda: len(self.server.heard) == 1)
            before.tell(f"RESP_MOVE {place} within=10")
            before.tell(f"RESP_MESSAGE_P2P bob ann+bob:1-{number - 1} meanwhile")
            await until(lambda: told)
            self.assertEqual(len(self.server.heard), 1)
            before.tell(f"{before.tags} OK SEND_MESSAGE_P2P ann+bob:1-{number}")
            self.assertEqual(await sent, f"ann+bob:1-{number}")
            await until(lambda: "SEND_CLIENT_ID ann" in self.server.heard)
            heard = [f"SEND_ACK ann+bob:1-{number - 1}", "QUIT", "HELLO 1 caps=ack", "SEND_CLIENT_ID ann"]
            self.assertEqual(self.server.heard[1:], heard if number == 2 else [*heard[:2], *ASKING, *heard[2:]])

    async def test_gaps(self) -> None:
        """A gap is told once; a number that comes again under a higher epoch is one, too."""
        texts: list[str] = []
        self.client.on_message = lambda message: texts.append(message.text)
        await self.client.start()
        tell = self.server.links[-1].tell
        tell("RESP_GAP ann+bob 1 2", "RESP_GAP ann+bob 1 2", "RESP_MESSAGE_P2P bob ann+bob:1-3 three")
        tell("RESP_MESSAGE_P2P bob ann+bob:1-4 four", "RESP_MESSAGE_P2P bob ann+bob:1-3 three", "RESP_NEW thing")
        tell("RESP_MESSAGE_P2P bob ann+bob:2-3 again", "RESP_MESSAGE_P2P bob ann+bob:2-4 five")
        await until(lambda: len(texts) == 4)
        self.assertEqual(texts, ["three", "four", "again", "five"])
        self.assertEqual(self.gaps, [Gap("ann+bob", 1, 2), Gap("ann+bob", 3, 4)])
        await self.client.stop()
        self.assertEqual([said for said in self.server.heard if "ACK " in said], ["SEND_ACK ann+bob:2-4"])
