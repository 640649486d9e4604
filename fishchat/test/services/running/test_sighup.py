"""SIGHUP reads the certificate again, in every process that is there; when the terminal is gone it is the end."""

from __future__ import annotations

import datetime
import os
import pty
import signal
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.proof.processes import HERE, MISSING, free_ports
from fishchat.proof.site import Place, Up
from fishchat.services.net.authority import server_pair
from fishchat.services.running import sighup
from fishchat.services.running.sighup import EVERY, Hangup
from fishchat.test.support.tls_fixture import HOSTS, authority, write_pair
from fishchat.test.support.waiting import until

TWISTD = "from twisted.scripts.twistd import run; run()"


class SignalTests(TestCase):
    """The service alone, in this process."""

    def setUp(self) -> None:
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.reloads = 0

    def reload(self) -> None:
        """Counted."""
        self.reloads += 1

    async def test_reloads(self) -> None:
        """Each signal is one reload, made in the reactor's turn."""
        service = Hangup(self.reload, reactor)
        service.startService()
        for count in (1, 2):
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda count=count: self.reloads == count)  # type: ignore[misc]
        await self.stopped(service)

    async def stopped(self, service: Hangup) -> None:
        """Once stopped it ignores the signal, and does not let it end the process."""
        service.stopService()
        before = self.reloads
        os.kill(os.getpid(), signal.SIGHUP)
        await deferToThread(lambda: None)
        self.assertEqual(self.reloads, before)


class ProcessCase(TestCase):
    """Real processes with a port for TLS and a pair in their data directory."""

    timeout = 60
    skip = MISSING or None

    def setUp(self) -> None:
        self.place = Place()
        self.addCleanup(self.place.close)
        self.tls = self.place.data / "tls"
        self.tls.mkdir()
        self.serial = self.replace()
        self.msg_tls, self.gateway_tls = free_ports(2)
        self.environment = self.place.environment(
            PYTHONPATH=HERE,
            FISHCHAT__MSG_SERVER__LISTEN_TLS=f"127.0.0.1:{self.msg_tls}",
            FISHCHAT__GATEWAY__LISTEN_TLS=f"127.0.0.1:{self.gateway_tls}",
        )

    def replace(self) -> int:
        """Another pair; its serial number."""
        made = server_pair(authority().pair, HOSTS, datetime.datetime.now(datetime.timezone.utc))
        write_pair(self.tls, "server", made)
        return x509.load_pem_x509_certificate(made.certificate).serial_number

    async def shown(self, port: int) -> int:
        """The serial number of the certificate that a port shows, 0 while nobody listens there."""

        def ask() -> int:
            try:
                text = ssl.get_server_certificate(("127.0.0.1", port), ca_certs=str(authority().ca), timeout=5)
            except ConnectionRefusedError:
                return 0
            return x509.load_pem_x509_certificate(text.encode()).serial_number

        number: int = await deferToThread(ask)
        return number

    async def when_shown(self, port: int, serial: int) -> None:
        """Return when a port shows this one."""
        for _ in range(2000):
            if await self.shown(port) == serial:
                return
        raise AssertionError("another certificate is shown")

    def popen(self, command: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        """A process whose output goes to a file, killed at the end if it is still there."""
        with open(self.place.data / "output", "ab") as output:
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **more}
            process = subprocess.Popen([sys.executable, "-c", *command], env=self.environment, cwd="/", **streams)

        def end() -> None:
            process.kill()
            process.wait()

        self.addCleanup(end)
        return process

    def output(self) -> str:
        """All that was said so far."""
        return (self.place.data / "output").read_text("utf-8", "replace")


class Reactor(Clock):
    """A clock that can be stopped as a reactor."""

    stopped = False

    def stop(self) -> None:
        """Note it."""
        self.stopped = True


class TerminalTests(SynchronousTestCase):
    """Looking at the terminal, by the group that is in its foreground."""

    group: int | None = None

    def begin(self, group: int | None) -> tuple[Hangup, Reactor]:
        """Start the service with this group in the foreground; None for no terminal."""
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))
        self.patch(sighup, "_foreground_group", lambda _: self.group)
        self.group = group
        clock = Reactor()
        service = Hangup(lambda: None, clock)
        service.startService()
        self.addCleanup(service.stopService)
        return service, clock

    def test_foreground(self) -> None:
        """In the foreground the end of the terminal is the end of the process."""
        _, clock = self.begin(os.getpgrp())
        clock.advance(EVERY)
        self.assertFalse(clock.stopped)
        self.group = None
        clock.advance(EVERY)
        self.assertTrue(clock.stopped)

    def test_background(self) -> None:
        """A process that was put into the background outlives its terminal."""
        _, clock = self.begin(os.getpgrp())
        self.group = os.getpgrp() + 1
        clock.advance(EVERY)
        self.group = None
        clock.advance(EVERY)
        self.assertFalse(clock.stopped)

    def test_daemon(self) -> None:
        """Without a terminal nothing is looked at, and nothing ends."""
        service, clock = self.begin(None)
        self.assertEqual(clock.getDelayedCalls(), [])
        service._hung_up()
        self.assertFalse(clock.stopped)

    def test_nohup(self) -> None:
        """A process that ignores the signal from its start outlives its terminal, too."""
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.patch(sighup, "_foreground_group", lambda _: os.getpgrp())
        clock = Reactor()
        service = Hangup(lambda: None, clock)
        service.startService()
        self.assertEqual(clock.getDelayedCalls(), [])
        service.stopService()


class TwistdTests(ProcessCase):
    """One process under ``twistd``, whose reactor has signal handlers of its own."""

    async def test_reload(self) -> None:
        """The new pair is shown, a bad one is not; the process goes on, and ends on SIGTERM as ever."""
        process = self.popen([TWISTD, "-n", "--pidfile=", "fishchat", "--data", str(self.place.data)])
        await self.when_shown(self.msg_tls, self.serial)
        new = self.replace()
        process.send_signal(signal.SIGHUP)
        await self.when_shown(self.msg_tls, new)
        await self.when_shown(self.gateway_tls, new)
        (self.tls / "server.key").write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        await until(lambda: "the certificate in use stays" in self.output())
        self.assertEqual(await self.shown(self.msg_tls), new)
        process.terminate()
        await self.when_ended(process)

    async def when_ended(self, process: subprocess.Popen[bytes]) -> None:
        """Return when it has ended as it should, though ``twistd`` then ends itself by the signal."""
        await until(lambda: process.poll() is not None)
        self.assertIn(process.returncode, (0, -signal.SIGTERM), self.output())
        self.assertIn("Server Shut Down", self.output())

    async def test_without_tls(self) -> None:
        """A role that shows no certificate is not ended by the signal either."""
        process = self.popen([TWISTD, "-n", "--pidfile=", "fishchat-router", "--data", str(self.place.data)])
        await until(lambda: "Redis started" in self.output())
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        await self.when_ended(process)

    async def test_refused_redis(self) -> None:
        """A file for a Redis by TLS that is not there is told in the same way."""
        self.environment["FISHCHAT__REDIS__URL"] = "rediss://localhost"
        self.environment["FISHCHAT__REDIS__AUTHORITY"] = "/no/such/file"
        process = self.popen([TWISTD, "-n", "--pidfile=", "fishchat-router", "--data", str(self.place.data)])
        await until(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 1)
        self.assertIn("redis.authority: /no/such/file cannot be read", self.output().splitlines()[-1])
        self.assertNotIn("Traceback", self.output())

    async def test_refused_start(self) -> None:
        """Without a pair it says what to do, in one line and without a traceback."""
        (self.tls / "server.pem").unlink()
        process = self.popen([TWISTD, "-n", "--pidfile=", "fishchat-msg", "--data", str(self.place.data)])
        await until(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 1)
        self.assertIn("create a new pair with `fishchat cert server HOST`", self.output().splitlines()[-1])
        self.assertNotIn("Traceback", self.output())


class UpTests(ProcessCase):
    """``fishchat up``."""

    UP = "from fishchat.cli import main; main()"

    async def test_terminal(self) -> None:
        """While its terminal is there SIGHUP is a reload; when the terminal is closed it ends, properly."""
        number, follower = pty.openpty()
        leader = os.fdopen(number, "rb", buffering=0)
        self.addCleanup(leader.close)
        # In a session of its own, whose terminal this is.
        process = self.popen(
            [
                "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n" + self.UP,
                "up",
                "--data",
                str(self.place.data),
            ],
            stdin=follower,
            start_new_session=True,
        )
        os.close(follower)
        await until(lambda: "FishChat is running" in self.output())
        new = self.replace()
        process.send_signal(signal.SIGHUP)
        await self.when_shown(self.msg_tls, new)
        leader.close()
        await until(lambda: process.poll() is not None)
        self.assertEqual(process.returncode, 0, self.output())
        self.assertIn("FishChat has stopped.", self.output())

    async def begin_under_a_leader(self, more: str) -> tuple[Any, subprocess.Popen[bytes], int]:
        """Start it under a session leader that waits for it instead of ending with its terminal, as `make` does.

        Returns the other end of the terminal, the leader, and the process number of FishChat.
        """
        number, follower = pty.openpty()
        terminal = os.fdopen(number, "rb", buffering=0)
        self.addCleanup(terminal.close)
        words = f"[sys.executable, '-c', {self.UP!r}, 'up', '--data', {str(self.place.data)!r}]"
        script = [
            "import fcntl, signal, subprocess, sys, termios",
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0)",
            "signal.signal(signal.SIGHUP, lambda *_: None)",
            f"process = subprocess.Popen({words}, {more})",
            "print('child', process.pid, flush=True)",
            "sys.exit(process.wait())",
        ]
        leader = self.popen(["\n".join(script)], stdin=follower, start_new_session=True)
        os.close(follower)
        await until(lambda: "FishChat is running" in self.output(), seconds=20)
        return terminal, leader, int(self.output().split("child ")[1].split()[0])

    async def when_stopped(self, leader: subprocess.Popen[bytes]) -> None:
        """Return when it has stopped in order."""
        await until(lambda: leader.poll() is not None, seconds=20)
        self.assertEqual(leader.returncode, 0, self.output())
        self.assertIn("FishChat has stopped.", self.output())

    async def test_leader_that_waits(self) -> None:
        """It notices by itself that its terminal was closed: such a leader passes no signal on."""
        terminal, leader, _ = await self.begin_under_a_leader("")
        terminal.close()
        await self.when_stopped(leader)

    async def test_session_of_its_own(self) -> None:
        """After `setsid` the terminal is not its own: it goes on without it, and SIGHUP is a reload."""
        terminal, leader, pid = await self.begin_under_a_leader("start_new_session=True")
        terminal.close()
        new = self.replace()
        os.kill(pid, signal.SIGHUP)
        await self.when_shown(self.msg_tls, new)
        os.kill(pid, signal.SIGTERM)
        await self.when_stopped(leader)

    async def test_processes(self) -> None:
        """With a process for each role all of them read it again, and none is ended by it."""
        up = Up(self.place, environment=self.environment)
        self.addCleanup(up.kill)
        await up.when_alive(reactor)
        for port in (self.msg_tls, self.msg_tls + 1, self.gateway_tls):
            self.assertEqual(await self.shown(port), self.serial)
        before, new = up.running(), self.replace()
        up.process.send_signal(signal.SIGHUP)
        for port in (self.msg_tls, self.msg_tls + 1, self.gateway_tls):
            await self.when_shown(port, new)
        self.assertEqual(up.running(), before)
        said = up.output()
        command = f"openssl s_client -quiet -crlf -alpn fishchat/1 -connect 127.0.0.1:{self.msg_tls}"
        self.assertIn(command, said)
        self.assertEqual(await up.stop(reactor), 0)

    async def test_refused_start(self) -> None:
        """A pair that cannot be used is told at once, not by roles that start again and again."""
        (self.tls / "server.key").chmod(0o644)
        text = await self.refusal()
        self.assertIn(f"`chmod 600 {self.tls / 'server.key'}`", text)

    async def test_refused_redis(self) -> None:
        """So are the files for a Redis by TLS."""
        self.environment["FISHCHAT__REDIS__URL"] = "rediss://localhost"
        self.environment["FISHCHAT__REDIS__AUTHORITY"] = "/no/such/file"
        self.assertIn("redis.authority: /no/such/file cannot be read", await self.refusal())

    async def refusal(self) -> str:
        """What it says, in one line after the first one, when it ends at once; no role was started."""
        up = Up(self.place, environment=self.environment)
        self.addCleanup(up.kill)
        await until(lambda: up.process.poll() is not None)
        self.assertEqual(up.process.returncode, 1)
        self.assertEqual(len(up.output().splitlines()), 2, up.output())
        self.assertEqual(list(Path(self.place.data).glob("*.log")), [])
        return up.output()
