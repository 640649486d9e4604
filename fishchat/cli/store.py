"""Shared by all commands that use the store: their options, the call, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fishchat.cli.operator import recorder
from fishchat.config import describe
from fishchat.config.load import ConfigError, load
from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.model.display_names import display_name
from fishchat.model.names import is_name, name_advice

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts, Record
    from fishchat.interfaces import IStore

T = TypeVar("T")
Work = Callable[["Accounts"], Coroutine[Any, Any, T]]

_OPEN = "note: accounts.mode is open: clients log in under any name, without a password"


class Store:
    """The store of a configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        #: The data directory or the URL of the Redis, without its password.
        self.place = describe.masked(config.redis.url) if config.redis.url else str(data_path(config))

    def ask(self, work: Work[T], account: bytes = b"", *, creates: bool = False) -> T:
        """Return the result of ``work``. Any failure becomes a ClickException that names ``account``.

        ``creates`` is for the work that begins a store where there is none. Can be called once in a process.
        """
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.features.accounts.administration import Accounts
        from fishchat.services.launch.one_shot import has_store

        days = self.config.accounts.token_days
        if creates and not has_store(self.config):
            click.echo(f"note: there was no FishChat in {self.place}; this makes a new one", err=True)
        try:
            return self.visit(lambda store, record: work(Accounts(store, days, record)), creates=creates)
        except Refusal as refusal:
            raise click.ClickException(explained(refusal, account.decode(), self.place)) from None

    def visit(self, work: Callable[[IStore, Record], Coroutine[Any, Any, T]], *, creates: bool = False) -> T:
        """Return the result of ``work``, whose arguments are the store and the function that records a change.

        Fails with the Refusal; other failures become a ClickException. Can be called once in a process.
        """
        from fishchat.services.launch.one_shot import run
        from fishchat.services.running.errors import StartError

        try:
            return run(
                self.config,
                lambda connection: work(connection, recorder(connection, self.config)),
                creates=creates,
            )
        except StartError as error:
            raise click.ClickException(str(error)) from None


def with_store(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select a store, and pass the selected ``Store`` to the command."""

    @click.option("--data", metavar="DIR", default="", help="Data directory, as for `fishchat up`.")
    @click.option(
        "--config",
        "settings",
        metavar="FILE",
        help="Configuration file, TOML or JSON. Default: fishchat.toml in the data directory.",
    )
    @wraps(command)
    def run(data: str, settings: str | None, **others: Any) -> None:
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.services.launch.one_shot import has_store

        config = load_config(settings, data)
        store = Store(config)
        if has_store(config):
            if config.accounts.mode == "open":
                click.echo(_OPEN, err=True)
            # Every answer names the store: a change in a wrong one must be seen.
            click.echo(f"note: the store is {store.place}", err=True)
        command(store, **others)

    return run


def load_config(settings: str | None, data: str) -> Config:
    """Return the configuration of a command, and print the notes on it. Raises ClickException."""
    try:
        loaded = load(settings, data=data)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    return loaded.config


def explained(refusal: Refusal, account: str, place: str) -> str:
    """Explain a refusal of the store at ``place`` to the operator."""
    if refusal.word == "NOTFOUND":
        usual = refusal.text == Refusal("NOTFOUND").text
        return f"there is no account {account} in {place}" + ("" if usual else f": {refusal.text}")
    if refusal.word == "EXISTS":
        return f"the name {account} is taken in {place} (names of deleted accounts stay taken); choose another one"
    if refusal.word == "DEVICES":
        return f"{account} has the maximum number of devices (`limits.devices`); revoke one first"
    return refusal.text


def name_argument(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare an argument for the name of an account or a device; the command receives it as bytes."""
    return click.argument(name, metavar=name.upper() if name != "account" else "NAME", callback=checked_name)


def checked_name(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes:
    """Return the name as bytes, empty if it was not given."""
    if value is None:
        return b""
    name = value.encode(errors="replace")
    if not is_name(name):
        raise click.BadParameter(name_advice(name) or Refusal("BADNAME").text)
    return name


def checked_display_name(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes:
    """Return the display name as bytes, empty if it was not given."""
    if value is None:
        return b""
    # Bytes of the command line that are not UTF-8 are restored, so that they are refused.
    try:
        return display_name(value.encode(errors="surrogateescape"))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
