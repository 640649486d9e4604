"""Direct access to Redis: the content of the store, and the time when its file is rewritten."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any

import hiredis

from fishchat.proof.bench.crowd import BenchError

#: Seconds for an answer, and for rewriting the file.
PATIENCE, REWRITING = 60.0, 300.0

# Its stub knows tuples of one word only.
_pack: Any = hiredis.pack_command


class Store:
    """One connection. BenchError when a command is refused, OSError when the connection ends."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._reader = hiredis.Reader()
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def say(self, *words: bytes | str | int) -> None:
        """Send a command; ``hear`` returns the replies in the order of the commands."""
        self._socket.sendall(_pack(words))

    def hear(self) -> Any:
        """Return the next reply."""
        while (reply := self._reader.gets()) is False:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._reader.feed(data)
        if isinstance(reply, hiredis.ReplyError):
            raise BenchError(f"Redis refuses: {reply}")
        return reply

    def ask(self, *words: bytes | str | int) -> Any:
        """Return the reply to one command."""
        self.say(*words)
        return self.hear()

    def info(self, section: str) -> dict[str, str]:
        """Return a section of what Redis reports about itself."""
        told = self.ask("INFO", section).decode()
        return dict(line.split(":", 1) for line in told.splitlines() if ":" in line)


@dataclass(frozen=True)
class Stored:
    """Bytes of memory, of the file, and of the file when it was rewritten; the messages that were ever stored."""

    memory: int
    log: int
    rewritten: int
    messages: int


def keep_log(store: Store) -> None:
    """Have Redis rewrite its file only for ``rewrite``, and not during a measurement."""
    store.ask("CONFIG", "SET", "auto-aof-rewrite-percentage", 0)


def rewrite(store: Store) -> None:
    """Rewrite the file, and wait until that is done. BenchError when it takes too long."""
    store.ask("BGREWRITEAOF")
    deadline = time.monotonic() + REWRITING
    while "1" in _rewriting(store.info("persistence")):
        if time.monotonic() > deadline:
            raise BenchError(f"Redis has not rewritten its file within {REWRITING:g} s")
        time.sleep(0.05)


def _rewriting(persistence: dict[str, str]) -> set[str]:
    return {persistence[f"aof_rewrite_{state}"] for state in ("in_progress", "scheduled")}


def look_at(store: Store) -> Stored:
    """Return what it holds at the moment."""
    persistence = store.info("persistence")
    added = store.info("commandstats").get("cmdstat_xadd", "calls=0")
    return Stored(
        int(store.info("memory")["used_memory"]),
        int(persistence["aof_current_size"]),
        int(persistence["aof_base_size"]),
        int(added.partition(",")[0].removeprefix("calls=")),
    )
