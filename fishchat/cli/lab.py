"""``fishchat lab``: break FishChat on purpose, and check whether it keeps its promises."""

from __future__ import annotations

import json
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import click

from fishchat.cli.extras import require

#: The most sentences that are shown of each kind of violation.
SHOWN = 5

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# A child has another working directory, where a relative path would name another place.
_DIRECTORY = click.Path(file_okay=False, resolve_path=True, path_type=Path)
_JSON = click.option(
    "--json", "file", type=click.File("a", "utf-8", lazy=False), help="Also append the lines of JSON to this file."
)
_RATE = click.option(
    "--rate", type=click.FloatRange(1, 5000), default=500.0, show_default=True, help="Messages a second."
)
_TLS = click.option("--tls", is_flag=True, help="Clients use TLS and accounts, with a token for each device.")


@click.group()
def lab() -> None:
    """Break a FishChat on purpose, and check its promises.

    It runs a FishChat of its own, of real processes. Everything runs on this machine, on free ports and with
    temporary data. Needs the extra `proof`.
    """
    require("psutil")


@lab.command("faults")
def faults() -> None:
    """List the faults, and which of them cannot be done here."""
    from fishchat.proof.lab.catalogue import FAULTS

    for name, fault in FAULTS.items():
        missing = fault.missing()
        click.echo(f"{name:16} {fault.sentence}" + (f" [{missing}]" if missing else ""))


@lab.command("run")
@click.argument("fault")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides what is done to which process, and when.")
@click.option(
    "--seconds", type=click.FloatRange(1, 86400), help="How long clients talk; longer if the fault takes longer."
)
@_RATE
@click.option("--redis", default="", help="The Redis program.")
@click.option("--keep", type=_DIRECTORY, help="An empty directory for journal, data and logs.")
@_TLS
@click.option("--source", type=_DIRECTORY, help="The directory with the package fishchat.")
def run(
    fault: str,
    seed: int,
    seconds: float | None,
    rate: float,
    redis: str,
    keep: Path | None,
    source: Path | None,
    tls: bool,
) -> None:
    """Do one FAULT to a FishChat while clients talk.

    The FishChat is its own. It prints one line of JSON, and on standard error the result in a sentence. The exit status
    is 1 when a promise was not kept; standard error then shows what was wrong. It is 2 when nothing could be tried.
    """
    from fishchat.proof.lab.catalogue import FAULTS
    from fishchat.proof.lab.run import NotStartedError
    from fishchat.proof.lab.runner import Options, run_here, sentence

    _known([fault], tls)
    _programs([redis] if redis else [])
    if missing := FAULTS[fault].missing():
        raise click.UsageError(f"{fault} cannot be done here: {missing}")
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise click.UsageError(f"{keep} is not empty")
    if source is not None and not (source / "fishchat" / "__init__.py").exists():
        raise click.UsageError(f"there is no package fishchat in {source}")
    try:
        figures, found = run_here(Options(fault, seed, seconds, rate, redis, keep, source, tls))
    except (NotStartedError, OSError) as error:
        _say(f"Error: {error}")
        sys.exit(2)
    click.echo(json.dumps(figures))
    _show(found)
    _say(sentence(figures))
    sys.exit(0 if figures["kept"] else 1)


@lab.command("all")
@click.argument("chosen", metavar="[FAULT]...", nargs=-1)
@click.option(
    "--seeds", default=1, type=click.IntRange(1, 100), show_default=True, help="Use the seeds from 1 to this one."
)
@click.option("--seconds", type=click.FloatRange(1, 86400), help="For each fault, as for `run`.")
@_RATE
@_TLS
@click.option("--redis", multiple=True, help="A Redis program; the default is one of each kind that is found.")
@_JSON
def run_all(
    chosen: Sequence[str],
    seeds: int,
    seconds: float | None,
    rate: float,
    tls: bool,
    redis: Sequence[str],
    file: TextIO | None,
) -> None:
    """Do these faults, or all of them, in turn.

    It prints a line of JSON for each. The exit status is 1 if there was any violation.
    """
    from fishchat.proof.lab import campaign
    from fishchat.proof.lab.catalogue import FAULTS
    from fishchat.proof.lab.runner import Options
    from fishchat.services.running.errors import ProgramError

    _known(chosen, tls)
    _programs(redis)
    try:
        programs = redis or campaign.servers()
    except ProgramError as error:
        raise click.UsageError(str(error)) from error
    kept = True
    names = chosen or [name for name, fault in FAULTS.items() if not (tls and fault.shape.prefix)]
    like = Options("", seconds=seconds, rate=rate, tls=tls)
    for figures in campaign.run_all(names, range(1, seeds + 1), programs, like):
        _print(figures, file)
        kept &= figures.get("kept", True)
    sys.exit(0 if kept else 1)


@lab.command("mutate")
@click.argument("chosen", metavar="[MUTANT]...", nargs=-1)
@_RATE
@click.option("--control/--no-control", default=True, help="First do the same faults to FishChat as it is.")
@_JSON
def mutate(chosen: Sequence[str], rate: float, control: bool, file: TextIO | None) -> None:
    """Check whether the lab finds known defects.

    It puts them into copies of FishChat, one at a time. A defect is found by a violation that it must cause; any
    other does not count. The exit status is 1 when one is not found, or when FishChat as it is has a violation.
    """
    from fishchat.proof.lab import campaign
    from fishchat.proof.lab.mutants import MUTANTS

    mutants = [mutant for mutant in MUTANTS if not chosen or mutant.name in chosen]
    if unknown := set(chosen) - {mutant.name for mutant in MUTANTS}:
        raise click.UsageError(f"no such mutant: {', '.join(sorted(unknown))}")
    good = True
    if control and (wrong := campaign.control(mutants, rate, _say)):
        _say(f"without a defect there are violations in: {', '.join(wrong)}")
        good = False
    for mutant in mutants:
        found = campaign.look_for(mutant, rate, _say)
        _print(found, file)
        good &= found["found"]
    sys.exit(0 if good else 1)


@lab.command("abuse")
@click.argument(
    "kind", type=click.Choice(["stuck-readers", "visits", "half-logins", "half-handshakes", "slow-handshakes"])
)
@click.option(
    "--count", type=click.IntRange(1, 10_000_000), help="The number of connections; the default depends on the kind."
)
def abuse(kind: str, count: int | None) -> None:
    """Measure what abuse of this KIND costs; print one line of JSON. The exit status is 1 if a bound was exceeded."""
    from fishchat.proof.lab import abuse as measures
    from fishchat.proof.reactor import with_reactor

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
    """Judge the JOURNAL of a run again.

    This is the file journal.jsonl in its directory.
    """
    from fishchat.proof.lab.checkers import violations
    from fishchat.proof.lab.reading import read

    try:
        found = violations(read(journal))
    except ValueError as error:
        raise click.ClickException(f"{journal}: {error}") from error
    click.echo(json.dumps({name: len(sentences) for name, sentences in found.items()}))
    _show(found)
    sys.exit(1 if any(found.values()) else 0)


@lab.command("table")
@click.argument("results", type=_FILE, nargs=-1, required=True)
@click.option("--page", type=_FILE, help="Write the tables to this page instead of printing them.")
def table(results: Sequence[Path], page: Path | None) -> None:
    """Make tables of the lines of JSON in RESULTS."""
    from fishchat.proof.lab.table import insert, tables

    try:
        text = tables([json.loads(line) for path in results for line in path.read_text("utf-8").splitlines()])
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"these are not results of this version: {error!r}") from error
    if page is None:
        click.echo(text)
        return
    try:
        page.write_text(insert(page.read_text("utf-8"), text), "utf-8")
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _known(chosen: Sequence[str], tls: bool) -> None:
    from fishchat.proof.lab.catalogue import FAULTS

    if tls and (other := [name for name in chosen if name in FAULTS and FAULTS[name].shape.prefix]):
        raise click.UsageError(f"--tls cannot be combined with {', '.join(other)}: its data are on a disk of its own")
    if unknown := set(chosen) - FAULTS.keys():
        raise click.UsageError(f"no such fault: {', '.join(sorted(unknown))}; `fishchat lab faults` lists them")


def _programs(chosen: Sequence[str]) -> None:
    from fishchat.services.redis.program import version

    for program in chosen:
        if version(program) is None:
            raise click.UsageError(f"{program} is not a Redis or Valkey server")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print(figures: dict[str, Any], file: TextIO | None) -> None:
    line = json.dumps(figures)
    click.echo(line)
    if file is not None:
        file.write(line + "\n")
        file.flush()


def _show(found: dict[str, list[str]]) -> None:
    for name, sentences in found.items():
        for sentence in sentences[:SHOWN]:
            _say(f"{name}: {sentence}")
