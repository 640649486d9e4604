"""A question to the store from a command: whoever's Redis it is, it is asked, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.config.schema import Config, Redis
from fishchat.errors import Refusal
from fishchat.proof.processes import free_ports
from fishchat.services.launch.one_shot import ConsoleError, Notes, with_store
from fishchat.services.redis import program
from fishchat.services.redis.service import EmbeddedRedis
from fishchat.services.redis.visit import RedisVisit
from fishchat.services.running.errors import StartError
from fishchat.storage.redis import Connection
from fishchat.test.services.redis.test_tls import GateCase
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.user_runner import Commands
from fishchat.test.support.waiting import until


async def read(connection: Connection) -> Any:
    """The usual question."""
    return await connection.run("GET", "name")


class Case(TestCase):
    """A data directory, and a Redis in it that may be started."""

    timeout = 30
    #: Whether the command may begin a store.
    creates = True

    def setUp(self) -> None:
        self.server = RedisServer(start=False)
        self.addCleanup(self.server.close)
        self.data = self.server.data
        self.config = Config(data=str(self.data))

    def ask(self, work: Any = read, config: Config | None = None, patience: float = 10.0) -> Deferred[Any]:
        """Begin to, with whatever is wrong with Redis noted."""
        notes = Notes()
        globalLogPublisher.addObserver(notes)
        self.addCleanup(globalLogPublisher.removeObserver, notes)
        return ensureDeferred(with_store(config or self.config, work, reactor, notes, patience, creates=self.creates))

    async def refused(self, work: Any = read, config: Config | None = None, patience: float = 10.0) -> str:
        """Why it could not be asked."""
        error = await self.assertFailure(self.ask(work, config, patience), StartError)
        return str(error)

    def name(self) -> Any:
        """What the usual question is for; None as well while nobody answers."""
        try:
            return self.server.command("GET", "name")
        except OSError:
            return None

    def running(self) -> int | None:
        """The Redis that runs in the directory."""
        return program.running_process(self.data)


class Embedded(Case):
    """The Redis of the data directory."""

    async def test_started_and_ended(self) -> None:
        """Where none runs it is started, and has ended when the answer is there; the data stay."""

        async def write(connection: Connection) -> None:
            self.assertIsNotNone(self.running())
            await connection.run("SET", "name", "007")

        await self.ask(write)
        self.assertIsNone(self.running())
        self.assertEqual(await self.ask(), b"007")
        self.assertIsNone(self.running())

    async def test_of_a_server(self) -> None:
        """Where a role runs it, it is used and left alone."""
        role = EmbeddedRedis(self.config)
        role.startService()
        self.addCleanup(role.stopService)
        await role.ready()
        self.server.command("SET", "name", "007")
        self.assertEqual(await self.ask(), b"007")
        self.assertEqual(self.running(), role.pid)
        self.assertTrue(role.runs_it)

    async def test_of_nobody(self) -> None:
        """One that runs without any role looking after it is left alone as well."""
        self.server.start()
        self.assertIsNone(await self.ask())
        self.assertEqual(self.running(), self.server.pid)
        self.assertIsNone(await self.ask())

    async def test_role_comes_meanwhile(self) -> None:
        """A role that starts during a visit uses that Redis, and runs it when the visitor has gone."""
        waiting: Deferred[None] = Deferred()

        async def work(connection: Connection) -> None:
            await connection.run("SET", "name", "007")
            await waiting

        asked = self.ask(work)
        await until(self.running)
        role = EmbeddedRedis(self.config)
        role.startService()
        self.addCleanup(role.stopService)
        await role.ready()
        self.assertFalse(role.runs_it)
        waiting.callback(None)
        await asked
        await until(lambda: role.pid)
        await role.ready()
        self.assertEqual(self.server.command("GET", "name"), b"007")

    async def test_together(self) -> None:
        """Of several visitors the first one starts it, and ends it behind the last."""
        waiting: list[Deferred[str]] = [Deferred(), Deferred()]
        asked = []
        for one in waiting:

            async def work(connection: Connection, one: Deferred[str] = one) -> str:
                await connection.run("SET", "name", "007")
                answer = await one
                await connection.run("SET", "name", answer)
                return answer

            asked.append(self.ask(work))
            await until(lambda: self.name() == b"007")
            self.server.command("DEL", "name")
        waiting[0].callback("first")
        await until(lambda: self.name() == b"first")
        # The first one has its answer, and waits; a third one may still come.
        self.assertIsNotNone(await self.ask())
        self.assertNoResult(asked[0])
        waiting[1].callback("second")
        self.assertEqual(await asked[1], "second")
        self.assertEqual(await asked[0], "first")
        self.assertIsNone(self.running())

    async def test_refusal(self) -> None:
        """What the work refuses comes through as it is, and nothing is left running."""

        async def work(connection: Connection) -> None:
            raise Refusal("NOTFOUND")

        await self.assertFailure(self.ask(work), Refusal)
        self.assertIsNone(self.running())

    async def test_cannot_start(self) -> None:
        """A directory that cannot be used is told at once."""
        file = self.data / "file"
        file.touch()
        self.assertIn("is not a directory", await self.refused(config=Config(data=str(file))))

    async def test_damaged(self) -> None:
        """Redis' own last words are told when it does not come up; nothing is tried any more then."""
        self.server.start()
        self.server.command("SET", "name", "007")
        self.server.stop()
        [log] = [path for path in self.data.rglob("appendonly*.aof") if b"007" in path.read_bytes()]
        log.write_bytes(b"*3\r\n$3\r\nSET\r\nthis is no length\r\n" + log.read_bytes())
        told = await self.refused(patience=0.5)
        self.assertIn(f"no answer from Redis at unix://{self.data}/redis.sock for 0.5 seconds: Redis has ended", told)
        self.assertIn("Bad file format", told)
        self.assertIsNone(self.running())

    async def test_loading(self) -> None:
        """One that still loads its data is waited for, however long that takes."""
        answers = [b"-LOADING Redis is loading the dataset in memory\r\n"] * 20

        class Loading(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert self.transport is not None
                self.transport.write(answers.pop() if answers else b"+PONG\r\n")

        port: Any = reactor.listenUNIX(  # type: ignore[attr-defined]
            program.socket_path(self.data), Factory.forProtocol(Loading)
        )
        self.addCleanup(port.stopListening)
        visit = RedisVisit(self.config, reactor, 0.1)
        await visit.until_loaded()
        self.assertEqual(answers, [])


class Absent(Case):
    """A data directory in which no FishChat has ever run."""

    creates = False

    async def test_nothing_is_made(self) -> None:
        """Who reads or changes is told that there is nothing, and how to name another directory."""
        never = self.data / "never"
        for data in (self.data, never):
            before = set(self.data.iterdir())
            told = await self.refused(config=Config(data=str(data)))
            self.assertIn(f"there is no FishChat in {data}, and nothing was made there", told)
            self.assertIn("name it with --data DIR or FISHCHAT__DATA", told)
            self.assertEqual(set(self.data.iterdir()), before)

    async def test_there(self) -> None:
        """A store exists once a FishChat has run on it, or an account was added; it does not matter what started it."""
        self.creates = True
        await self.ask()
        self.creates = False
        self.assertIsNone(await self.ask())
        self.server.start()
        self.assertIsNone(await self.ask())

    async def test_closed(self) -> None:
        """Of a directory that this user may not enter nobody knows whether there is one."""
        self.patch(os, "access", lambda *_: False)
        self.assertIn("cannot write to the directory", await self.refused())


class External(Case):
    """A Redis that the configuration names."""

    def setUp(self) -> None:
        super().setUp()
        self.server.start()
        self.config = Config(data=str(self.data / "none"), redis=Redis(url=self.server.url))
        self.addCleanup(self.is_left)

    def is_left(self) -> None:
        """It goes on running, and no data directory was made."""
        self.assertIsNotNone(self.running())
        self.assertFalse((self.data / "none").exists())

    async def test_asked(self) -> None:
        """It is asked, and that is all."""
        self.server.command("SET", "name", "007")
        self.assertEqual(await self.ask(), b"007")

    async def test_settings(self) -> None:
        """One that does not keep what was promised is not used, and it is told what to change."""
        self.server.command("CONFIG", "SET", "appendfsync", "everysec")
        told = await self.refused()
        self.assertIn("appendfsync is everysec, must be always: CONFIG SET appendfsync always", told)

    async def test_refuses(self) -> None:
        """What Redis refuses is told in its own words."""

        async def work(connection: Connection) -> None:
            await connection.run("HGET", "name")

        error = await self.assertFailure(self.ask(work), ConsoleError)
        self.assertIn("Redis refused the command: ERR wrong number of arguments", str(error))

    async def test_goes_away(self) -> None:
        """When it goes away in the middle nobody knows whether it was done; what comes behind was not."""

        async def work(connection: Connection) -> None:
            asked = connection.run("BLPOP", "nothing", 0, timeout=5)
            connection.drop("as if it were killed")
            await asked

        error = await self.assertFailure(self.ask(work), ConsoleError)
        self.assertIn("the command may have taken effect", str(error))

        async def later(connection: Connection) -> None:
            connection.drop("as if it were killed")
            await read(connection)

        error = await self.assertFailure(self.ask(later), ConsoleError)
        self.assertIn("run it again", str(error))

    async def test_away(self) -> None:
        """One that is not there is waited for a while, and then it is told why."""
        [port] = free_ports(1)
        config = Config(redis=Redis(url=f"redis://user:secret@127.0.0.1:{port}"))
        told = await self.refused(config=config, patience=1.0)
        self.assertIn(f"no answer from Redis at redis://127.0.0.1:{port}/0 for 1 seconds: Connection was refused", told)
        self.assertNotIn("secret", told)

    async def test_hangs(self) -> None:
        """One that says nothing, too."""
        self.server.pause()
        self.addCleanup(self.server.resume)
        self.assertIn("no answer from Redis", await self.refused(patience=0.3))


class Tls(GateCase):
    """An external Redis by TLS."""

    async def test_asked(self) -> None:
        """It is asked through TLS, with the certificate that it wants to see; one it does not trust is told why."""
        self.redis.command("SET", "name", "007")
        url = f"rediss://localhost:{self.port}"
        config = Config(redis=Redis(url=url, **self.files))  # type: ignore[arg-type]
        self.assertEqual(await with_store(config, read, reactor, Notes()), b"007")
        config = Config(redis=Redis(url=url, authority="/no/such/ca.pem"))
        error = await self.assertFailure(ensureDeferred(with_store(config, read, reactor, Notes())), StartError)
        self.assertIn("redis.authority: /no/such/ca.pem", str(error))


class Whole(Commands):
    """A whole process."""

    def setUp(self) -> None:
        self.server = RedisServer(start=False)
        self.addCleanup(self.server.close)
        self.data = self.server.data

    async def test_refused(self) -> None:
        """What is wrong is one line, without a traceback, and the exit status is 1."""
        self.server.start()
        self.server.stop()
        self.assertIn("/no/such/redis", await self.refused("list", env={"FISHCHAT_REDIS_SERVER": "/no/such/redis"}))

    async def test_interrupted(self) -> None:
        """Ctrl+C ends it while it waits for a Redis that says nothing."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            silent.setblocking(False)
            url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
            running = self.start("list", env={"FISHCHAT__REDIS__URL": url})
            await until(lambda: self.accepted(silent))
            running.signal(signal.SIGINT)
            said = await running.ended
        self.assertEqual((said.status, said.out), (1, ""))
        self.assertTrue(said.err.endswith("Aborted!\n"), said.err)
        self.assertNotIn("Traceback", said.err)

    def accepted(self, listener: socket.socket) -> bool:
        """Whether somebody has connected, who is kept until the end of the test."""
        try:
            self.addCleanup(listener.accept()[0].close)
        except BlockingIOError:
            return False
        return True


class Noting(SynchronousTestCase):
    """What the log says meanwhile."""

    def test_the_last_of_the_worst(self) -> None:
        """A warning is not forgotten for what is less, and information is no trouble."""
        notes = Notes()
        log = Logger(observer=notes)
        log.debug("Redis: {error}", error="refused.")
        self.assertEqual(notes.trouble, "refused")
        log.critical("{text}", text="it has ended")
        log.debug("Redis: {error}", error="refused again")
        log.info("started")
        self.assertEqual(notes.trouble, "it has ended")
