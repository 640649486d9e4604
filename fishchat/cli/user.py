"""The command ``fishchat user``: account management for the operator. It works on the store directly."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fishchat.cli.devices import devices, link, revoke, token
from fishchat.cli.export import export
from fishchat.cli.invitations import invitations, invite, withdraw
from fishchat.cli.operator import why
from fishchat.cli.passwords import at_terminal, new_verifier, password_file
from fishchat.cli.printing import local_time, plural, print_fields, print_json, print_table
from fishchat.cli.scrub import scrub_now
from fishchat.cli.scrub import show as show_scrubbed
from fishchat.cli.store import Store, checked_display_name, name_argument, with_store
from fishchat.errors import Refusal

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts, Erased
    from fishchat.services.manager.scrub import Scrubbed

#: The states of a name.
_FREE, _TAKEN, _DELETED = "free", "taken", "deleted"

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970; 0 means never.")


@click.group()
def user() -> None:
    """Manage accounts, their devices and invitations.

    The commands work on the store, whether servers are running or not. Running servers apply a change within a second.
    """


for command in (devices, export, link, revoke, token, invite, invitations, withdraw):
    user.add_command(command)


@user.command()
@name_argument("account")
@click.option("--name", metavar="TEXT", callback=checked_display_name, help="Display name.")
@click.option("--no-password", is_flag=True, help="Allow logins by token only, for a bot (`fishchat user token`).")
@password_file
@why
@with_store
def add(store: Store, account: bytes, name: bytes, no_password: bool, password_file: str | None) -> None:
    """Create an account.

    NAME has 1 to 32 characters of a-z 0-9 . _ - (lower case only). The password is read from a prompt, a file or the
    environment.
    """
    if no_password and password_file is not None:
        raise click.UsageError("use either --no-password or --password-file, not both")
    verifier = None if no_password else new_verifier(password_file, store.config)
    privacy = store.config.accounts.privacy

    async def work(accounts: Accounts) -> None:
        if await _state(accounts, account) != _FREE:
            raise Refusal("EXISTS")
        await accounts.add(account, verifier() if verifier is not None else None, name, privacy)

    store.ask(work, account, creates=True)
    click.echo(f"created account {account.decode()} in {store.place}")


@user.command("list")
@as_json
@with_store
def list_(store: Store, as_json: bool) -> None:
    """List all accounts by name, without deleted ones."""
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
    """Show the details of an account. Hashes of secrets are never shown."""
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
@why
@with_store
def passwd(store: Store, account: bytes, password_file: str | None) -> None:
    """Set a new password. This ends all tokens and connections of the account."""
    verifier = new_verifier(password_file, store.config)

    async def work(accounts: Accounts) -> int:
        await accounts.show(account)
        return await accounts.set_password(account, verifier())

    ended = store.ask(work, account)
    click.echo(f"changed the password of {account.decode()}; {plural(ended, 'session')} ended")


@user.command()
@name_argument("account")
@why
@with_store
def disable(store: Store, account: bytes) -> None:
    """Disable an account.

    This ends its connections at once and refuses logins until it is enabled. Its tokens are kept.
    """

    async def work(accounts: Accounts) -> tuple[int, int]:
        return (await accounts.show(account)).disabled, await accounts.disable(account)

    since, ended = store.ask(work, account)
    state = f"has been disabled since {local_time(since)}" if since else "is disabled"
    click.echo(f"{account.decode()} {state}; {plural(ended, 'session')} ended")


@user.command()
@name_argument("account")
@why
@with_store
def enable(store: Store, account: bytes) -> None:
    """Let a disabled account log in again."""

    async def work(accounts: Accounts) -> int:
        since = (await accounts.show(account)).disabled
        await accounts.enable(account)
        return since

    since = store.ask(work, account)
    click.echo(f"{account.decode()} {'is enabled again' if since else 'was not disabled'}")


@user.command()
@name_argument("account")
@click.argument("display_name", metavar="DISPLAY_NAME", callback=checked_display_name)
@why
@with_store
def rename(store: Store, account: bytes, display_name: bytes) -> None:
    """Change the display name of an account. NAME itself never changes."""
    store.ask(lambda accounts: accounts.set_name(account, display_name), account)
    click.echo(f"changed the display name of {account.decode()}")


@user.command()
@name_argument("account")
@click.option("--yes", is_flag=True, help="Delete without asking for confirmation.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts of erased items as JSON.")
@click.option("--scrub", "scrubs", is_flag=True, help="Scrub at once, as `fishchat scrub --now` does.")
@why
@with_store
def delete(store: Store, account: bytes, yes: bool, as_json: bool, scrubs: bool) -> None:
    """Delete an account and all messages that it sent. This cannot be undone, and the name stays taken.

    Topics that it owned pass to their longest-standing admin, or without admins to their longest-standing member.
    If the command is interrupted, run it again to finish. Nobody can read the messages any more. Their bytes are still
    in the memory and the files of Redis until they are scrubbed, which the manager does every night.
    """
    if not yes:
        _confirm(account.decode())

    async def work(accounts: Accounts) -> tuple[str, Erased, Scrubbed | None]:
        state, erased = await _state(accounts, account), await accounts.erase(account)
        return state, erased, await scrub_now(accounts.store, store.config) if scrubs else None

    state, counts, scrubbed = store.ask(work, account)
    erased = asdict(counts)
    if as_json:
        print_json(erased)
        return
    name = account.decode()
    if state == _DELETED and not any(erased.values()):
        click.echo(f"account {name} was deleted before; nothing was left to erase")
        return
    click.echo(f"{'completed the deletion of' if state == _DELETED else 'deleted'} account {name}; erased:")
    print_fields({key.replace("_", " "): count for key, count in erased.items()})
    if scrubs:
        show_scrubbed(scrubbed)
    elif counts.messages:
        at = store.config.retention.scrub
        click.echo(
            f"The bytes of the messages are still in the memory and the files of Redis until the next scrub"
            f"{', at ' + at if at else ''}; `fishchat scrub --now` does it at once."
        )


async def _state(accounts: Accounts, account: bytes) -> str:
    try:
        await accounts.show(account)
    except Refusal as refusal:
        if refusal.word != "NOTFOUND":
            raise
        return _FREE if refusal.text == Refusal("NOTFOUND").text else _DELETED
    return _TAKEN


def _confirm(name: str) -> None:
    if not at_terminal():
        raise click.ClickException("nothing was deleted: confirm with --yes, or run this at a terminal")
    typed = click.prompt(f"Type {name} to delete this account permanently", default="", show_default=False, err=True)
    if typed.strip() != name:
        raise click.ClickException("the name does not match; nothing was deleted")
