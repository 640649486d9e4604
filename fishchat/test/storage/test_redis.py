from __future__ import annotations

import datetime
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from fishchat.storage.redis import Connection, Pipeline, ReplyError, Unavailable, Unknown, parse_url
from fishchat.test.support.fake_redis import FakeConnection, FakeRedis
from fishchat.test.support.redis_fixture import RedisServer, shared_redis
from fishchat.test.support.waiting import until


class ConnectionCase(TestCase):
    """Starts connections and stops them at the end."""

    def start(self, url: str, **options: Any) -> Connection:
        """A running connection, perhaps not yet connected."""
        connection = Connection(parse_url(url), **options)
        connection.startService()
        self.addCleanup(connection.stopService)
        return connection

    def own_redis(self) -> RedisServer:
        """A Redis that this test may kill."""
        server = RedisServer()
        self.addCleanup(server.close)
        return server

    def fake_redis(self, answer: Any) -> FakeRedis:
        """A Redis that misbehaves."""
        fake = FakeRedis(answer)
        self.addCleanup(fake.port.stopListening)
        return fake


class Replies(ConnectionCase):
    """A reply is what Redis sent."""

    async def connect(self, **options: Any) -> Connection:
        """Connected to the shared Redis."""
        connection = self.start(shared_redis().url, **options)
        await connection.when_connected()
        return connection

    async def test_nothing_is_converted(self) -> None:
        """Text that looks like a number stays text; bytes that are no text stay bytes; text is never str."""
        connection = await self.connect()
        for value in (b"007", b"1.50", b"1_000", b"+5", b"\xff\x00\r\n", "鱼传尺素".encode(), b"", b"inf"):
            self.assertEqual(await connection.run("SET", "key", value), b"OK")
            self.assertEqual(await connection.run("GET", "key"), value)
            self.assertEqual(await connection.run("MGET", "key"), [value])

    async def test_types(self) -> None:
        """Numbers are int, nothing is None, lists nest."""
        connection = await self.connect()
        self.assertEqual(await connection.run("INCRBY", "n", 41), 41)
        self.assertIsNone(await connection.run("GET", "nothing"))
        self.assertEqual(await connection.run("XADD", "s", "1-1", "f", "007"), b"1-1")
        self.assertEqual(await connection.run("XRANGE", "s", "-", "+"), [[b"1-1", [b"f", b"007"]]])
        self.assertIsNone(await connection.run("XREAD", "STREAMS", "s", "1-1"))

    async def test_refusal(self) -> None:
        """An error reply is told by its first word, and the connection goes on."""
        connection = await self.connect()
        await connection.run("SET", "key", "x")
        error = await self.assertFailure(connection.run("LPUSH", "key", "y"), ReplyError)
        self.assertEqual(error.word, "WRONGTYPE")
        self.assertTrue(error.text.startswith("WRONGTYPE "))
        self.assertEqual(await connection.run("GET", "key"), b"x")

    async def test_error_inside_a_list(self) -> None:
        """It stands there as a value; the rest of the reply and the connection survive."""
        connection = await self.connect()
        reply = await connection.run("EVAL", "return {1, redis.error_reply('ODD thing'), '2'}", 0)
        self.assertEqual((reply[0], reply[1].word, reply[2]), (1, "ODD", b"2"))
        self.assertEqual(await connection.run("PING"), b"PONG")

    async def test_pipelined_in_order(self) -> None:
        """Commands go out at once and are done in the order of the calls."""
        connection = await self.connect()
        results = [connection.run("RPUSH", "list", n) for n in range(1000)]
        await results[-1]
        self.assertEqual([result.result for result in results], list(range(1, 1001)))
        self.assertEqual(await connection.run("LRANGE", "list", 0, -1), [b"%d" % n for n in range(1000)])

    async def test_wrong_type_of_argument(self) -> None:
        """A mistake of ours fails alone and sends nothing."""
        connection = await self.connect()
        await self.assertFailure(connection.run("SET", "key", None), TypeError)  # type: ignore[arg-type]
        self.assertEqual(await connection.run("PING"), b"PONG")


class Away(ConnectionCase):
    """Without Redis every command ends soon, and says what is known."""

    async def test_refused_while_away(self) -> None:
        """Nothing is queued: what is refused while away is not done later."""
        server = self.own_redis()
        server.stop()
        connection = self.start(server.url)
        for _ in range(1000):
            self.failureResultOf(connection.run("INCR", "n"), Unavailable)
        server.start()
        await connection.when_connected()
        self.assertIsNone(await connection.run("GET", "n"))

    async def test_lost_in_flight(self) -> None:
        """Commands whose reply never came are perhaps done; the connection comes back by itself."""
        server = self.own_redis()
        connection = self.start(server.url)
        lost: list[bool] = []
        connection.on_lost.append(lambda: lost.append(connection.connected))
        await connection.when_connected()
        server.pause()
        results = [connection.run("INCR", "n") for _ in range(3)]
        server.kill()
        for result in results:
            await self.assertFailure(result, Unknown)
        self.assertEqual(lost, [False])
        self.failureResultOf(connection.run("INCR", "n"), Unavailable)
        server.start()
        await connection.when_connected()
        self.assertEqual(await connection.run("PING"), b"PONG")

    async def test_one_timeout_ends_all(self) -> None:
        """A hung Redis: the first timeout makes all in flight unknown, and the connection is made anew."""
        server = self.own_redis()
        connection = self.start(server.url, timeout=0.2)
        await connection.when_connected()
        server.pause()
        first = connection.run("INCR", "n")
        second = connection.run("INCR", "n", timeout=60)
        third = connection.run("INCR", "n", timeout=None)
        retried: list[Deferred[Any]] = []

        def retry(failure: Failure) -> Failure:
            retried.append(connection.run("INCR", "n"))
            return failure

        first.addErrback(retry)
        await self.assertFailure(first, Unknown)
        await self.assertFailure(second, Unknown)
        await self.assertFailure(third, Unknown)
        # A retry on the spot must not go out on the connection that has just been given up.
        self.failureResultOf(retried[0], Unavailable)
        server.resume()
        await connection.when_connected()
        await connection.run("SET", "m", 1)
        self.assertEqual(await connection.run("INCR", "m"), 2)

    async def test_no_timeout_when_asked(self) -> None:
        """A blocking command may wait longer than the connection's timeout."""
        server = shared_redis()
        connection = self.start(server.url, timeout=0.1)
        other = self.start(server.url)
        await connection.when_connected()
        await other.when_connected()
        waiting = connection.run("XREAD", "BLOCK", 0, "STREAMS", "s", "$", timeout=None)
        await other.run("BLPOP", "nothing", 1, timeout=3)
        await other.run("XADD", "s", "1-1", "f", "v")
        self.assertEqual(await waiting, [[b"s", [[b"1-1", [b"f", b"v"]]]]])

    async def test_our_own_pause_is_no_timeout(self) -> None:
        """When this process was stopped, the reply lies in the socket: a late timer looks there first."""
        clock = Clock()
        server = shared_redis()
        connection = self.start(server.url, clock=clock)
        await connection.when_connected()
        result = connection.run("PING")
        clock.advance(60)
        self.assertEqual(await result, b"PONG")
        self.assertTrue(connection.connected)

    async def test_hung_while_idle(self) -> None:
        """Pings notice a hung Redis when nobody asks it anything."""
        clock = Clock()
        server = self.own_redis()
        connection = self.start(server.url, clock=clock)
        await connection.when_connected()
        server.pause()
        clock.advance(5)
        self.assertTrue(connection.connected)
        clock.advance(3)
        self.assertFalse(connection.connected)
        server.resume()

    async def test_pings_keep_it(self) -> None:
        """Answered pings change nothing."""
        clock = Clock()
        server = shared_redis()
        connection = self.start(server.url, clock=clock)
        lost: list[None] = []
        connection.on_lost.append(lambda: lost.append(None))
        await connection.when_connected()
        for _ in range(10):
            clock.advance(5)
            await connection.run("PING")
        self.assertEqual(lost, [])

    async def test_no_reply(self) -> None:
        """What is no reply ends the connection, with whatever else has come behind it; the next one is well."""
        for nonsense in (b"?\r\n+PONG\r\n", b"HTTP/1.1 400\r\n", b"%1\r\n%1\r\n+a\r\n+b\r\n+c\r\n"):

            def answer(connection: FakeConnection, number: int, command: list[bytes], said: bytes = nonsense) -> None:
                connection.say(said if number == 1 else b"+PONG\r\n")

            fake = self.fake_redis(answer)
            connection = self.start(fake.url)
            await until(lambda: len(fake.connections) == 2 and connection.connected)  # noqa: B023
            self.assertEqual(await connection.run("PING"), b"PONG")

    async def test_unasked_reply(self) -> None:
        """After a reply that belongs to no command, none can be trusted: a new connection."""

        def answer(connection: FakeConnection, number: int, command: list[bytes]) -> None:
            connection.say(b"+PONG\r\n+PONG\r\n" if number == 1 else b"+PONG\r\n")

        fake = self.fake_redis(answer)
        connection = self.start(fake.url)
        await until(lambda: len(fake.connections) == 2 and connection.connected)
        self.assertEqual(await connection.run("PING"), b"PONG")


class Reconnecting(ConnectionCase):
    """It tries for ever, soon at first."""

    async def test_delays(self) -> None:
        """0.05 s, doubled each time up to one second, with jitter."""
        clock = Clock()
        connection = self.start("unix:///nowhere/redis.sock", clock=clock, jitter=lambda: 0.5)
        delays: list[float] = []
        for _ in range(8):
            await until(clock.getDelayedCalls)
            delays.append(round(clock.getDelayedCalls()[0].getTime() - clock.seconds(), 3))
            clock.advance(delays[-1])
        self.assertEqual(delays, [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1, 1])
        self.assertFalse(connection.connected)

    async def test_delays_grow_without_success(self) -> None:
        """A Redis that takes connections and hangs up is not hammered."""
        clock = Clock()
        fake = self.fake_redis(lambda connection, number, command: connection.hang_up())
        connection = self.start(fake.url, clock=clock, jitter=lambda: 0.5)
        delays: list[float] = []
        for turn in range(6):
            await until(lambda turn=turn: len(fake.connections) > turn)  # type: ignore[misc]
            await until(clock.getDelayedCalls)
            await until(lambda: len(clock.getDelayedCalls()) == 1)
            delays.append(round(clock.getDelayedCalls()[0].getTime() - clock.seconds(), 3))
            clock.advance(delays[-1])
        self.assertEqual(delays, [0.05, 0.1, 0.2, 0.4, 0.8, 1])
        self.assertFalse(connection.connected)

    async def test_login_interrupted(self) -> None:
        """A connection lost during AUTH or SELECT is a reason to try again, not to stop."""
        seen: list[tuple[int, list[bytes]]] = []

        def answer(connection: FakeConnection, number: int, command: list[bytes]) -> None:
            seen.append((number, command))
            if (number, command[0]) in ((1, b"AUTH"), (2, b"SELECT"), (3, b"PING")):
                connection.hang_up()
            else:
                connection.say(b"+OK\r\n")

        fake = self.fake_redis(answer)
        connection = self.start(fake.url.replace("://", "://me:secret@") + "/4")
        await connection.when_connected()
        self.assertEqual(
            [command for number, command in seen if number == 4],
            [[b"AUTH", b"me", b"secret"], [b"SELECT", b"4"], [b"PING"]],
        )

    async def test_login_refused_for_a_while(self) -> None:
        """A password that is not yet right is tried again."""
        server = self.own_redis()
        server.command("CONFIG", "SET", "requirepass", "other")
        connection = self.start(server.url.replace("://", "://:secret@"))
        await until(lambda: connection.failures >= 2)
        self.assertFalse(connection.connected)
        user = self.start(server.url.replace("://", "://:other@"))
        await user.when_connected()
        await user.run("CONFIG", "SET", "requirepass", "secret")
        await connection.when_connected()

    async def test_database(self) -> None:
        """The database of the URL is the one used."""
        server = shared_redis()
        connection = self.start(server.url + "?db=3")
        await connection.when_connected()
        await connection.run("SET", "key", "x")
        self.assertIsNone(server.command("GET", "key"))

    async def test_loading(self) -> None:
        """A Redis that still loads its data does not count as connected."""

        def answer(connection: FakeConnection, number: int, command: list[bytes]) -> None:
            connection.say(b"-LOADING wait\r\n" if number < 3 else b"+PONG\r\n")

        fake = self.fake_redis(answer)
        connection = self.start(fake.url)
        await connection.when_connected()
        self.assertEqual(len(fake.connections), 3)

    async def test_hooks(self) -> None:
        """Hooks run in order on every new connection before anybody else can use it."""
        server = self.own_redis()
        connection = Connection(parse_url(server.url))
        seen: list[str] = []

        async def first(wire: Pipeline) -> None:
            seen.append(f"first {connection.connected} {await wire.run('INCR', 'n')}")

        def second(wire: Pipeline) -> Deferred[None]:
            self.failureResultOf(connection.run("PING"), Unavailable)
            seen.append("second")
            return succeed(None)

        connection.prepare += [first, second]
        connection.on_connected.append(lambda: seen.append("connected"))
        connection.startService()
        self.addCleanup(connection.stopService)
        await connection.when_connected()
        server.restart()
        await until(lambda: len(seen) == 6)
        self.assertEqual(seen, ["first False 1", "second", "connected", "first False 2", "second", "connected"])

    async def test_failing_hook(self) -> None:
        """A failing hook drops the connection; the next one is tried."""
        connection = Connection(parse_url(shared_redis().url))
        attempts: list[Pipeline] = []

        def hook(wire: Pipeline) -> Deferred[None]:
            attempts.append(wire)
            if len(attempts) < 3:
                raise ValueError("not yet")
            return succeed(None)

        connection.prepare.append(hook)
        connection.startService()
        self.addCleanup(connection.stopService)
        await connection.when_connected()
        self.assertEqual([wire.closed for wire in attempts], [True, True, False])

    async def test_failing_listener(self) -> None:
        """A listener's mistake is logged and harms nobody else."""
        connection = Connection(parse_url(shared_redis().url))
        connection.on_connected.append(lambda: 1 / 0)  # type: ignore[arg-type]
        connection.startService()
        self.addCleanup(connection.stopService)
        await connection.when_connected()
        self.assertEqual(await connection.run("PING"), b"PONG")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_tcp_options(self) -> None:
        """No waiting for full packets; a peer that vanished is noticed by the kernel too."""
        fake = self.fake_redis(lambda connection, number, command: connection.say(b"+PONG\r\n"))
        connection = self.start(fake.url)
        wires: list[Pipeline] = []

        async def note(wire: Pipeline) -> None:
            wires.append(wire)

        connection.prepare.append(note)
        await connection.when_connected()
        self.assertTrue(wires[0].transport.getTcpNoDelay())
        self.assertTrue(wires[0].transport.getTcpKeepAlive())


class Stopping(ConnectionCase):
    """A stopped connection is gone."""

    async def test_in_flight_ends(self) -> None:
        """What was sent before the stop still has its reply."""
        server = shared_redis()
        connection = Connection(parse_url(server.url))
        connection.startService()
        await connection.when_connected()
        result = connection.run("INCR", "n")
        stopped = connection.stopService()
        self.failureResultOf(connection.run("INCR", "n"), Unavailable)
        await stopped
        self.assertEqual(await result, 1)
        self.assertEqual(server.command("GET", "n"), b"1")

    async def test_hung(self) -> None:
        """A hung Redis holds no stop up for longer than the timeout."""
        server = self.own_redis()
        connection = Connection(parse_url(server.url), timeout=0.2)
        connection.startService()
        await connection.when_connected()
        server.pause()
        result = connection.run("INCR", "n")
        blocked = connection.run("BLPOP", "list", 0, timeout=None)
        await connection.stopService()
        self.failureResultOf(result, Unknown)
        self.failureResultOf(blocked, Unknown)

    async def test_while_connecting(self) -> None:
        """Stopping fails the waiting callers, and no attempt continues."""
        connection = Connection(parse_url("unix:///nowhere/redis.sock"))
        connection.startService()
        waiting = connection.when_connected()
        given_up = connection.when_connected()
        given_up.addErrback(lambda _: None)
        given_up.cancel()
        await connection.stopService()
        self.failureResultOf(waiting, Unavailable)

    async def test_again(self) -> None:
        """A stopped connection may be started again."""
        connection = self.start(shared_redis().url)
        await connection.when_connected()
        await connection.stopService()
        connection.startService()
        await connection.when_connected()
        self.assertEqual(await connection.run("PING"), b"PONG")


class Tls(ConnectionCase):
    """With rediss:// the server must prove its name."""

    def certificate(self, name: str) -> Any:
        """A self-signed certificate and its key."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
        from twisted.internet.ssl import PrivateCertificate

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return PrivateCertificate.loadPEM(
            made.public_bytes(pem)
            + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def serve(self, certificate: Any) -> int:
        """A TLS port that answers every command with PONG."""
        fake = self.fake_redis(lambda connection, number, command: connection.say(b"+PONG\r\n"))
        port: Any = reactor.listenSSL(  # type: ignore[attr-defined]
            0, fake, certificate.options(), interface="127.0.0.1"
        )
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number

    async def test_trusted(self) -> None:
        """The right name, signed by who is trusted."""
        from twisted.internet.ssl import trustRootFromCertificates

        certificate = self.certificate("localhost")
        port = self.serve(certificate)
        connection = self.start(f"rediss://localhost:{port}", trust_root=trustRootFromCertificates([certificate]))
        await connection.when_connected()
        self.assertEqual(await connection.run("PING"), b"PONG")

    async def test_not_trusted(self) -> None:
        """Signed by nobody known: no connection."""
        port = self.serve(self.certificate("localhost"))
        connection = self.start(f"rediss://localhost:{port}")
        await until(lambda: connection.failures >= 2)
        self.assertFalse(connection.connected)

    async def test_other_name(self) -> None:
        """Trusted, but for another name: no connection."""
        from twisted.internet.ssl import trustRootFromCertificates

        certificate = self.certificate("db.example")
        port = self.serve(certificate)
        connection = self.start(f"rediss://localhost:{port}", trust_root=trustRootFromCertificates([certificate]))
        await until(lambda: connection.failures >= 2)
        self.assertFalse(connection.connected)
