"""A record of growth as pictures, and as the tables that stand in ``performance.md`` beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.growth import POINTS, Record, Values
from fishchat.proof.bench.svg import Chart, Line, draw

PAGE = "performance.md"
BEGIN, END = "<!-- begin: bench growth -->", "<!-- end: bench growth -->"

#: What grows, as a heading and as a sentence.
KINDS = {
    "clients": ("Clients", "So many are connected to one msg_server."),
    "members": ("Members of a topic", "One of them writes, the others read, all on one msg_server."),
    "messages": (
        "Messages stored",
        "500 clients talk in pairs, above a store of so many; bytes are those of one.",
    ),
    "servers": ("msg_servers", "500 clients talk in pairs, spread over so many msg_servers, with one router."),
    "routers": ("Routers", "500 clients talk in pairs that cross three msg_servers, with a shard for each router."),
}


@dataclass(frozen=True)
class Picture:
    """One chart: of which kind of points, from where on, and which of their values."""

    kind: str
    name: str
    title: str
    values: tuple[str, ...]
    first: int = 0


PICTURES = (
    Picture("clients", "clients-cpu", "CPU of a message, µs", ("µs, all talk", "µs, 100 of them talk")),
    Picture("clients", "clients-memory", "Memory of a client, KiB", ("KiB a client",)),
    Picture("members", "members-cpu", "CPU of a delivery, µs", ("µs a delivery",), first=100),
    Picture("messages", "messages-cpu", "CPU of a message, µs", ("µs flat out",)),
    Picture(
        "messages",
        "messages-bytes",
        "A stored message of 100 bytes takes",
        ("bytes of memory", "bytes of log", "bytes of log, written anew"),
    ),
    Picture("servers", "servers-cpu", "CPU of a message, µs", ("µs, pairs on one server", "µs, crossing")),
    Picture("routers", "routers-cpu", "CPU of a message, µs", ("µs flat out",)),
)


def plot(record: Record, directory: Path) -> list[Path]:
    """Write the pictures into ``directory``, and what belongs to them into its page, if that is there.

    Gives what was written; BenchError when the record has nothing, or the page no place for it.
    """
    written = []
    for picture in PICTURES:
        chart = _chart(picture, record)
        if any(line.points for line in chart.lines):
            path = directory / _file(picture)
            path.write_text(draw(chart), encoding="utf-8")
            written.append(path)
    if not written:
        raise BenchError("the record has no points yet")
    page = directory / PAGE
    if page.exists():
        page.write_text(_filled(page.read_text(encoding="utf-8"), section(record)), encoding="utf-8")
        written.append(page)
    return written


def section(record: Record) -> str:
    """The generated part of the page."""
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
            parts += [
                f"![{picture.title}, by {heading.lower()}]({_file(picture)})"
                for picture in PICTURES
                if picture.kind == kind and any(line.points for line in _chart(picture, record).lines)
            ]
    return "\n\n".join(parts)


def _filled(text: str, generated: str) -> str:
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{PAGE} has no lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{generated}\n\n{END}{tail}"


def _file(picture: Picture) -> str:
    return f"bench-{picture.name}.svg"


def _chart(picture: Picture, record: Record) -> Chart:
    lines = []
    for name in picture.values:
        found = [(place, values.get(name)) for place, values in record.of(picture.kind) if place >= picture.first]
        lines.append(Line(name, [(place, value) for place, value in found if value is not None]))
    return Chart(picture.title, KINDS[picture.kind][0], lines, log=picture.kind in ("clients", "members"))


def _table(kind: str, points: list[tuple[int, Values]]) -> str:
    names = list(points[0][1])
    rows = [[kind, *names], ["---:"] * (len(names) + 1)]
    rows += [[f"{place:,}", *(_shown(values.get(name)) for name in names)] for place, values in points]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
