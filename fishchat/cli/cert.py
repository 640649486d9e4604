"""``fishchat cert``: a private authority, certificates for servers and clients, and what stands in one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fishchat.config.load import data_directory


@click.group()
def cert() -> None:
    """Make certificates with a private authority, and show them."""


def _placed(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options that say where files lie, and ``directory`` for what they gave."""

    @click.option("--dir", "chosen", metavar="DIR", help="Where the files lie, instead of tls/ in the data directory.")
    @click.option("--data", metavar="DIR", default="", help="The data directory.")
    @wraps(command)
    def run(chosen: str | None, data: str, **others: Any) -> None:
        directory = Path(chosen) if chosen else data_directory(data or os.environ.get("FISHCHAT__DATA", "")) / "tls"
        try:
            command(directory, **others)
        except OSError as error:
            raise click.ClickException(f"{error.filename}: {error.strerror}") from None
        except ValueError as error:
            raise click.ClickException(str(error)) from None

    return run


_days = click.option("--days", type=click.IntRange(1, 3650), help="How long it is good for; 397 if not given.")


@cert.command()
@click.argument("hosts", metavar="HOST...", nargs=-1, required=True)
@_days
@_placed
def server(directory: Path, hosts: tuple[str, ...], days: int | None) -> None:
    """Make server.pem and server.key for the names and addresses that clients connect to.

    The authority, ca.pem and ca.key, is made if there is none. A former pair is replaced.
    """
    # Here, since it takes a while and `fishchat --help` need not wait for it; below as well.
    from fishchat.services.net.authority_files import Directory

    Directory(directory, _now(), click.echo).make_server(hosts, days)


@cert.command()
@click.argument("name")
@_days
@_placed
def client(directory: Path, name: str, days: int | None) -> None:
    """Make NAME.pem and NAME.key, which a machine shows to another one: to a Redis, say."""
    from fishchat.services.net.authority_files import Directory

    Directory(directory, _now(), click.echo).make_client(name, days)


@cert.command()
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_placed
def show(directory: Path, file: str | None, as_json: bool) -> None:
    """Print whom the certificate in FILE (or server.pem) is for, who signed it, and how long it is good for."""
    from fishchat.services.net.authority_files import describe

    values = describe(Path(file) if file else directory / "server.pem", _now())
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for key, value in values.items():
        text = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{key.replace('_', ' '):<10} {text}")


def _now() -> datetime:
    return datetime.now(timezone.utc)
