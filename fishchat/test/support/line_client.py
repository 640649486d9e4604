"""A client of lines on a plain socket, to talk with the pages under test."""

from __future__ import annotations

import socket
from collections.abc import Iterable


class LineClient:
    """An account that is logged in as a person at ``nc`` would be."""

    def __init__(self, address: str, account: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._file = self._socket.makefile("rb")
        self.ask(f"LOGIN {account}")

    def ask(self, line: str) -> list[str]:
        """Send a command, and return the lines up to its answer. AssertionError for a refusal."""
        return self.ask_all([line])

    def ask_all(self, lines: Iterable[str]) -> list[str]:
        """Send commands together, and return all lines up to the last answer. AssertionError for a refusal."""
        sent = list(lines)
        found: list[str] = []
        # In parts, so that neither side waits for the other one to read.
        for at in range(0, len(sent), 200):
            part = sent[at : at + 200]
            self._socket.sendall("".join(f"{line}\r\n" for line in part).encode())
            found += self._answers(len(part))
        return found

    def _answers(self, count: int) -> list[str]:
        found: list[str] = []
        while count:
            line = self._file.readline().decode().rstrip("\r\n")
            assert line, "the server closed the connection"
            found.append(line)
            verb = next(word for word in line.split(" ") if not word.startswith("@"))
            assert verb != "ERR", line
            count -= verb in ("OK", "END")
        return found

    def close(self) -> None:
        """End the connection."""
        self._file.close()
        self._socket.close()
