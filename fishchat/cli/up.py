"""The command ``fishchat up``."""

from __future__ import annotations

import sys

import click

from fishchat.config.load import ConfigError, load
from fishchat.config.paths import data_path

#: The exit code of a command that SIGINT ended, as shells have it.
INTERRUPTED = 130


@click.command()
@click.option("--processes", is_flag=True, help="Run each role in a process of its own, and restart it if it dies.")
@click.option("--data", metavar="DIR", default="", help="Data directory: messages, logs, fishchat.toml.")
@click.option(
    "--config",
    "file",
    metavar="FILE",
    help="Configuration file, TOML or JSON. Default: fishchat.toml in the data directory.",
)
def up(processes: bool, data: str, file: str | None) -> None:
    """Start FishChat on this machine.

    This runs all roles (gateway, msg_server, router, manager, monitor) and Redis. Press Ctrl+C to stop; no message is
    lost.
    """
    try:
        loaded = load(file, data=data)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    for note in loaded.notes:
        click.echo(note, err=True)
    try:
        click.echo(f"Starting FishChat in {data_path(loaded.config)} …")
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.services.launch.up import run

        run(loaded.config, in_processes=processes, config_file=file, say=click.echo)
    except KeyboardInterrupt:
        click.echo("FishChat was stopped before it had started.")
        sys.exit(INTERRUPTED)
