"""The command ``fishchat cert``: make certificates with a private authority, and show them."""

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
    """Create and show TLS certificates.

    A private authority, which the first certificate creates, signs them.
    """


def _placed(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select the directory of the files, and pass it as ``directory``."""

    @click.option("--dir", "chosen", metavar="DIR", help="Directory of the files. Default: tls/ in the data directory.")
    @click.option("--data", metavar="DIR", default="", help="Data directory.")
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


_days = click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires. Default: 397.")


@cert.command()
@click.argument("hosts", metavar="HOST...", nargs=-1, required=True)
@_days
@_placed
def server(directory: Path, hosts: tuple[str, ...], days: int | None) -> None:
    """Create a server certificate: server.pem and server.key.

    Give all host names and addresses that clients connect to.

    If there is no authority (ca.pem and ca.key) yet, it is created first. An existing server pair is replaced.
    """
    # Imported late, here and below: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.net.authority_files import Directory

    Directory(directory, _now(), click.echo).make_server(hosts, days)


@cert.command()
@click.argument("name")
@_days
@_placed
def client(directory: Path, name: str, days: int | None) -> None:
    """Create a client certificate: NAME.pem and NAME.key.

    A role shows it to a Redis that requires one.
    """
    from fishchat.services.net.authority_files import Directory

    Directory(directory, _now(), click.echo).make_client(name, days)


@cert.command()
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_placed
def show(directory: Path, file: str | None, as_json: bool) -> None:
    """Show the names, issuer and expiry of a certificate.

    FILE is server.pem by default.
    """
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
