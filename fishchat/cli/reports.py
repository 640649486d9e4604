"""The commands ``fishchat reports list``, ``show`` and ``drop``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fishchat.cli.newest import at_most, checked_since, newest
from fishchat.cli.operator import recorder, why
from fishchat.cli.printing import local_time, print_fields, print_json, print_table
from fishchat.cli.store import Store, checked_name, with_store
from fishchat.errors import Refusal

if TYPE_CHECKING:
    from fishchat.features.accounts.administration import Accounts
    from fishchat.features.reports.calls import Report
    from fishchat.interfaces import IStore

#: The characters of a text in a list.
_SHOWN = 40


def checked_report(context: click.Context, parameter: click.Parameter, value: str) -> bytes:
    """Return the id of a report as bytes."""
    if not re.fullmatch(r"\d{1,15}-\d{1,15}", value):
        raise click.BadParameter("the id of a report is like 1795581000123-0; `fishchat reports list` shows it")
    return value.encode()


report_argument = click.argument("report", metavar="ID", callback=checked_report)


@click.group()
def reports() -> None:
    """Show and remove what accounts have reported.

    A report has a copy of the message, also after the message was recalled. `retention.reports` limits how long.
    """


@reports.command("list")
@click.option("--from", "sender", metavar="NAME", callback=checked_name, help="Only messages of this account.")
@click.option("--by", metavar="NAME", callback=checked_name, help="Only reports by this account.")
@click.option("--since", default="90d", show_default=True, callback=checked_since, help="How far back: 30m, 12h, 7d.")
@at_most
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970.")
@with_store
def list_(store: Store, sender: bytes, by: bytes, since: int, limit: int, as_json: bool) -> None:
    """List the reports, the newest one last."""

    def read(database: IStore, start: int) -> AsyncIterator[Report]:
        # Imported late: the import is slow, and `fishchat --help` does not need it.
        from fishchat.features.reports.calls import newest_first

        return newest_first(database, since=start)

    def is_wanted(report: Report) -> bool:
        return report.from_ == (sender.decode() or report.from_) and report.by == (by.decode() or report.by)

    found = newest(store, read, is_wanted, since, limit, "reports")
    if as_json:
        print_json([_fields(report) for report in found])
        return
    rows = [
        (each.id, local_time(each.at), each.by, each.from_, _beginning(each.text), _beginning(each.reason))
        for each in found
    ]
    print_table(("ID", "REPORTED", "BY", "FROM", "TEXT", "REASON"), rows)


@reports.command()
@report_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970.")
@with_store
def show(store: Store, report: bytes, as_json: bool) -> None:
    """Show a report with the whole text of the message."""

    async def work(accounts: Accounts) -> Report | None:
        from fishchat.features.reports.calls import newest_first

        async for found in newest_first(accounts.store, report, report):
            return found
        return None

    found = store.ask(work)
    if found is None:
        raise _unknown(report)
    if as_json:
        print_json(_fields(found))
        return
    print_fields(
        {
            "report": found.id,
            "reported": local_time(found.at, seconds=True),
            "by": found.by,
            "reason": found.reason or "-",
            "message": found.message,
            "from": f"{found.from_}/{found.device}",
            "sent": local_time(found.sent, seconds=True),
            "tags": found.tags or "-",
            "text": found.text,
        }
    )


@reports.command()
@report_argument
@why
@with_store
def drop(store: Store, report: bytes) -> None:
    """Remove a report and its copy of the message."""

    async def work(accounts: Accounts) -> bool:
        from fishchat.features.reports import calls

        try:
            await calls.drop(report).of(accounts.store)
        except Refusal as refusal:
            if refusal.word != "NOTFOUND":
                raise
            return False
        await recorder(accounts.store, store.config)("drop", b"", what=report)
        return True

    if not store.ask(work):
        raise _unknown(report)
    click.echo(f"removed report {report.decode()}")


def _unknown(report: bytes) -> click.ClickException:
    return click.ClickException(f"there is no report {report.decode()}; `fishchat reports list` shows all")


def _fields(report: Report) -> dict[str, object]:
    return {name.rstrip("_"): value for name, value in asdict(report).items()}


def _beginning(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
