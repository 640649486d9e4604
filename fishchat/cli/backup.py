"""The commands ``fishchat backup`` and ``fishchat restore``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from fishchat.cli.printing import local_time, print_fields
from fishchat.cli.store import load_config

if TYPE_CHECKING:
    from fishchat.config.schema import Config
    from fishchat.services.backup.restore import Counts

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("target", metavar="FILE", type=_PATH)
@click.option(
    "--check", "checking", is_flag=True, help="Only check the backup FILE: that it is complete and undamaged."
)
@click.option("--no-tls", is_flag=True, help="Leave out tls/, which contains the private keys.")
@click.option("--data", metavar="DIR", default="", help="Data directory, as for `fishchat up`.")
@click.option("--config", "settings", metavar="FILE", help="Configuration file, as for `fishchat up`.")
def backup(target: Path, checking: bool, no_tls: bool, data: str, settings: str | None) -> None:
    """Write a backup of the data directory to FILE.

    It contains all messages that had their OK when the command began, whether servers run or not. It also contains
    tls/ and fishchat.toml. If FILE is a directory, the backup gets a name with the time in it. Keep it secret: it
    contains messages, hashes of passwords and private keys.
    """
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.config.paths import data_path
    from fishchat.services.backup.archive import check, write
    from fishchat.services.running.errors import StartError

    try:
        if checking:
            sums = check(target)
            click.echo(f"{target} is complete and undamaged; made {local_time(sums.made)} by fishchat {sums.version}")
            return
        config = load_config(settings, data)
        if config.redis.url:
            raise click.ClickException(
                "the store is an external Redis (`redis.url`), whose files are not here; back it up with its own tools,"
                " for example `redis-cli -u URL --rdb FILE`, and copy fishchat.toml and tls/"
            )
        path, sums = write(data_path(config), target, tls=not no_tls)
    except StartError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"wrote {path}: {path.stat().st_size} bytes")
    print_fields({"store": "yes", "tls/": _yes(sums.has("tls")), "fishchat.toml": _yes(sums.has("fishchat.toml"))})


@click.command()
@click.argument("file", type=_PATH)
@click.option("--data", metavar="DIR", required=True, help="The data directory to restore into. It is created.")
@click.option("--replace", is_flag=True, help="Move an existing store to before-restore/ first.")
def restore(file: Path, data: str, replace: bool) -> None:
    """Restore a backup into a data directory.

    No server may use the directory. The backup FILE is checked first. Then a Redis loads it, and the command prints how
    much it contains.
    """
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.config.load import data_directory
    from fishchat.services.backup.restore import unpack
    from fishchat.services.running.errors import StartError

    directory = data_directory(data)
    try:
        sums, aside = unpack(file, directory, replace)
        counts = _verified(load_config(None, data))
    except StartError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"restored {file}, made {local_time(sums.made)} by fishchat {sums.version}, into {directory}")
    print_fields(dict(asdict(counts)))
    if aside is not None:
        click.echo(f"The files that were there before are in {aside}; delete them when you no longer need them.")
    click.echo(
        "Everything after the backup is lost, also password changes and revocations: repeat them before the start."
    )


def _verified(config: Config) -> Counts:
    from fishchat.services.backup.restore import verify
    from fishchat.services.launch.one_shot import run

    # A restored configuration may name another Redis; what was restored is the one of this directory.
    embedded = msgspec.structs.replace(config, redis=msgspec.structs.replace(config.redis, url=""))
    return run(embedded, verify, any_format=True)


def _yes(included: bool) -> str:
    return "yes" if included else "no"
