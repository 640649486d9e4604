"""The state that a program keeps across restarts to send and receive each message exactly once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import msgspec


class SavedSend(msgspec.Struct, frozen=True):
    """A send without an ``OK``. With a number, it may be stored."""

    to: str
    text: str
    cseq: int | None = None


class ClientState(msgspec.Struct):
    """The saved state of one device: plain values, by conversation.

    ``counters``: the next number to send under. ``sends``: the sends without an ``OK``, in order. ``done``: the last
    message handled. ``ahead``: runs above it that need no delivery, namely the device's own messages and messages
    handled out of order. ``token``: the login token of the device; anyone who has it can log in as this device.
    """

    account: str
    device: str = "main"
    counters: dict[str, int] = {}
    sends: list[SavedSend] = []
    done: dict[str, str] = {}
    ahead: dict[str, list[tuple[str, str]]] = {}
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

    Saving blocks for the time of an fsync, once per turn of the reactor in which something changed. Only one program at
    a time may use the file. Two programs with the same device replace each other at the server anyway.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def load(self) -> ClientState | None:
        """Return the saved state; None if there is no file. Raises ValueError if the file contains no state."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return ClientState.from_json(raw)
        except ValueError as error:
            raise ValueError(f"{self.path}: no client state: {error}") from error

    def save(self, state: ClientState) -> None:
        """Write ``state`` to disk. Raises OSError."""
        fresh = self.path.with_name(self.path.name + ".new")
        # The file contains a token and unsent texts, so only its owner may read it.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(state.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
