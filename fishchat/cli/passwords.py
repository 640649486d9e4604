"""Read a password from a file, the environment or a terminal, never from an argument."""

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
#: Bytes read from a file: longer than any password.
_MOST = 4096

password_file = click.option(
    "--password-file",
    "password_file",
    metavar="FILE",
    help=f"Read the password from FILE (- is the standard input). Default: the variable {VARIABLE}, else a prompt.",
)


def new_verifier(file: str | None, config: Config) -> Verifier:
    """Return the verifier of the new password. Raises ClickException if it is missing or not allowed."""
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.model.secrets.passwords import Costs, make

    costs = config.accounts
    try:
        return make(_read(file), Costs(costs.argon2_memory, costs.argon2_passes, costs.scram_rounds))
    except Refusal as refusal:
        raise click.ClickException(refusal.text) from None


def _read(file: str | None) -> bytes:
    # Child processes must not inherit it.
    given = os.environ.pop(VARIABLE, None)
    if file is not None:
        return _from_file(file)
    if given is not None:
        return os.fsencode(given)
    if not sys.stdin.isatty():
        raise click.ClickException(
            f"no password: use --password-file FILE (- is the standard input), set {VARIABLE} in the environment, "
            "or run this at a terminal"
        )
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="Repeat password", err=True)
    return typed.encode(errors="surrogateescape")


def _from_file(file: str) -> bytes:
    try:
        with click.open_file(file, "rb") as stream:
            found: bytes = stream.read(_MOST)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from None
    line = found.removesuffix(b"\n")
    return line if line == found else line.removesuffix(b"\r")
