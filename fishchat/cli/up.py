"""The command ``fishchat up``."""

from __future__ import annotations

import os
import sys

import click

from fishchat.config.check import listeners
from fishchat.config.describe import environment_name
from fishchat.config.load import ConfigError, load
from fishchat.config.paths import data_path
from fishchat.config.schema import Config, MsgServer
from fishchat.net.addresses import format_address, parse_address

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
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(1, 65535),
    help="Port of the msg_server instead of 19000. All other ports are moved by the same distance.",
)
def up(processes: bool, data: str, file: str | None, port: int | None) -> None:
    """Start FishChat on this machine.

    This runs all roles (gateway, msg_server, router, manager, monitor) and Redis. Press Ctrl+C to stop; no message is
    lost. A second FishChat on the same machine needs its own --data and --port.
    """
    try:
        loaded = load(file, data=data)
        if port is not None:
            # In the environment, so that the processes of the roles have the same.
            os.environ.update(_moved(loaded.config, port))
            loaded = load(file, data=data)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    try:
        click.echo(f"Starting FishChat in {data_path(loaded.config)} …")
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.services.launch.up import run

        run(loaded.config, in_processes=processes, config_file=file, say=click.echo)
    except KeyboardInterrupt:
        click.echo("FishChat was stopped before it had started.")
        sys.exit(INTERRUPTED)


def _moved(config: Config, port: int) -> dict[str, str]:
    """Return variables that move every listener by the distance from the msg_server's port to ``port``."""
    distance = port - (parse_address(config.msg_server.listen)[1] or parse_address(MsgServer().listen)[1])
    variables = {}
    for key, address in listeners(config).items():
        host, old = parse_address(address)
        # Port 0 is any free one.
        new = port if key == "msg_server.listen" else old + distance if old else 0
        if not 0 <= new < 65536 or (old and not new):
            raise click.BadParameter(
                f"{key} would be moved from port {old} by {distance:+d}, and there is no such port; "
                "choose a number from 3000 to 54000, or set the ports in fishchat.toml",
                param_hint="--port",
            )
        variables[environment_name(key)] = format_address(host, new)
    return variables
