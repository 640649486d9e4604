"""The chat of one account without a toolkit: what the client tells becomes rooms, what a person does becomes calls.

A view (``plain``, ``screens``) shows the rooms and is told when something changed.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from fishchat.chat.home import Home
from fishchat.chat.rooms import LAST, Entry, Room, entry_of, in_order, key_of, mentions
from fishchat.chat.words import Words
from fishchat.client import Client
from fishchat.client.events import (
    Behind,
    Edited,
    Gap,
    HistoryItem,
    Message,
    Notice,
    Operation,
    Pinned,
    Presence,
    Reacted,
    Read,
    Recalled,
    RefusedError,
    Typing,
)
from fishchat.model.names import p2p

#: Messages of one page of history, and seconds between two signals that one is typing.
PAGE, TYPING_EVERY = 50, 3.0
#: Conversations that are listed at the start.
LISTED = 100


class View(Protocol):
    """What shows the chat."""

    def changed(self) -> None:
        """Draw anew: a room, the list, or the state of the connection."""

    def arrived(self, room: Room, entry: Entry) -> None:
        """Show a message that arrived just now."""

    def amended(self, room: Room, message_id: str) -> None:
        """Show a message to which something was done."""

    def say(self, text: str) -> None:
        """Show a line of the chat's own."""


class Chat:
    """The rooms of an account.

    :ivar rooms: by conversation. :ivar room: the open one. :ivar online: account → whether it is online, and since when
    or when it was last, in seconds since 1970. :ivar state: ``connecting``, ``behind``, ``connected`` or ``offline``.
    :param wall: returns the time in seconds since 1970.
    """

    def __init__(self, client: Client, home: Home, words: Words, view: View, wall: Callable[[], float]) -> None:
        self.client, self.home, self.words, self.view, self._wall = client, home, words, view, wall
        self.account = client.account
        self.rooms: dict[str, Room] = {}
        self.room: Room | None = None
        self.online: dict[str, Presence] = {}
        self.state = "connecting"
        self._waiting = self._working = 0
        self._stale: dict[str, bool] = {}
        self._typed = 0.0
        self._restored()
        client.on_message, client.on_notice, client.on_operation = self._message, self._notice, self._operation
        client.on_read, client.on_gap, client.on_event = self._read, self._gap, self._event
        client.on_behind = self._behind
        client.on_synced = self._synced

    def _restored(self) -> None:
        """Show what an earlier chat has not sent yet; the client sends it by itself."""
        for saved in self.client.state.sends:
            if saved.line is None:
                self._wait(self.of(self._conversation(saved.to)), saved.text)

    # -- what the server tells

    def _synced(self) -> None:
        self.state = "connected"
        self.run(self._load())

    async def _load(self) -> None:
        for listed in await self.client.conversations(preview=True, limit=LISTED):
            room = self.of(listed.conversation)
            room.name, room.remark, room.read, room.last = listed.name, listed.remark, listed.read, listed.last
            room.unread, room.mentions, room.time = listed.unread, listed.mentions, listed.time
            room.notify, room.until, room.pinned, room.archived = (
                listed.notify,
                listed.until,
                listed.pinned,
                listed.archived,
            )
            room.preview = listed.text
        for topic in await self.client.topics():
            self.of(f"#{topic.topic}")
        wanted = self.home.notes.current
        if self.room is None:
            listed_rooms = self.listed
            first = self.rooms.get(wanted) or (listed_rooms[0] if listed_rooms else None)
            if first is not None:
                self.open(first)
        else:
            self.room.loaded = False
            self.open(self.room)
        self.view.changed()

    def lost(self) -> None:
        """Take note that there is no connection."""
        self.state = "offline"
        self.view.changed()

    def _message(self, message: Message) -> None:
        room = self.of(message.conversation)
        own = message.from_ == self.account
        entry = Entry(
            key_of(message.id),
            message.from_,
            message.text,
            self._wall(),
            message.id,
            state="stored" if own else "",
            edited=bool(message.edited),
            reply=message.reply,
            mention=message.mention,
        )
        room.typing.pop(message.from_, None)
        if room.put(entry):
            self._arrived(room, entry)

    def _notice(self, notice: Notice) -> None:
        room = self.of(notice.conversation)
        entry = Entry(key_of(notice.id), notice.from_, notice.text, self._wall(), notice.id, kind="notice")
        if room.put(entry):
            self._arrived(room, entry)

    def _arrived(self, room: Room, entry: Entry) -> None:
        if entry.kind == "message":
            room.time, room.preview = entry.time, entry.text
        if entry.author == self.account:
            room.read, room.unread, room.mentions, room.mark = entry.number, 0, 0, None
        elif room is self.room and self.state == "connected":
            self._mark_read(room)
        elif entry.kind == "message" and entry.number > room.read:
            room.unread += 1
            room.mentions += mentions(entry, self.account)
        self.view.arrived(room, entry)

    def _operation(self, operation: Operation) -> None:
        room = self.of(operation.conversation)
        entry = room.find(operation.of)
        if entry is None:
            return
        if isinstance(operation, Reacted):
            self.run(self.refresh(operation.of))
        else:
            room.put(_changed(entry, operation))
            self.view.amended(room, operation.of)

    async def refresh(self, message_id: str) -> None:
        """Read a message anew, if it is here.

        Sums of reactions come from the server only: a page of history may already have what is pushed after it.
        """
        if message_id in self._stale:
            self._stale[message_id] = True
            return
        self._stale[message_id] = True
        room = self.of(message_id.rpartition(":")[0])
        try:
            while self._stale[message_id]:
                self._stale[message_id] = False
                item = await self.client.message(message_id)
                if room.find(message_id) is not None:
                    room.put(entry_of(item, self.account))
        finally:
            del self._stale[message_id]
        self.view.amended(room, message_id)

    def _read(self, read: Read) -> None:
        conversation, _, place = read.id.rpartition(":")
        room, number = self.of(conversation), int(place.rpartition("-")[2])
        if read.account != self.account:
            room.seen = max(room.seen, number)
        elif number >= room.last:
            room.read, room.unread, room.mentions = number, 0, 0
        self.view.changed()

    def _behind(self, behind: Behind) -> None:
        # What is here would stand right before what is pushed next, without the messages in between.
        room = self.of(behind.conversation)
        room.forget()
        if room is self.room and self.state == "connected":
            self.run(self._opened(room))
        self.view.changed()

    def _gap(self, gap: Gap) -> None:
        self.view.say(self.words("gap", gap.first, gap.last))

    def _event(self, event: object) -> None:
        if isinstance(event, Presence):
            self.online[event.account] = event
        elif isinstance(event, Typing):
            self.of(event.conversation).typing[event.account] = self._wall()
        self.view.changed()

    # -- what a person does

    def of(self, conversation: str) -> Room:
        """Return the room of a conversation, which begins empty."""
        return self.rooms.setdefault(conversation, Room(conversation, self.account))

    @property
    def listed(self) -> list[Room]:
        """The rooms in the order of the list."""
        return in_order(self.rooms.values())

    def open(self, room: Room) -> None:
        """Show a room, and read the newest page of its history if it was not read."""
        before, self.room = self.room, room
        self.home.notes.current = room.conversation
        if before is not room and before is not None and self.state == "connected":
            self._quietly(self.client.unwatch_conversation(before.conversation))
        room.mark = room.read if room.unread else None
        if self.state == "connected":
            self.run(self._opened(room))
        self.view.changed()

    async def _opened(self, room: Room) -> None:
        if not room.loaded and not room.loading:
            room.loading = True
            try:
                page = await self.client.history(room.conversation, limit=PAGE)
                room.merge([entry_of(item, self.account) for item in page], newest=True)
                room.loaded, room.complete = True, len(page) == 0
            finally:
                room.loading = False
        self._mark_read(room)
        if not room.is_notices:
            self._quietly(self.client.watch_conversation(room.conversation))
        if room.is_topic:
            room.members = await self.client.members(room.conversation[1:])
        elif not room.is_notices and room.address != self.account:
            self._quietly(self.client.watch(room.address))
        self.view.changed()

    async def older(self, room: Room) -> None:
        """Read the page before what is here."""
        first = next((entry for entry in room.entries if entry.id), None)
        if room.loading or room.complete or first is None or self.state != "connected":
            return
        room.loading = True
        try:
            page: list[HistoryItem] = await self.client.history(room.conversation, before=first.id, limit=PAGE)
            room.merge([entry_of(item, self.account) for item in page], newest=False)
            room.complete = not page
        finally:
            room.loading = False
        self.view.changed()

    def _mark_read(self, room: Room) -> None:
        last = next((entry for entry in reversed(room.entries) if entry.id), None)
        room.unread = room.mentions = 0
        if last is not None and last.number > room.read and last.author != self.account:
            room.read = last.number
            self._quietly(self.client.mark_read(last.id))

    def send(self, room: Room, text: str, reply: str | None = None) -> None:
        """Send a message; it waits in the room until it is stored."""
        entry = self._wait(room, text, reply or "")

        def stored(message_id: str) -> None:
            room.drop(entry)
            if message_id:
                room.put(replace(entry, key=key_of(message_id), id=message_id, state="stored", time=self._wall()))
            self.view.changed()

        def failed(failure: Failure) -> None:
            why = failure.value.text if isinstance(failure.value, RefusedError) else failure.getErrorMessage()
            entry.state, entry.problem = "failed", why
            self.view.say(self.words("failed", why))
            self.view.changed()

        self.client.send(room.address, text, reply).addCallbacks(stored, failed)
        room.mark, room.time, room.preview = None, self._wall(), text
        self.view.changed()

    def _wait(self, room: Room, text: str, reply: str = "") -> Entry:
        self._waiting += 1
        entry = Entry((LAST, self._waiting, 0), self.account, text, self._wall(), state="waiting", reply=reply)
        room.put(entry)
        return entry

    def typing(self, room: Room) -> None:
        """Show the others that one is typing."""
        now = self._wall()
        if self.state == "connected" and now - self._typed >= TYPING_EVERY and not room.is_notices:
            self._typed = now
            self._quietly(self.client.typing(room.conversation))

    def _conversation(self, to: str) -> str:
        return to if to[:1] == "#" else p2p(self.account.encode(), to.encode()).decode()

    def room_of(self, name: str) -> Room | None:
        """Return the room that a person means: by its place in the list, its name, or its beginning."""
        listed = self.listed
        if name.isdecimal() and 0 < int(name) <= len(listed):
            return listed[int(name) - 1]
        known = self.rooms.get(name) or self.rooms.get(f"#{name}")
        lower = name.lower()
        return known or next(_matching(listed, lower), None)

    def next_with_news(self) -> Room | None:
        """Return the next room with unread messages, those with mentions first."""
        news = [room for room in self.listed if room.unread and room is not self.room]
        return next((room for room in news if room.mentions), news[0] if news else None)

    # -- helpers

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that may be refused, and show the refusal."""
        self._working += 1

        def done(result: object) -> None:
            self._working -= 1

        ensureDeferred(work).addErrback(self._refused).addBoth(done)

    @property
    def is_idle(self) -> bool:
        """Whether everything that was asked for is answered, and everything that was written is stored."""
        entries = (entry for room in self.rooms.values() for entry in room.entries)
        return not self._working and not any(entry.state == "waiting" for entry in entries)

    def _refused(self, failure: Failure) -> None:
        if isinstance(failure.value, RefusedError):
            self.view.say(self.words("refused", failure.value.word, failure.value.text))
        elif self.state == "connected":
            self.view.say(failure.getErrorMessage())

    @staticmethod
    def _quietly(call: Deferred[Any]) -> None:
        call.addErrback(lambda _: None)


def _matching(rooms: Iterable[Room], lower: str) -> Iterator[Room]:
    rooms = list(rooms)
    names = [(room, room.title.lower(), room.address.lstrip("#")) for room in rooms]
    yield from (room for room, *known in names if any(name.startswith(lower) for name in known))
    yield from (room for room, *known in names if any(lower in name for name in known))


def _changed(entry: Entry, operation: Edited | Recalled | Pinned) -> Entry:
    """Return a message after an operation."""
    if isinstance(operation, Edited):
        return replace(entry, text=operation.text, edited=True, mention=operation.mention)
    if isinstance(operation, Recalled):
        return replace(entry, text=operation.reason, recalled=operation.from_, reactions={}, pinned=False)
    return replace(entry, pinned=operation.added)
