"""Clients with TLS on real sockets: what they can do, what is refused them, and what they cannot hold up."""

from __future__ import annotations

import datetime
import gc
import shutil
import socket
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import globalLogPublisher

from fishchat.bus import channels
from fishchat.model.placement import Way
from fishchat.net.tls_peer import binding, binding_of
from fishchat.proof.lab.rude import client_hello
from fishchat.protocols.peer import HANDSHAKE, STUCK, LinePeer
from fishchat.services.msg_server.factory import ClientFactory
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.msg_server.sessions.session import Session
from fishchat.services.net.authority import server_pair
from fishchat.services.net.certificates import Certificates
from fishchat.services.net.keepalive import EVERY
from fishchat.services.net.listen import CHAT, Listener
from fishchat.services.net.tls import TlsFactory
from fishchat.services.running.heartbeat import Heartbeat
from fishchat.test.support.cluster import Cluster, ClusterCase
from fishchat.test.support.tls_clients import SocketClient, begin_tls, connect_plain, connect_tls
from fishchat.test.support.tls_fixture import HOSTS, authority, write_pair
from fishchat.test.support.waiting import until


class TlsCase(ClusterCase):
    """One msg_server with a port for TLS and one without, and a pair of its own."""

    async def begin(self, clock: Clock | None = None, **settings: Any) -> None:
        """It is ready."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        for name in ("server", "server_key"):
            path: Path = getattr(authority(), name)
            shutil.copy(path, self.directory)
        self.cluster_ = await self.cluster(
            servers=1,
            routers=0,
            clock=clock,
            msg_server__listen_tls="127.0.0.1:19443",
            tls__certificate=str(self.directory / "server.pem"),
            tls__key=str(self.directory / "server.key"),
            **settings,
        )
        self.certificates: Certificates = self.cluster_.roles["ms1"].parts.certificates
        creator = self.certificates.creator(CHAT)
        self.port = self.listen(ClientFactory(self.server, secure=True), creator)
        self.plain = self.listen(ClientFactory(self.server), None)

    def listen(self, factory: Any, creator: Any) -> int:
        """Until the end of the test."""
        listener = Listener("127.0.0.1:0", factory, "msg_server.listen", reactor, creator)
        listener.startService()
        self.addCleanup(listener.stopService)
        return listener.port

    @property
    def server(self) -> MsgServer:
        """The msg_server itself."""
        return self.cluster_.server("ms1")

    @property
    def sessions(self) -> list[Session]:
        """The server's side of all connections, in their order."""
        return sorted(self.server.connections, key=lambda session: session.number)

    @property
    def connections(self) -> list[LinePeer]:
        """The same as peers."""
        return [cast(LinePeer, session.peer) for session in self.sessions]

    async def login(self, account: str) -> SocketClient:
        """One that is logged in, by TLS."""
        client = await connect_tls(self.port, account)
        self.addCleanup(client.drop)
        await client.ask(f"SEND_CLIENT_ID {account}", f"OK SEND_CLIENT_ID {account}")
        await client.expect("RESP_SYNCED")
        return client

    async def alone(self, clock: Clock) -> Cluster:
        """The same with time that the test moves."""
        clock.advance(1000)
        await self.begin(clock, limits__flood=False)
        return self.cluster_

    def replace(self) -> int:
        """Another pair takes the place of the one in the directory; its serial number."""
        now = datetime.datetime.now(datetime.timezone.utc)
        write_pair(self.directory, "server", server_pair(authority().pair, HOSTS, now))
        self.assertTrue(self.certificates.reload())
        return self.certificates.current.serial_number


class Talking(TlsCase):
    """What a client with TLS does."""

    async def test_login(self) -> None:
        """It is greeted once the handshake is done, logs in, and talks to one without TLS."""
        await self.begin()
        alice = await self.login("alice")
        bob, _ = await connect_plain(self.plain, "bob")
        self.addCleanup(bob.drop)
        await bob.expect("HELLO …")
        await bob.ask("SEND_CLIENT_ID bob", "OK …")
        await bob.expect("RESP_SYNCED")
        await alice.ask("SEND_MESSAGE_P2P bob hello", "OK …")
        self.assertEqual(await bob.texts(1), ["hello"])
        self.assertEqual([connection.secure for connection in self.connections], [True, False])
        await alice.ask("QUIT", "OK QUIT")
        await alice.gone()
        await until(lambda: len(self.connections) == 1)

    async def test_without_alpn(self) -> None:
        """Who offers no protocol is served too."""
        await self.begin()
        client = await connect_tls(self.port, protocols=())
        self.addCleanup(client.drop)
        self.assertIsNone(client.transport.negotiatedProtocol)
        await client.quiet()

    async def test_told_addresses(self) -> None:
        """Each is told addresses of the kind by which it came: of this server, and of another one."""
        await self.begin()
        alice = await self.login("alice")
        await alice.ask("CREATE_TOPIC fishing", "OK …")
        await alice.ask("LOCATE_TOPIC_MSG_ADDR fishing", "LOCATE_TOPIC_MSG_ADDR 127.0.0.1:19443 fishing")
        bob = await self.cluster_.login("bob")
        await bob.ask("LOCATE_TOPIC_MSG_ADDR fishing", "LOCATE_TOPIC_MSG_ADDR 127.0.0.1:19000 fishing")
        other = {"role": "msg_server", "id": "ms2", "pid": 1, "capacity": 5}
        beat = channels.Heartbeat(**other, address="127.0.0.1:19001", address_tls="chat.example:443")  # type: ignore[arg-type]
        self.cluster_.bus("ms1").publish(channels.MONITOR, beat.encode())
        await until(
            lambda: self.server.neighbours.move_line(0, Way(secure=True)) == b"RESP_MOVE chat.example:443 within=0\r\n"
        )
        self.assertEqual(self.server.neighbours.move_line(0, Way()), b"RESP_MOVE 127.0.0.1:19001 within=0\r\n")
        heartbeat: Any = self.cluster_.roles["ms1"].find(Heartbeat)
        load = heartbeat.load()
        self.assertEqual(load.address_tls, "127.0.0.1:19443")
        self.assertGreater(load.figures["certificate_days"], 390)

    async def test_last_words(self) -> None:
        """A server that stops says so to them as well, and does not wait for a peer that does not answer."""
        await self.begin()
        alice, deaf = await self.login("alice"), await self.login("deaf")
        deaf.stop_reading()
        await self.cluster_.stop("ms1")
        await alice.expect("RESP_MOVE - within=1")
        await alice.gone()
        deaf.read_on()
        await until(lambda: deaf.closed)

    async def test_good_bye(self) -> None:
        """What was sent before the end of the session is carried out; then both sides are done."""
        await self.begin()
        alice, bob = await self.login("alice"), await self.login("bob")
        alice.send("SEND_MESSAGE_P2P bob last words")
        alice.transport.loseConnection()
        self.assertEqual(await bob.texts(1), ["last words"])
        await until(lambda: alice.closed)
        await until(lambda: len(self.connections) == 1)

    async def test_cut(self) -> None:
        """A peer that goes without a word is forgotten as any other."""
        await self.begin()
        alice, _ = await self.login("alice"), await self.login("bob")
        alice.drop()
        await until(lambda: len(self.connections) == 1)
        await self.cluster_.settled()
        self.assertEqual(self.cluster_.redis.command("EXISTS", "at:alice"), 0)


class Reloading(TlsCase):
    """Another certificate while clients are connected."""

    async def test_under_load(self) -> None:
        """Of clients that ping all the time nobody is dropped; the next handshake has the new certificate."""
        await self.begin(limits__flood=False)
        clients = [await self.login(f"c{number}") for number in range(40)]
        old = clients[0].shown().serial_number
        answered = [0] * len(clients)
        going = True

        async def ping(number: int) -> None:
            while going:
                await clients[number].quiet()
                answered[number] += 1

        loads = [Deferred.fromCoroutine(ping(number)) for number in range(len(clients))]
        for _ in range(3):
            before = list(answered)
            new = self.replace()
            later = await connect_tls(self.port)
            self.assertEqual(later.shown().serial_number, new)
            later.drop()
            await until(lambda before=before: all(a > b for a, b in zip(answered, before, strict=True)))  # type: ignore[misc]
        going = False
        for load in loads:
            await load
        self.assertEqual([client.closed for client in clients], [False] * len(clients))
        self.assertEqual({client.shown().serial_number for client in clients}, {old})

    async def test_bad_pair(self) -> None:
        """A bad one changes nothing for the next handshake."""
        await self.begin()
        old = (await self.login("alice")).shown().serial_number
        (self.directory / "server.key").write_text("nonsense")
        self.assertFalse(self.certificates.reload())
        self.assertEqual((await self.login("bob")).shown().serial_number, old)

    async def test_binding(self) -> None:
        """The binding of a connection is that of the certificate that it was made with; without TLS there is none."""
        await self.begin()
        await self.login("alice")
        old = binding(self.certificates.current)
        self.replace()
        bob = await self.login("bob")
        bindings = [binding_of(connection.transport) for connection in self.connections]
        self.assertEqual(bindings, [old, binding(bob.shown())])
        self.assertNotEqual(*bindings)
        carol, _ = await connect_plain(self.plain)
        self.addCleanup(carol.drop)
        await carol.expect("HELLO …")
        self.assertIsNone(binding_of(self.connections[-1].transport))


class Refusing(TlsCase):
    """Who does not come in."""

    async def test_at_the_door(self) -> None:
        """A connection above the limit is closed without a line, and no handshake is started for it."""
        await self.begin(limits__per_address=1)
        first = await connect_tls(self.port)
        self.addCleanup(first.drop)
        # Any handshake from here on would fail in another way.
        self.patch(self.certificates, "context", None)
        client, wire = await begin_tls(self.port)
        await until(lambda: client.closed)
        self.assertEqual((wire.heard, len(self.connections)), (b"", 1))

    async def test_other_protocol(self) -> None:
        """A client that asks for other protocols only: the connection ends."""
        await self.begin()
        client, wire = await begin_tls(self.port, protocols=[b"http/1.1"])
        await until(lambda: client.closed)
        self.assertEqual(wire.heard, b"")
        assert wire.reason is not None
        self.assertIn("no application protocol", str(wire.reason.value))

    async def test_plain_text(self) -> None:
        """A client without TLS is told so in plain text and closed at once; the first one is logged."""
        await self.begin()
        logged: list[Any] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        for line in ("SEND_CLIENT_ID alice", "GET / HTTP/1.1", "\r"):
            client, wire = await connect_plain(self.port)
            client.send(line + "     ")
            await until(lambda client=client: client.closed)  # type: ignore[misc]
            self.assertEqual(wire.heard, LinePeer.not_tls)
        await until(lambda: not self.connections)
        self.assertEqual(len([event for event in logged if "sent plain text" in str(event.get("log_format"))]), 1)

    async def test_tls_to_the_plain_port(self) -> None:
        """TLS at a port for plain text: one plain line, and the end."""
        await self.begin()
        client, wire = await connect_plain(self.plain)
        client.write(client_hello())
        await until(lambda: client.closed)
        self.assertIn(b"ERR - VERSION ", wire.heard.splitlines()[-1])

    async def test_other_name(self) -> None:
        """A client that wants another host goes away by itself; the server stays well."""
        await self.begin()
        client, _ = await begin_tls(self.port, host="other.example")
        await until(lambda: client.closed)
        await self.login("alice")


class Handshaking(TlsCase):
    """A handshake that does not end."""

    async def test_cut_off(self) -> None:
        """After ten seconds, whether or not it was begun; one that was done in time is not touched."""
        clock = Clock()
        cluster = await self.alone(clock)
        silent, _ = await connect_plain(self.port)
        halfway, _ = await connect_plain(self.port)
        # The head of a record that never comes.
        halfway.write(b"\x16\x03\x01\x02\x00")
        done = await connect_tls(self.port)
        self.addCleanup(done.drop)
        await until(lambda: len(self.connections) == 3)
        self.assertEqual([connection.shaking for connection in self.connections], [True, True, False])
        await cluster.advance(HANDSHAKE - EVERY)
        self.assertFalse(silent.closed or halfway.closed)
        await cluster.advance(2 * EVERY)
        await until(lambda: silent.closed and halfway.closed)
        await done.quiet()
        self.assertEqual(len(self.connections), 1)

    async def test_counted(self) -> None:
        """Meanwhile it counts as any connection does."""
        await self.begin(limits__per_address=2)
        for _ in range(2):
            client, _ = await connect_plain(self.port)
            self.addCleanup(client.drop)
        await until(lambda: len(self.connections) == 2)
        client, _ = await connect_plain(self.port)
        await until(lambda: client.closed)

    async def test_while_stopping(self) -> None:
        """A server that stops does not wait for one."""
        await self.begin()
        client, wire = await connect_plain(self.port)
        await until(lambda: self.connections)
        await self.cluster_.stop("ms1")
        await until(lambda: client.closed)
        self.assertEqual(wire.heard, b"")


class Over(TlsCase):
    """Connections that have ended."""

    async def test_nothing_left(self) -> None:
        """However one ends, what it took is free at once, OpenSSL's part too, without the collector of cycles."""
        await self.begin(limits__flood=False)
        gc.collect()
        # What other tests have left is not meant.
        before = self._there()
        gc.disable()
        self.addCleanup(gc.enable)
        for end in (
            self._silent,
            self._half_a_hello,
            self._nonsense,
            self._cut,
            self._logged_in_and_cut,
            self._good_bye,
        ):
            await end()
            await until(lambda: not self.connections)
            # What has just ended may still stand in a frame that runs.
            await deferLater(reactor, 0)
            left = [one for one in self._there() if not any(one is other for other in before)]
            self.assertEqual(left, [], end.__name__)

    def _there(self) -> list[Any]:
        return [one for one in gc.get_objects() if isinstance(one, (Session, LinePeer, TlsFactory.protocol))]

    async def _raw(self, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            await until(lambda: self.connections)
            client.sendall(data)

    async def _silent(self) -> None:
        await self._raw(b"")

    async def _half_a_hello(self) -> None:
        await self._raw(client_hello()[:50])

    async def _nonsense(self) -> None:
        await self._raw(b"SEND_CLIENT_ID alice\r\n" * 10)

    async def _cut(self) -> None:
        (await connect_tls(self.port)).drop()

    async def _logged_in_and_cut(self) -> None:
        (await self.login("alice")).drop()

    async def _good_bye(self) -> None:
        client = await connect_tls(self.port)
        await client.ask("QUIT", "OK QUIT")
        await client.gone()


class Slow(TlsCase):
    """A reader that takes little or nothing."""

    async def filled(self, clock: Clock) -> tuple[SocketClient, LinePeer]:
        """A client that does not read, and a connection whose transport is full."""
        await self.alone(clock)
        client = await self.login("slow")
        (connection,) = self.connections
        client.stop_reading()
        # Else the kernel would take megabytes.
        for transport, option in ((connection.transport, socket.SO_SNDBUF), (client.transport, socket.SO_RCVBUF)):
            inner: Any = transport
            inner.socket.setsockopt(socket.SOL_SOCKET, option, 65536)
        for _ in range(400):
            connection.send(b"x" * 7998 + b"\r\n")
            if connection.full_since is not None:
                break
            await until(lambda: not connection.gathered)
        await until(lambda: connection.full_since is not None)
        return client, connection

    def held(self, connection: LinePeer) -> int:
        """What the socket still has to send."""
        transport: Any = connection.transport
        return len(transport.dataBuffer) - int(transport.offset) + int(transport._tempDataLen)

    async def test_nothing(self) -> None:
        """Who takes nothing for thirty seconds is cut off."""
        clock = Clock()
        client, connection = await self.filled(clock)
        await self.cluster_.advance(STUCK - EVERY)
        self.assertIn(connection, self.connections)
        for _ in range(20):
            # The kernel may still take a bit, which counts from the next look on.
            await self.cluster_.advance(EVERY)
            if connection not in self.connections:
                break
        self.assertNotIn(connection, self.connections)
        client.read_on()
        await until(lambda: client.closed)

    async def test_little(self) -> None:
        """Who takes a little now and then stays."""
        clock = Clock()
        client, connection = await self.filled(clock)
        for _ in range(100):
            connection.send(b"x" * 7998 + b"\r\n")
        for _ in range(4):
            await self.cluster_.advance(STUCK - 2 * EVERY)
            held = self.held(connection)
            # The kernel has taken some, too; what counts is that it takes more.
            while self.held(connection) == held:
                lines = len(client.lines)
                client.sip()
                await until(lambda lines=lines: len(client.lines) > lines)  # type: ignore[misc]
                await deferLater(reactor, 0)
            self.assertIsNotNone(connection.full_since)
        self.assertIn(connection, self.connections)
        self.assertLess(len(client.lines), 100)

    async def test_no_answer(self) -> None:
        """Who is told good-bye and does not answer, as TLS demands, cannot keep its connection."""
        clock = Clock()
        await self.alone(clock)
        client = await self.login("deaf")
        (connection,) = self.connections
        client.stop_reading()
        self.sessions[0].say_goodbye(b"RESP_REPLACED\r\n")
        await self.cluster_.advance(STUCK - EVERY)
        self.assertIn(connection, self.connections)
        await self.cluster_.advance(3 * EVERY)
        self.assertEqual(self.connections, [])
