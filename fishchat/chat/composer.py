"""The field to write in: Enter sends, lines grow, names are completed, and what was sent comes back."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from textual.events import Key, Paste
from textual.widgets import TextArea

from fishchat.chat.commands import Commands
from fishchat.chat.core import Chat
from fishchat.chat.home import Home
from fishchat.chat.rooms import Room
from fishchat.chat.words import Words

#: Pasted lines above which one is asked before they are sent.
MANY = 4


class Composer(TextArea):
    """A field of up to six lines, with the keys of a shell."""

    def __init__(self, words: Words, home: Home) -> None:
        super().__init__(soft_wrap=True, show_line_numbers=False, compact=True)
        self.cursor_blink = False
        self._words = words
        self._home = home
        self.chat: Chat | None = None
        self.commands: Commands | None = None
        self._room: Room | None = None
        self._history = 0
        self._killed = ""
        self._tabs: tuple[int, int, list[str], int] | None = None
        self._pasted = False
        self._sought: str | None = None
        self._place: str | None = None

    def enter(self, room: Room | None) -> None:
        """Write to a room from now on: its draft is there, that of the room before is kept."""
        if room is self._room:
            return
        self.keep()
        self._room = room
        self._history = 0
        self._put(self._home.notes.drafts.get(room.conversation, "") if room is not None else "")

    def keep(self) -> None:
        """Keep what was begun."""
        if self._room is not None:
            drafts = self._home.notes.drafts
            if self.text == drafts.get(self._room.conversation, ""):
                return
            drafts.pop(self._room.conversation, None)
            if self.text:
                drafts[self._room.conversation] = self.text
            self._home.save()

    def _put(self, text: str) -> None:
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_key(self, event: Key) -> None:
        act = self._act_of(event)
        if act is None:
            await super()._on_key(event)
            if self.text and not self.text.startswith("/") and self.chat is not None and self.chat.room is not None:
                self.chat.typing(self.chat.room)
            return
        event.stop()
        event.prevent_default()
        act()

    def _act_of(self, event: Key) -> Callable[[], Any] | None:
        """Return what a key does here; None if it has its usual meaning."""
        if event.key != "tab":
            self._tabs = None
        if event.key != "ctrl+r":
            self._sought = None
        if self._place is not None and (go := self._go_to_place(event.character or "")) is not None:
            return go
        return self._act_at(event) or self._keys.get(event.key)

    @cached_property
    def _keys(self) -> dict[str, Callable[[], Any]]:
        return {
            "enter": self._submit,
            "alt+enter": lambda: self.insert("\n"),
            "ctrl+j": lambda: self.insert("\n"),
            "tab": self._complete,
            "ctrl+k": self._kill_or_go,
            "ctrl+u": self._kill_before,
            "ctrl+y": lambda: self.insert(self._killed),
            "ctrl+r": self._seek,
            "alt+b": self.action_cursor_word_left,
            "alt+f": self.action_cursor_word_right,
            "alt+d": self.action_delete_word_right,
        }

    def _act_at(self, event: Key) -> Callable[[], Any] | None:
        """Return what a key does where the cursor is now, or with the text that is there."""
        app: Any = self.app
        if event.key == "up" and self.cursor_location[0] == 0 and self._sent:
            return lambda: self._recall(1)
        if event.key == "down" and self.cursor_location[0] == self.document.line_count - 1 and self._history:
            return lambda: self._recall(-1)
        if event.key == "escape" and self._pasted:
            return self._forget_paste
        if event.character == "?" and not self.text:
            return lambda: app.action_keys()
        if event.key in ("end", "ctrl+end") and not self.text and self.chat is not None:
            return lambda: app._messages.scroll_end(animate=False)
        return None

    def _forget_paste(self) -> None:
        self._pasted = False

    def _submit(self) -> None:
        text = self.text.strip("\n")
        if not text.strip() or self.commands is None or self.chat is None:
            return
        if self._pasted:
            # The first Enter asks; the second one sends.
            self._pasted = False
            self.chat.view.say(self._words("paste", text.count("\n") + 1))
            return
        self._put("")
        self._history = 0
        self.keep()
        self.commands.submit(text)

    async def _on_paste(self, event: Paste) -> None:
        self._pasted = event.text.count("\n") >= MANY
        await super()._on_paste(event)

    # -- what was sent before

    @property
    def _sent(self) -> list[str]:
        return self._home.notes.sent.get(self._room.conversation, []) if self._room is not None else []

    def _recall(self, by: int) -> None:
        self._history = min(max(self._history + by, 0), len(self._sent))
        self._put(self._sent[-self._history] if self._history else "")

    def _seek(self) -> None:
        """Put in what was sent before and holds the text of the field; once more for an earlier one."""
        if self._sought is None:
            self._sought, self._history = self.text, 0
        for back in range(self._history + 1, len(self._sent) + 1):
            if self._sought in self._sent[-back]:
                self._history = back
                self._put(self._sent[-back])
                return

    # -- places in the list

    def await_place(self) -> None:
        """Take the next two digits as the place of a conversation in the list."""
        self._place = ""

    def _go_to_place(self, digit: str) -> Callable[[], Any] | None:
        """Return what to do with a key after Alt+J; None if it is no digit, which has its usual meaning."""
        place, self._place = f"{self._place}{digit}", None
        if not digit.isdecimal():
            return None
        if len(place) < 2:
            self._place = place
            return lambda: None
        return lambda: self.app.action_place(int(place))  # type: ignore[attr-defined]

    # -- completion

    def _complete(self) -> None:
        """Complete the word before the cursor; once more for the next that fits."""
        row, column = self.cursor_location
        if self._tabs is None:
            line = self.document.get_line(row)[:column]
            start = max(line.rfind(" "), line.rfind("@") if "@" in line else -1) + 1
            found = self._fitting(line[start:], row == 0 and start == 0)
            if not found:
                return
            self._tabs = (row, start, found, 0)
        row, start, found, at = self._tabs
        self.replace(found[at % len(found)], (row, start), self.cursor_location)
        self._tabs = (row, start, found, at + 1)

    def _fitting(self, begun: str, first: bool) -> list[str]:
        if first and begun.startswith("/") and self.commands is not None:
            return [f"/{name} " for name in self.commands.names if name.startswith(begun[1:])]
        names = self._room.writers() if self._room is not None and begun else []
        return [f"{name}{': ' if first else ' '}" for name in names if name.startswith(begun)]

    # -- keys of a shell

    def _kill_or_go(self) -> None:
        if not self.text:
            self.app.action_goto()  # type: ignore[attr-defined]
            return
        row, column = self.cursor_location
        end = (row, len(self.document.get_line(row)))
        self._killed = self.get_text_range((row, column), end)
        self.delete((row, column), end)

    def _kill_before(self) -> None:
        row, column = self.cursor_location
        self._killed = self.get_text_range((row, 0), (row, column))
        self.delete((row, 0), (row, column))
