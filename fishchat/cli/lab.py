"""``fishchat lab``: what breaks FishChat on purpose, and says whether it kept its promises."""

from __future__ import annotations

import json
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import click

#: Sentences shown of each kind of violation.
SHOWN = 5

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# A child's working directory is another one, so that a relative path would be another place there.
_DIRECTORY = click.Path(file_okay=False, resolve_path=True, path_type=Path)
_JSON = click.option(
    "--json", "file", type=click.File("a", "utf-8", lazy=False), help="Add the lines of JSON to this file, too."
)
_RATE = click.option(
    "--rate", type=click.FloatRange(1, 5000), default=500.0, show_default=True, help="Messages a second."
)


@click.group()
def lab() -> None:
    """Break a FishChat of real processes on purpose, and see whether its promises hold.

    Everything runs on this machine, on ports and with data of its own.
    """


@lab.command("faults")
def faults() -> None:
    """Say which faults there are, and which cannot be done here."""
    from fishchat.proof.lab.catalogue import FAULTS

    for name, fault in FAULTS.items():
        missing = fault.missing()
        click.echo(f"{name:16} {fault.sentence}" + (f" [{missing}]" if missing else ""))


@lab.command("run")
@click.argument("fault")
@click.option("--seed", type=int, default=1, show_default=True, help="What is done to whom, and when.")
@click.option("--seconds", type=click.FloatRange(1, 86400), help="How long clients talk, or longer if the fault does.")
@_RATE
@click.option("--redis", default="", help="The Redis program.")
@click.option("--keep", type=_DIRECTORY, help="An empty directory for journal, data and logs.")
@click.option("--source", type=_DIRECTORY, help="Where the package fishchat is taken from.")
def run(
    fault: str, seed: int, seconds: float | None, rate: float, redis: str, keep: Path | None, source: Path | None
) -> None:
    """Do one FAULT to a FishChat of its own while clients talk; print one line of JSON.

    The exit status is 1 when a promise was not kept; what was wrong is on standard error then. It is 2 when nothing
    could be tried.
    """
    from fishchat.proof.lab.catalogue import FAULTS
    from fishchat.proof.lab.run import NotStartedError
    from fishchat.proof.lab.runner import Options, run_here

    _known([fault])
    _programs([redis] if redis else [])
    if missing := FAULTS[fault].missing():
        raise click.UsageError(f"{fault} cannot be done here: {missing}")
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise click.UsageError(f"{keep} is not empty")
    if source is not None and not (source / "fishchat" / "__init__.py").exists():
        raise click.UsageError(f"there is no package fishchat in {source}")
    try:
        figures, found = run_here(Options(fault, seed, seconds, rate, redis, keep, source))
    except (NotStartedError, OSError) as error:
        _say(f"Error: {error}")
        sys.exit(2)
    click.echo(json.dumps(figures))
    _show(found)
    sys.exit(0 if figures["kept"] else 1)


@lab.command("all")
@click.argument("chosen", metavar="[FAULT]...", nargs=-1)
@click.option("--seeds", default=1, type=click.IntRange(1, 100), show_default=True, help="Seeds 1 to this one.")
@click.option("--seconds", type=click.FloatRange(1, 86400), help="As for `run`, of each fault.")
@_RATE
@click.option("--redis", multiple=True, help="A Redis program; by default one of each kind that is found.")
@_JSON
def run_all(
    chosen: Sequence[str], seeds: int, seconds: float | None, rate: float, redis: Sequence[str], file: TextIO | None
) -> None:
    """Do these faults, or all, one after the other; a line of JSON for each. The exit status is 1 on any violation."""
    from fishchat.proof.lab import campaign
    from fishchat.proof.lab.catalogue import FAULTS
    from fishchat.services.running.errors import ProgramError

    _known(chosen)
    _programs(redis)
    try:
        programs = redis or campaign.servers()
    except ProgramError as error:
        raise click.UsageError(str(error)) from error
    kept = True
    for figures in campaign.run_all(chosen or list(FAULTS), range(1, seeds + 1), programs, seconds, rate):
        _tell(figures, file)
        kept &= figures.get("kept", True)
    sys.exit(0 if kept else 1)


@lab.command("mutate")
@click.argument("chosen", metavar="[MUTANT]...", nargs=-1)
@_RATE
@click.option("--control/--no-control", default=True, help="First do the same faults to FishChat as it is.")
@_JSON
def mutate(chosen: Sequence[str], rate: float, control: bool, file: TextIO | None) -> None:
    """Put known defects into copies of FishChat, one at a time, and see whether the lab finds each.

    The exit status is 1 when it misses one, or complains of FishChat as it is.
    """
    from fishchat.proof.lab import campaign
    from fishchat.proof.lab.mutants import MUTANTS

    mutants = [mutant for mutant in MUTANTS if not chosen or mutant.name in chosen]
    if unknown := set(chosen) - {mutant.name for mutant in MUTANTS}:
        raise click.UsageError(f"no such mutant: {', '.join(sorted(unknown))}")
    good = True
    if control and (wrong := campaign.control(mutants, rate, _say)):
        _say(f"without any mutant the lab complains of: {', '.join(wrong)}")
        good = False
    for mutant in mutants:
        found = campaign.look_for(mutant, rate, _say)
        _tell(found, file)
        good &= found["found"]
    sys.exit(0 if good else 1)


@lab.command("abuse")
@click.argument(
    "kind", type=click.Choice(["stuck-readers", "visits", "half-logins", "half-handshakes", "slow-handshakes"])
)
@click.option(
    "--count", type=click.IntRange(1, 10_000_000), help="Connections; by default as many as the kind asks for."
)
def abuse(kind: str, count: int | None) -> None:
    """Measure what abuse of this KIND costs; print one line of JSON. The exit status is 1 when a bound was not kept."""
    from fishchat.proof.lab import abuse as measures
    from fishchat.proof.lab.runner import with_reactor

    def measure(reactor: Any) -> Coroutine[Any, Any, dict[str, Any]]:
        if kind == "stuck-readers":
            return measures.stuck_readers(reactor, count or 50)
        if kind == "slow-handshakes":
            return measures.slow_handshakes(reactor, count or 500)
        return measures.visits(reactor, count or 1_000_000, kind=cast(measures.Kind, kind))

    figures = with_reactor(measure)
    click.echo(json.dumps(figures))
    sys.exit(0 if figures["kept"] else 1)


@lab.command("check")
@click.argument("journal", type=_FILE)
def check(journal: Path) -> None:
    """Judge the JOURNAL of a run once more: the file journal.jsonl of its directory."""
    from fishchat.proof.lab.checkers import violations
    from fishchat.proof.lab.journal import read

    try:
        found = violations(read(journal))
    except ValueError as error:
        raise click.ClickException(f"{journal}: {error}") from error
    click.echo(json.dumps({name: len(sentences) for name, sentences in found.items()}))
    _show(found)
    sys.exit(1 if any(found.values()) else 0)


@lab.command("table")
@click.argument("results", type=_FILE, nargs=-1, required=True)
@click.option("--page", type=_FILE, help="Put it into this page; else print it.")
def table(results: Sequence[Path], page: Path | None) -> None:
    """Make a table of the lines of JSON in RESULTS."""
    from fishchat.proof.lab.table import insert, tables

    try:
        text = tables([json.loads(line) for path in results for line in path.read_text("utf-8").splitlines()])
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"these are no results of this version: {error!r}") from error
    if page is None:
        click.echo(text)
        return
    try:
        page.write_text(insert(page.read_text("utf-8"), text), "utf-8")
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _known(chosen: Sequence[str]) -> None:
    from fishchat.proof.lab.catalogue import FAULTS

    if unknown := set(chosen) - FAULTS.keys():
        raise click.UsageError(f"no such fault: {', '.join(sorted(unknown))}; `fishchat lab faults` names them")


def _programs(chosen: Sequence[str]) -> None:
    from fishchat.services.redis.program import version

    for program in chosen:
        if version(program) is None:
            raise click.UsageError(f"{program} is no Redis or Valkey server")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _tell(figures: dict[str, Any], file: TextIO | None) -> None:
    line = json.dumps(figures)
    click.echo(line)
    if file is not None:
        file.write(line + "\n")
        file.flush()


def _show(found: dict[str, list[str]]) -> None:
    for name, sentences in found.items():
        for sentence in sentences[:SHOWN]:
            _say(f"{name}: {sentence}")
