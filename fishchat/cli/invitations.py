"""The commands ``fishchat user invite``, ``invitations`` and ``withdraw``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fishchat.cli.operator import why
from fishchat.cli.printing import local_time, print_json, print_table
from fishchat.cli.store import Store, checked_name, with_store
from fishchat.errors import Refusal
from fishchat.services.launch.banner import page_address

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts


@click.command()
@click.option("--uses", default=1, show_default=True, type=click.IntRange(1, 1_000_000), help="Number of accounts.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 3650), help="Days until it expires.")
@click.option("--for", "account", metavar="NAME", callback=checked_name, help="Restrict it to this account name.")
@why
@with_store
def invite(store: Store, uses: int, days: int, account: bytes) -> None:
    """Create an invitation and print its code.

    A person with the code, or with the page that opens with it, can create an account and choose its password.
    """
    if account and uses != 1:
        raise click.UsageError("an invitation --for one NAME can be used once; leave out --uses")
    code = store.ask(lambda accounts: accounts.invite(uses, days, account), account).decode()
    click.echo(code)
    name = account.decode() or "<name>"
    click.echo(f"the line to send: @invite={code} CREATE_CLIENT {name} <password>", err=True)
    if page := page_address(store.config):
        click.echo(f"the page to open: {page}#invite={code}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970.")
@with_store
def invitations(store: Store, as_json: bool) -> None:
    """List the invitations that can still be used. The codes are not stored, so each has an ID instead."""
    found = store.ask(lambda accounts: accounts.invitations())
    if as_json:
        print_json([asdict(invitation) for invitation in found])
        return
    rows = [
        (each.id, each.uses, local_time(each.made), local_time(each.ends), each.account or "anybody") for each in found
    ]
    print_table(("ID", "USES LEFT", "MADE", "ENDS", "FOR"), rows)


@click.command()
@click.argument("invitation", metavar="ID")
@why
@with_store
def withdraw(store: Store, invitation: str) -> None:
    """Withdraw an invitation. `fishchat user invitations` lists the IDs."""

    async def work(accounts: Accounts) -> bool:
        try:
            await accounts.withdraw(invitation.encode(errors="replace"))
        except Refusal as refusal:
            if refusal.word != "NOTFOUND":
                raise
            return False
        return True

    if not store.ask(work):
        raise click.ClickException(f"there is no invitation {invitation!a}")
    click.echo(f"withdrew invitation {invitation}")
