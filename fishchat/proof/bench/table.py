"""A record of growth as the tables of ``performance.md``."""

from __future__ import annotations

from pathlib import Path

from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.growth import POINTS, Record, Values
from fishchat.proof.pages import fill

PAGE = "performance.md"
BEGIN, END = "<!-- begin: bench growth -->", "<!-- end: bench growth -->"

#: The quantities that grow, as a heading and as a sentence.
KINDS = {
    "clients": ("Clients", "The number of clients that are connected to one msg_server."),
    "members": ("Members of a topic", "One member sends, the others receive, all on one msg_server."),
    "messages": (
        "Messages stored",
        "500 clients talk in pairs, on a store of so many messages; bytes are those of one message.",
    ),
    "servers": ("msg_servers", "500 clients talk in pairs, spread over so many msg_servers, with one router."),
    "routers": ("Routers", "500 clients talk in pairs across three msg_servers, with a shard for each router."),
}


def write(record: Record, directory: Path) -> Path:
    """Write the tables to the page in this directory, and return its path. BenchError when that cannot be done."""
    page = directory / PAGE
    if not page.exists():
        raise BenchError(f"there is no {PAGE} in {directory}")
    try:
        text = fill(page.read_text(encoding="utf-8"), BEGIN, END, tables(record))
    except ValueError as error:
        raise BenchError(f"{page}: {error}") from None
    page.write_text(text, encoding="utf-8")
    return page


def tables(record: Record) -> str:
    """Return the generated part of the page. BenchError when the record has no points."""
    if not record.points:
        raise BenchError("the record has no points yet")
    known = record.machine
    parts = [
        f"Recorded {known.get('at')} with FishChat {known.get('fishchat')}, Python {known.get('python')}, "
        f"{known.get('system')}, {known.get('cores')} cores shared with the clients, a load of "
        f"{known.get('load')} before; the disk's fsync took {known.get('fsync_ms')} ms; each figure is of "
        f"{known.get('seconds')} s."
    ]
    for kind in POINTS:
        points = record.of(kind)
        if points:
            heading, sentence = KINDS[kind]
            parts += [f"### {heading}", sentence, _table(kind, points)]
    return "\n\n".join(parts)


def _table(kind: str, points: list[tuple[int, Values]]) -> str:
    names = list(points[0][1])
    rows = [[kind, *names], ["---:"] * (len(names) + 1)]
    rows += [[f"{place:,}", *(_shown(values.get(name)) for name in names)] for place, values in points]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
