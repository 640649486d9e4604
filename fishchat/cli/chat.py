"""``fishchat chat``: the chat for people in a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from fishchat.config.load import load

if TYPE_CHECKING:
    from fishchat.chat.words import Words


@click.command()
@click.argument("where", required=False, metavar="[ACCOUNT[@HOST[:PORT]]]")
@click.option("--plain", is_flag=True, help="Lines and a prompt, for screen readers, bad lines and pipes.")
@click.option("--device", default=None, help="The name of this device; tui- and the machine's name if not given.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default=None, help="The language; else the terminal's.")
@click.option(
    "--ca", type=click.Path(dir_okay=False), default=None, help="Trust only the authorities in this file (PEM)."
)
@click.option("--no-tls", is_flag=True, help="Plain text over a network too, where anyone on the way can read it.")
@click.option("--data", type=click.Path(file_okay=False), default="", help="The data directory of the server here.")
def chat(
    where: str | None, plain: bool, device: str | None, lang: str | None, ca: str | None, no_tls: bool, data: str
) -> None:
    """Chat in the terminal.

    Without an address, with the server of this machine, as the account that was used last. F1 shows the keys.
    """
    # Imported here: no other command needs them.
    from fishchat.chat.errors import ChatError
    from fishchat.chat.home import Place, base_directory, default_device, last_place, lets_in, place_of
    from fishchat.chat.program import Wanted, run
    from fishchat.chat.words import Words, is_chinese

    words = Words(is_chinese(os.environ, lang))
    server = load(data=data).config.msg_server.listen
    try:
        if where is None:
            last = last_place(base_directory(os.environ))
            place = last or Place(_asked(words, "account?"), server)
        else:
            place = place_of(where, server, tls=ca is not None)
    except ValueError:
        raise click.ClickException(words("bad-address", where)) from None
    secret = None
    if not lets_in(place):
        secret = _secret(words, place, device or default_device())
    wanted = Wanted(
        place, device or default_device(), secret, ca if ca is not None else False if no_tls else None, plain
    )
    try:
        run(wanted, words, os.environ)
    except ChatError as error:
        raise click.ClickException(str(error)) from None


def _asked(words: Words, what: str) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("name the account: fishchat chat ACCOUNT")
    return str(click.prompt(words(what)))


def _secret(words: Words, place: object, device: str) -> str | None:
    """Return the password; None if the device has a token already, which is then used, or nobody can be asked."""
    from fishchat.chat.home import Place, base_directory
    from fishchat.client import FileState

    assert isinstance(place, Place)
    kept = base_directory(os.environ) / str(place).replace(":", "_").replace("/", "_") / f"{device}.json"
    try:
        state = FileState(kept).load()
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if (state is not None and state.token is not None) or "FISHCHAT_PASSWORD" in os.environ:
        return os.environ.get("FISHCHAT_PASSWORD")
    return str(click.prompt(words("password?", place), hide_input=True)) if sys.stdin.isatty() else None
