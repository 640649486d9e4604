"""The tables of `doc/reliability.md`, made from the lines of JSON that runs have printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from fishchat import __version__
from fishchat.proof.lab.catalogue import FAULTS
from fishchat.proof.lab.mutants import MUTANTS
from fishchat.proof.pages import fill

HEAD = ("Fault", "What happens", "Redis", "Seeds", "Done", "Acknowledged", "Delivered", "First OK", "Violations")
BEGIN, END = "<!-- begin: fishchat lab table -->", "<!-- end: fishchat lab table -->"


def tables(results: Iterable[dict[str, Any]]) -> str:
    """Return all results as Markdown: the runs, their sum, and the mutants."""
    lines = list(results)
    runs = [one for one in lines if "acknowledged" in one]
    mutants = [one for one in lines if "mutant" in one]
    skipped = [one for one in lines if "skipped" in one]
    failed = [one for one in lines if "failed" in one]
    parts = [f"FishChat {__version__}, {date.today().isoformat()}.", _runs(runs)]
    parts += [f"`{one['fault']}` was not done: {one['skipped']}." for one in skipped]
    parts += [f"`{one['fault']}` with seed {one['seed']} could not be done: {one['failed']}." for one in failed]
    if mutants:
        parts.append(_mutants(mutants))
    return "\n\n".join(parts) + "\n"


def insert(page: str, text: str) -> str:
    """Return the page of the lab with these tables. Raises ValueError when it has no marks for them."""
    return fill(page, BEGIN, END, text.rstrip("\n"))


def _runs(runs: Sequence[dict[str, Any]]) -> str:
    rows = []
    for name, tls in dict.fromkeys((one["fault"], one.get("tls", False)) for one in runs):
        chosen = [one for one in runs if (one["fault"], one.get("tls", False)) == (name, tls)]
        rows.append(_row(f"`{name}`" + (" `--tls`" if tls else ""), FAULTS[name].sentence, chosen))
    rows.append(_row("**all**", "", runs))
    return _table(HEAD, rows)


def _row(name: str, sentence: str, runs: Sequence[dict[str, Any]]) -> list[str]:
    redis = ", ".join(sorted({one.get("redis", "") for one in runs} - {""}))
    seeds = ", ".join(map(str, sorted({one["seed"] for one in runs})))
    done = sum(sum(one["faults"].values()) for one in runs)
    first = max((one["first_ok"] for one in runs if one["first_ok"] is not None), default=None)
    violations = sum(sum(one["violations"].values()) for one in runs)
    return [
        name,
        sentence,
        redis,
        seeds,
        f"{done:,}",
        f"{sum(one['acknowledged'] for one in runs):,}",
        f"{sum(one['handed'] for one in runs):,}",
        "" if first is None else f"{first:.2f} s",
        f"{violations:,}",
    ]


def _mutants(found: Sequence[dict[str, Any]]) -> str:
    sentences = {mutant.name: mutant.sentence for mutant in MUTANTS}
    rows = []
    for one in found:
        by = ", ".join(f"{name} ({count:,})" for name, count in one.get("violations", {}).items())
        where = f"`{one['fault']}`" if one["found"] else ", ".join(one["tried"])
        rows.append([f"`{one['mutant']}`", sentences.get(one["mutant"], ""), where, by or "**not found**"])
    return _table(("Defect", "What is wrong then", "Fault", "Found by"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)
