"""Where logs go: a file that does not grow for ever, and a person's terminal for what matters to a person.

What a peer sent may stand in a log line, so characters that would control a terminal are shown escaped.
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

#: The environment variable that tells a role's process where to log.
VARIABLE = "FISHCHAT_LOGFILE"

#: Bytes of one file, and how many old ones are kept.
SIZE, KEEP = 5_000_000, 5

# C0 (but tab and newline), DEL, C1, and what changes the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# A token or an invitation. None is ever meant to be logged; but libraries log what they were given.
_SECRETS = re.compile("(fc[ti]_)[A-Za-z0-9_-]{8,}")


def escaped(text: str) -> str:
    """``text`` with every character that a terminal would act on written as ``\\x1b`` or ``\\u202e``.

    What looks like a token is left out.
    """
    text = _SECRETS.sub(r"\1***", text)
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def file_observer(path: Path) -> ILogObserver:
    """Writes everything to ``path``, which only this user can read, and rotates it."""
    log = LogFile.fromFullPath(str(path), rotateLength=SIZE, defaultMode=0o600, maxRotatedFiles=KEEP)

    def formatted(event: LogEvent) -> str | None:
        text = formatEventAsClassicLogText(event)
        return None if text is None else escaped(text)

    return FileLogObserver(cast(TextIO, log), formatted)


def terminal_observer(stream: TextIO) -> ILogObserver:
    """Writes warnings and worse, one line each and without tracebacks: those are in the file."""

    def formatted(event: LogEvent) -> str | None:
        text = formatEvent(event)
        return f"fishchat: {escaped(text)}\n" if text else None

    return FilteringLogObserver(
        FileLogObserver(stream, formatted), [LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)]
    )


def begin(path: Path) -> None:
    """Log to ``path`` and, what matters, to standard error."""
    observers = [file_observer(path), terminal_observer(sys.stderr)]
    globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)


def role_log() -> ILogObserver:
    """For ``twistd --logger``: the file that the environment names."""
    return file_observer(Path(os.environ[VARIABLE]))
