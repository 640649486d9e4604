"""The embedded Redis: shared by roles, kept alive, adopted, and ended by the one that runs it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

import fishchat
from fishchat.config import paths
from fishchat.config.paths import redis_url, socket_path
from fishchat.config.schema import Config, Redis
from fishchat.services.redis import program
from fishchat.services.redis.memory import half_of_memory
from fishchat.services.redis.probe import ask
from fishchat.services.redis.service import EmbeddedRedis
from fishchat.services.running.directory import take_lock
from fishchat.services.running.errors import ProgramError
from fishchat.test.support.redis_fixture import RedisServer, executables
from fishchat.test.support.waiting import until

HOLDER = """
import sys
from twisted.internet import reactor
from fishchat.config.schema import Config
from fishchat.services.redis.service import EmbeddedRedis
redis = EmbeddedRedis(Config(data=sys.argv[1]))
redis.startService()
redis.ready().addCallback(lambda _: print(redis.pid, flush=True))
reactor.run()
"""


class Case(TestCase):
    """Gives out data directories whose sockets have short paths, and ends whatever runs in them."""

    timeout = 20

    def setUp(self) -> None:
        self.server = RedisServer(start=False)
        self.addCleanup(self.server.close)
        self.data = self.server.data

    def service(self, data: Path | None = None, clock: Any = None) -> EmbeddedRedis:
        """One that is not started; it is stopped with the test."""
        service = EmbeddedRedis(Config(data=str(data or self.data)), reactor, clock)
        self.addCleanup(lambda: service.stopService() if service.running else None)
        return service

    def started(self, data: Path | None = None) -> EmbeddedRedis:
        """One that is started."""
        service = self.service(data)
        service.startService()
        return service

    def use(self, executable: str) -> None:
        """Let this server be run, whatever else is installed."""
        self.patch(os, "environ", {**os.environ, "FISHCHAT_REDIS_SERVER": executable})

    def critical(self) -> list[str]:
        """What is logged as critical from now on."""
        texts: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if event.get("log_level") is not None and event["log_level"].name == "critical":
                texts.append(str(event.get("text")))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return texts


def scenario(method: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Deferred[None]]:
    """A test written as a coroutine."""

    def test(self: Case) -> Deferred[None]:
        return ensureDeferred(method(self))

    test.__doc__ = method.__doc__
    return test


class TornTests(Case):
    """Redis' log ends in the midst of something, as after a loss of power."""

    @scenario
    async def test_nothing_of_a_torn_transaction_comes_back(self) -> None:
        """What a script wrote is there as a whole or not at all, wherever the log was cut, and stays so."""
        for executable in executables():
            self.use(executable)
            for cut in (1, 20, 70):
                service = self.started()
                await service.ready()
                await self.write(service, "whole")
                await self.write(service, "torn")
                await service.stopService()
                path = self.newest()
                os.truncate(path, path.stat().st_size - cut)
                for _ in range(2):
                    service = self.started()
                    await service.ready()
                    await self.write(service, "next")
                    await service.stopService()
                service = self.started()
                await service.ready()
                for key in ("first", "second"):
                    (found,) = await ask(reactor, reactor, service.path, ("LRANGE", key, "0", "-1"))
                    self.assertEqual(found, [b"whole", b"next", b"next"], (executable, cut, key))
                await service.stopService()
                shutil.rmtree(self.data / "appendonlydir", ignore_errors=True)
                (self.data / "appendonly.aof").unlink(missing_ok=True)

    async def write(self, service: EmbeddedRedis, word: str) -> None:
        """Two commands in one transaction."""
        script = "redis.replicate_commands() for i = 1, 2 do redis.call('RPUSH', KEYS[i], ARGV[1]) end"
        await ask(reactor, reactor, service.path, ("EVAL", script, "2", "first", "second", word))

    def newest(self) -> Path:
        """What Redis appends to."""
        return next((self.data / "appendonlydir").glob("*.incr.aof"), self.data / "appendonly.aof")


class RunningTests(Case):
    @scenario
    async def test_runs_with_the_settings_that_the_promises_need(self) -> None:
        """Each known server runs on a private unix socket only, syncs every write, and evicts nothing."""
        for executable in executables():
            self.use(executable)
            service = self.started()
            await service.ready()
            wanted = {
                "port": b"0",
                "appendonly": b"yes",
                "appendfsync": b"always",
                "no-appendfsync-on-rewrite": b"no",
                "aof-load-truncated": b"yes",
                "save": b"",
                "maxmemory-policy": b"noeviction",
                "stream-node-max-bytes": b"1024",
                "maxmemory": str(half_of_memory()).encode(),
            }
            for name, value in wanted.items():
                self.assertEqual(self.server.command("CONFIG", "GET", name)[1], value, name)
            self.assertEqual(stat.S_IMODE(os.stat(service.path).st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(os.stat(self.data).st_mode), 0o700)
            await service.stopService()

    @scenario
    async def test_everysec(self) -> None:
        """The other durability class is handed to Redis."""
        service = EmbeddedRedis(Config(data=str(self.data), redis=Redis(durability="everysec")))
        service.startService()
        await service.ready()
        self.assertEqual(self.server.command("CONFIG", "GET", "appendfsync")[1], b"everysec")
        await service.stopService()

    @scenario
    async def test_stop_ends_redis_and_keeps_the_data(self) -> None:
        """When stopService has fired the process is gone; the next start has everything."""
        service = self.started()
        await service.ready()
        self.server.command("SET", "name", "007")
        await service.stopService()
        self.assertIsNone(program.running_process(self.data))
        service = self.started()
        await service.ready()
        self.assertEqual(self.server.command("GET", "name"), b"007")

    @scenario
    async def test_killed_redis_comes_back(self) -> None:
        """A Redis that dies is started again, with its data, and the log says so."""
        told = self.critical()
        service = self.started()
        await service.ready()
        self.server.command("SET", "name", "007")
        before = service.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await until(lambda: service.pid not in (None, before))
        await service.ready()
        self.assertEqual(self.server.command("GET", "name"), b"007")
        self.assertIn("Redis has ended", told[0])

    @scenario
    async def test_paused_redis_is_killed_at_the_end(self) -> None:
        """One that does not end within ten seconds is killed; the waiting goes by the given clock."""
        clock = Clock()
        service = self.service(clock=clock)
        service.startService()

        def is_there() -> bool:
            clock.advance(0.02)
            return (self.data / "redis.sock").exists()

        await until(is_there)
        assert service.pid is not None
        os.kill(service.pid, signal.SIGSTOP)
        stopped = service.stopService()
        clock.advance(9)
        self.assertNoResult(stopped)
        clock.advance(2)
        await stopped
        self.assertIsNone(program.running_process(self.data))

    @scenario
    async def test_external_redis(self) -> None:
        """With an URL in the configuration nothing is started or made."""
        config = Config(data=str(self.data / "none"), redis=Redis(url="redis://127.0.0.1:1"))
        service = EmbeddedRedis(config)
        service.startService()
        await service.ready()
        await service.stopService()
        self.assertFalse((self.data / "none").exists())
        self.assertEqual(redis_url(config), "redis://127.0.0.1:1")

    @scenario
    async def test_long_path(self) -> None:
        """In a directory whose path is too long for a socket Redis runs nevertheless."""
        data = self.data / ("long" * 30)
        service = self.started(data)
        await service.ready()
        self.assertLess(len(service.path), 100)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(service.path)).st_mode), 0o700)
        await service.stopService()
        os.unlink(os.path.dirname(service.path))


class SharingTests(Case):
    @scenario
    async def test_the_second_one_uses_the_first_ones(self) -> None:
        """Of two roles one runs Redis; when it stops, the other one takes over within a second."""
        first, second = self.started(), self.started()
        await first.ready()
        await second.ready()
        self.assertTrue(first.runs_it)
        self.assertFalse(second.runs_it)
        self.server.command("SET", "name", "007")
        await first.stopService()
        await until(lambda: second.pid)
        await second.ready()
        self.assertEqual(self.server.command("GET", "name"), b"007")

    @scenario
    async def test_the_second_one_ends_nothing(self) -> None:
        """Stopping a role that does not run Redis leaves Redis alone."""
        first, second = self.started(), self.started()
        await first.ready()
        await second.stopService()
        self.assertEqual(program.running_process(self.data), first.pid)

    @scenario
    async def test_adopts_what_a_killed_role_left(self) -> None:
        """A Redis that runs already in the directory is taken over: not doubled, and watched."""
        self.server.start()
        left = self.server.pid
        service = self.started()
        await until(lambda: service.pid)
        self.assertEqual(service.pid, left)
        self.server.kill()
        await until(lambda: service.pid not in (None, left))
        await service.ready()

    @scenario
    async def test_ends_what_it_adopted(self) -> None:
        """The adopted Redis ends with the role that adopted it."""
        self.server.start()
        service = self.started()
        await until(lambda: service.pid)
        stopped = service.stopService()
        # It is this process' child, which must be waited for as its parent would.
        await until(lambda: program.running_process(self.data) is None)
        await stopped
        self.server.stop()

    @scenario
    async def test_adopts_one_that_was_started_by_hand(self) -> None:
        """A Redis without our lock that answers on the socket, with our directory, is adopted too."""
        arguments = program.command(executables()[-1], self.data, "fsync")[6:]
        byhand = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        self.addCleanup(byhand.wait)
        await until((self.data / "redis.sock").exists)
        service = self.started()
        await until(lambda: service.pid)
        self.assertEqual(service.pid, byhand.pid)
        stopped = service.stopService()
        await until(lambda: byhand.poll() is not None)
        await stopped

    @scenario
    async def test_killed_holder_leaves_nothing(self) -> None:
        """After kill -9 of the role that runs Redis, Redis ends too (Linux)."""
        environment = {**os.environ, "PYTHONPATH": str(Path(fishchat.__file__).parent.parent)}
        arguments = [sys.executable, "-c", HOLDER, str(self.data)]
        with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            pid = int(holder.stdout.readline())
            self.assertEqual(program.running_process(self.data), pid)
            holder.kill()
        await until(lambda: program.running_process(self.data) is None)

    if sys.platform != "linux":
        test_killed_holder_leaves_nothing.skip = "only Linux tells a child of its parent's death"  # type: ignore


class ReadyTests(Case):
    @scenario
    async def test_loading_is_not_ready(self) -> None:
        """A Redis that answers but still loads its data is not ready yet."""
        answers = [b"-LOADING Redis is loading the dataset in memory\r\n"] * 3 + [b"+PONG\r\n"]

        class Loading(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert self.transport is not None
                self.transport.write(answers.pop(0))

        port = reactor.listenUNIX(  # type: ignore[attr-defined]
            socket_path(self.data), Factory.forProtocol(Loading)
        )
        self.addCleanup(port.stopListening)
        await self.service().ready()
        self.assertEqual(answers, [])


class TroubleTests(Case):
    def refused(self, data: Path) -> str:
        """The text of the refusal to start there."""
        return str(self.assertRaises(ProgramError, self.service(data).startService))

    def test_not_a_directory(self) -> None:
        """A file in the way is named, and what to do."""
        file = self.data / "file"
        file.touch()
        for path in (file, file / "below"):
            self.assertIn(f"{path} is not a directory", self.refused(path))
            self.assertIn("--data", self.refused(path))

    def test_open_to_others(self) -> None:
        """Somebody's directory with other things in it is neither used nor changed."""
        (self.data / "photo.jpg").touch()
        self.data.chmod(0o755)
        self.assertIn("chmod 700", self.refused(self.data))
        self.assertEqual(stat.S_IMODE(self.data.stat().st_mode), 0o755)

    def test_of_another_user(self) -> None:
        """A directory, or a link to one, that belongs to somebody else is refused."""
        os.chown(self.data, 12345, -1)
        self.assertIn("belongs to user 12345", self.refused(self.data))

    if os.geteuid() != 0:
        test_of_another_user.skip = "only root can give a directory away"  # type: ignore[attr-defined]

    def test_no_server(self) -> None:
        """A server that does not exist is a refusal at once, and the directory stays free."""
        self.use("/no/such/redis-server")
        self.assertIn("/no/such/redis-server", self.refused(self.data))
        lock = take_lock(self.data / "redis.lock")
        assert lock is not None
        os.close(lock)

    def test_data_of_a_newer_server(self) -> None:
        """A 6.2 would not see the data of a 7 and start empty, so it is not started."""
        old = [path for path in executables() if (program.version(path) or (9, 9)) < (7, 0)]
        self.use(old[0])
        (self.data / "appendonlydir").mkdir()
        self.assertIn("was written by Redis 7 or newer", self.refused(self.data))

    if all((program.version(path) or (0, 0)) >= (7, 0) for path in executables()):
        test_data_of_a_newer_server.skip = "no server older than 7 here"  # type: ignore[attr-defined]

    @scenario
    async def test_damaged_data(self) -> None:
        """Redis' own last words are told, and it is tried again, ever later."""
        told = self.critical()
        self.server.start()
        self.server.command("SET", "name", "007")
        self.server.stop()
        [log] = [path for path in self.data.rglob("appendonly*.aof") if b"007" in path.read_bytes()]
        log.write_bytes(b"*3\r\n$3\r\nSET\r\nthis is no length\r\n" + log.read_bytes())
        service = self.started()
        await until(lambda: len(told) >= 2)
        self.assertIn("Bad file format reading the append only file", told[0])
        self.assertIn(str(self.data), told[0])
        await service.stopService()


class FindingTests(SynchronousTestCase):
    def test_socket_is_inside_when_it_fits(self) -> None:
        """A short path keeps the socket with the data."""
        self.assertEqual(socket_path(Path("/srv/chat")), "/srv/chat/redis.sock")

    def test_socket_of_a_long_path(self) -> None:
        """The socket is in the data directory, whatever its path: a long one is reached through a short link.

        So it is found by another name of the directory, and by processes with another temporary directory.
        """
        top = Path(self.mktemp()).resolve()
        long, other = (top / (letter * 90) for letter in "xy")
        long.mkdir(parents=True)
        (top / "short").symlink_to(long)
        self.patch(os, "environ", {**os.environ, "TMPDIR": "/no/such/directory"})
        path = socket_path(long)
        self.assertLess(len(path), 100)
        self.assertEqual(os.path.realpath(path), str(long / "redis.sock"))
        self.assertNotEqual(path, socket_path(other))
        with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
            listening.bind(path)
            listening.listen()
            client.connect(path)
        self.assertTrue((top / "short" / "redis.sock").exists())

    def test_no_link(self) -> None:
        """Where the place of the links belongs to others, the start is refused with the reason."""
        place = Path(self.mktemp()).resolve()
        self.patch(paths, "_LINKS", str(place / "links"))
        place.mkdir()
        Path(f"{place / 'links'}-{os.geteuid()}").mkdir(mode=0o700)
        os.chmod(f"{place / 'links'}-{os.geteuid()}", 0o777)
        long = place / ("x" * 90)
        self.assertEqual(socket_path(long), str(long / "redis.sock"))
        redis = EmbeddedRedis(Config(data=str(long)), reactor)
        self.assertIn("choose a shorter one", str(self.assertRaises(ProgramError, redis.startService)))

    def test_url_survives_odd_paths(self) -> None:
        """What would mean something in an URL is escaped."""
        config = msgspec.structs.replace(Config(), data="/srv/a b?c")
        self.assertEqual(redis_url(config), "unix:///srv/a%20b%3Fc/redis.sock")

    def test_the_newer_one_on_path_is_preferred(self) -> None:
        """An old server in front of a new one on PATH does not hide it."""
        place = Path(self.mktemp()).absolute()
        for name, version in (("old", "6.2.1"), ("new", "7.2.1")):
            (place / name).mkdir(parents=True)
            script = place / name / "redis-server"
            script.write_text(f"#!/bin/sh\necho Redis server v={version} sha=0\n")
            script.chmod(0o755)
        self.patch(os, "environ", {"PATH": f"{place / 'old'}:{place / 'new'}:{os.defpath}"})
        self.assertEqual(program.find_executable(), str(place / "new" / "redis-server"))
