"""Who the operator is, and the audit record of what the operator changes."""

from __future__ import annotations

import os
import pwd
import socket
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fishchat.config.schema import Config
    from fishchat.features.accounts.administration import Record
    from fishchat.interfaces import IStore

_WHY = "why"


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta[_WHY] = value or ""


#: Adds the option to a command that changes something.
why = click.option(
    "--why", metavar="TEXT", expose_value=False, callback=_keep, help="The reason, for `fishchat audit`."
)


def name() -> str:
    """Return the user of this process and the machine; after sudo, the user who called it as well."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    caller = os.environ.get("SUDO_USER", "") if os.getuid() == 0 else ""
    return f"{caller + ',' if caller else ''}{user}@{socket.gethostname()}"


def recorder(store: IStore, config: Config) -> Record:
    """Return the function that records what this operator changes. A change is made even if it cannot be recorded."""
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.storage.audit.calls import append
    from fishchat.storage.redis import StoreError

    context = click.get_current_context(silent=True)
    reason = context.meta.get(_WHY, "") if context is not None else ""
    most = config.retention.audit.count

    async def record(action: str, account: bytes, **fields: Any) -> None:
        event = {"kind": "admin", "by": name(), "action": action, "account": account, "why": reason, **fields}
        try:
            await append([event], most).of(store)
        except StoreError as error:
            click.echo(f"note: this change is not in the audit record: {error}", err=True)

    return record
