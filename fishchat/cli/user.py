"""``fishchat user``: the operator's side of accounts, on the store, whether servers run or not."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fishchat.cli.devices import devices, revoke, token
from fishchat.cli.invitations import invitations, invite, withdraw
from fishchat.cli.passwords import new_verifier, password_file
from fishchat.cli.printing import local_time, plural, print_fields, print_json, print_table
from fishchat.cli.store import Store, checked_display_name, name_argument, with_store

if TYPE_CHECKING:
    from fishchat.storage.accounts import Accounts

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; times in ms since 1970, 0 for never.")


@click.group()
def user() -> None:
    """Make, show, change and delete accounts, their devices and invitations.

    This works on the store: while servers run, which follow within a second, and while none does.
    """


for command in (devices, revoke, token, invite, invitations, withdraw):
    user.add_command(command)


@user.command()
@name_argument("account")
@click.option("--name", metavar="TEXT", callback=checked_display_name, help="The display name.")
@click.option("--no-password", is_flag=True, help="It logs in by tokens only (`fishchat user token`), as a bot does.")
@password_file
@with_store
def add(store: Store, account: bytes, name: bytes, no_password: bool, password_file: str | None) -> None:
    """Make an account. Its password is asked for, or comes from a file or the environment.

    NAME is 1 to 32 of a-z 0-9 . _ -
    """
    if no_password and password_file is not None:
        raise click.UsageError("--no-password and --password-file exclude each other")
    verifier = None if no_password else new_verifier(password_file, store.config)
    privacy = store.config.accounts.privacy
    store.ask(lambda accounts: accounts.add(account, verifier, name, privacy), account)
    click.echo(f"{account.decode()} is there")


@user.command("list")
@as_json
@with_store
def list_(store: Store, as_json: bool) -> None:
    """Print all accounts by name; deleted ones are left out."""
    found = store.ask(lambda accounts: accounts.all())
    if as_json:
        shown = ("account", "name", "created", "disabled", "online", "devices")
        print_json([{key: asdict(portrait)[key] for key in shown} for portrait in found])
        return
    rows = [
        (each.account, each.name, local_time(each.created), local_time(each.disabled, "-"), each.online, each.devices)
        for each in found
    ]
    print_table(("NAME", "DISPLAY NAME", "CREATED", "DISABLED", "ONLINE", "DEVICES"), rows)


@user.command()
@name_argument("account")
@as_json
@with_store
def show(store: Store, account: bytes, as_json: bool) -> None:
    """Print what there is to know of an account; no hash of a secret is ever shown."""
    found = store.ask(lambda accounts: accounts.show(account), account)
    if as_json:
        print_json(asdict(found))
        return
    fields: dict[str, object] = {key.replace("_", " "): value for key, value in asdict(found).items()}
    fields["created"] = local_time(found.created)
    fields["disabled"] = local_time(found.disabled, "no")
    fields["password"] = "yes" if found.password else "no"
    fields["online"] = plural(found.online, "device")
    print_fields(fields)


@user.command()
@name_argument("account")
@password_file
@with_store
def passwd(store: Store, account: bytes, password_file: str | None) -> None:
    """Give an account another password. All its tokens and connections end."""
    verifier = new_verifier(password_file, store.config)
    ended = store.ask(lambda accounts: accounts.set_password(account, verifier), account)
    click.echo(f"{account.decode()} has another password; {plural(ended, 'session')} ended")


@user.command()
@name_argument("account")
@with_store
def disable(store: Store, account: bytes) -> None:
    """Shut an account out, at once and until it is enabled again. Its tokens are kept for then."""

    async def work(accounts: Accounts) -> tuple[int, int]:
        return (await accounts.show(account)).disabled, await accounts.disable(account)

    since, ended = store.ask(work, account)
    state = f"was disabled already, since {local_time(since)}" if since else "is disabled"
    click.echo(f"{account.decode()} {state}; {plural(ended, 'session')} ended")


@user.command()
@name_argument("account")
@with_store
def enable(store: Store, account: bytes) -> None:
    """Let a disabled account log in again."""

    async def work(accounts: Accounts) -> int:
        since = (await accounts.show(account)).disabled
        await accounts.enable(account)
        return since

    since = store.ask(work, account)
    click.echo(f"{account.decode()} {'may log in again' if since else 'was not disabled'}")


@user.command()
@name_argument("account")
@click.argument("display_name", metavar="DISPLAY_NAME", callback=checked_display_name)
@with_store
def rename(store: Store, account: bytes, display_name: bytes) -> None:
    """Give an account another display name. NAME itself never changes."""
    store.ask(lambda accounts: accounts.set_name(account, display_name), account)
    click.echo(f"{account.decode()} has another display name")


@user.command()
@name_argument("account")
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@click.option("--json", "as_json", is_flag=True, help="Print what was erased as JSON.")
@with_store
def delete(store: Store, account: bytes, yes: bool, as_json: bool) -> None:
    """Delete an account and all that it has said. Nothing brings it back; the name stays taken.

    Topics that it owned go to the longest-standing member. If this is interrupted, do it again: it goes on.
    """
    if not yes:
        _confirm(account.decode())
    erased = asdict(store.ask(lambda accounts: accounts.erase(account), account))
    if as_json:
        print_json(erased)
        return
    click.echo(f"{account.decode()} is deleted; erased:")
    print_fields({key.replace("_", " "): count for key, count in erased.items()})


def _confirm(name: str) -> None:
    if not sys.stdin.isatty():
        raise click.ClickException(f"nothing was deleted: say --yes when {name} is meant, or run this at a terminal")
    typed = click.prompt(f"To delete {name} for ever, type its name", default="", show_default=False, err=True)
    if typed.strip() != name:
        raise click.ClickException("that is another name; nothing was deleted")
