"""A real Redis for tests: throwaway, on a unix socket, ended with the test process whatever happens.

Synchronous on purpose: it is up in some 40 ms, and a test that starts it need not wait for a Deferred.
``shared_redis`` is the one to use; a ``RedisServer`` of its own is for tests that kill or configure it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import hiredis

from fishchat.services.redis import program
from fishchat.storage.settings import LEAST, Durability

# Its stub knows tuples of one word only.
_pack: Any = hiredis.pack_command

#: Seconds that a start or a stop may take before the test fails.
_PATIENCE = 10.0


class RedisServer:
    """One Redis in a temporary directory of its own, running when the constructor returns.

    ``path`` is its socket, ``url`` what the store connects to, ``data`` its directory. The data outlive
    ``kill``, ``stop`` and ``restart``; ``close`` removes them (as the end of the process does).
    """

    def __init__(
        self,
        executable: str | None = None,
        durability: Durability = "fsync",
        *,
        start: bool = True,
    ) -> None:
        self.executable = executable or executables()[-1]
        self.durability = durability
        # Not the default temporary directory: a socket's path must be short.
        self.data = Path(tempfile.mkdtemp(prefix="fc-", dir="/tmp"))
        self.path = program.socket_path(self.data)
        self.url = "unix://" + self.path
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        if start:
            self.start()

    @property
    def pid(self) -> int | None:
        """The process number, None when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers, all of its data loaded."""
        assert self._process is None, "it runs"
        arguments = program.command(self.executable, self.data, self.durability)
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                log = self.data / "redis.log"
                told = log.read_text()[-2000:] if log.exists() else ""
                self.kill()
                raise RuntimeError(f"Redis did not start (exit {ended}): {told}")
            time.sleep(0.003)

    def stop(self) -> None:
        """End it as a service would be: everything is on disk."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, like a crash."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it and remove its data."""
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.data, ignore_errors=True)

    def command(self, *words: bytes | str | int) -> Any:
        """Send one command on a connection of its own and give back the reply: bytes, int, list or None.

        An error reply is raised as ``hiredis.ReplyError``. It waits: for looking at what a test did.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(self.path)
            connection.sendall(_pack(words))
            reader = hiredis.Reader()
            while (reply := reader.gets()) is False:
                data = connection.recv(65536)
                if not data:
                    raise ConnectionError("Redis closed the connection")
                reader.feed(data)
        if isinstance(reply, hiredis.ReplyError):
            raise reply
        return reply

    def _answers(self) -> bool:
        try:
            return bool(self.command("PING") == b"PONG")
        except (OSError, hiredis.ReplyError):
            return False

    def _end(self, signum: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signum)
        # A paused process takes no SIGTERM.
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_shared: RedisServer | None = None
_executables: list[str] | None = None


def shared_redis() -> RedisServer:
    """The Redis that all tests of this process share, running and empty. Call it in every ``setUp``.

    A test that kills or pauses it repairs nothing: the next caller finds it running. Changed settings stay.
    """
    global _shared
    if _shared is None:
        _shared = RedisServer()
    elif _shared.pid is None:
        _shared.start()
    else:
        _shared.resume()
    _shared.command("FLUSHALL")
    _shared.command("SCRIPT", "FLUSH")
    return _shared


def executables() -> list[str]:
    """The servers that script tests run on: bundled and on PATH, each version once, oldest first."""
    global _executables
    if _executables is None:
        override = os.environ.get("FISHCHAT_REDIS_SERVER")
        known: dict[tuple[int, int], str] = {}
        for path in ([override] if override else []) + program.candidates():
            number = program.version(path)
            if number is not None and number >= LEAST:
                known.setdefault(number, path)
        _executables = [known[number] for number in sorted(known)]
        if not _executables:
            raise RuntimeError(str(program.find_executable()))
    return _executables
