"""Where the chat keeps what must outlast it: addresses, the state of each device, drafts, and what was sent."""

from __future__ import annotations

import fcntl
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from fishchat.model.names import is_name
from fishchat.net.addresses import format_address, is_loopback, parse_address

#: The ports of a msg_server, without and with TLS, where an address names none.
PLAIN_PORT, TLS_PORT = 19000, 19443
#: Seconds to look how a server lets accounts in, and the most bytes of its first line.
LOOK, LINE = 2.0, 1000
#: Lines of the input history that are kept for each conversation, and conversations that have one.
KEPT_LINES, KEPT_ROOMS = 100, 200


class LockedError(Exception):
    """Raised when another program uses a device's state. ``holder`` is its process, if known."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@dataclass(frozen=True)
class Place:
    """An account on a server.

    :ivar server: ``host:port``.
    """

    account: str
    server: str

    def __str__(self) -> str:
        return f"{self.account}@{self.server}"


def place_of(text: str, default_server: str, tls: bool = False) -> Place:
    """Return the place that ``account``, ``account@host`` or ``account@host:port`` names. Raises ValueError.

    Without a port it is that of TLS beyond this machine, or with ``tls``.
    """
    account, at, server = text.partition("@")
    if not is_name(account.encode("utf-8", "replace")):
        raise ValueError(text)
    if not at:
        return Place(account, default_server)
    try:
        host, port = parse_address(server)
    except ValueError:
        bare = server[1:-1] if server.startswith("[") and server.endswith("]") else server
        port = PLAIN_PORT if is_loopback(bare) and not tls else TLS_PORT
        host, port = parse_address(format_address(bare, port))
    return Place(account, format_address(host, port))


def lets_in(place: Place) -> bool:
    """Return whether the server says that a name alone is enough. One that is away, or has TLS, does not say so."""
    host, port = parse_address(place.server)
    if not is_loopback(host):
        return False
    try:
        with socket.create_connection((host, port), timeout=LOOK) as looking:
            return b" auth=open" in looking.makefile("rb").readline(LINE)
    except OSError:
        return False


def default_device() -> str:
    """Return the device's name when none is given: ``tui-`` and the name of this machine."""
    host = re.sub(r"[^a-z0-9._-]+", "-", socket.gethostname().partition(".")[0].lower()).strip("-")
    return f"tui-{host or 'here'}"[:32]


def base_directory(environment: Mapping[str, str]) -> Path:
    """Return the directory of all chats of this user; it may not exist."""
    home = environment.get("XDG_DATA_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path("~/.local/share").expanduser()
    return base / "fishchat-chat"


class Notes(msgspec.Struct):
    """What a person was writing, and wrote before: by conversation."""

    drafts: dict[str, str] = {}
    sent: dict[str, list[str]] = {}
    current: str = ""
    folds: bool = True

    def remember(self, conversation: str, line: str) -> None:
        """Add a line to the input history of a conversation."""
        lines = self.sent.pop(conversation, [])
        if line in lines[-1:]:
            lines.pop()
        self.sent[conversation] = [*lines, line][-KEPT_LINES:]
        while len(self.sent) > KEPT_ROOMS:
            del self.sent[next(iter(self.sent))]


@dataclass
class Home:
    """The files of one device of one account; locked until ``close``. Raises OSError, LockedError.

    :ivar notes: drafts and input history; ``save`` writes them.
    """

    base: Path
    place: Place
    device: str
    notes: Notes = field(init=False)
    _lock: IO[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        directory = self.base / str(self.place).replace(":", "_").replace("/", "_")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.state = directory / f"{self.device}.json"
        self._notes = directory / f"{self.device}.notes.json"
        self._lock = _locked(directory / f"{self.device}.lock")
        self.notes = _read_notes(self._notes)
        last = self.base / "last"
        last.write_text(str(self.place), "utf-8")

    def save(self) -> None:
        """Write the notes. A disk that is full must not end the chat: they are then as they were."""
        fresh = self._notes.with_suffix(".new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(self.notes))
            os.replace(fresh, self._notes)
        except OSError:
            fresh.unlink(missing_ok=True)

    def close(self) -> None:
        """Write the notes, and let another program use the device."""
        self.save()
        self._lock.close()


def last_place(base: Path) -> Place | None:
    """Return the place that was used last by this user; None if there is none."""
    try:
        account, _, server = (base / "last").read_text("utf-8").partition("@")
        return Place(account, server) if is_name(account.encode()) and parse_address(server) else None
    except (OSError, ValueError):
        return None


def _locked(path: Path) -> IO[str]:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read(20).strip() or "?"
        file.close()
        raise LockedError(holder) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _read_notes(path: Path) -> Notes:
    # Notes are a comfort: what cannot be read is as if it were not there.
    try:
        return msgspec.json.decode(path.read_bytes(), type=Notes)
    except (OSError, ValueError):
        return Notes()
