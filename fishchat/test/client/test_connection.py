"""The client over connections: a little server on real loopback ports, and a clock where time matters."""

from __future__ import annotations

import errno
import inspect
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

import fishchat.client
from fishchat.client import Client, ClientState, ClosedError, FileState, Message, RefusedError, StateError
from fishchat.client.connection import Connection
from fishchat.test.support.waiting import until

# Its interfaces promise less than it does.
reactor: Any = the_reactor


class LittleServer(Factory):
    """Enough of a msg_server to talk to: p2p only, one device per account, everything in memory.

    :ivar twist: called with each command before it is carried out; True: it was dealt with, or swallowed.
    """

    noisy = False

    def __init__(self, conversation: str = "alice+bob") -> None:
        self.conversation = conversation
        self.log: list[tuple[str, int, str]] = []
        self.acked: list[str] = []
        self.logins = 0
        self.heard: list[str] = []
        self.online: dict[str, LittleConnection] = {}
        self.connections: list[LittleConnection] = []
        self.twist: Callable[[LittleConnection, str], bool] = lambda connection, line: False

    def buildProtocol(self, addr: object) -> LittleConnection:
        connection = LittleConnection(self)
        self.connections.append(connection)
        return connection

    def listen(self, case: TestCase) -> str:
        """Listen on a free port until the test is over; the address."""
        port = reactor.listenTCP(0, self, interface="127.0.0.1")
        case.addCleanup(port.stopListening)
        case.addCleanup(self.drop)
        return f"127.0.0.1:{port.getHost().port}"

    def drop(self) -> None:
        """Cut all connections."""
        for connection in self.connections:
            if connection.connected:
                connection.transport.abortConnection()

    def expected(self, sender: str) -> int:
        return 1 + sum(1 for who, _, _ in self.log if who == sender)

    def post(self, sender: str, text: str, to: str = "alice") -> None:
        """Somebody without a connection writes."""
        self.log.append((sender, self.expected(sender), text))
        if to in self.online:
            self.online[to].say(f"RESP_MESSAGE_P2P {sender} {self.id_of(len(self.log))} {text}")

    def id_of(self, seq: int) -> str:
        return f"{self.conversation}:1-{seq}"


class LittleConnection(LineReceiver):
    """One connection to it."""

    transport: Any

    def __init__(self, server: LittleServer) -> None:
        self.server = server
        self.account = ""

    def say(self, line: str) -> None:
        self.sendLine(line.encode())

    def connectionMade(self) -> None:
        self.say("HELLO fishchat/1 server=little auth=open maxline=8192 maxtext=7168 caps=ack")

    def lineReceived(self, line: bytes) -> None:
        text = line.decode()
        self.server.heard.append(text)
        if not self.server.twist(self, text):
            self.carry_out(text)

    def carry_out(self, line: str) -> None:
        tags = ""
        if line.startswith("@"):
            tags, _, line = line.partition(" ")
        verb, _, rest = line.partition(" ")
        if verb == "HELLO":
            self.say("OK HELLO fishchat/1 caps=ack")
        elif verb == "SEND_CLIENT_ID":
            self.log_in(rest.partition(" ")[0])
        elif verb == "SEND_MESSAGE_P2P":
            self.say(self.store(int(tags.removeprefix("@cseq=")), *rest.split(" ", 1)))
        elif verb == "SEND_ACK":
            self.server.acked.append(rest)
        else:
            self.say(f"OK {verb}")
            if verb == "QUIT":
                self.transport.loseConnection()

    def log_in(self, account: str) -> None:
        self.account = account
        self.server.logins += 1
        self.server.online[account] = self
        self.say(f"OK SEND_CLIENT_ID {account}")
        after = max((int(one.rpartition("-")[2]) for one in self.server.acked), default=0)
        for seq, (sender, _, text) in enumerate(self.server.log, 1):
            if seq > after and sender != account:
                self.say(f"RESP_MESSAGE_P2P {sender} {self.server.id_of(seq)} {text}")
        self.say("RESP_SYNCED")

    def store(self, cseq: int, to: str, text: str) -> str:
        server, expected = self.server, self.server.expected(self.account)
        if 0 < cseq < expected:
            seq = server.log.index((self.account, cseq, text)) + 1
            return f"OK SEND_MESSAGE_P2P {server.id_of(seq)}"
        if cseq != expected:
            return f"ERR SEND_MESSAGE_P2P GAP expected={expected} go on"
        server.log.append((self.account, cseq, text))
        if to in server.online:
            server.online[to].say(f"RESP_MESSAGE_P2P {self.account} {server.id_of(len(server.log))} {text}")
        return f"OK SEND_MESSAGE_P2P {server.id_of(len(server.log))}"


class LittleGateway(Factory):
    """Names its servers one after the other, the last one for ever."""

    noisy = False

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def buildProtocol(self, addr: object) -> LineReceiver:
        gateway = self

        class Connection(LineReceiver):
            def connectionMade(self) -> None:
                self.sendLine(b"HELLO fishchat/1 server=gateway")

            def lineReceived(self, line: bytes) -> None:
                gateway.asked += 1
                answer = gateway.answers.pop(0) if len(gateway.answers) > 1 else gateway.answers[0]
                self.sendLine(answer.encode())

        return Connection()

    def listen(self, case: TestCase) -> str:
        """Listen on a free port until the test is over; the address."""
        port = reactor.listenTCP(0, self, interface="127.0.0.1")
        case.addCleanup(port.stopListening)
        return f"127.0.0.1:{port.getHost().port}"


class LoopbackTests(TestCase):
    """Over real connections."""

    timeout = 20

    def setUp(self) -> None:
        self.server = LittleServer()
        self.address = self.server.listen(self)
        self.messages: list[Message] = []

    def client(self, account: str = "alice", **options: Any) -> Client:
        if "gateway" not in options:
            options.setdefault("servers", [self.address])
        client = Client(account, reactor=reactor, **options)
        client.on_message = self.messages.append
        self.addCleanup(client.stop)
        return client

    async def failure(self, call: Deferred[Any], kind: type[Exception]) -> Any:
        """The error that ``call`` fails with."""
        error: Any = self.assertFailure(call, kind)
        return await error

    async def test_talk(self) -> None:
        """A send fires with its id; the other side is handed the message, and its stop acknowledges it."""
        alice, bob = self.client(), self.client("bob")
        await alice.start()
        await bob.start()
        self.assertEqual(await alice.send("bob", "hello  there"), "alice+bob:1-1")
        await until(lambda: self.messages)
        self.assertEqual(self.messages, [Message("alice", "hello  there", "alice+bob:1-1", "alice+bob")])
        self.assertEqual(self.messages[0].reply_to, "alice")
        await bob.ping()
        self.assertEqual(self.server.acked, [])
        await bob.stop()
        self.assertEqual(self.server.acked, ["alice+bob:1-1"])
        self.assertEqual(self.server.heard[-1], "QUIT")

    async def test_sends_before_the_login(self) -> None:
        """What is sent before there is a connection waits for it, in order."""
        client = self.client()
        sends = [client.send("bob", str(number)) for number in range(100)]
        await client.start()
        self.assertEqual([await send for send in sends], [f"alice+bob:1-{seq}" for seq in range(1, 101)])
        self.assertEqual([text for _, _, text in self.server.log], [str(number) for number in range(100)])

    async def test_reconnection(self) -> None:
        """A connection that is cut between storing and answering costs nothing: stored once, answered once."""
        cuts = ["five", "seven", "seven"]

        def cut(connection: LittleConnection, line: str) -> bool:
            if not cuts or not line.endswith(cuts[0]) or "cseq=0" in line:
                return False
            cuts.pop(0)
            connection.carry_out(line)
            connection.clearLineBuffer()
            connection.transport.abortConnection()
            return True

        self.server.twist = cut
        client = self.client()
        await client.start()
        texts = ["one", "five", "six", "seven", "eight"]
        sends = [client.send("bob", text) for text in texts]
        self.assertEqual([await send for send in sends], [f"alice+bob:1-{seq}" for seq in range(1, 6)])
        self.assertEqual([text for _, _, text in self.server.log], texts)
        self.assertEqual(self.server.logins, 4)

    async def test_redelivery(self) -> None:
        """What comes again after a reconnection is not handed out again."""
        client = self.client()
        await client.start()
        self.server.post("bob", "one")
        await until(lambda: self.messages)
        self.server.drop()
        await until(lambda: self.server.logins == 2)
        self.server.post("bob", "two")
        await until(lambda: len(self.messages) > 1)
        self.assertEqual([message.text for message in self.messages], ["one", "two"])

    async def test_gateway(self) -> None:
        """The gateway is asked; a server that does not answer is left for the next one that it names."""
        nobody = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        dead = f"127.0.0.1:{nobody.getHost().port}"
        await nobody.stopListening()
        select = "SELECT_MSG_SERVER_FOR_CLIENT "
        gateway = LittleGateway(
            "ERR REQ_MSG_SERVER TRYAGAIN retry=1 wait", select + dead, f"{select}{dead} {self.address}"
        )
        client = self.client(gateway=gateway.listen(self))
        await client.start()
        self.assertEqual((self.server.logins, gateway.asked), (1, 3))

    async def test_moved(self) -> None:
        """A server that is drained names another one; what was under way is answered first, and nothing doubles."""
        other = LittleServer()
        other.log = self.server.log
        elsewhere = other.listen(self)
        client = self.client()
        await client.start()
        await client.send("bob", "one")
        self.server.online["alice"].say(f"RESP_MOVE {elsewhere} within=0.01")
        await until(lambda: other.logins)
        self.assertEqual(await client.send("bob", "two"), "alice+bob:1-2")
        self.assertEqual(other.heard[-1], "@cseq=2 SEND_MESSAGE_P2P bob two")

    async def test_replaced(self) -> None:
        """Another login of this device ends the client; what it had not sent fails."""
        client = self.client()
        reasons: list[str] = []
        client.on_closed = reasons.append
        await client.start()
        self.server.twist = lambda connection, line: True
        send = client.send("bob", "unanswered")
        self.server.online["alice"].say("RESP_REPLACED")
        await self.failure(send, ClosedError)
        await self.failure(client.send("bob", "too late"), ClosedError)
        await self.failure(client.start(), ClosedError)
        await client.stop()
        self.assertEqual((reasons, self.server.logins), (["replaced"], 1))

    async def test_refused_login(self) -> None:
        """A login that is refused fails ``start`` with the server's word."""

        def refuse(connection: LittleConnection, line: str) -> bool:
            if "SEND_CLIENT_ID" in line:
                connection.say("ERR SEND_CLIENT_ID AUTH the login was refused")
            return "SEND_CLIENT_ID" in line

        self.server.twist = refuse
        client = self.client(secret="wrong")
        error = await self.failure(client.start(), RefusedError)
        self.assertEqual((error.word, self.server.heard[-1]), ("AUTH", "@device=main SEND_CLIENT_ID alice wrong"))

    async def test_refused_call(self) -> None:
        """A refusal fails the call with word, extra pairs and sentence; so does one that needs no server."""

        def refuse(connection: LittleConnection, line: str) -> bool:
            if line.startswith("JOIN"):
                connection.say("ERR JOIN_TOPIC FULL limit=500 the limit is reached")
            return line.startswith("JOIN")

        self.server.twist = refuse
        client = self.client()
        await client.start()
        error = await self.failure(client.join("fishing"), RefusedError)
        self.assertEqual((error.word, error.extra, error.text), ("FULL", {"limit": "500"}, "the limit is reached"))
        error = await self.failure(client.join("Fishing"), RefusedError)
        self.assertEqual(error.word, "BADNAME")

    async def test_slow_handling(self) -> None:
        """A message whose handling takes long is acknowledged when that is through."""
        handling: list[Deferred[None]] = []

        def handle(message: Message) -> Deferred[None]:
            handling.append(Deferred())
            return handling[-1]

        client = self.client()
        client.on_message = handle
        await client.start()
        self.server.post("bob", "one")
        self.server.post("bob", "two")
        await until(lambda: len(handling) == 2)
        handling[0].callback(None)
        await client.stop()
        self.assertEqual(self.server.acked, ["alice+bob:1-1"])

    async def test_failing_handling(self) -> None:
        """A callback that fails is logged, and its message is acknowledged: it would fail again for ever."""

        def handle(message: Message) -> None:
            raise RuntimeError("a defect of the user")

        client = self.client()
        client.on_message = handle
        await client.start()
        self.server.post("bob", "one")
        await until(lambda: self.flushLoggedErrors(RuntimeError))
        await client.stop()
        self.assertEqual(self.server.acked, ["alice+bob:1-1"])

    async def test_manual(self) -> None:
        """With ``manual_ack`` nothing is acknowledged but what ``ack`` names."""
        client = self.client(manual_ack=True)
        await client.start()
        for text in ("one", "two", "three"):
            self.server.post("bob", text)
        await until(lambda: len(self.messages) == 3)
        client.ack(self.messages[1])
        await client.stop()
        self.assertEqual(self.server.acked, ["alice+bob:1-2"])

    async def test_nobody_listens(self) -> None:
        """Without ``on_message`` nothing is acknowledged: the messages wait."""
        client = self.client()
        client.on_message = None
        await client.start()
        self.server.post("bob", "one")
        self.notice(2)
        await client.ping()
        await client.stop()
        self.assertEqual(self.server.acked, [])

    async def test_notices_without_a_callback(self) -> None:
        """A program that wants only messages acknowledges notices as well, also if it acknowledges by itself."""
        for manual_ack in (False, True):
            client = self.client(manual_ack=manual_ack)
            await client.start()
            self.notice(1)
            self.notice(2)
            await client.ping()
            await client.stop()
            self.assertEqual(self.server.acked.pop(), "alice+bob:1-2")

    def notice(self, seq: int) -> None:
        """The server has something to tell."""
        self.server.online["alice"].say(f"RESP_NOTICE bob {self.server.id_of(seq)} JOINED bob")


def warnings_of(case: TestCase) -> list[str]:
    """Return the list to which the warnings of clients are added from now on."""
    found: list[str] = []

    @implementer(ILogObserver)
    def hear(event: LogEvent) -> None:
        if event.get("log_level") == LogLevel.warn and "fishchat.client" in event["log_namespace"]:
            found.append(str(event["error"]))

    globalLogPublisher.addObserver(hear)
    case.addCleanup(globalLogPublisher.removeObserver, hear)
    return found


class StateTests(TestCase):
    """Exactly once across restarts of the program."""

    timeout = 20

    def setUp(self) -> None:
        self.server = LittleServer()
        self.address = self.server.listen(self)
        self.file = FileState(self.mktemp())

    def client(self) -> Client:
        client = Client("alice", servers=[self.address], reactor=reactor, state=self.file)
        self.addCleanup(client.stop)
        return client

    async def test_saved_before_sent(self) -> None:
        """When a send reaches the server, the file has it with its number; after a stop and a restart it goes again."""
        on_disk: list[ClientState | None] = []

        def look(connection: LittleConnection, line: str) -> bool:
            if "cseq=1" not in line:
                return False
            on_disk.append(self.file.load())
            return True

        self.server.twist = look
        first = self.client()
        await first.start()
        send = first.send("bob", "one")
        await until(lambda: on_disk)
        assert on_disk[0] is not None
        self.assertEqual([(saved.text, saved.cseq) for saved in on_disk[0].sends], [("one", 1)])
        self.server.drop()
        await until(lambda: len(on_disk) == 2)
        self.server.twist = lambda connection, line: line == "QUIT" and connection.transport.abortConnection() is None
        await first.stop()
        await self.assertFailure(send, ClosedError)
        second = self.client()
        await second.start()
        self.assertEqual(await second.send("bob", "two"), "alice+bob:1-2")
        self.assertEqual(self.server.log, [("alice", 1, "one"), ("alice", 2, "two")])
        await second.stop()
        saved = self.file.load()
        assert saved is not None
        self.assertEqual((saved.counters, saved.sends), ({"alice+bob": 3}, []))

    async def test_answered_once(self) -> None:
        """A bot that dies at any moment after its answer was sent does not answer again, acknowledged or not."""
        await self.answer()
        self.assertEqual(self.server.acked, [])
        self.server.twist = lambda connection, line: False
        await self.answer()
        self.assertEqual(self.server.log, [("bob", 1, "hi"), ("alice", 1, "hi yourself")])

    async def answer(self) -> None:
        """One run of the bot; the server swallows its goodbye and acknowledgement while it is twisted."""
        bot = self.client()
        bot.on_message = lambda message: bot.send("bob", f"{message.text} yourself")
        synced: Deferred[None] = Deferred()
        bot.on_synced = lambda: synced.callback(None)
        if not self.server.log:
            self.server.post("bob", "hi")
            self.server.twist = lambda connection, line: line.startswith("SEND_ACK")
        await bot.start()
        await synced
        await until(lambda: len(self.server.log) == 2)
        await bot.stop()

    async def test_disk_full(self) -> None:
        """What cannot be saved is not sent until it can; the log says so once, without a traceback."""

        class Full(FileState):
            broken = False
            tried = 0

            def save(self, state: ClientState) -> None:
                if self.broken:
                    Full.tried += 1
                    raise OSError("no space left")
                super().save(state)

        self.file = Full(self.mktemp())
        client = self.client()
        await client.start()
        warnings = warnings_of(self)
        Full.broken = True
        send = client.send("bob", "one")
        await until(lambda: Full.tried > 2)
        self.assertFalse([line for line in self.server.heard if "MESSAGE" in line])
        Full.broken = False
        await send
        self.assertEqual(self.server.log, [("alice", 1, "one")])
        [warning] = warnings
        self.assertIn("cannot be saved: no space left; nothing is sent", warning)

    async def test_nowhere(self) -> None:
        """A state that can never be saved ends the client at its start: everything fails, with the reason."""
        self.file = FileState(Path(self.mktemp()) / "nowhere" / "echo.json")
        client = self.client()
        closed: list[str] = []
        client.on_closed = closed.append
        waiting: Any = self.assertFailure(client.send("bob", "one"), StateError)
        started: Any = self.assertFailure(client.start(), StateError)
        error = await started
        self.assertRegex(str(error), "state of the client cannot be saved: .*No such file or directory.*nowhere")
        await waiting
        late: Any = self.assertFailure(client.send("bob", "two"), ClosedError)
        self.assertIn("No such file or directory", str(await late))
        self.assertEqual((closed, self.server.heard), (["state"], []))
        await client.stop()

    def test_file(self) -> None:
        """No file is no state; one of something else is an error that names it; old ones load; only the owner reads."""
        self.assertIsNone(self.file.load())
        self.file.save(ClientState("alice", token="fct_x"))
        self.assertEqual(self.file.load(), ClientState("alice", token="fct_x"))
        self.assertEqual(self.file.path.stat().st_mode & 0o777, 0o600)
        self.file.path.write_bytes(b'{"account":"alice","device":"main","counters":{"alice+bob":3}}')
        self.assertEqual(self.file.load(), ClientState("alice", counters={"alice+bob": 3}))
        self.file.path.write_bytes(b"{}")
        error = self.assertRaises(ValueError, self.file.load)
        self.assertIn(str(self.file.path), str(error))

    def test_a_link(self) -> None:
        """A link is followed and stays, whether the file that it names is there or not."""
        volume = Path(self.mktemp())
        volume.mkdir()
        self.file.path.symlink_to(volume.absolute() / "echo.json")
        for account in ("alice", "bob"):
            self.file.save(ClientState(account))
            self.assertTrue(self.file.path.is_symlink())
            self.assertEqual(FileState(volume / "echo.json").load(), ClientState(account))
        self.assertEqual([path.name for path in volume.iterdir()], ["echo.json"])

    def test_mounted_alone(self) -> None:
        """A file that cannot be replaced, as one that is mounted alone, is overwritten; null in it is no state."""
        self.file.path.write_text("null\n")
        self.assertIsNone(self.file.load())
        before = self.file.path.stat().st_ino

        def busy(*paths: object) -> None:
            raise OSError(errno.EBUSY, "Device or resource busy")

        self.patch(os, "replace", busy)
        for state in (ClientState("alice", token="fct_" + "x" * 50), ClientState("alice")):
            self.file.save(state)
            self.assertEqual(self.file.load(), state)
        self.assertEqual(self.file.path.stat().st_ino, before)
        self.assertEqual(
            [path.name for path in self.file.path.parent.glob(self.file.path.name + "*")], [self.file.path.name]
        )
        self.file.path.unlink()
        self.assertRaises(OSError, self.file.save, ClientState("alice"))

    def test_empty_file(self) -> None:
        """An empty file, which a crash of another program may leave, is not taken for a new device."""
        self.file.path.write_bytes(b"")
        self.assertIn("write null into it", str(self.assertRaises(ValueError, self.file.load)))


def documented() -> str:
    """Return the program in the documentation of the package."""
    _, _, rest = inspect.getdoc(fishchat.client).partition("::\n")  # type: ignore[union-attr]
    return inspect.cleandoc(re.split(r"\n(?=\S)", rest, maxsplit=1)[0])


class DocumentedBotTests(TestCase):
    """The program in the package's documentation, as it stands there."""

    timeout = 20

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.server = LittleServer("bob+echo")
        self.said = ""
        self.ended: Deferred[int] = Deferred()

    def run_bot(self, address: str, program: str = "") -> None:
        """Run the program with this address."""
        (self.directory / "bot.py").write_text(program or documented())
        test = self

        class Bot(ProcessProtocol):
            def outReceived(self, data: bytes) -> None:
                test.said += data.decode()

            def errReceived(self, data: bytes) -> None:
                test.said += data.decode()

            def processEnded(self, reason: Any) -> None:
                test.ended.callback(reason.value.exitCode or 0)

        root = Path(fishchat.client.__file__).parents[2]
        bot = reactor.spawnProcess(
            Bot(),
            sys.executable,
            [sys.executable, "bot.py", address],
            env={"PYTHONPATH": str(root)},
            path=str(self.directory),
        )

        def kill() -> Deferred[int] | None:
            if self.ended.called:
                return None
            bot.signalProcess("KILL")
            return self.ended

        self.addCleanup(kill)

    def test_one_program(self) -> None:
        """README and the page of the client library show the same program, and it is short."""
        self.assertLessEqual(len([line for line in documented().splitlines() if line]), 20)
        root = Path(fishchat.client.__file__).parents[2]
        for page in ("README.md", "doc/client.md"):
            self.assertIn(f"```python\n{documented()}\n```", (root / page).read_text("utf-8"), page)

    async def test_it_runs(self) -> None:
        """It says that it is connected, echoes, and says why it ends, with an exit status for a supervisor."""
        self.run_bot(self.server.listen(self))
        await until(lambda: "echo" in self.server.online)
        self.server.post("bob", "gurgle", to="echo")
        await until(lambda: len(self.server.log) == 2)
        self.assertEqual(self.server.log[1], ("echo", 1, "gurgle"))
        self.server.online["echo"].say("RESP_REPLACED")
        self.assertEqual(await self.ended, 1)
        self.assertEqual(self.said, "connected\nclosed: replaced\n")

    async def test_refused(self) -> None:
        """A refused login is one line, and an exit status."""

        def refuse(connection: LittleConnection, line: str) -> bool:
            if "SEND_CLIENT_ID" in line:
                connection.say("ERR SEND_CLIENT_ID AUTH wrong secret")
            return "SEND_CLIENT_ID" in line

        self.server.twist = refuse
        self.run_bot(self.server.listen(self))
        self.assertEqual(await self.ended, 1)
        self.assertEqual(self.said, "cannot start: AUTH: wrong secret\n")

    async def test_no_server(self) -> None:
        """Without a server, one line says so, although the program has begun no log."""
        self.run_bot("127.0.0.1:1")
        await until(lambda: "\n" in self.said)
        self.assertRegex(self.said, r"^fishchat: no connection to 127\.0\.0\.1:1: .*refused.*; trying again\n$")

    async def test_no_tls(self) -> None:
        """A server that does not speak TLS is named, with advice."""
        program = documented().replace("reactor=reactor,", "reactor=reactor, tls=True,")
        self.run_bot(self.server.listen(self), program)
        await until(lambda: "\n" in self.said)
        self.assertRegex(
            self.said, r"^fishchat: TLS with 127\.0\.0\.1:[0-9]+ failed .*connect to a port that speaks TLS"
        )

    async def test_a_log(self) -> None:
        """A program that has begun a log finds the warnings there, and stderr stays empty."""
        begin = """
from twisted.logger import globalLogBeginner, jsonFileLogObserver
globalLogBeginner.beginLoggingTo([jsonFileLogObserver(open("log", "w", 1))], redirectStandardIO=False)
"""
        self.run_bot("127.0.0.1:1", begin + documented())
        log = self.directory / "log"
        await until(lambda: log.exists() and "no connection to" in log.read_text())
        self.assertEqual(self.said, "")


class ClockTests(SynchronousTestCase):
    """What time decides, with a clock that the test turns."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.client = Client("alice", servers=["127.0.0.1:1", "127.0.0.1:2"], reactor=self.reactor)
        self.started = self.client.start()

    def accept(self) -> tuple[Connection, StringTransportWithDisconnection]:
        """The server accepts the newest connection attempt."""
        factory = self.reactor.tcpClients[-1][2]
        wrapper: Any = factory.buildProtocol(None)
        transport = StringTransportWithDisconnection()
        transport.protocol = wrapper
        wrapper.makeConnection(transport)
        return wrapper, transport

    def log_in(self) -> tuple[Any, StringTransportWithDisconnection]:
        connection, transport = self.accept()
        for line in (b"HELLO fishchat/1", b"OK HELLO fishchat/1 caps=ack", b"OK SEND_CLIENT_ID alice"):
            connection.dataReceived(line + b"\r\n")
        self.assertEqual(transport.value(), b"HELLO 1 caps=ack\r\n@device=main SEND_CLIENT_ID alice\r\n")
        transport.clear()
        return connection, transport

    def ports(self) -> list[int]:
        return [attempt[1] for attempt in self.reactor.tcpClients]

    def test_dead_peer(self) -> None:
        """After 30 s of silence it pings, 10 s later it gives the connection up and makes another."""
        _, transport = self.log_in()
        self.reactor.advance(29.9)
        self.assertEqual(transport.value(), b"")
        self.reactor.advance(0.2)
        self.assertEqual(transport.value(), b"SEND_PING\r\n")
        self.reactor.advance(9.8)
        self.assertTrue(transport.connected)
        self.reactor.advance(0.3)
        self.assertFalse(transport.connected)
        self.reactor.advance(0.05)
        self.assertEqual(self.ports(), [1, 1])

    def test_no_answer(self) -> None:
        """A server that does not answer within 10 s hangs, even if the connection was not silent for long."""
        _, transport = self.log_in()
        self.reactor.advance(20)
        self.client.ping().addErrback(lambda _: None)
        self.reactor.advance(0)
        self.reactor.advance(9.9)
        self.assertTrue(transport.connected)
        self.reactor.advance(0.2)
        self.assertFalse(transport.connected)

    def test_a_sign_of_life(self) -> None:
        """Every line from the server counts as a sign of life."""
        connection, transport = self.log_in()
        self.reactor.advance(31)
        self.reactor.advance(9)
        connection.dataReceived(b"OK SEND_PING\r\n")
        self.reactor.pump([1] * 29)
        self.assertTrue(transport.connected)

    def test_acknowledges_in_time(self) -> None:
        """Half a second after the first message it acknowledges, without anything else happening."""
        self.client.on_message = lambda message: None
        connection, transport = self.log_in()
        connection.dataReceived(b"RESP_MESSAGE_P2P bob alice+bob:1-1 hi\r\n")
        self.reactor.advance(0.4)
        self.assertEqual(transport.value(), b"")
        self.reactor.advance(0.11)
        self.assertEqual(transport.value(), b"SEND_ACK alice+bob:1-1\r\n")

    def test_one_write(self) -> None:
        """What is sent in one turn goes out as one write."""
        _, transport = self.log_in()
        self.client.send("bob", "one")
        self.client.send("bob", "two")
        self.client.send("carol", "three")
        self.assertEqual(transport.value(), b"")
        self.reactor.advance(0)
        self.assertEqual(
            transport.value(), b"@cseq=0 SEND_MESSAGE_P2P bob one\r\n@cseq=0 SEND_MESSAGE_P2P carol three\r\n"
        )

    def test_growing_delays(self) -> None:
        """Servers that accept and say nothing useful are tried in turn, ever less often, every 5 s at last."""
        times = []
        for _ in range(14):
            connection, _ = self.accept()
            connection.dataReceived(b"ERR - BUSY this server has no room\r\n")
            attempts = len(self.ports())
            began = self.reactor.seconds()
            while len(self.ports()) == attempts:
                self.reactor.advance(0.005)
            times.append(self.reactor.seconds() - began)
        self.assertLessEqual(times[0], 0.06)
        self.assertTrue(all(2.4 < time < 5.1 for time in times[-4:]), times)
        self.assertEqual(self.ports()[:4], [1, 2, 1, 2])

    def test_one_that_works_is_taken_again(self) -> None:
        """After a long good connection the first delay is short again, and the same server comes first."""
        _, transport = self.log_in()
        self.reactor.advance(10)
        transport.loseConnection()
        self.reactor.advance(0.05)
        self.assertEqual(self.ports(), [1, 1])

    def test_stopping_a_dead_connection(self) -> None:
        """A server that does not say goodbye is waited for 5 s."""
        _, transport = self.log_in()
        stopping = self.client.stop()
        self.assertEqual(transport.value(), b"QUIT\r\n")
        self.assertNoResult(stopping)
        self.reactor.advance(5)
        self.successResultOf(stopping)
        self.assertEqual([call for call in self.reactor.getDelayedCalls() if call.active()], [])

    def test_stopping_while_connecting(self) -> None:
        """Nothing is left running."""
        self.successResultOf(self.client.stop())
        self.failureResultOf(self.started, ClosedError)
        self.reactor.advance(100)
        self.assertEqual(self.ports(), [1])
        self.assertEqual(self.reactor.getDelayedCalls(), [])
