"""Read a password from a file, the environment or a terminal, never from an argument."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
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


def new_verifier(file: str | None, config: Config) -> Callable[[], Verifier]:
    """Return a function that returns the verifier of the new password. Raises ClickException if there can be none.

    A password that has to be typed is asked for when the function is called: after the account was looked for.
    """
    given = _given(file)
    if given is None:
        return lambda: _made(_typed(), config)
    verifier = _made(given, config)
    return lambda: verifier


def _made(password: bytes, config: Config) -> Verifier:
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.model.secrets.passwords import Costs, make

    costs = config.accounts
    try:
        return make(password, Costs(costs.argon2_memory, costs.argon2_passes, costs.scram_rounds))
    except Refusal as refusal:
        raise click.ClickException(refusal.text) from None


def _given(file: str | None) -> bytes | None:
    # Child processes must not inherit it.
    given = os.environ.pop(VARIABLE, None)
    if file is not None:
        return _from_file(file)
    if given is not None:
        return os.fsencode(given)
    if not at_terminal():
        raise click.ClickException(
            f"no password: use --password-file FILE (- is the standard input), set {VARIABLE} in the environment, "
            "or run this at a terminal"
        )
    return None


def _typed() -> bytes:
    # The reactor may run. Its handler of Ctrl+C would wait for the end of this question.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="Repeat password", err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    return typed.encode(errors="surrogateescape")


def at_terminal() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin.isatty()


def _from_file(file: str) -> bytes:
    try:
        with click.open_file(file, "rb") as stream:
            found: bytes = stream.read(_MOST)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from None
    line = found.removesuffix(b"\n")
    return line if line == found else line.removesuffix(b"\r")
