"""Rooms as lines of text with a style each: what both views show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from fishchat.chat.rooms import Entry, Room, Row
from fishchat.chat.safe import safe, safe_line
from fishchat.chat.words import Words
from fishchat.model.names import is_name


class Line(NamedTuple):
    """One line. ``style`` is ``day``, ``unread``, ``notice``, ``own``, ``mention``, ``text`` or ``quiet``."""

    style: str
    text: str
    id: str = ""


#: The words of a notice that are put into its sentence, at most.
_WORDS = 4


class Writer:
    """Writes the rows of a room in one language."""

    def __init__(self, words: Words, account: str) -> None:
        self._words = words
        self._account = account

    def row(self, room: Room, row: Row) -> Iterator[Line]:
        """Yield the lines of one row of a view."""
        if row.kind == "day" and row.day is not None:
            yield Line("day", f"—— {self.day(row.day)} ——")
        elif row.kind == "unread":
            yield Line("unread", f"———— {self._words('unread-line')} ————")
        elif row.kind == "fold":
            parts = [self._words("joins", ", ".join(row.joined))] if row.joined else []
            parts += [self._words("leaves", ", ".join(row.left))] if row.left else []
            yield Line("notice", f"      * {'; '.join(parts)}")
        elif row.entry is not None:
            yield from self.entry(room, row.entry)

    def entry(self, room: Room, entry: Entry) -> Iterator[Line]:
        """Yield the lines of a message, a notice, or a line of the chat's own."""
        when = datetime.fromtimestamp(entry.time).strftime("%H:%M") if entry.time else "     "
        if entry.kind == "info":
            yield Line("quiet", f"  {safe_line(entry.text)}")
            return
        if entry.kind == "notice":
            yield Line("notice", f"{when} * {self.notice(entry)}", entry.id)
            return
        own = entry.author == self._account
        name = self._words("me") if own else safe_line(entry.author)
        if entry.recalled:
            yield Line("quiet", f"{when} {name}: {self._words('recalled', entry.recalled)}", entry.id)
            return
        if entry.reply:
            answered = room.find(entry.reply)
            known = answered is not None and not answered.recalled
            text = (
                self._words("reply-to", safe_line(answered.author), safe_line(answered.text)[:60])
                if known and answered is not None
                else self._words("reply-far", entry.reply.rpartition("-")[2])
            )
            yield Line("quiet", f"      > {text}", entry.id)
        style = "own" if own else "mention" if room.is_topic and f"@{self._account}" in entry.text else "text"
        first, *more = safe(entry.text).split("\n")
        yield Line(style, f"{when} {name}: {first}{self._marks(room, entry, own) if not more else ''}", entry.id)
        for number, text in enumerate(more, 1):
            marks = self._marks(room, entry, own) if number == len(more) else ""
            yield Line(style, f"      {text}{marks}", entry.id)
        if entry.reactions:
            shown = "  ".join(f"{safe_line(name)} {count}" for name, count in entry.reactions.items())
            yield Line("quiet", f"      [{shown}]", entry.id)

    def _marks(self, room: Room, entry: Entry, own: bool) -> str:
        marks = [self._words("edited")] if entry.edited else []
        marks += [self._words("pinned")] if entry.pinned else []
        if own:
            state = "read" if entry.id and room.seen >= entry.number else entry.state
            if state:
                marks.append(self._words("failed", entry.problem) if state == "failed" else self._words(state))
        return f" ({', '.join(marks)})" if marks else ""

    def notice(self, entry: Entry) -> str:
        """Return a notice as a sentence; one that is not known stays as it is."""
        kind, *rest = entry.text.split(" ", _WORDS - 1)
        if kind == "SET" and entry.key and rest and not is_name(rest[0].encode()):
            kind = "SET-own"
        if not self._words.has(kind):
            return safe_line(entry.text)
        author = self._words("the-server") if entry.author == "-" else entry.author
        values = [safe_line(word) for word in (author, *rest, *[""] * _WORDS)]
        return self._words(kind, *values).strip()

    def day(self, day: date) -> str:
        """Return a day in words."""
        away = (date.today() - day).days
        return self._words("today") if away == 0 else self._words("yesterday") if away == 1 else day.isoformat()
