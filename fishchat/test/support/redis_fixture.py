"""A real Redis for tests: temporary, on a unix socket, always ended with the test process.

The fixture is synchronous on purpose: Redis starts in some 40 ms, and a test need not wait for a Deferred.
Use ``shared_redis``; a separate ``RedisServer`` is for tests that kill or configure it.
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

# The stub only allows tuples of one word.
_pack: Any = hiredis.pack_command

#: Seconds that a start or a stop may take before the test fails.
_PATIENCE = 10.0


class RedisServer:
    """One Redis in its own temporary directory, running when the constructor returns.

    ``path`` is its socket, ``url`` the address for the store, ``data`` its directory. The data survive
    ``kill``, ``stop`` and ``restart``; ``close`` and the end of the process remove them.
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
        """The process number, None if Redis does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start Redis and wait until it answers with all of its data loaded."""
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
        """Stop Redis as an operator does: everything is on disk."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill Redis at once, like a crash."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop Redis if it runs, and start it on the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Suspend Redis: connections stay open, nothing is answered."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a suspended Redis."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop Redis and remove its data."""
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.data, ignore_errors=True)

    def command(self, *words: bytes | str | int) -> Any:
        """Send one command on a separate connection and return the reply: bytes, int, list or None.

        An error reply is raised as ``hiredis.ReplyError``. The call blocks: it is for checking the effects of a test.
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
        # A suspended process does not handle SIGTERM.
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_shared: RedisServer | None = None
_executables: list[str] | None = None


def shared_redis() -> RedisServer:
    """Return the Redis that all tests of this process share, running and empty. Call this in every ``setUp``.

    A test that kills or suspends it need not repair it: the next caller finds it running. Changed settings stay.
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
    """Return the Redis executables for script tests: bundled and on PATH, each version once, oldest first."""
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
