"""Options and search of the commands that list the newest of something: events of the audit record, reports."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from fishchat.cli.store import Store

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts
    from fishchat.interfaces import IStore

T = TypeVar("T")

#: Unit → its seconds.
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}


def checked_since(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Return a span such as ``90m`` or ``2d`` in ms."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", value)
    if found is None:
        raise click.BadParameter("a time is like 30m, 12h or 7d")
    return int(found[1]) * _UNITS[found[2]] * 1000


at_most = click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1, 1_000_000), help="The most lines to print."
)


def newest(
    store: Store,
    read: Callable[[IStore, int], AsyncIterator[T]],
    is_wanted: Callable[[T], bool],
    since: int,
    limit: int,
    what: str,
) -> list[T]:
    """Return the newest ``limit`` of those wanted, the newest last, and warn if there are more.

    :param read: yields everything since a time in ms, the newest first.
    :param since: how far to look back, in ms.
    :param what: what is listed, for the warning.
    """

    async def work(accounts: Accounts) -> list[T]:
        found: list[T] = []
        # The store's clock counts: it has given the times.
        now = int((await accounts.store.run("TIME"))[0]) * 1000
        async for one in read(accounts.store, max(0, now - since)):
            if is_wanted(one):
                found.append(one)
                if len(found) > limit:
                    break
        return found

    found = store.ask(work)
    if len(found) > limit:
        found = found[:limit]
        click.echo(f"note: only the newest {limit} {what}; use --limit or other conditions for more", err=True)
    found.reverse()
    return found
