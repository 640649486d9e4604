"""The commands ``fishchat audit`` and ``fishchat online``, and the record of what the operator does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from fishchat.cli.newest import at_most, checked_since, newest
from fishchat.cli.printing import local_time, print_json, print_table
from fishchat.cli.store import Store, checked_name, with_store
from fishchat.model.audit import KINDS, line

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts
    from fishchat.interfaces import IStore
    from fishchat.storage.audit.calls import Recorded
    from fishchat.storage.servers.online import Online

#: Events of the record in which the addresses of connected devices are looked up.
_LOOKED_UP = 20_000


@click.command()
@click.option("--account", metavar="NAME", callback=checked_name, help="Only events of this account.")
@click.option("--since", default="1d", show_default=True, callback=checked_since, help="How far back: 30m, 12h, 7d.")
@click.option("--kind", type=click.Choice(list(KINDS)), help="Only events of this kind.")
@click.option("--address", default="", help="Only events of this address.")
@at_most
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970.")
@with_store
def audit(store: Store, account: bytes, since: int, kind: str | None, address: str, limit: int, as_json: bool) -> None:
    """Show logins, refusals and changes of accounts.

    The newest event is the last one. The record has accounts, devices, addresses and reasons, never texts or secrets.
    `retention.audit` limits it.
    """
    conditions = {"account": account.decode(), "kind": kind, "address": address}
    wanted = {key: value for key, value in conditions.items() if value}

    def read(database: IStore, start: int) -> AsyncIterator[Recorded]:
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.storage.audit.calls import newest_first

        return newest_first(database, start)

    def is_wanted(event: Recorded) -> bool:
        return all(event.fields.get(key) == value for key, value in wanted.items())

    found = newest(store, read, is_wanted, since, limit, "events")
    if as_json:
        print_json([{"at": event.at, **event.fields} for event in found])
        return
    for event in found:
        # A line of the log, so that both can be searched alike.
        click.echo(f"{local_time(event.at, seconds=True)} {line(event.fields)}")


@click.command()
@click.option("--account", metavar="NAME", callback=checked_name, help="Only devices of this account.")
@click.option("--server", default="", help="Only devices at this msg_server.")
@at_most
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970.")
@with_store
def online(store: Store, account: bytes, server: str, limit: int, as_json: bool) -> None:
    """List the devices that are connected now.

    The address of each is that of its last login in the audit record; it is empty if the record has it no more.
    """

    async def work(accounts: Accounts) -> tuple[list[Online], dict[tuple[str, str], str]]:
        from fishchat.storage.servers.online import online as devices

        found: dict[tuple[str, str], Online] = {}
        async for device in devices(accounts.store):
            if device.account == (account.decode() or device.account) and device.server == (server or device.server):
                found[device.account, device.device] = device
                if len(found) > limit:
                    break
        return list(found.values()), await _addresses(accounts, set(found))

    found, addresses = store.ask(work)
    if len(found) > limit:
        found = found[:limit]
        click.echo(f"note: only {limit} devices; use --limit or other conditions for more", err=True)
    rows = [
        (each.account, each.device, each.server, addresses.get((each.account, each.device), ""), each.since)
        for each in sorted(found, key=lambda each: (each.account, each.device))
    ]
    heads = ("account", "device", "server", "address", "since")
    if as_json:
        print_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    shown = [(*row[:3], row[3] or "-", local_time(row[4])) for row in rows]
    print_table([head.upper() for head in heads], shown)


async def _addresses(accounts: Accounts, missing: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the address of the last login of each of these devices, as far as the record has it."""
    from fishchat.storage.audit.calls import newest_first

    found: dict[tuple[str, str], str] = {}
    examined = 0
    async for event in newest_first(accounts.store):
        examined += 1
        if examined > _LOOKED_UP or not missing:
            break
        key = (event.fields.get("account", ""), event.fields.get("device", ""))
        if event.fields.get("kind") == "login" and key in missing:
            missing.discard(key)
            found[key] = event.fields.get("address", "")
    return found
