"""How commands print what they found: tables and local times for people, one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click


def print_json(value: Any) -> None:
    """One document. Letters beyond ASCII are escaped, so that none does anything to a terminal."""
    click.echo(json.dumps(value, indent=2))


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns, as wide as they must be; without rows only the head."""
    lines = [head, *([_shown(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_fields(fields: dict[str, object]) -> None:
    """One line for each."""
    width = max(map(len, fields)) + 2
    for name, value in fields.items():
        click.echo(f"{name:{width}}{_shown(value)}".rstrip())


def local_time(ms: int, never: str = "never") -> str:
    """A time in ms since 1970 as it is here; ``never`` for 0."""
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M") if ms else never


def plural(count: int, noun: str, nouns: str = "") -> str:
    """``1 device``, ``2 devices``."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def _shown(value: object) -> str:
    # Here, since it takes a while and `fishchat --help` need not wait for it.
    from fishchat.services.running.logfiles import escaped

    return escaped(str(value))
