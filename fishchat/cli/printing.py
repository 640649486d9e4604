"""Print results: tables and local times for people, one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click


def print_json(value: Any) -> None:
    """Print one JSON document. Non-ASCII characters are escaped, so that none can control the terminal."""
    click.echo(json.dumps(value, indent=2))


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns; without rows only the header."""
    lines = [head, *([_shown(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_fields(fields: dict[str, object]) -> None:
    """Print one line for each field."""
    width = max(map(len, fields)) + 2
    for name, value in fields.items():
        click.echo(f"{name:{width}}{_shown(value)}".rstrip())


def local_time(ms: int, never: str = "never", *, seconds: bool = False) -> str:
    """Format ms since 1970 as local time; 0 gives ``never``."""
    form = "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    try:
        return datetime.fromtimestamp(ms / 1000).strftime(form) if ms else never
    except (ValueError, OverflowError, OSError):
        # Beyond the last year of the calendar. A store may hold such a time from before the keys had a limit.
        return "after 9999" if ms > 0 else "before 1"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Format a count with its noun: ``1 device``, ``2 devices``."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def _shown(value: object) -> str:
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.running.logfiles import escaped

    return escaped(str(value))
