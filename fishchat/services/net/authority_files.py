"""The directory of a private authority: its own pair, and the pairs of servers and clients that it has signed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from fishchat.services.net import authority
from fishchat.services.net.authority import DAYS, Pair
from fishchat.services.net.pem import PemError, read_certificates, read_key

#: Names whose files belong to the authority or the server. A client's pair may not replace them.
_TAKEN = ("ca", "server")


class Directory:
    """The files of one directory. All methods raise ValueError or OSError with a text for people.

    ``say`` is called with a line for each written file and for the next step.
    """

    def __init__(self, path: Path, now: datetime, say: Callable[[str], object]) -> None:
        self.path = path
        self._now = now
        self._say = say

    def make_server(self, hosts: Sequence[str], days: int | None = None) -> None:
        """Write ``server.pem`` and ``server.key`` for these hosts. A former pair is replaced."""
        names = list(dict.fromkeys(map(authority.parse_host, hosts)))
        pair = authority.server_pair(self._authority(), names, self._now, days or DAYS)
        self._write("server", pair)
        self._say(f"for {', '.join(names)}; valid for {days or DAYS} days")
        self._say(f"clients need {self.path / 'ca.pem'} to check it: give them this file and no other")
        self._say(f"to load it into a running FishChat: kill -HUP {self._running() or 'PID'}")

    def make_client(self, name: str, days: int | None = None) -> None:
        """Write ``NAME.pem`` and ``NAME.key``. A former pair is replaced."""
        if authority.parse_host(name) != name or not name[-1].isalnum() or _is_address(name):
            raise ValueError(f"{name!r} is not a valid name; use lower-case letters, digits, dots and dashes")
        if name in _TAKEN:
            raise ValueError(f"{name}.pem has another purpose in this directory; choose another name")
        self._write(name, authority.client_pair(self._authority(), name, self._now, days or DAYS))
        self._say(f"valid for {days or DAYS} days; the other side needs {self.path / 'ca.pem'} to check it")

    def _authority(self) -> Pair:
        certificate, key = self.path / "ca.pem", self.path / "ca.key"
        # A data directory made here must have the mode that `fishchat up` would give it.
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        if certificate.exists() and key.exists():
            read_key(key)
            return Pair(certificate.read_bytes(), key.read_bytes())
        for here, missing in ((certificate, key), (key, certificate)):
            if here.exists():
                raise PemError(f"{here} exists, but {missing} is missing; restore it, or choose another --dir")
        made = authority.new_authority(self._now)
        self._write("ca", made)
        self._say(f"keep {key} secret: anyone who has it can impersonate your server")
        return made

    def _write(self, name: str, pair: Pair) -> None:
        # Between the two renames key and certificate do not match. A reload refuses such a pair.
        for suffix, text, mode in (("key", pair.key, 0o600), ("pem", pair.certificate, 0o644)):
            path = self.path / f"{name}.{suffix}"
            _replace(path, text, mode)
            self._say(f"wrote {path}")

    def _running(self) -> str:
        """Return the process of the ``fishchat up`` that uses this data directory; None if none runs."""
        try:
            text = (self.path.parent / "up.lock").read_text("ascii", "replace").strip()
        except OSError:
            return ""
        return text if text.isdigit() else ""


def describe(path: Path, now: datetime) -> dict[str, Any]:
    """Return the first certificate of a file. PemError if there is none."""
    shown = read_certificates(path)[0]
    return {
        "file": str(path),
        "names": authority.names_of(shown),
        "authority": authority.issuer_of(shown),
        "expires": f"{shown.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "days_left": round(authority.days_left(shown, now), 1),
        "sha256": authority.fingerprint(shown),
    }


def _is_address(name: str) -> bool:
    return not set(name) - set("0123456789abcdef.:") and (":" in name or name.replace(".", "").isdigit())


def _replace(path: Path, text: bytes, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
