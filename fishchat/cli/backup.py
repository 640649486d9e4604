"""The commands ``fishchat backup`` and ``fishchat restore``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from fishchat.cli.printing import local_time, print_fields
from fishchat.cli.store import load_config
from fishchat.config.paths import data_path

if TYPE_CHECKING:
    from fishchat.config.schema import Config
    from fishchat.services.backup.archive import Sums
    from fishchat.services.backup.erasures import Applied
    from fishchat.services.backup.restore import Counts
    from fishchat.services.launch.one_shot import Notes
    from fishchat.storage.redis import Connection

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
    tls/, fishchat.toml and, if servers run, the list of what was erased (for `fishchat restore --erasures`). If FILE is
    a directory, the backup gets a name with the time in it. Keep it secret: it contains messages, hashes of passwords
    and private keys.
    """
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.backup.archive import ERASURES, check, write
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
        path, sums = write(data_path(config), target, not no_tls, _erasures(config))
    except StartError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"wrote {path}: {path.stat().st_size} bytes")
    has = {"tls/": "tls", "fishchat.toml": "fishchat.toml", "erasures": ERASURES}
    print_fields({"store": "yes", **{shown: _yes(sums.has(name)) for shown, name in has.items()}})


def _erasures(config: Config) -> bytes | None:
    """Return the list of what was erased; None if no server runs, because Redis is not started for it."""
    from fishchat.services.backup.erasures import encode, read
    from fishchat.services.launch.one_shot import run
    from fishchat.services.redis.program import running_process
    from fishchat.services.running.errors import StartError

    if not running_process(data_path(config)):
        return None
    try:
        return encode(run(config, read, any_format=True))
    except StartError as error:
        click.echo(f"note: the backup does not list what was erased: {error}", err=True)
        return None


@click.command()
@click.argument("file", type=_PATH)
@click.option("--data", metavar="DIR", required=True, help="The data directory to restore into. It is created.")
@click.option("--replace", is_flag=True, help="Move an existing store to before-restore/ first.")
@click.option(
    "--erasures",
    "lists",
    metavar="FILE",
    type=_PATH,
    multiple=True,
    help="A later backup, or a list of `fishchat scrub --export`: erase again what it names.",
)
def restore(file: Path, data: str, replace: bool, lists: tuple[Path, ...]) -> None:
    """Restore a backup into a data directory.

    No server may use the directory. The backup FILE is checked first. Then a Redis loads it, and the command prints how
    much it contains. Messages and accounts that were erased after the backup are erased again, if a list given with
    --erasures, or the store that is replaced, names them.
    """
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.config.load import data_directory
    from fishchat.services.launch.one_shot import run_with
    from fishchat.services.running.errors import StartError

    directory = data_directory(data)
    try:
        restored = run_with(lambda reactor, notes: _restored(file, directory, replace, lists, reactor, notes))
    except StartError as error:
        raise click.ClickException(str(error)) from None
    sums, aside = restored.sums, restored.aside
    click.echo(f"restored {file}, made {local_time(sums.made)} by fishchat {sums.version}, into {directory}")
    print_fields(dict(asdict(restored.counts)))
    _show_erased(restored)
    if aside is not None:
        click.echo(f"The files that were there before are in {aside}; delete them when you no longer need them.")
    click.echo(
        "Everything after the backup is lost, also password changes and revocations: repeat them before the start."
    )


@dataclass
class _Restored:
    """What a restore did; ``applied`` is None if no list of erasures was known, or could be used."""

    sums: Sums
    aside: Path | None
    counts: Counts
    applied: Applied | None
    why: str


async def _restored(
    file: Path, directory: Path, replace: bool, lists: tuple[Path, ...], reactor: Any, notes: Notes
) -> _Restored:
    from fishchat.services.backup.erasures import apply, load, read
    from fishchat.services.backup.restore import count, raise_epoch, unpack
    from fishchat.services.launch.one_shot import has_store, with_store
    from fishchat.services.running.errors import StartError
    from fishchat.storage.format import check_format

    erasures = [each for path in lists for each in load(path)]
    why = "" if lists else "no list of it is known (--erasures)"
    if replace and has_store(present := _embedded(directory)):
        try:
            erasures += await with_store(present, read, reactor, notes, any_format=True)
            why = ""
        except StartError as error:
            why = why and f"the store that was replaced cannot be read: {error}"
    sums, aside = unpack(file, directory, replace)
    config = _embedded(directory)

    async def work(connection: Connection) -> _Restored:
        await raise_epoch(connection)
        applied, reason = None, why
        if problems := await check_format(connection):
            reason = problems[0] + "; then run `fishchat scrub --erase FILE`"
        elif not reason:
            applied = await apply(connection, reactor, erasures, config)
        return _Restored(sums, aside, await count(connection), applied, reason)

    return await with_store(config, work, reactor, notes, any_format=True)


def _embedded(directory: Path) -> Config:
    """Return the configuration with the Redis of the directory; a restored one may name another."""
    config = load_config(None, str(directory))
    return msgspec.structs.replace(config, redis=msgspec.structs.replace(config.redis, url=""))


def _show_erased(restored: _Restored) -> None:
    from fishchat.cli.scrub import show_applied

    if restored.applied is not None:
        show_applied(restored.applied)
    else:
        click.echo(f"Everything that was recalled or erased after the backup is back: {restored.why}.")


def _yes(included: bool) -> str:
    return "yes" if included else "no"
