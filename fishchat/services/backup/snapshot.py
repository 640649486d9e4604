"""The files of a running or stopped Redis, as they are at one moment.

Redis only appends to the last of its files, and replaces the others as a whole. Open files and their lengths at one
moment are therefore a consistent copy, without a word to Redis: it contains everything that Redis had written by then.
The end may be torn within a transaction, which the embedded Redis repairs at its start.
"""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fishchat.services.running.errors import StartError

#: The append-only file of Redis 6.2, and the directory of later versions with the file that lists the others.
SINGLE, DIRECTORY = "appendonly.aof", "appendonlydir"
_LIST = f"{DIRECTORY}/{SINGLE}.manifest"
#: How often to try again while Redis replaces its files.
_TRIES = 20


@dataclass
class Part:
    """One file: its name in the data directory, its content from the current position, and its length."""

    name: str
    content: BinaryIO
    size: int


def redis_parts(data: Path, opened: ExitStack) -> list[Part]:
    """Open the files of Redis; ``opened`` closes them. Raises StartError if there are none."""
    for _ in range(_TRIES):
        with ExitStack() as attempt:
            try:
                parts = _open(data, attempt)
            except FileNotFoundError:
                # Redis has replaced this file since the list was read.
                continue
            if parts is not None:
                opened.push(attempt.pop_all())
                return parts
    raise StartError(f"the files of Redis in {data} changed while they were opened; try again")


def _open(data: Path, opened: ExitStack) -> list[Part] | None:
    if not (data / _LIST).exists():
        if not (data / SINGLE).exists():
            raise StartError(f"there is no FishChat in {data}; choose its directory with --data")
        return [open_part(data, SINGLE, opened)]
    listed = (data / _LIST).read_bytes()
    needed = [line for line in listed.splitlines() if line.split()[-1:] != [b"h"]]
    parts = [open_part(data, f"{DIRECTORY}/{line.split()[1].decode()}", opened) for line in needed]
    if (data / _LIST).read_bytes() != listed:
        return None
    return [*parts, Part(_LIST, io.BytesIO(listed), len(listed))]


def open_part(data: Path, name: str, opened: ExitStack) -> Part:
    """Open one file of the data directory. Raises OSError."""
    content = opened.enter_context((data / name).open("rb"))
    return Part(name, content, os.fstat(content.fileno()).st_size)
