"""Destinations of logs: a file of bounded size, and a person's terminal for the important lines.

A log line may quote a peer, so characters that would control a terminal are escaped.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TextIO, cast

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    formatEventAsClassicLogText,
    globalLogBeginner,
)
from twisted.python.logfile import LogFile

#: The environment variables with the log file of a role's process, and with its level.
VARIABLE, LEVEL = "FISHCHAT_LOGFILE", "FISHCHAT__LOG__LEVEL"

#: Bytes of one file, and the number of old files that are kept.
SIZE, KEEP = 5_000_000, 5

# C0 (except tab and newline), DEL, C1, and characters that change the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# A token or an invitation. FishChat never logs one on purpose, but libraries log their arguments.
_SECRETS = re.compile("(fc[ti]_)[A-Za-z0-9_-]{8,}")


def escaped(text: str) -> str:
    """Return ``text`` with every character that a terminal would obey written as ``\\x1b`` or ``\\u202e``.

    Anything that looks like a token is removed.
    """
    text = _SECRETS.sub(r"\1***", text)
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def file_observer(path: Path, level: str = "info") -> ILogObserver:
    """Return an observer that writes events of this level and above to ``path``, which only this user can read."""
    log = LogFile.fromFullPath(str(path), rotateLength=SIZE, defaultMode=0o600, maxRotatedFiles=KEEP)

    def formatted(event: LogEvent) -> str | None:
        text = formatEventAsClassicLogText(event)
        return None if text is None else escaped(text)

    return _from(level, FileLogObserver(cast(TextIO, log), formatted))


def _from(level: str, observer: ILogObserver) -> ILogObserver:
    return FilteringLogObserver(observer, [LogLevelFilterPredicate(LogLevel.levelWithName(level))])


def terminal_observer(stream: TextIO) -> ILogObserver:
    """Return an observer that writes warnings and worse, one line each, without tracebacks: those are in the file."""

    def formatted(event: LogEvent) -> str | None:
        text = formatEvent(event)
        return f"fishchat: {escaped(text)}\n" if text else None

    return _from("warn", FileLogObserver(stream, formatted))


def begin(path: Path, level: str) -> None:
    """Log to ``path`` from this level on, and important lines to standard error."""
    observers = [file_observer(path, level), terminal_observer(sys.stderr)]
    globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)


def role_log() -> ILogObserver:
    """Return the observer for ``twistd --logger``, which the environment describes."""
    return file_observer(Path(os.environ[VARIABLE]), os.environ.get(LEVEL, "info"))
