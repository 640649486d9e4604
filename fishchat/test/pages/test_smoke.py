"""The package as a user installs it: built, installed into a fresh environment, run as real processes and daemons."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredQueue, ensureDeferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from fishchat import __version__
from fishchat.client import Client, Message
from fishchat.proof.monitor import heard_by_monitor, heard_of
from fishchat.proof.processes import HERE, MISSING, command_line
from fishchat.proof.site import Place, Up
from fishchat.protocols.lines import MAX_OUT, LineSplitter
from fishchat.services.redis import program
from fishchat.test.support.waiting import until
from fishchat.testing.conversation_runner import CONVERSATIONS, play

SOURCE = Path(HERE)
PLUGINS = ("fishchat", "fishchat-gateway", "fishchat-manager", "fishchat-monitor", "fishchat-msg", "fishchat-router")
#: Names as the monitor shows them, and the plugins that run under them.
DAEMONS = {
    "monitor": "fishchat-monitor",
    "manager": "fishchat-manager",
    "router": "fishchat-router",
    "gateway": "fishchat-gateway",
    "ms1": "fishchat-msg",
    "ms2": "fishchat-msg",
}
TWISTD = "from twisted.scripts.twistd import run; run()"

#: Two people at two msg_servers, one of them away for a while.
CONVERSATION = "offline-delivery.txt"

_installed: Path | None = None


def installed() -> Path:
    """The ``bin`` of an environment in which FishChat is installed and its dependencies are those of this one.

    Made once for all tests here, removed when the process ends.
    """
    global _installed
    if _installed is None:
        place = Path(tempfile.mkdtemp(prefix="fc-smoke-", dir="/tmp"))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        _installed = _install(place)
    return _installed


def _install(place: Path) -> Path:
    # A copy, since a build leaves its traces in the sources.
    ignore = shutil.ignore_patterns("__pycache__", "dropin.cache")
    for name in ("fishchat", "twisted", "build_web"):
        shutil.copytree(SOURCE / name, place / "source" / name, ignore=ignore)
    for path in SOURCE.iterdir():
        if path.suffix in (".py", ".toml", ".md", ".in") or path.name == "LICENSE":
            shutil.copy(path, place / "source")
    quiet: Any = {"check": True, "capture_output": True, "cwd": place, "env": _environment()}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], **quiet)
    python = place / "venv" / "bin" / "python"
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True, **quiet
    ).stdout.strip()
    # Of a directory on the path the .pth files are not read, so a checkout that is installed in there is not found.
    Path(purelib, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", *_isolation(), str(place / "source")]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", *options]
    result = subprocess.run(pip, capture_output=True, cwd=place, env=_environment(), text=True, check=False)
    assert result.returncode == 0, result.stderr
    return python.parent


def _isolation() -> list[str]:
    """How pip is to build: with what is here, when that can build a wheel; else it fetches what it needs."""
    for name in ("setuptools.command.bdist_wheel", "wheel"):
        try:
            if importlib.util.find_spec(name):
                return ["--no-build-isolation"]
        except ImportError:
            continue
    return []


def _environment() -> dict[str, str]:
    """This process' environment, in which no checkout is on the path."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


async def when_gone(pid: int) -> None:
    """Return when this process has ended; one that only waits for its parent to notice has no command line."""
    await until(lambda: not any(command_line(pid)))


class _Wire(Protocol):
    def __init__(self) -> None:
        self.heard: DeferredQueue[bytes | None] = DeferredQueue()
        self._splitter = LineSplitter(MAX_OUT)

    def dataReceived(self, data: bytes) -> None:
        for line in self._splitter.feed(data):
            self.heard.put(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.heard.put(None)


class SocketTalker:
    """A ``Talker`` of a conversation on a real socket."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    def send(self, data: bytes) -> None:
        """Write it."""
        self._wire.transport.write(data)

    async def hear(self, seconds: float) -> bytes | None:
        """The next line, None at the end of the connection."""
        line: bytes | None = await self._wire.heard.get().addTimeout(seconds, reactor)
        return line

    def drop(self) -> None:
        """Close it."""
        self._wire.transport.abortConnection()


def scenario(method: Callable[[Any], Coroutine[Any, Any, None]]) -> Callable[[Any], Deferred[None]]:
    """A test written as a coroutine."""

    def test(self: Any) -> Deferred[None]:
        return ensureDeferred(method(self))

    test.__doc__ = method.__doc__
    return test


class Case(TestCase):
    timeout = 60
    skip = MISSING or ("" if (SOURCE / "setup.py").exists() else "needs the sources, to install them") or None

    def setUp(self) -> None:
        self.bin = installed()
        self.place = Place()
        self.addCleanup(self.place.close)
        self.environment = {key: value for key, value in self.place.environment().items() if key != "PYTHONPATH"}

    def run_python(self, *arguments: str) -> str:
        """What the installed Python says with these arguments; it must end with code 0."""
        command = [str(self.bin / "python"), *arguments]
        told = subprocess.run(
            command, env=self.environment, cwd=self.place.data, capture_output=True, text=True, check=False
        )
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        return told.stdout

    async def client(self, account: str, number: int, got: list[str] | None = None) -> Client:
        """A client of the first or second msg_server, which adds texts that it is handed to ``got``."""
        port = self.place.msg_server + number - 1
        client = Client(account, servers=[f"127.0.0.1:{port}"], reactor=reactor)
        self.addCleanup(client.stop)

        def handed(message: Message) -> None:
            if got is not None:
                got.append(message.text)

        client.on_message = handed
        await client.start()
        return client


class InstalledTests(Case):
    def test_version(self) -> None:
        """The command is there, says its version, and is the installed one, not the checkout."""
        told = subprocess.run(
            [self.bin / "fishchat", "--version"], env=self.environment, capture_output=True, text=True, check=True
        )
        self.assertEqual(told.stdout, f"fishchat {__version__}\n")
        where = self.run_python("-c", "import fishchat; print(fishchat.__file__)").strip()
        self.assertTrue(where.startswith(str(self.bin.parent)), where)

    def test_plugins(self) -> None:
        """twistd lists all six, and each of them can be loaded."""
        told = self.run_python("-c", TWISTD, "--help")
        listed = {line.split()[0] for line in told.splitlines() if line.strip()}
        self.assertEqual({word for word in listed if word.startswith("fishchat")}, set(PLUGINS))
        for plugin in PLUGINS:
            self.assertIn("--config", self.run_python("-c", TWISTD, plugin, "--help"))

    def test_files_that_are_not_python(self) -> None:
        """The store's scripts and the tests' conversations are installed."""
        package = self.run_python("-c", "import fishchat; print(fishchat.__path__[0])").strip()
        for pattern in ("features/*/*.lua", "storage/*/*.lua", "testing/conversations/*"):
            names, here = (
                {path.relative_to(place).as_posix() for path in place.glob(pattern)}
                for place in (Path(package), SOURCE / "fishchat")
            )
            self.assertEqual(names, here)
            self.assertTrue(names)


class DaemonTests(Case):
    """Each role as a daemon of its own, as an init script would run it."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.end)

    def pidfile(self, name: str) -> Path:
        """Where a daemon's process number stands."""
        return self.place.data / f"twistd-{name}.pid"

    def pid(self, name: str) -> int:
        """A daemon's process number."""
        return int(self.pidfile(name).read_text())

    def start(self, name: str) -> None:
        """Returns when the daemon has started its services."""
        if name in ("ms1", "ms2"):
            port = self.place.msg_server + int(name[2:]) - 1
            self.environment["FISHCHAT__MSG_SERVER__ID"] = name
            self.environment["FISHCHAT__MSG_SERVER__LISTEN"] = f"127.0.0.1:{port}"
        log = str(self.place.data / f"{name}.log")
        options = ["--pidfile", str(self.pidfile(name)), "--logfile", log, "--umask", "077"]
        self.run_python("-c", TWISTD, *options, DAEMONS[name], "--data", str(self.place.data))

    def end(self) -> None:
        """Nothing is left, whatever a test did."""
        for path in self.place.data.glob("twistd-*.pid"):
            pid = int(path.read_text() or 0)
            if pid and any(word.startswith("fishchat-") for word in command_line(pid)):
                os.kill(pid, signal.SIGKILL)

    def redis(self) -> int | None:
        """The process number of Redis."""
        return program.running_process(self.place.data)

    async def all_alive(self, seconds: float) -> None:
        """Return when the monitor has heard of these very processes."""
        wanted = {name: self.pid(name) for name in DAEMONS}
        await heard_of(reactor, self.place.monitor, lambda heard: wanted.items() <= heard.items(), seconds)

    async def connect(self, server: str) -> SocketTalker:
        """For the conversation."""
        port = self.place.msg_server + int(server[2:]) - 1
        return SocketTalker(await HostnameEndpoint(reactor, "127.0.0.1", port).connect(Factory.forProtocol(_Wire)))

    @scenario
    async def test_daemons(self) -> None:
        """They find each other, carry a conversation, stand every kill, and end cleanly, Redis last."""
        for name in DAEMONS:
            self.start(name)
        await self.all_alive(seconds=10)
        for name, plugin in DAEMONS.items():
            self.assertIn(plugin, command_line(self.pid(name)))
        await play(CONVERSATIONS / CONVERSATION, self.connect)
        await self.kill_each()
        await self.stop_each()

    async def kill_each(self) -> None:
        """Within five seconds after each kill and start all are known, and a message crosses both servers."""
        got: list[str] = []
        carol = await self.client("carol", 1)
        await self.client("dave", 2, got)
        for name in DAEMONS:
            pid = self.pid(name)
            os.kill(pid, signal.SIGKILL)
            await when_gone(pid)
            # twistd takes a process that has ended, but that the system's first one has not waited for, for running.
            self.pidfile(name).unlink()
            self.start(name)
            begun = reactor.seconds()
            await self.all_alive(seconds=5)
            await carol.send("dave", name)
            await until(partial(got.__contains__, name))
            self.assertLess(reactor.seconds() - begun, 5.0, f"after {name} was killed")
        self.assertEqual(got, list(DAEMONS))

    async def stop_each(self) -> None:
        """SIGTERM ends each; its pidfile goes with it, and Redis with the last."""
        for name in reversed(DAEMONS):
            self.assertIsNotNone(self.redis(), f"before {name} has ended")
            pid = self.pid(name)
            os.kill(pid, signal.SIGTERM)
            await when_gone(pid)
            self.assertFalse(self.pidfile(name).exists())
            # Another daemon takes Redis over if this one ran it.
            if name != next(iter(DAEMONS)):
                await until(self.redis, seconds=5)
        self.assertIsNone(self.redis())


class ForegroundTests(Case):
    def popen(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """A process whose output goes to a file, killed at the end if it is still there."""
        with open(self.place.data / "output", "ab") as output:
            process = subprocess.Popen(command, env=self.environment, cwd=self.place.data, stdout=output, stderr=output)

        def end() -> None:
            process.kill()
            process.wait()

        self.addCleanup(end)
        return process

    @scenario
    async def test_twist(self) -> None:
        """``twist fishchat`` runs all roles in one process, and SIGTERM ends it and its Redis."""
        command = ["-m", "twisted", "fishchat", "--data", str(self.place.data)]
        process = self.popen([str(self.bin / "python"), *command])
        wanted = {"gateway", "manager", "monitor", "router"}
        await heard_of(reactor, self.place.monitor, lambda heard: wanted <= heard.keys(), 10)
        heard = await heard_by_monitor(reactor, self.place.monitor)
        self.assertEqual(len(heard), 5)
        self.assertEqual(set(heard.values()), {process.pid})
        client = await self.client("alice", 1)
        self.assertTrue(await client.send("alice", "to myself"))
        await client.stop()
        process.terminate()
        await until(lambda: process.poll() is not None)
        # It ends itself by the signal that it was ended by.
        self.assertIn(process.returncode, (0, -signal.SIGTERM))
        self.assertIsNone(program.running_process(self.place.data))

    @scenario
    async def test_up(self) -> None:
        """``fishchat up --processes`` ends with code 0 on SIGTERM; the next one has all that was said."""
        said: list[str] = []
        for text in ("one", "two"):
            up = Up(self.place, [str(self.bin / "fishchat")], self.environment)
            self.addCleanup(up.kill)
            await up.when_alive(reactor)
            client = await self.client("alice", 1)
            await self.client("bob", 2)
            await client.send("bob", text)
            said.append(text)
            self.assertEqual([one.text for one in await client.history("alice+bob")], said)
            self.assertEqual(await up.stop(reactor), 0, up.output())
            self.assertIsNone(program.running_process(self.place.data))
            self.assertNotIn("Traceback", up.output())
