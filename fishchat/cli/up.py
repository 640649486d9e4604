"""``fishchat up``."""

from __future__ import annotations

import click

from fishchat.config.load import ConfigError, load


@click.command()
@click.option("--processes", is_flag=True, help="One process for each role, started again when it dies.")
@click.option("--data", metavar="DIR", default="", help="The directory of the messages and the logs.")
@click.option(
    "--config",
    "file",
    metavar="FILE",
    help="A TOML or JSON file; fishchat.toml in the data directory if not given.",
)
def up(processes: bool, data: str, file: str | None) -> None:
    """Start everything on this machine: gateway, msg_server, router, manager, monitor, and Redis.

    Ctrl+C stops it; no message is lost.
    """
    try:
        loaded = load(file, data=data)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    for note in loaded.notes:
        click.echo(note, err=True)
    # Here, since it takes a while and `fishchat --help` need not wait for it.
    from fishchat.services.launch.up import run

    run(loaded.config, in_processes=processes, config_file=file, say=click.echo)
