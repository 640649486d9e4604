"""``fishchat up`` starts everything, keeps it running, and ends it in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

import fishchat
from fishchat.cli.up import up
from fishchat.config.schema import Config, Log
from fishchat.services.launch.layout import RoleProcess, stages
from fishchat.services.launch.processes import Processes
from fishchat.services.launch.up import UpLock, wait_for_ports
from fishchat.services.net.listen import ListenError
from fishchat.services.redis import program
from fishchat.services.running import logfiles
from fishchat.services.running.errors import StartError
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.waiting import until

HERE = str(Path(fishchat.__file__).parent.parent)

#: A role that listens, and notes its start and its end in a file.
ROLE = """
import os, sys
from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from fishchat.services.running.lifeline import with_lifeline
from fishchat.services.net.listen import Listener
name, notes, address = sys.argv[1:]
def note(text):
    with open(notes, "a") as file:
        file.write(f"{text} {name} {os.getpid()}\\n")
role = MultiService()
Listener(address, Factory.forProtocol(Protocol), "gateway.listen").setServiceParent(role)
role = with_lifeline(role)
role.privilegedStartService()
role.startService()
reactor.callWhenRunning(note, "start")
reactor.addSystemEventTrigger("after", "shutdown", note, "stop")
reactor.run()
"""

#: ``fishchat up`` with such roles: as processes, or as services of its own.
UP = """
import os, sys
from twisted.application.service import Service
from twisted.internet.protocol import Factory, Protocol
from fishchat.config.schema import Config, Gateway, Monitor, MsgServer, Web
from fishchat.services.net.listen import Listener
from fishchat.services.launch.layout import RoleProcess, stages
from fishchat.services.launch.processes import Processes
from fishchat.services.launch.up import run
data, gateway, notes, script, kind = sys.argv[1:]
def role(name, address):
    return RoleProcess(name, [sys.executable, "-c", script, name, notes, address], {"FISHCHAT_LIFELINE": "stdin"})
class Noting(Service):
    def stopService(self):
        super().stopService()
        with open(notes, "a") as file:
            file.write(f"stop {self.name} {os.path.exists(data + '/redis.sock')}\\n")
def make(config):
    if kind == "processes":
        return [
            Processes([role("router", "127.0.0.1:0")]),
            Processes([role("gateway", gateway), role("ms1", "127.0.0.1:0")]),
        ]
    router = Noting()
    router.setName("router")
    return [router, Listener(gateway, Factory.forProtocol(Protocol), "gateway.listen")]
config = Config(
    data=data,
    gateway=Gateway(listen=gateway),
    msg_server=MsgServer(listen="127.0.0.1:0"),
    monitor=Monitor(listen="127.0.0.1:0"),
    web=Web(listen=""),
)
run(config, make=make, say=lambda text: print(text, flush=True))
"""


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Case(TestCase):
    timeout = 40

    def setUp(self) -> None:
        server = RedisServer(start=False)
        self.addCleanup(server.close)
        self.data = server.data
        self.notes = self.data / "notes"
        self.notes.touch()
        self.gateway = f"127.0.0.1:{free_port()}"

    def noted(self) -> list[list[str]]:
        """What the roles noted: start or stop, name, process."""
        return [line.split() for line in self.notes.read_text().splitlines()]

    def pids(self, name: str) -> list[int]:
        """The processes that a role has had."""
        return [int(pid) for what, who, pid in self.noted() if (what, who) == ("start", name)]

    def run_up(self, kind: str) -> subprocess.Popen[bytes]:
        """The command in a process of its own, killed at the end if it is still there."""
        output = open(self.data / "output", "ab")  # noqa: SIM115
        self.addCleanup(output.close)
        process = subprocess.Popen(
            [sys.executable, "-c", UP, str(self.data), self.gateway, str(self.notes), ROLE, kind],
            env={**os.environ, "PYTHONPATH": HERE},
            stdout=output,
            stderr=output,
        )

        def end() -> None:
            process.kill()
            process.wait()

        self.addCleanup(end)
        return process

    def output(self) -> str:
        """All that it told so far."""
        return (self.data / "output").read_text()


def scenario(method: Any) -> Any:
    """A test written as a coroutine."""

    def test(self: Case) -> Deferred[None]:
        return ensureDeferred(method(self))

    test.__doc__ = method.__doc__
    return test


class RunTests(Case):
    @scenario
    async def test_one_process(self) -> None:
        """It says how to talk to it, and ends on SIGINT with code 0, roles before Redis."""
        process = self.run_up("one")
        await until(lambda: "FishChat is running" in self.output())
        self.assertIn("MSG bob hello", self.output())
        self.assertIn(self.gateway, self.output())
        self.assertIn(str(self.data), self.output())
        process.send_signal(signal.SIGINT)
        await until(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 0, self.output())
        self.assertEqual(self.noted(), [["stop", "router", "True"]])
        self.assertIsNone(program.running_process(self.data))
        self.assertNotIn("Traceback", self.output())

    @scenario
    async def test_taken_port(self) -> None:
        """A port that is taken is one clear line and exit code 1; nothing is left running."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            self.gateway = f"127.0.0.1:{other.getsockname()[1]}"
            process = self.run_up("one")
            await until(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(len(self.output().splitlines()), 1, self.output())
        self.assertIn(f"cannot listen on {self.gateway}", self.output())
        self.assertIn("`gateway.listen`", self.output())
        self.assertIsNone(program.running_process(self.data))

    @scenario
    async def test_second_up_is_refused(self) -> None:
        """Another one in the same directory is told which process has it."""
        first = self.run_up("one")
        await until(lambda: "FishChat is running" in self.output())
        second = self.run_up("one")
        await until(lambda: second.poll() is not None)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"another `fishchat up` (process {first.pid})", self.output())

    @scenario
    async def test_processes_stop_in_order(self) -> None:
        """On SIGTERM those with clients end first, then who carries their messages; all by themselves."""
        process = self.run_up("processes")
        await until(lambda: "FishChat is running" in self.output() and len(self.noted()) == 3)
        process.terminate()
        await until(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 0, self.output())
        stopped = [name for what, name, _ in self.noted() if what == "stop"]
        self.assertEqual(sorted(stopped[:2]), ["gateway", "ms1"])
        self.assertEqual(stopped[2:], ["router"])

    @scenario
    async def test_start_after_kill_nine(self) -> None:
        """After kill -9 of the command the next one is up within five seconds, whatever was left behind."""
        process = self.run_up("processes")
        await until(lambda: "FishChat is running" in self.output())
        process.kill()
        process.wait()
        again = self.run_up("processes")
        await until(lambda: self.output().count("FishChat is running") == 2, seconds=5)
        again.terminate()
        await until(lambda: again.poll() is not None)
        self.assertEqual(again.returncode, 0, self.output())


class ProcessesTests(Case):
    def role(self, name: str, program: str = ROLE) -> RoleProcess:
        """One that notes what happens to it."""
        arguments = [sys.executable, "-c", program, name, str(self.notes), "127.0.0.1:0"]
        return RoleProcess(name, arguments, {"PYTHONPATH": HERE})

    @scenario
    async def test_killed_role_comes_back(self) -> None:
        """A role that is killed is started again as another process."""
        service = Processes([self.role("router")], reactor)
        service.startService()
        await until(lambda: self.pids("router"))
        os.kill(self.pids("router")[0], signal.SIGKILL)
        await until(lambda: len(self.pids("router")) == 2)
        await service.stopService()
        self.assertEqual(self.noted()[-1][0], "stop")

    @scenario
    async def test_last_words(self) -> None:
        """The terminal shows why a role ended at once: the last line that it printed."""
        told: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if event["log_level"] >= LogLevel.warn:
                told.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        refused = "raise SystemExit('one line\\ncannot listen on 127.0.0.1:1: in use')"
        service = Processes([self.role("ms2", refused)], reactor)
        service.startService()
        await until(lambda: told)
        await service.stopService()
        self.assertEqual(told[0], "ms2 ended with code 1; restarting it: cannot listen on 127.0.0.1:1: in use")

    @scenario
    async def test_stop_without_any(self) -> None:
        """Stopping fires at once when nothing runs."""
        service = Processes([], reactor)
        service.startService()
        await service.stopService()

    @scenario
    async def test_one_that_does_not_end_is_killed(self) -> None:
        """After killTime SIGKILL ends what ignores SIGTERM, and only then stopService fires."""
        deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + (
            "import os, sys; open(sys.argv[2], 'a').write(f'start {sys.argv[1]} {os.getpid()}\\n');signal.pause()"
        )
        service = Processes([self.role("deaf", deaf)], reactor)
        service.killTime = 0.1
        service.startService()
        await until(lambda: self.pids("deaf"))
        await service.stopService()
        self.assertRaises(ProcessLookupError, os.kill, self.pids("deaf")[0], 0)


class LockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        self.data.mkdir()

    def test_one_at_a_time(self) -> None:
        """The second one is refused with the first one's process, until that lets go."""
        first, second = UpLock(self.data), UpLock(self.data)
        self.assertFalse(first.take())
        self.assertIn(f"kill {os.getpid()}", str(self.assertRaises(StartError, second.take)))
        first.release()
        self.assertFalse(second.take())
        second.release()

    def test_tells_of_a_bad_end(self) -> None:
        """Who was killed leaves its number behind; the next one knows that roles may be left."""
        (self.data / "up.lock").write_text("12345\n")
        lock = UpLock(self.data)
        self.assertTrue(lock.take())
        lock.release()

    def test_waits_for_a_port_and_says_so(self) -> None:
        """A port that comes free in time is waited for; the person is told once."""
        with socket.socket() as left:
            left.bind(("127.0.0.1", 0))
            left.listen()
            address = f"127.0.0.1:{left.getsockname()[1]}"
            told: list[str] = []

            def say(text: str) -> None:
                told.append(text)
                left.close()

            wait_for_ports([(address, "gateway.listen")], 5, say)
        self.assertEqual(len(told), 1)
        self.assertIn(address, told[0])

    def test_does_not_wait_without_reason(self) -> None:
        """Without patience a taken port is refused at once."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assertRaises(ListenError, wait_for_ports, [(address, "gateway.listen")], 0, self.fail)


class CommandTests(SynchronousTestCase):
    def test_bad_configuration(self) -> None:
        """What cannot be used is told with its place, before anything is started."""
        result = CliRunner().invoke(up, ["--config", "/no/such/file.toml"])
        self.assertEqual(result.exit_code, 1)
        self.assertIn("/no/such/file.toml", result.output)


class LogTests(SynchronousTestCase):
    def test_level(self) -> None:
        """A log file contains the lines of its level and above; those for finding defects only when asked for."""
        for level, wanted in (("debug", "dbg inf wrn"), ("info", "inf wrn"), ("warn", "wrn"), ("error", "")):
            path = Path(self.mktemp())
            log = Logger(observer=logfiles.file_observer(path, level))
            log.debug("dbg")
            log.info("inf")
            log.warn("wrn")
            self.assertEqual(" ".join(line.split()[-1] for line in path.read_text().splitlines()), wanted)

    def test_level_of_a_role(self) -> None:
        """The roles of `--processes` have the level of the configuration."""
        config = Config(log=Log(level="warn"))
        self.assertEqual(stages(config)[0][0].environment[logfiles.LEVEL], "warn")

    def test_no_control_characters(self) -> None:
        """What a peer sent cannot control the terminal of who reads the log."""
        self.assertEqual(logfiles.escaped("a\x1b[2J\u202eb\tc\nd 鱼"), "a\\x1b[2J\\u202eb\tc\nd 鱼")
        self.assertEqual(logfiles.escaped("token=fct_abcdefghij0123 x fci_AAAA-BBBB_c"), "token=fct_*** x fci_***")
