"""The command ``fishchat scrub``."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fishchat.cli.printing import local_time, plural, print_fields
from fishchat.cli.store import Store, with_store

if TYPE_CHECKING:
    from fishchat.config.schema import Config
    from fishchat.interfaces import IStore
    from fishchat.services.backup.erasures import Applied
    from fishchat.services.manager.scrub import Scrubbed
    from fishchat.storage.redis import Connection

T = TypeVar("T")

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--now", is_flag=True, help="Scrub what waits.")
@click.option(
    "--all", "everything", is_flag=True, help="Scrub every conversation: after an upgrade from before scrubs."
)
@click.option("--export", "target", metavar="FILE", type=_PATH, help="Write the list of what was erased to FILE.")
@click.option(
    "--erase", "source", metavar="FILE", type=_PATH, help="Erase what FILE, a list or a backup, names, then scrub."
)
@with_store
def scrub(store: Store, now: bool, everything: bool, target: Path | None, source: Path | None) -> None:
    """Show what waits for a scrub, and remove it.

    Redis keeps the bytes of recalled and erased messages in its memory and in its files until their conversations are
    scrubbed. The manager does this every night (`retention.scrub`). Clients can send messages meanwhile.
    """
    if sum((now or everything, target is not None, source is not None)) > 1:
        raise click.UsageError("use only one of --now (or --all), --export and --erase")
    if target is not None:
        _export(store, target)
    elif source is not None:
        show_applied(_erase(store, source))
    elif now or everything:
        show(_scrub(store, everything))
    else:
        _show_state(store)


def _show_state(store: Store) -> None:
    from fishchat.storage.scrub.calls import state

    found = _run(store, state)
    print_fields(
        {
            "waiting": plural(found.waiting, "conversation"),
            "only in Redis' file": plural(found.unwritten, "conversation"),
            "last scrub": local_time(found.last),
            "nightly": store.config.retention.scrub or "no",
        }
    )


def _scrub(store: Store, everything: bool) -> Scrubbed | None:
    async def work(connection: Connection) -> Scrubbed | None:
        return await scrub_now(connection, store.config, everything)

    return _run(store, work)


async def scrub_now(connection: IStore, config: Config, everything: bool = False) -> Scrubbed | None:
    """Scrub, and return what was done; None if nothing waited."""
    from fishchat.services.manager.scrub import Scrub

    one = Scrub(connection, _clock(), config)
    if everything:
        await one.mark_all()
    return await one.run() if (await one.state()).is_due else None


def _erase(store: Store, source: Path) -> Applied:
    from fishchat.services.backup.erasures import apply, load

    async def work(connection: Connection) -> Applied:
        return await apply(connection, _clock(), load(source), store.config)

    return _run(store, work)


def _export(store: Store, target: Path) -> None:
    from fishchat.services.backup.erasures import encode, read

    found = _run(store, read)
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(encode(found))
    except OSError as error:
        raise click.ClickException(f"cannot write {target}: {error.strerror or error}") from None
    click.echo(f"wrote {plural(len(found), 'erasure')} to {target}")


def _clock() -> Any:
    from twisted.internet import reactor

    return reactor


def _run(store: Store, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.launch.one_shot import run
    from fishchat.services.running.errors import StartError

    try:
        return run(store.config, work)
    except StartError as error:
        raise click.ClickException(str(error)) from None


def show(done: Scrubbed | None) -> None:
    """Print what a scrub did."""
    if done is None:
        click.echo("nothing waits for a scrub")
        return
    click.echo(
        f"scrubbed {plural(done.conversations, 'conversation')}; {plural(done.entries, 'entry', 'entries')} copied"
    )
    click.echo("Redis has written its file anew.")
    if done.postponed:
        click.echo(f"{done.postponed} changed too often and must wait: run `fishchat scrub --now` again.")


def show_applied(applied: Applied) -> None:
    """Print what was erased again."""
    accounts, messages = plural(applied.accounts, "account"), plural(applied.messages, "message")
    click.echo(f"erased again: {accounts} with everything that they wrote, {messages}")
