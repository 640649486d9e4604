"""The command ``fishchat user export``."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from fishchat.cli.printing import plural
from fishchat.cli.store import Store, explained, name_argument, with_store
from fishchat.errors import Refusal

if TYPE_CHECKING:
    from fishchat.storage.redis import Connection


@click.command()
@name_argument("account")
@click.option("--output", type=click.Path(path_type=Path), help="Write to this new file. Default: standard output.")
@with_store
def export(store: Store, account: bytes, output: Path | None) -> None:
    """Export what an account has said, and its profile.

    This prints one JSON object per line: the account, its devices, contacts, blocked accounts, remarks, requests to
    contacts, settings of conversations and topics, what it has reported, each message that it sent and that is still
    stored, and an `end` with the number of messages. Times are in ms since 1970. Hashes of secrets are never included.
    """
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.services.backup.export import export as lines_of
    from fishchat.services.launch.one_shot import run
    from fishchat.services.running.errors import StartError
    from fishchat.storage.packing import days_in_ms

    life = days_in_ms(store.config.accounts.token_days)

    async def work(connection: Connection) -> int:
        written = 0
        with ExitStack() as opened:
            file: TextIO | None = None
            async for line in lines_of(connection, account, life):
                # Opened when the account is known to exist. Standard output has no line before that either.
                file = file or _opened(output, opened)
                # Non-ASCII characters are escaped, so that none can control a terminal.
                file.write(json.dumps(line) + "\n")
                written += line["type"] == "message"
        return written

    try:
        written = run(store.config, work)
    except Refusal as refusal:
        raise click.ClickException(explained(refusal, account.decode(), store.place)) from None
    except StartError as error:
        raise click.ClickException(str(error)) from None
    except FileExistsError:
        raise click.ClickException(f"{output} exists already; choose another name") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {output or 'the export'}: {error.strerror}") from None
    if output is not None:
        click.echo(f"wrote {output}: {plural(written, 'message')} of {account.decode()}")


def _opened(output: Path | None, opened: ExitStack) -> TextIO:
    if output is None:
        return sys.stdout
    # It contains private messages, so only its owner may read it.
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return opened.enter_context(open(descriptor, "w", encoding="ascii"))
