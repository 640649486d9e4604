"""Results as a table for people."""

from __future__ import annotations

from fishchat.proof.bench.runner import Result

HEAD = ("WORKLOAD", "CLIENTS", "A SECOND", "OF", "CPU µs", "P50 ms", "P99 ms", "KiB/CLIENT", "LOST", "DISORDER", "NOTE")


def row(result: Result) -> tuple[str, ...]:
    """Return a line of the table, with a dash for what was not measured."""
    figures = result.figures
    wrong = figures.disorder + figures.doubled
    return (
        result.name,
        str(figures.clients),
        _shown(figures.rate or None, 0),
        result.unit,
        _shown(figures.cpu, 1),
        _shown(figures.p50, 2),
        _shown(figures.p99, 2),
        _shown(figures.memory, 1),
        str(figures.lost),
        str(wrong),
        result.note + (f"; {figures.refused} refused: {figures.refusal}" if figures.refused else ""),
    )


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
