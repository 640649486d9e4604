"""Where commands take a password from: a file, the environment, or a person at a terminal. Never an argument."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from fishchat.config.schema import Config
from fishchat.errors import Refusal

if TYPE_CHECKING:
    from fishchat.model.secrets.passwords import Verifier

VARIABLE = "FISHCHAT_PASSWORD"
#: Bytes that are read of a file: more than any password has.
_MOST = 4096

password_file = click.option(
    "--password-file",
    "password_file",
    metavar="FILE",
    help=f"Take the password from FILE (- is the standard input); else from {VARIABLE}, else it is asked for.",
)


def new_verifier(file: str | None, config: Config) -> Verifier:
    """What to keep of the new password; ClickException when there is none, or none that may be."""
    # Here, since it takes a while and `fishchat --help` need not wait for it.
    from fishchat.model.secrets.passwords import Costs, make

    costs = config.accounts
    try:
        return make(_read(file), Costs(costs.argon2_memory, costs.argon2_passes, costs.scram_rounds))
    except Refusal as refusal:
        raise click.ClickException(refusal.text) from None


def _read(file: str | None) -> bytes:
    # Processes that this one starts have no use for it.
    given = os.environ.pop(VARIABLE, None)
    if file is not None:
        return _from_file(file)
    if given is not None:
        return os.fsencode(given)
    if not sys.stdin.isatty():
        raise click.ClickException(
            f"no password: give --password-file FILE (- is the standard input) or {VARIABLE} in the environment, "
            "or run this at a terminal"
        )
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    return typed.encode(errors="surrogateescape")


def _from_file(file: str) -> bytes:
    try:
        with click.open_file(file, "rb") as stream:
            found: bytes = stream.read(_MOST)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from None
    line = found.removesuffix(b"\n")
    return line if line == found else line.removesuffix(b"\r")
