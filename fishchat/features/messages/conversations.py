"""The list of an account's conversations: whole, or a page of the newest ones with their last messages."""

from __future__ import annotations

from collections.abc import Iterator

from fishchat.features.engine import ICall, ISession
from fishchat.features.messages import calls
from fishchat.features.messages.calls import COUNTED, DESCRIBED, PREVIEWED, Described
from fishchat.features.messages.rows import CONVERSATIONS, DEFAULT_PAGE
from fishchat.model.message import ESCAPED
from fishchat.protocols.fields import Tags
from fishchat.protocols.lines import escape_tag
from fishchat.protocols.replies import list_lines
from fishchat.protocols.table import Command

#: The tags with which the list is a page, newest first.
PAGED = frozenset(tag.name for tag in CONVERSATIONS)


class Conversations:
    """Lists conversations in steps, because an account may have thousands.

    :param call: calls the store through the queue.
    """

    def __init__(self, call: ICall) -> None:
        self._call = call

    def listed(self, session: ISession, command: Command) -> None:
        """Carry out REQ_CONVERSATIONS: list the account's conversations, with the number of unread messages of each."""
        work = self._page if PAGED & command.tags.keys() else self._all
        session.perform(command, work(session.account, command), changes=False)

    async def _all(self, account: bytes, command: Command) -> bytes:
        found = await self._described(account, await self._names(account), False)
        return list_lines(command, [(_counts(each), own_tags(each)) for each in found])

    async def _page(self, account: bytes, command: Command) -> bytes:
        preview = b"preview" in command.tags
        times: dict[bytes, int] = {}
        for some in _steps(await self._names(account), COUNTED):
            found = await self._call(calls.conversation_times(account, some))
            times.update(zip(some, found, strict=True))
        page = await self._described(account, _page_of(times, command.tags), preview)
        return list_lines(command, [_item(each, times[each.conversation], preview) for each in page])

    async def _names(self, account: bytes) -> list[bytes]:
        cursor, names = b"0", set[bytes]()
        while True:
            cursor, some = await self._call(calls.conversations(account, cursor))
            names.update(some)
            if cursor == b"0":
                return sorted(names)

    async def _described(self, account: bytes, names: list[bytes], preview: bool) -> list[Described]:
        found: list[Described] = []
        for some in _steps(names, DESCRIBED if preview else COUNTED):
            found += await self._call(calls.describe_conversations(account, some, preview))
        return found


def _steps(names: list[bytes], size: int) -> Iterator[list[bytes]]:
    return (names[start : start + size] for start in range(0, len(names), size))


def _page_of(times: dict[bytes, int], tags: Tags) -> list[bytes]:
    """Return the page that the tags ask for, newest first; of the same time, the names that sort last."""
    order = sorted(((time, name) for name, time in times.items()), reverse=True)
    before = tags.get(b"before")
    if before is not None:
        order = [each for each in order if each < before]
    return [name for _, name in order[: tags.get(b"limit", DEFAULT_PAGE)]]


def _counts(found: Described) -> bytes:
    return b"%s %d %d %d" % (found.conversation, found.last, found.read, found.unread)


def _item(found: Described, time: int, preview: bool) -> tuple[bytes, bytes]:
    """Return the item of a conversation in a page, with its last message for a preview, and the tags of the item."""
    item, tags = _counts(found), b"time=%d" % time
    kept = own_tags(found)
    kept = b";" + kept if kept else b""
    if not preview:
        return item, tags + kept
    name = b";name=" + escape_tag(found.name) if found.name else b""
    if not found.position:
        return item + b" -", tags + name + kept
    kind, _, attributes = found.form.partition(b";")
    escaped = kind == ESCAPED
    recalled = b";" + attributes if attributes.startswith(b"recalled=") else b""
    tags += b";from=" + found.sender + name + (b";esc" if escaped else b"") + recalled + kept
    return b"%s %s:%s %s" % (item, found.conversation, found.position, beginning(found.text, escaped)), tags


def own_tags(found: Described) -> bytes:
    """Return the tags for what an account has set for a conversation, and for the unread messages that mention it."""
    tags = settings_tags(found.settings)
    if not found.mentions:
        return tags
    mentions = b"mentions=%d" % found.mentions
    return mentions + b";" + tags if tags else mentions


def settings_tags(settings: bytes) -> bytes:
    """Return the tags for what an account has set for a conversation; nothing for what is as at the beginning."""
    if not settings:
        return b""
    notify, ends, marks, remark = settings.split(b" ", 3)
    tags = []
    if notify != b"all":
        tags.append(b"notify=" + notify)
        tags += [b"until=" + ends] if ends != b"0" else []
    tags += [b"pinned"] if b"p" in marks else []
    tags += [b"archived"] if b"a" in marks else []
    tags += [b"remark=" + escape_tag(remark)] if remark else []
    return b";".join(tags)


def beginning(text: bytes, escaped: bool, longest: int = PREVIEWED) -> bytes:
    """Return as much of the beginning of a text as fits, without a part of a letter or of an escape."""
    if len(text) <= longest:
        return text
    text = text[:longest].decode(errors="ignore").encode()
    backslashes = len(text) - len(text.rstrip(b"\\"))
    return text[:-1] if escaped and backslashes % 2 else text
