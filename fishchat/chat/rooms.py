"""The conversations of a person, and their messages: plain data, and how they are put in order."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from fishchat.client.events import HistoryItem, Member

#: The place of what is not stored yet: after everything else.
LAST = 10**16
#: Seconds after which somebody who was typing has stopped.
TYPING = 6.0

#: The order of entries: epoch, number, and for lines of the chat's own, their place after it.
Key = tuple[int, int, int]


@dataclass
class Entry:
    """One message, notice, or line of the chat's own (``kind`` ``info``).

    ``time`` is in seconds since 1970. ``state`` is empty for a message of others, and ``waiting``, ``stored`` or
    ``failed`` for an own one; ``problem`` is why it failed.
    """

    key: Key
    author: str
    text: str
    time: float
    id: str = ""
    kind: str = "message"
    state: str = ""
    problem: str = ""
    edited: bool = False
    recalled: str = ""
    reactions: Mapping[str, int] = field(default_factory=dict)
    mine: tuple[str, ...] = ()
    pinned: bool = False
    reply: str = ""
    mention: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number in the conversation; 0 for what is not stored."""
        return self.key[1] if self.id else 0


@dataclass(frozen=True)
class Row:
    """One row of a view: an entry, or ``day``, ``unread``, ``fold`` with what belongs to it."""

    kind: str
    entry: Entry | None = None
    day: date | None = None
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def key_of(message_id: str) -> Key:
    """Return the place of a stored message."""
    epoch, _, number = message_id.rpartition(":")[2].partition("-")
    return int(epoch), int(number), 0


@dataclass
class Room:
    """One conversation of ``account``.

    :ivar unread, mentions: how many messages are unread, and how many of them mention the account.
    :ivar read: the number up to which the account has read; ``seen`` is that of the other account.
    :ivar mark: the number after which the unread line stands; None: no line.
    :ivar loaded: whether the newest page of its history was read; ``complete``: whether the first was.
    :ivar selected: the id of the message that commands are about; empty: the last one.
    """

    conversation: str
    account: str
    entries: list[Entry] = field(default_factory=list)
    name: str = ""
    remark: str = ""
    unread: int = 0
    mentions: int = 0
    read: int = 0
    last: int = 0
    seen: int = 0
    time: float = 0.0
    notify: str = "all"
    until: float = 0.0
    pinned: bool = False
    archived: bool = False
    preview: str = ""
    mark: int | None = None
    loaded: bool = False
    loading: bool = False
    complete: bool = False
    selected: str = ""
    members: list[Member] = field(default_factory=list)
    typing: dict[str, float] = field(default_factory=dict)
    _by_id: dict[str, Entry] = field(default_factory=dict)

    @property
    def is_topic(self) -> bool:
        """Whether it is a topic."""
        return self.conversation.startswith("#")

    @property
    def is_notices(self) -> bool:
        """Whether it holds the notices of the account, and nobody can write there."""
        return self.conversation.startswith("@")

    @property
    def address(self) -> str:
        """Where to send: ``#topic``, or the other account."""
        if self.is_topic or self.is_notices:
            return self.conversation
        one, _, other = self.conversation.partition("+")
        return other if one == self.account else one

    @property
    def title(self) -> str:
        """What it is called: by the person's own remark, else its display name, else its address."""
        return self.remark or self.name or self.address

    def find(self, message_id: str) -> Entry | None:
        """Return the message with this id, if it is here."""
        return self._by_id.get(message_id)

    def numbered(self, number: int) -> Entry | None:
        """Return the message with this number, if it is here."""
        return next((entry for entry in reversed(self.entries) if entry.id and entry.number == number), None)

    def put(self, entry: Entry) -> bool:
        """Put an entry at its place; True if it is new. One with the same id is replaced."""
        old = self._by_id.get(entry.id) if entry.id else None
        if old is not None:
            place = bisect_left(self.entries, old.key, key=_key)
            if not entry.time:
                entry = replace(entry, time=old.time)
            self.entries[place] = self._by_id[entry.id] = entry
            return False
        insort(self.entries, entry, key=_key)
        if entry.id:
            self._by_id[entry.id] = entry
            self.last = max(self.last, entry.number)
        return True

    def drop(self, entry: Entry) -> None:
        """Remove an entry, if it is here."""
        self.entries = [one for one in self.entries if one is not entry]
        if entry.id:
            self._by_id.pop(entry.id, None)

    def merge(self, page: Iterable[Entry], newest: bool) -> None:
        """Put a page of history in. If it is the newest one and does not reach what is here, only the page stays."""
        page = list(page)
        stored = [entry for entry in self.entries if entry.id]
        if newest and stored and page and page[0].key > stored[-1].key:
            self.entries = [entry for entry in self.entries if entry.kind == "info" or entry.key[0] == LAST]
            self._by_id.clear()
            self.complete = False
        for entry in page:
            self.put(entry)

    def forget(self) -> None:
        """Drop all that the server has, so that it is read anew; what is waiting stays."""
        self.entries = [entry for entry in self.entries if not entry.id and entry.kind != "info"]
        self._by_id.clear()
        self.loaded = self.complete = False

    def after_last(self) -> Key:
        """Return the place after the last stored entry, for a line of the chat's own."""
        epoch, number, place = next((one.key for one in reversed(self.entries) if one.key[0] < LAST), (0, 0, 0))
        return epoch, number, place + 1

    def writers(self) -> list[str]:
        """Return the accounts to complete: those who wrote, the latest first, then the other members."""
        found = dict.fromkeys(one.author for one in reversed(self.entries) if one.kind == "message")
        found.update(dict.fromkeys(str(member.account) for member in self.members))
        if not self.is_topic and not self.is_notices:
            found[self.address] = None
        found.pop(self.account, None)
        return list(found)

    def are_typing(self, now: float) -> list[str]:
        """Return the accounts that are typing."""
        return [account for account, since in self.typing.items() if now - since < TYPING]

    def notifies(self, now: float) -> str:
        """Return which messages notify: ``all``, ``mentions`` or ``none``."""
        return "all" if 0 < self.until <= now else self.notify

    def rows(self, folds: bool) -> Iterator[Row]:
        """Yield the rows of its view. With ``folds``, notices of joins and leaves in a row are one."""
        day: date | None = None
        is_marked = self.mark is None
        moves: list[Entry] = []
        for entry in self.entries:
            is_move = folds and entry.kind == "notice" and entry.text.startswith(("JOINED ", "LEFT "))
            is_today = not entry.time or date.fromtimestamp(entry.time) == day
            is_first = not is_marked and entry.number > (self.mark or 0) and entry.author != self.account
            if moves and not (is_move and is_today and not is_first):
                yield folded(moves)
                moves = []
            if not is_today:
                day = date.fromtimestamp(entry.time)
                yield Row("day", day=day)
            if is_first and entry.kind == "message":
                is_marked = True
                yield Row("unread")
            if is_move:
                moves.append(entry)
            else:
                yield Row("entry", entry)
        if moves:
            yield folded(moves)


def folded(moves: list[Entry]) -> Row:
    """Return one row for joins and leaves: who is there now and was not, and the reverse."""
    joined: dict[str, None] = {}
    left: dict[str, None] = {}
    for entry in moves:
        word, _, account = entry.text.partition(" ")
        into, out_of = (joined, left) if word == "JOINED" else (left, joined)
        if account in out_of:
            del out_of[account]
        else:
            into[account] = None
    return Row("fold", moves[0], joined=tuple(joined), left=tuple(left))


def entry_of(item: HistoryItem, account: str) -> Entry:
    """Return the entry of an item of history."""
    own = item.from_ == account and not item.notice
    return Entry(
        key_of(item.id),
        item.from_,
        item.text,
        item.time,
        item.id,
        kind="notice" if item.notice else "message",
        state="stored" if own else "",
        edited=bool(item.edited),
        recalled=item.recalled,
        reactions=item.reactions,
        mine=item.mine,
        pinned=item.pinned,
        reply=item.reply,
        mention=item.mention,
    )


def mentions(entry: Entry, account: str) -> bool:
    """Return whether a message of somebody else mentions ``account``: by its tag, else by ``@account`` in its text."""
    if entry.kind != "message" or entry.author == account or entry.recalled:
        return False
    if entry.mention:
        return account in entry.mention or "all" in entry.mention
    return re.search(rf"(?<![\w.-])@{re.escape(account)}(?![a-z0-9_-])", entry.text, re.ASCII) is not None


def in_order(rooms: Iterable[Room]) -> list[Room]:
    """Return the rooms that are listed: pinned ones first, then the newest; archived ones only with news."""
    listed = [room for room in rooms if not room.archived or room.unread]
    return sorted(listed, key=lambda room: (not room.pinned, -room.time, room.conversation))


def _key(entry: Entry) -> Key:
    return entry.key
