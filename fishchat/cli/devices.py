"""The commands ``fishchat user devices``, ``revoke``, ``token`` and ``link``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fishchat.cli.operator import why
from fishchat.cli.printing import local_time, plural, print_json, print_table
from fishchat.cli.store import Store, checked_name, name_argument, with_store
from fishchat.errors import Refusal
from fishchat.services.launch import banner

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts, DeviceInfo


@click.command()
@name_argument("account")
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970; 0 means never or none.")
@with_store
def devices(store: Store, account: bytes, as_json: bool) -> None:
    """List the devices of an account.

    For each it shows when it was last online, and when its token expires.
    """

    async def work(accounts: Accounts) -> list[DeviceInfo]:
        # Fails with NOTFOUND for an unknown account, which would otherwise have an empty list.
        await accounts.show(account)
        return await accounts.devices(account)

    found = store.ask(work, account)
    if as_json:
        print_json([asdict(device) for device in found])
        return
    rows = [
        (each.device, "now" if each.online else local_time(each.seen), local_time(each.token_ends, "no token"))
        for each in found
    ]
    print_table(("DEVICE", "SEEN", "TOKEN ENDS"), rows)


@click.command()
@name_argument("account")
@click.argument("device", required=False, callback=checked_name)
@click.option("--all", "everything", is_flag=True, help="Revoke all devices of the account.")
@why
@with_store
def revoke(store: Store, account: bytes, device: bytes, everything: bool) -> None:
    """Revoke a lost device: end its token and its connection."""
    if everything == bool(device):
        raise click.UsageError("name one DEVICE, or use --all")

    async def work(accounts: Accounts) -> tuple[int, int] | None:
        await accounts.show(account)
        try:
            return await accounts.revoke(account, device)
        except Refusal as refusal:
            if refusal.word != "NOTFOUND":
                raise
            return None

    ended = store.ask(work, account)
    name, which = account.decode(), device.decode()
    if ended is None:
        raise click.ClickException(f"{name} has no device {which}")
    tokens, sessions = plural(ended[0], "token"), plural(ended[1], "session")
    click.echo(f"{f'{which} of {name}' if which else f'all devices of {name}'}: {tokens} and {sessions} ended")


@click.command()
@name_argument("account")
@name_argument("device")
@why
@with_store
def token(store: Store, account: bytes, device: bytes) -> None:
    """Print a new token for a device, such as a bot.

    The token logs in as NAME on DEVICE without a password. It also gives access to the monitor if NAME is in
    `monitor.accounts`. Keep it secret: run `umask 077`, then `fishchat user token NAME DEVICE > FILE`.
    """
    most = store.config.limits.devices

    async def work(accounts: Accounts) -> tuple[bool, bytes]:
        former = [each for each in await accounts.devices(account) if each.device == device.decode()]
        return any(each.token_ends for each in former), await accounts.grant(account, device, most)

    had_one, granted = store.ask(work, account)
    click.echo(granted.decode())
    if had_one:
        click.echo(f"note: the former token of {device.decode()} is no longer valid", err=True)
    days = store.config.accounts.token_days
    click.echo(f"note: the token expires {days:g} days after its last login", err=True)


@click.command()
@name_argument("account")
@why
@with_store
def link(store: Store, account: bytes) -> None:
    """Print a link that logs one browser in.

    It needs no password: it is for a person who forgot it, or has a new phone. It works once, within ten minutes, and
    ends if the password changes. Anyone who has it can open it first, so send it to its owner alone.
    """
    if store.config.accounts.mode == "open":
        raise click.ClickException("accounts.mode is open: nobody needs a link; open the page and enter the name")
    if not banner.page_address(store.config):
        raise click.ClickException("there are no pages for browsers; set web.listen or web.listen_tls")
    code = store.ask(lambda accounts: accounts.code(account), account).decode()
    click.echo(banner.link(store.config, account.decode(), code))
    click.echo("note: the link works once, within ten minutes", err=True)
