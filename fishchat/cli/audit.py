"""The commands ``fishchat audit`` and ``fishchat online``, and the record of what the operator does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from fishchat.cli.printing import local_time, print_json, print_table
from fishchat.cli.store import Store, checked_name, with_store
from fishchat.model.audit import KINDS, line

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts
    from fishchat.storage.audit.calls import Recorded
    from fishchat.storage.servers.online import Online

#: Unit → its seconds.
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}
#: Events of the record in which the addresses of connected devices are looked up.
_LOOKED_UP = 20_000


def checked_since(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Return a span such as ``90m`` or ``2d`` in ms."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", value)
    if found is None:
        raise click.BadParameter("a time is like 30m, 12h or 7d")
    return int(found[1]) * _UNITS[found[2]] * 1000


at_most = click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1, 1_000_000), help="The most lines to print."
)


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

    async def work(accounts: Accounts) -> list[Recorded]:
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.storage.audit.calls import newest_first

        found: list[Recorded] = []
        # The store's clock counts: it has given the events their times.
        now = int((await accounts.store.run("TIME"))[0]) * 1000
        async for event in newest_first(accounts.store, max(0, now - since)):
            if all(event.fields.get(key) == value for key, value in wanted.items()):
                found.append(event)
                if len(found) > limit:
                    break
        return found

    found = store.ask(work)
    if len(found) > limit:
        found = found[:limit]
        click.echo(f"note: only the newest {limit} events; use --limit or other conditions for more", err=True)
    found.reverse()
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
