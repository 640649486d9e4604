"""What a program must remember across a restart to send and receive each message exactly once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import msgspec


class SavedSend(msgspec.Struct, frozen=True):
    """A send without an ``OK``; with a number it may be stored."""

    to: str
    text: str
    cseq: int | None = None


class ClientState(msgspec.Struct):
    """The memory of one device: plain values, by conversation.

    ``counters`` next number to send under; ``sends`` what has no ``OK`` yet, in order; ``done`` the last
    message dealt with; ``ahead`` runs above that which are no news either: the device's own messages, and what
    was dealt with out of order; ``token`` what the device logs in by: whoever has it is this device.
    """

    account: str
    device: str = "main"
    counters: dict[str, int] = {}
    sends: list[SavedSend] = []
    done: dict[str, str] = {}
    ahead: dict[str, list[tuple[str, str]]] = {}
    token: str | None = None

    def __repr__(self) -> str:
        # Neither the token nor unsent texts belong into a log.
        return f"ClientState({self.account!r}, {self.device!r}, …)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("account", self.account), ("device", self.device)]

    def to_json(self) -> bytes:
        """The state as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, raw: bytes) -> ClientState:
        """The state in ``raw``. Raises ValueError when it is none."""
        return msgspec.json.decode(raw, type=cls)


class Store(Protocol):
    """Where a client keeps its state."""

    def load(self) -> ClientState | None:
        """The state that was saved last; None when there is none."""

    def save(self, state: ClientState) -> None:
        """Keep ``state``; it is called before anything that depends on it goes out."""


class FileState:
    """A state kept in one file, replaced as a whole and synced: a crash leaves the old one or the new one.

    It blocks for the time of an fsync, once per turn of the reactor in which something changed. One program at
    a time may use the file; two with the same device replace each other at the server anyway.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def load(self) -> ClientState | None:
        """The saved state; None when there is no file. Raises ValueError when the file holds none."""
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
        # A token and unsent texts are in it: nobody else's business.
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
