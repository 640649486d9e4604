"""The state that a program keeps across restarts to send and receive each message exactly once."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

#: A file that is mounted alone; a directory in which this program may create nothing.
_NOT_REPLACEABLE = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS)


class SavedSend(msgspec.Struct, frozen=True, omit_defaults=True):
    """A send without an ``OK``. With a number, it may be stored.

    ``reply`` and ``mention`` are tags of a message. An operation on a message is kept as its ``line``; ``to`` is then
    the conversation, and ``text`` is empty.
    """

    to: str
    text: str
    cseq: int | None = None
    reply: str | None = None
    mention: list[str] | None = None
    line: str | None = None


class ClientState(msgspec.Struct):
    """The saved state of one device: plain values, by conversation.

    ``counters``: the next number to send under. ``sends``: the sends without an ``OK``, in order. ``done``: the last
    message handled. ``ahead``: runs above it that need no delivery, namely the device's own messages and messages
    handled out of order. ``behind``: ranges of numbers that were not pushed and are not handled yet. ``token``: the
    login token of the device; anyone who has it can log in as this device.
    """

    account: str
    device: str = "main"
    counters: dict[str, int] = {}
    sends: list[SavedSend] = []
    done: dict[str, str] = {}
    ahead: dict[str, list[tuple[str, str]]] = {}
    behind: dict[str, list[tuple[int, int]]] = {}
    token: str | None = None

    def __repr__(self) -> str:
        # Neither the token nor unsent texts belong in a log.
        return f"ClientState({self.account!r}, {self.device!r}, …)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("account", self.account), ("device", self.device)]

    def to_json(self) -> bytes:
        """Return the state as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, raw: bytes) -> ClientState:
        """Return the state in ``raw``. Raises ValueError if it is not a state."""
        return msgspec.json.decode(raw, type=cls)


class Store(Protocol):
    """The interface of a store for a client's state."""

    def load(self) -> ClientState | None:
        """Return the state that was saved last; None if there is none."""

    def save(self, state: ClientState) -> None:
        """Save ``state``. The client calls this before it sends anything that depends on it."""


class FileState:
    """A store in one file, replaced as a whole and synced: after a crash it contains the old state or the new one.

    A link is followed. A file that cannot be replaced, because it is mounted alone or nothing may be created beside it,
    is overwritten and synced: a crash at that moment may leave a file that is no state, which ``load`` refuses.

    Saving blocks for the time of an fsync, once per turn of the reactor in which something changed. Only one program at
    a time may use the file. Two programs with the same device replace each other at the server anyway.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def load(self) -> ClientState | None:
        """Return the saved state; None if there is no file, or if it contains ``null``.

        Raises ValueError if the file contains anything else.
        """
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        if raw.strip() == b"null":
            return None
        try:
            return ClientState.from_json(raw)
        except ValueError as error:
            advice = "" if raw else " (the file is empty; if there never was a state, write null into it)"
            raise ValueError(f"{self.path}: no client state: {error}{advice}") from error

    def save(self, state: ClientState) -> None:
        """Write ``state`` to disk. Raises OSError."""
        # Replacing a link would leave the file that it names, perhaps in a volume, with the old state.
        path = os.path.realpath(self.path)
        raw = state.to_json()
        try:
            self._replace(path, raw)
        except OSError as error:
            if error.errno not in _NOT_REPLACEABLE or not os.path.isfile(path):
                raise
            self._overwrite(path, raw)

    @staticmethod
    def _replace(path: str, raw: bytes) -> None:
        fresh = path + ".new"
        try:
            # The file contains a token and unsent texts, so only its owner may read it.
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except OSError:
            with suppress(OSError):
                os.unlink(fresh)
            raise
        directory = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @staticmethod
    def _overwrite(path: str, raw: bytes) -> None:
        with open(path, "r+b") as file:
            file.write(raw)
            # Cut afterwards: the file is at no time empty.
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
