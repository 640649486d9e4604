"""Redis itself, asked directly: what the store holds, and what is to be done with its log."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any

import hiredis

from fishchat.proof.bench.crowd import BenchError

#: Seconds for an answer, and for a rewriting of the log.
PATIENCE, REWRITING = 60.0, 300.0

# Its stub knows tuples of one word only.
_pack: Any = hiredis.pack_command


class Store:
    """One connection. What it cannot do is a BenchError, its end an OSError."""

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
        """Nothing can be asked any more."""
        self._socket.close()

    def say(self, *words: bytes | str | int) -> None:
        """Send a command; ``hear`` gives the replies, in the order of the commands."""
        self._socket.sendall(_pack(words))

    def hear(self) -> Any:
        """The next reply."""
        while (reply := self._reader.gets()) is False:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._reader.feed(data)
        if isinstance(reply, hiredis.ReplyError):
            raise BenchError(f"Redis refuses: {reply}")
        return reply

    def ask(self, *words: bytes | str | int) -> Any:
        """The reply to one command."""
        self.say(*words)
        return self.hear()

    def info(self, section: str) -> dict[str, str]:
        """What Redis says of itself."""
        told = self.ask("INFO", section).decode()
        return dict(line.split(":", 1) for line in told.splitlines() if ":" in line)


@dataclass(frozen=True)
class Stored:
    """Bytes of memory, of the log, and of the log when it was written anew; the messages that were ever stored."""

    memory: int
    log: int
    rewritten: int
    messages: int


def keep_log(store: Store) -> None:
    """From now on the log is written anew only when ``rewrite`` says so, not in the middle of a measurement."""
    store.ask("CONFIG", "SET", "auto-aof-rewrite-percentage", 0)


def rewrite(store: Store) -> None:
    """Write the log anew, and wait until that is done. BenchError when it takes too long."""
    store.ask("BGREWRITEAOF")
    deadline = time.monotonic() + REWRITING
    while "1" in _rewriting(store.info("persistence")):
        if time.monotonic() > deadline:
            raise BenchError(f"Redis has written its log anew for {REWRITING:g} s, and has not ended")
        time.sleep(0.05)


def _rewriting(persistence: dict[str, str]) -> set[str]:
    return {persistence[f"aof_rewrite_{state}"] for state in ("in_progress", "scheduled")}


def look_at(store: Store) -> Stored:
    """What it holds at the moment."""
    persistence = store.info("persistence")
    added = store.info("commandstats").get("cmdstat_xadd", "calls=0")
    return Stored(
        int(store.info("memory")["used_memory"]),
        int(persistence["aof_current_size"]),
        int(persistence["aof_base_size"]),
        int(added.partition(",")[0].removeprefix("calls=")),
    )
