"""The chat in panes, on Textual: the list, the messages, a field to write in, and the members where there is room."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any, ClassVar, TypeVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fishchat.chat.commands import Commands
from fishchat.chat.composer import Composer
from fishchat.chat.core import Chat
from fishchat.chat.home import Home
from fishchat.chat.lines import Writer
from fishchat.chat.rooms import Entry, Room, mentions
from fishchat.chat.safe import safe_line
from fishchat.chat.words import KEYS, Words

# Textual reads Alt and a letter as what a Mac would write by them; here they are keys.
_sequences: dict[str, Any] = ANSI_SEQUENCES_KEYS  # type: ignore[assignment]
for _sequence in [sequence for sequence, meaning in _sequences.items() if isinstance(meaning, str)]:
    del _sequences[_sequence]

#: Colours of the design: river, cinnabar, gold.
RIVER, SEAL, GOLD = "#6ccbc0", "#ff8a75", "#f0c366"
#: The width below which the panes at the sides are hidden, and seconds between two looks at what passes by itself.
NARROW, LOOK = 100, 1.0
#: The most characters of a notification.
NOTIFIED = 120

# Textual takes Alt and a digit for a letter that macOS makes of them, and knows Alt and a letter only if no other key
# follows within a tenth of a second. Here each is a key at once.
_ALT = Enum("_ALT", {f"alt_{key}": f"alt+{key}" for key in "0123456789abdfjlnpu"})  # type: ignore[misc]
cast(Any, ANSI_SEQUENCES_KEYS).update({f"\x1b{key.value[-1]}": (key,) for key in _ALT})


def styles(environment: dict[str, str]) -> dict[str, Style]:
    """Return the style of each kind of line; without colours where the terminal wants none."""
    if environment.get("NO_COLOR"):
        plain = {name: Style() for name in ("day", "notice", "text", "own", "quiet")}
        return {**plain, "unread": Style(bold=True), "mention": Style(bold=True)}
    return {
        "day": Style(color=GOLD),
        "unread": Style(color=SEAL, bold=True),
        "notice": Style(dim=True),
        "own": Style(color=RIVER),
        "mention": Style(color=SEAL, bold=True),
        "text": Style(),
        "quiet": Style(dim=True),
    }


def wrapped(text: str, width: int, indent: int = 6) -> list[str]:
    """Return a text in lines of at most ``width`` cells; those after the first are indented."""
    lines, line, used = [], "", 0
    for letter in text:
        cells = cell_len(letter)
        if used + cells > width and line.strip():
            cut = line.rfind(" ") if not letter.isspace() else -1
            head, rest = (line[:cut], line[cut + 1 :]) if cut > indent else (line, "")
            lines.append(head)
            line = " " * min(indent, width // 4) + rest
            used = cell_len(line)
        line += letter
        used += cells
    return [*lines, line]


class Messages(ScrollView):
    """The messages of the open room, drawn by the line: thousands cost what is on the screen costs."""

    can_focus = False

    def __init__(self, writer: Writer, looks: dict[str, Style]) -> None:
        super().__init__()
        self._writer = writer
        self._looks = looks
        self._lines: list[tuple[str, str, str]] = []
        self.room: Room | None = None
        self.below = 0

    def show(self, room: Room | None, folds: bool) -> None:
        """Draw a room; who is at the end stays there, others stay where they are."""
        at_end = self.is_at_end or room is not self.room
        anchor = None if at_end else self._anchor()
        is_other = room is not self.room
        self.room = room
        width = max(20, self.size.width - 2)
        self._lines = []
        for row in room.rows(folds) if room is not None else ():
            assert room is not None
            for line in self._writer.row(room, row):
                self._lines += [(line.style, text, line.id) for text in wrapped(line.text, width)]
        self.virtual_size = Size(width, len(self._lines))
        if at_end:
            self.below = 0
            unread = next((at for at, line in enumerate(self._lines) if line[0] == "unread"), None)
            to = len(self._lines) if unread is None or not is_other else max(0, unread - 2)
            self.scroll_to(y=to, animate=False, force=True)
        elif anchor is not None:
            self._stay(anchor)
        self.refresh()

    def _anchor(self) -> tuple[str, int] | None:
        top = int(self.scroll_y)
        for at in range(top, len(self._lines)):
            if self._lines[at][2]:
                return self._lines[at][2], at - top
        return None

    def _stay(self, anchor: tuple[str, int]) -> None:
        found = next((at for at, line in enumerate(self._lines) if line[2] == anchor[0]), None)
        if found is not None:
            self.scroll_to(y=max(0, found - anchor[1]), animate=False, force=True)

    @property
    def is_at_end(self) -> bool:
        """Whether the newest line is on the screen."""
        return self.scroll_y >= self.max_scroll_y - 1

    def render_line(self, y: int) -> Strip:
        """Draw one line. Textual calls this."""
        at = int(self.scroll_y) + y
        if at >= len(self._lines):
            return Strip.blank(self.size.width, Style())
        style, text, message = self._lines[at]
        look = self._looks[style]
        if message and self.room is not None and message == self.room.selected:
            look += Style(reverse=True)
        return Strip([Segment(text, look)]).adjust_cell_length(self.size.width, Style())

    def go_to(self, message: str) -> None:
        """Show a message."""
        found = next((at for at, line in enumerate(self._lines) if line[2] == message), None)
        if found is not None:
            self.scroll_to(y=max(0, found - self.size.height // 2), animate=False, force=True)


Chosen = TypeVar("Chosen")


class Sheet(ModalScreen[Chosen]):
    """What lies over the panes until it is closed."""

    _is_closed = False

    def close(self, chosen: Chosen | None) -> None:
        """Close it with a choice, or without one."""
        # More keys may come before it is gone.
        if not self._is_closed:
            self._is_closed = True
            self.dismiss(chosen)


class GoTo(Sheet[str]):
    """Go to a conversation by a part of its name."""

    def __init__(self, chat: Chat, words: Words) -> None:
        super().__init__()
        self._chat = chat
        self._words = words
        # Keys may come before it is part of the screen.
        self._options = OptionList()

    def compose(self) -> ComposeResult:
        """Make the field and the list."""
        with Vertical(id="goto"):
            yield Input(placeholder=self._words("goto"))
            yield self._options

    def on_mount(self) -> None:
        """List everything at first."""
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """List what fits."""
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        options = self._options
        options.clear_options()
        lower = text.lower()
        for room in self._chat.listed:
            name = f"{room.title} {room.address}".lower()
            if all(part in name for part in lower.split()):
                options.add_option(Option(safe_line(room.title), id=room.conversation))
        if options.option_count:
            options.highlighted = 0

    def on_key(self, event: Key) -> None:
        """The arrows move in the list while one writes; Escape closes it."""
        options = self._options
        if event.key in ("up", "down"):
            getattr(options, f"action_cursor_{event.key}")()
            event.stop()
        elif event.key == "escape":
            event.stop()
            self.close(None)

    def on_input_submitted(self) -> None:
        """Take what is marked."""
        options = self._options
        chosen = None if options.highlighted is None else options.get_option_at_index(options.highlighted)
        self.close(None if chosen is None else chosen.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take what was pressed."""
        self.close(event.option.id)


class Pages(Sheet[None]):
    """A text that any key closes: the keys, or the messages without panes, to be copied."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Show it."""
        yield Static(self._text, markup=False, id="text")

    def on_key(self, event: Key) -> None:
        """Close."""
        event.stop()
        self.close(None)


class Screens(App[None]):
    """The view in panes."""

    CSS = """
    #list { width: 26; border-right: solid $surface-lighten-2; }
    #members { width: 22; border-left: solid $surface-lighten-2; padding: 0 1; }
    #title, #status { height: 1; padding: 0 1; background: $surface-lighten-1; }
    Messages { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    Composer { height: auto; min-height: 1; max-height: 6; border: none; padding: 0 1; background: $surface; }
    #goto { width: 50; height: 20; background: $surface; border: round $accent; }
    GoTo, Pages { align: center middle; }
    #text { width: 100%; height: 100%; background: $background; }
    OptionList { height: 1fr; border: none; background: transparent; }
    .hidden { display: none; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[Any] = [
        Binding("ctrl+q", "end", priority=True),
        Binding("ctrl+g", "goto", priority=True),
        Binding("alt+a", "next", priority=True),
        Binding("alt+j", "jump", priority=True),
        Binding("alt+u", "unread", priority=True),
        Binding("alt+p", "mention(-1)", priority=True),
        Binding("alt+n", "mention(1)", priority=True),
        Binding("alt+up", "select(-1)", priority=True),
        Binding("alt+down", "select(1)", priority=True),
        Binding("alt+l", "bare", priority=True),
        Binding("f1", "keys", priority=True),
        Binding("f7", "members", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        *(Binding(f"alt+{number}", f"place({number})", priority=True) for number in range(1, 10)),
    ]

    def __init__(self, words: Words, home: Home) -> None:
        super().__init__()
        self._words = words
        self._home = home
        self.chat: Chat | None = None
        self._commands: Commands | None = None
        self._messages: Messages | None = None
        self._members_wanted = True
        self._members_due = False

    def compose(self) -> ComposeResult:
        """Make the panes."""
        writer = Writer(self._words, self._home.place.account)
        self._messages = Messages(writer, styles(dict(os.environ)))
        with Horizontal():
            yield OptionList(id="list")
            with Vertical():
                yield Static("", id="title", markup=False)
                yield self._messages
                yield Static("", id="status", markup=False)
                yield Composer(self._words, self._home)
            yield Static("", id="members", markup=False)

    def on_mount(self) -> None:
        """Begin."""
        assert self.chat is not None
        self._commands = Commands(self.chat, self.stop)
        composer = self.query_one(Composer)
        composer.chat, composer.commands = self.chat, self._commands
        composer.focus()
        self.query_one("#list", OptionList).can_focus = False
        self.set_interval(LOOK, self._look)
        self._fit()
        self.changed()

    def _look(self) -> None:
        self._draw_status()
        # A terminal may be closed at any time.
        self.query_one(Composer).keep()

    def on_resize(self) -> None:
        """Hide what has no room."""
        self._fit()
        self.changed()

    def _fit(self) -> None:
        wide = self.size.width >= NARROW
        self.query_one("#members").set_class(not ((wide and self._members_wanted) or self._members_due), "hidden")
        self.query_one("#list").set_class(self.size.width < 60, "hidden")

    def stop(self) -> None:
        """End the view."""
        self.query_one(Composer).keep()
        self.exit()

    # -- what the chat tells

    def changed(self) -> None:
        """Draw anew, once for everything that has changed in this turn."""
        if self.is_running:
            self.call_next(self._draw)

    def _draw(self) -> None:
        chat, messages = self.chat, self._messages
        if chat is None or messages is None or not self.is_running:
            return
        messages.show(chat.room, chat.home.notes.folds)
        self.query_one(Composer).enter(chat.room)
        self._draw_list(chat)
        self._draw_members(chat)
        self._draw_status()

    def _draw_list(self, chat: Chat) -> None:
        options = self.query_one("#list", OptionList)
        options.clear_options()
        for place, room in enumerate(chat.listed, 1):
            news = f" ({room.unread})" if room.unread else ""
            mark = "@" if room.mentions else "*" if room.unread else " "
            name = self._words("notices") if room.is_notices else safe_line(room.title)
            options.add_option(Option(f"{mark}{place:2} {name}{news}", id=room.conversation))
            if room is chat.room:
                options.highlighted = place - 1

    def _draw_members(self, chat: Chat) -> None:
        room = chat.room
        members = [] if room is None else room.members
        lines = [
            f"{'@' if one.owner else '+' if one.admin else ' '}{safe_line(one.name or str(one.account))}"
            for one in members
        ]
        self.query_one("#members", Static).update("\n".join([self._words("members"), *lines[:200]]))

    def _draw_status(self) -> None:
        chat = self.chat
        if chat is None or not self.is_running:
            return
        room = chat.room
        title = "" if room is None else self._words("notices") if room.is_notices else safe_line(room.title)
        presence = None if room is None else chat.online.get(room.address)
        if presence is not None and presence.online:
            title += f"  {self._words('online')}"
        self.query_one("#title", Static).update(title)
        parts = [self._words(chat.state, chat.home.place.server)]
        if room is not None and (writing := room.are_typing(chat._wall())):
            parts.append(self._words("typing" if len(writing) == 1 else "typing-many", ", ".join(writing)))
        if self._messages is not None and self._messages.below:
            parts.append(self._words("more-below", self._messages.below))
        unread = sum(other.unread for other in chat.rooms.values() if other is not room)
        if unread:
            parts.append(self._words("unread-count", unread))
        self.query_one("#status", Static).update("  ·  ".join(parts))

    def arrived(self, room: Room, entry: Entry) -> None:
        """Draw a message that arrived, and ring the bell if it is for this person."""
        chat, view = self.chat, self._messages
        if chat is not None and view is not None and room is chat.room and not view.is_at_end:
            view.below += entry.author != chat.account
        if chat is not None and mentions(entry, chat.account) and room.notifies(chat._wall()) != "none":
            self.bell()
            self._notify(f"{entry.author} {safe_line(room.title)}: {entry.text}")
        self.changed()

    def amended(self, room: Room, message_id: str) -> None:
        """Draw a message to which something was done."""
        self.changed()

    def _notify(self, text: str) -> None:
        """Show a text on the desktop, where the terminal can (OSC 9); the console of Linux would print it."""
        if self._driver is not None and os.environ.get("TERM") not in ("linux", "dumb"):
            self._driver.write(f"\x1b]9;{safe_line(text)[:NOTIFIED]}\x07")

    def say(self, text: str) -> None:
        """Show a line of the chat's own in the open room."""
        chat = self.chat
        if chat is None:
            return
        room = chat.room or chat.of(f"@{chat.account}")
        chat.room = room
        room.put(Entry(room.after_last(), "", text, 0.0, kind="info"))
        self.changed()

    # -- keys

    def action_end(self) -> None:
        """End the chat."""
        self.stop()

    def action_goto(self) -> None:
        """Choose a conversation by its name."""
        if self.chat is not None and not isinstance(self.screen, Sheet):
            self.push_screen(GoTo(self.chat, self._words), self._go)

    def _go(self, conversation: str | None) -> None:
        if conversation and self.chat is not None:
            self.chat.open(self.chat.of(conversation))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open what was pressed in the list."""
        self._go(event.option.id)
        self.query_one(Composer).focus()

    def action_next(self) -> None:
        """Open the next conversation with news."""
        room = self.chat.next_with_news() if self.chat is not None else None
        if room is not None and self.chat is not None:
            self.chat.open(room)

    def action_place(self, place: int) -> None:
        """Open a conversation by its place."""
        if self.chat is not None and 0 < place <= len(self.chat.listed):
            self.chat.open(self.chat.listed[place - 1])

    def action_jump(self) -> None:
        """Open a conversation by its place, which two digits name."""
        self.query_one(Composer).await_place()

    def action_page(self, by: int) -> None:
        """Scroll by a page; at the top, read the page before."""
        view, chat = self._messages, self.chat
        if view is None or chat is None or chat.room is None:
            return
        if by < 0 and view.scroll_y <= view.size.height:
            chat.run(chat.older(chat.room))
        view.scroll_relative(y=by * (view.size.height - 1), animate=False, force=True)
        if view.is_at_end:
            view.below = 0

    def action_unread(self) -> None:
        """Go to the first unread message."""
        room = self.chat.room if self.chat is not None else None
        if room is not None and room.mark is not None and self._messages is not None:
            entry = next((one for one in room.entries if one.id and one.number > (room.mark or 0)), None)
            if entry is not None:
                self._messages.go_to(entry.id)

    def action_mention(self, by: int) -> None:
        """Go to the previous or next message that mentions this account."""
        chat = self.chat
        if chat is None or chat.room is None:
            return
        self._pick([one for one in chat.room.entries if mentions(one, chat.account)], by)

    def action_select(self, by: int) -> None:
        """Select the previous or next message: commands are about it."""
        chat = self.chat
        if chat is None or chat.room is None:
            return
        self._pick([one for one in chat.room.entries if one.id and one.kind == "message"], by)

    def _pick(self, entries: list[Entry], by: int) -> None:
        chat = self.chat
        if chat is None or chat.room is None or not entries:
            return
        ids = [one.id for one in entries]
        at = ids.index(chat.room.selected) + by if chat.room.selected in ids else (len(ids) - 1 if by < 0 else 0)
        chat.room.selected = ids[at] if 0 <= at < len(ids) else ""
        if self._messages is not None and chat.room.selected:
            self._messages.go_to(chat.room.selected)
        self.changed()

    def action_members(self) -> None:
        """Show or hide the members."""
        self._members_wanted = self._members_due = not (
            self._members_due or (self.size.width >= NARROW and self._members_wanted)
        )
        self._fit()
        self.changed()

    def _show(self, page: Pages) -> None:
        # One that is about to close would be taken for the one above it.
        if not isinstance(self.screen, Sheet):
            self.push_screen(page)

    def action_keys(self) -> None:
        """Show the keys."""
        at = 2 if self._words.chinese else 1
        rows = [f"  {row[0]:<34} {row[at]}" for row in KEYS]
        self._show(Pages("\n".join([self._words("keys-title"), "", *rows])))

    def action_bare(self) -> None:
        """Show the messages without panes, for copying."""
        if self._messages is not None:
            lines = [text for _, text, _ in self._messages._lines][-(self.size.height - 2) :]
            self._show(Pages("\n".join([*lines, self._words("bare-hint")])))
