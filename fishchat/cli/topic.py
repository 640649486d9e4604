"""The command ``fishchat topic``: running topics as the operator. It works on the store directly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fishchat.cli.operator import why
from fishchat.cli.passwords import at_terminal
from fishchat.cli.printing import local_time, print_fields, print_json, print_table
from fishchat.cli.store import Store, checked_name, with_store
from fishchat.errors import Refusal
from fishchat.features.moderation.settings import SETTINGS
from fishchat.model.display_names import shown_text
from fishchat.model.message import NOTICE, pack_body

if TYPE_CHECKING:
    from fishchat.features.moderation.administration import Operator

T = TypeVar("T")

#: The most bytes of a reason.
REASON = 256
DAY, HOUR = 86_400, 3_600


@click.group()
def topic() -> None:
    """Manage topics: their owners, settings and members.

    The commands work on the store, whether servers are running or not. The members see a notice of each change.
    """


def _asked(store: Store, topic: bytes, account: bytes, work: Callable[[Operator], Coroutine[Any, Any, T]]) -> T:
    """Return the result of ``work``; a Refusal becomes a ClickException that names topic and account."""
    # Imported late: the import is slow, and `fishchat --help` does not need it.
    from fishchat.features.moderation.administration import Operator

    try:
        return store.visit(lambda connection, record: work(Operator(connection, record)))
    except Refusal as refusal:
        raise click.ClickException(explained(refusal, topic.decode(), account.decode(), store.place)) from None


def explained(refusal: Refusal, topic: str, account: str, place: str) -> str:
    """Explain a refusal of the store at ``place`` to the operator."""
    if refusal.word == "NOTFOUND":
        return f"there is no topic {topic} in {place}" + (
            f", or {account} is not banned or muted there" if account else ""
        )
    if refusal.word == "NOTMEMBER":
        return f"{account} is not a member of the topic {topic}"
    if refusal.word == "OWNER":
        return f"{account} owns the topic {topic}; name another owner first, with `fishchat topic owner`"
    if refusal.word == "RIGHTS":
        return f"{account} is muted in the topic {topic} or banned from it; end that first"
    if refusal.word == "TRYAGAIN":
        return "a server of an earlier version is running; upgrade or stop it, then run this again"
    return refusal.text


def _name(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.argument(name, metavar=name.upper(), callback=checked_name)


def _reason_of(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes:
    try:
        return shown_text(value.encode(errors="surrogateescape"), REASON) if value else b""
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_reason = click.option("--reason", metavar="TEXT", callback=_reason_of, help="The reason, which the members see.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON. Times are in ms since 1970.")


@topic.command("list")
@as_json
@with_store
def list_(store: Store, as_json: bool) -> None:
    """List all topics by name."""

    async def work(operator: Operator) -> list[tuple[str, dict[str, str]]]:
        found = []
        for name in sorted([name async for name in operator.names()]):
            try:
                found.append((name.decode(), await operator.show(name)))
            except Refusal:
                # The topic was dismissed since its name was found.
                continue
        return found

    topics = _asked(store, b"", b"", work)
    if as_json:
        print_json([{"topic": name, **shown} for name, shown in topics])
        return
    rows = [(name, shown["owner"], shown["kind"], shown["members"], shown.get("name", "")) for name, shown in topics]
    print_table(("TOPIC", "OWNER", "KIND", "MEMBERS", "NAME"), rows)


@topic.command()
@_name("topic")
@as_json
@with_store
def show(store: Store, topic: bytes, as_json: bool) -> None:
    """Show the settings of a topic."""
    found = _asked(store, topic, b"", lambda operator: operator.show(topic))
    if as_json:
        print_json({"topic": topic.decode(), **found})
        return
    print_fields({"topic": topic.decode(), **found, "created": local_time(int(found["created"]))})


@topic.command("set")
@_name("topic")
@click.argument("setting", type=click.Choice([name.decode() for name in SETTINGS]))
@click.argument("value")
@why
@with_store
def set_(store: Store, topic: bytes, setting: str, value: str) -> None:
    """Change a setting of a topic. The value - removes a name, a description or an announcement."""
    try:
        stored = SETTINGS[setting.encode()].check(value.encode(errors="surrogateescape"))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    _asked(store, topic, b"", lambda operator: operator.set(topic, setting.encode(), stored))
    click.echo(f"changed {setting} of the topic {topic.decode()}")


@topic.command()
@_name("topic")
@_name("account")
@why
@with_store
def owner(store: Store, topic: bytes, account: bytes) -> None:
    """Make a member the owner of a topic. The former owner becomes an admin."""
    _asked(store, topic, account, lambda operator: operator.own(topic, account))
    click.echo(f"{account.decode()} owns the topic {topic.decode()}")


@topic.command()
@_name("topic")
@_name("account")
@_reason
@why
@with_store
def kick(store: Store, topic: bytes, account: bytes, reason: bytes) -> None:
    """End the membership of an account, which may join again."""
    _asked(store, topic, account, lambda operator: operator.kick(topic, account, reason))
    click.echo(f"{account.decode()} is no member of the topic {topic.decode()} any more")


@topic.command()
@_name("topic")
@_name("account")
@click.option("--days", type=click.IntRange(1, 366), help="Days until the ban ends. Default: it does not end.")
@_reason
@why
@with_store
def ban(store: Store, topic: bytes, account: bytes, days: int | None, reason: bytes) -> None:
    """Keep an account out of a topic.

    It need not be a member. A membership ends with the ban.
    """
    _asked(store, topic, account, lambda operator: operator.ban(topic, account, (days or 0) * DAY, reason))
    click.echo(f"{account.decode()} is banned from the topic {topic.decode()}")


@topic.command()
@_name("topic")
@_name("account")
@why
@with_store
def unban(store: Store, topic: bytes, account: bytes) -> None:
    """End a ban."""
    _asked(store, topic, account, lambda operator: operator.unban(topic, account))
    click.echo(f"{account.decode()} is not banned from the topic {topic.decode()} any more")


@topic.command()
@_name("topic")
@_name("account")
@click.option("--hours", type=click.IntRange(1, 366 * 24), default=24, show_default=True, help="Hours until it ends.")
@_reason
@why
@with_store
def mute(store: Store, topic: bytes, account: bytes, hours: int, reason: bytes) -> None:
    """Let a member read, but not write, for some hours."""
    _asked(store, topic, account, lambda operator: operator.mute(topic, account, hours * HOUR, reason))
    click.echo(f"{account.decode()} is muted in the topic {topic.decode()}")


@topic.command()
@_name("topic")
@_name("account")
@why
@with_store
def unmute(store: Store, topic: bytes, account: bytes) -> None:
    """End a mute."""
    _asked(store, topic, account, lambda operator: operator.unmute(topic, account))
    click.echo(f"{account.decode()} is not muted in the topic {topic.decode()} any more")


@topic.command()
@_name("topic")
@click.option("--yes", is_flag=True, help="Dismiss without asking for confirmation.")
@why
@with_store
def dismiss(store: Store, topic: bytes, yes: bool) -> None:
    """End a topic and all memberships in it. This cannot be undone."""
    name = topic.decode()
    if not yes:
        if not at_terminal():
            raise click.ClickException("nothing was dismissed: confirm with --yes, or run this at a terminal")
        if click.prompt(f"Type {name} to dismiss this topic", default="", show_default=False, err=True) != name:
            raise click.ClickException("the name does not match; nothing was dismissed")

    async def work(operator: Operator) -> None:
        from fishchat.features.moderation.administration import STREAM
        from fishchat.features.moderation.calls import OPERATOR
        from fishchat.features.topics import calls

        notice = pack_body(OPERATOR.account, OPERATOR.device, -1, NOTICE, b"DISMISSED " + topic)
        async with operator:
            await operator.call(calls.dismiss(b"", topic, STREAM, notice))
        while await operator.call(calls.release(topic, calls.RELEASED)):
            pass
        await operator.recorded("topic-dismiss", topic)

    _asked(store, topic, b"", work)
    click.echo(f"dismissed the topic {name}")
