"""What the commands that ask the store have in common: their options, the question itself, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fishchat.config.load import ConfigError, load
from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.model.names import DISPLAY_LENGTH, is_display_name, is_name

if TYPE_CHECKING:
    from fishchat.storage.accounts import Accounts

T = TypeVar("T")
Work = Callable[["Accounts"], Coroutine[Any, Any, T]]

_OPEN = "note: accounts.mode is open: anybody logs in as anybody here, and passwords are not asked for"


class Store:
    """The store of a configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def ask(self, work: Work[T], account: bytes = b"") -> T:
        """What ``work`` gives; ClickException, which speaks of ``account``, for whatever is not as it should be.

        Once in a process.
        """
        # Here, since it takes a while and `fishchat --help` need not wait for it.
        from fishchat.services.launch.one_shot import run
        from fishchat.services.running.errors import StartError
        from fishchat.storage.accounts import Accounts

        days = self.config.accounts.token_days
        try:
            return run(self.config, lambda connection: work(Accounts(connection, days)))
        except Refusal as refusal:
            raise click.ClickException(explained(refusal, account.decode())) from None
        except StartError as error:
            raise click.ClickException(str(error)) from None


def with_store(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options that say which store, and a ``Store`` for what they gave."""

    @click.option("--data", metavar="DIR", default="", help="The data directory, as for `fishchat up`.")
    @click.option(
        "--config",
        "settings",
        metavar="FILE",
        help="A TOML or JSON file; fishchat.toml in the data directory if not given.",
    )
    @wraps(command)
    def run(data: str, settings: str | None, **others: Any) -> None:
        try:
            loaded = load(settings, data=data)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        for note in loaded.notes:
            click.echo(f"note: {note}", err=True)
        if loaded.config.accounts.mode == "open":
            click.echo(_OPEN, err=True)
        command(Store(loaded.config), **others)

    return run


def explained(refusal: Refusal, account: str) -> str:
    """What a refusal means to the operator."""
    if refusal.word == "NOTFOUND":
        usual = refusal.text == Refusal("NOTFOUND").text
        return f"there is no account {account}" + ("" if usual else f": {refusal.text}")
    if refusal.word == "EXISTS":
        return f"the name {account} is taken; one that was deleted stays taken"
    if refusal.word == "DEVICES":
        return f"{account} has as many devices as `limits.devices` allows; revoke one first"
    return refusal.text


def name_argument(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An argument that is the name of an account or a device; the command gets it as bytes."""
    return click.argument(name, metavar=name.upper() if name != "account" else "NAME", callback=checked_name)


def checked_name(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes:
    """The name as bytes, empty when none is given."""
    if value is None:
        return b""
    name = value.encode(errors="replace")
    if not is_name(name):
        raise click.BadParameter(Refusal("BADNAME").text)
    return name


def checked_display_name(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes:
    """The display name as bytes, empty when none is given."""
    if value is None:
        return b""
    # What was no UTF-8 on the command line comes back as it was, and is refused.
    name = value.strip().encode(errors="surrogateescape")
    if not is_display_name(name):
        text = f"a display name is text of 1 to {DISPLAY_LENGTH} letters, without any that change its direction"
        raise click.BadParameter(text)
    return name
