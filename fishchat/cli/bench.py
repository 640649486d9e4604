"""``fishchat bench``: measure what messages, clients and logins cost on this machine."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from fishchat.cli.extras import require
from fishchat.cli.printing import print_table
from fishchat.net.addresses import is_loopback, parse_address
from fishchat.proof.bench.spec import MOST_CLIENTS, MOST_MESSAGES, MOST_RATE, MOST_SECONDS
from fishchat.proof.bench.workloads import WORKLOADS, Wish

#: The kinds of growth, as in ``fishchat.proof.bench.growth``, which takes time to import.
KINDS = ("clients", "members", "messages", "servers", "routers")

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(invoke_without_command=True)
@click.option("--only", multiple=True, type=click.Choice(list(WORKLOADS)), help="Only this workload; may be repeated.")
@click.option("--processes", is_flag=True, help="Use a process for each role, with two msg_servers.")
@click.option(
    "--clients", type=click.IntRange(2, MOST_CLIENTS), help="The number of clients, instead of each workload's own."
)
@click.option(
    "--seconds",
    default=4.0,
    show_default=True,
    type=click.FloatRange(0.5, MOST_SECONDS),
    help="The duration of each one.",
)
@click.option(
    "--rate",
    default=1000.0,
    show_default=True,
    type=click.FloatRange(1, MOST_RATE),
    help="The messages a second of workloads at a rate; a topic gets a hundredth.",
)
@click.option(
    "--size", default=100, show_default=True, type=click.IntRange(32, 7000), help="The size of a message in bytes."
)
@click.option(
    "--messages",
    default=10_000,
    show_default=True,
    type=click.IntRange(100, MOST_MESSAGES),
    help="The number of messages that a device has missed.",
)
@click.option(
    "--address", multiple=True, metavar="HOST:PORT", help="A msg_server that already runs; twice for crossing."
)
@click.option("--pid", multiple=True, type=int, help="One of its processes, to count its CPU and that of its children.")
@click.option("--allow-remote", is_flag=True, help="Accept the address of another machine.")
@click.option("--json", "file", metavar="FILE", help="Also write all figures to this file.")
@click.pass_context
def bench(context: click.Context, /, file: str | None, **options: Any) -> None:
    """Measure the cost of messages, clients and logins here.

    It prints a table. It starts a FishChat of its own on free ports, with temporary data. With --address it uses
    one that already runs: its limits.flood must be false, and its accounts.mode open. Needs the extra `proof`.
    """
    require("psutil")
    if context.invoked_subcommand is None:
        _measure(file=file, **options)


def _measure(
    only: Sequence[str],
    processes: bool,
    address: Sequence[str],
    pid: Sequence[int],
    allow_remote: bool,
    file: str | None,
    **wanted: Any,
) -> None:
    # Imported here, since it takes time and `fishchat --help` need not wait for it.
    from fishchat.proof.bench import machine, report, runner
    from fishchat.proof.bench.crowd import BenchError
    from fishchat.proof.bench.server import Server

    wish = Wish(**wanted)
    for one in address:
        _check_address(one, allow_remote)
    server = None if address else Server(servers=2 if processes else 0)
    for name in only:
        if needed := runner.missing(WORKLOADS[name], len(address) or 1 + processes, server):
            raise click.UsageError(f"{name} cannot be measured like this: {needed}")
    found = []
    try:
        if server is not None:
            _say("starting FishChat")
            _end_in_order()
            server.start()
        else:
            for one in address:
                machine.checked(one)
        place = machine.machine(server.data if server is not None else None)
        addresses, roots = (server.addresses, server.roots) if server is not None else (address, pid)
        for result in runner.workloads(server, addresses, only, wish, roots, _say):
            found.append(result)
            if file is not None:
                _write(file, {"machine": place, "results": msgspec.to_builtins(found)})
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    finally:
        if server is not None:
            server.stop()
    print_table(report.HEAD, [report.row(result) for result in found])
    cores, load, fsync = place["cores"], place["load"], place["fsync_ms"]
    click.echo(f"{cores} cores, shared with the generator; load before: {load:g}; the disk's fsync: {fsync:g} ms")
    sys.exit(1 if any(result.figures.error for result in found) else 0)


@bench.command()
@click.option("--json", "file", metavar="FILE", required=True, help="The record; an incomplete one is continued.")
@click.option("--only", multiple=True, type=click.Choice(list(KINDS)), help="Only what grows in this; may be repeated.")
@click.option("--most", type=click.IntRange(1), help="Leave out the points above this one.")
@click.option(
    "--seconds",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.5, MOST_SECONDS),
    help="The duration of each one.",
)
@click.option(
    "--minutes", default=12.0, show_default=True, type=click.FloatRange(1, 120), help="Start no point after this time."
)
def growth(file: str, only: Sequence[str], most: int | None, seconds: float, minutes: float) -> None:
    """Record how the cost grows, and with what.

    It grows clients, members, stored messages, msg_servers and routers, one after the other. It takes about ten
    minutes, memory for 5 million messages (1 GB), and disk space for their log (3 GB).
    """
    from fishchat.proof.bench.crowd import BenchError
    from fishchat.proof.bench.growth import Look, Record, grow

    _end_in_order()
    try:
        record = Record(Path(file))
        failed = grow(record, Look(seconds, _say, most, tuple(only), time.monotonic() + minutes * 60))
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    _say(f"{len(record.points)} points are in {file}; `fishchat bench table {file}` prints them")
    if failed:
        raise click.ClickException(f"not measured; the same command tries them again: {'; '.join(failed)}")


@bench.command("table")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("directory", metavar="[DIR]", required=False, type=_DIRECTORY)
def table(file: Path, directory: Path | None) -> None:
    """Print a record of growth as tables.

    With DIR it writes them to DIR/performance.md.
    """
    from fishchat.proof.bench import table as page
    from fishchat.proof.bench.crowd import BenchError
    from fishchat.proof.bench.growth import Record

    try:
        record = Record(file)
        click.echo(page.tables(record) if directory is None else page.write(record, directory))
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None


# Named as when the command also drew pictures.
bench.add_command(click.Command("plot", params=table.params, callback=table.callback, hidden=True))


def _check_address(address: str, allow_remote: bool) -> None:
    try:
        host, _ = parse_address(address)
    except ValueError as error:
        raise click.BadParameter(f"{address}: {error}", param_hint="--address") from None
    if not allow_remote and not is_loopback(host):
        raise click.UsageError(
            f"{host} is another machine, and this is as much load as it takes: use --allow-remote if that is intended"
        )


def _end_in_order() -> None:
    """On SIGTERM, end what was started and remove its data, as after Ctrl+C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _say(text: str) -> None:
    click.echo(text, err=True)


def _write(file: str, value: dict[str, Any]) -> None:
    try:
        Path(file).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
