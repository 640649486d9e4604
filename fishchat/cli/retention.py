"""The command ``fishchat retention``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from fishchat.cli.printing import plural, print_fields
from fishchat.cli.store import Store, with_store

if TYPE_CHECKING:
    from fishchat.services.manager.survey import Survey


@click.command()
@click.option("--now", is_flag=True, help="Remove what is due now, even if the manager refuses to.")
@click.option("--dry-run", is_flag=True, help="Only show what is due. This is the default.")
@click.option("--yes", is_flag=True, help="Remove without asking for confirmation.")
@with_store
def retention(store: Store, now: bool, dry_run: bool, yes: bool) -> None:
    """Show which messages are due for removal.

    They are those that the `retention` of the configuration no longer keeps. The manager removes them by itself. It
    removes nothing while the clocks of its machine and of Redis differ by more than a minute, or if more than half of
    all messages would go: check the clocks, then use --now.
    """
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.launch.one_shot import run
    from fishchat.services.manager.survey import look, remove
    from fishchat.services.running.errors import StartError
    from fishchat.storage.redis import Connection

    async def work(connection: Connection) -> int | None:
        found = await look(connection, store.config.retention, time.time)
        _show(found)
        if dry_run or not now or not found.due:
            return None
        if not yes:
            _confirm(found.removable)
        return sum([await remove(connection, found, each, lambda: True) for each in found.due])

    try:
        removed = run(store.config, work)
    except StartError as error:
        raise click.ClickException(str(error)) from None
    if removed is not None:
        click.echo(f"removed {plural(removed, 'message')}")


def _show(found: Survey) -> None:
    from fishchat.services.manager.survey import shown

    print_fields(
        {
            "redis' clock": f"{shown(found.now)} (this machine's: {found.apart:+.0f} s)",
            "messages": f"{found.entries} in {plural(found.conversations, 'conversation')}",
            "due": f"{found.removable} in {plural(len(found.due), 'conversation')}",
        }
    )
    if objection := found.objection():
        click.echo(f"The manager removes nothing: {objection}.")


def _confirm(removable: int) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.ClickException("nothing was removed: confirm with --yes, or run this at a terminal")
    if not click.confirm(f"Remove {plural(removable, 'message')} permanently?", err=True):
        raise click.ClickException("nothing was removed")
