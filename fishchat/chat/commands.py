"""What begins with ``/``: the verbs of the protocol, as a person types them in a conversation, and a few comforts."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from fishchat.chat.core import Chat
from fishchat.chat.rooms import Entry, Room
from fishchat.chat.safe import safe_line
from fishchat.errors import ProtocolError
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.features.requests import Reply, Request
from fishchat.protocols.rows import Text, Verb

#: Verbs that the chat itself uses at the right time, or that would end or replace its own connection.
NOT_HERE = frozenset(
    b"HELLO SEND_CLIENT_ID SEND_AUTH QUIT SEND_ACK CREATE_CLIENT WATCH_CLIENT UNWATCH_CLIENT WATCH_CONVERSATION"
    b" UNWATCH_CONVERSATION SEND_TYPING SEND_READ LOCATE_TOPIC_MSG_ADDR HELP".split()
)
#: Verbs whose topic is seldom the open one.
ELSEWHERE = frozenset((b"CREATE_TOPIC", b"JOIN_TOPIC"))
#: The most lines of a list that are shown.
SHOWN = 200


class Commands:
    """The commands of one chat. ``quit`` ends it."""

    def __init__(self, chat: Chat, quit: Callable[[], None]) -> None:
        self._chat = chat
        self._own: dict[str, tuple[str, Callable[[str], None]]] = {
            "win": ("[name]", self._win),
            "reply": ("[n] text", self._reply),
            "search": ("text", self._search),
            "next": ("", lambda _: self._next()),
            "filter": ("", lambda _: self._filter()),
            "me": ("", lambda _: self._me()),
            "help": ("[command]", self._help),
            "quit": ("", lambda _: quit()),
        }
        self._verbs: dict[str, Verb] = {}
        for verb in MSG_SERVER_COMMANDS.verbs:
            if verb.name not in NOT_HERE:
                self._verbs.update((word.decode().lower(), verb) for word in verb.words)

    @property
    def names(self) -> list[str]:
        """The commands to complete, without their long names."""
        short = {verb.short.decode().lower() for verb in self._verbs.values()}
        return sorted({*self._own, *short})

    def submit(self, text: str) -> None:
        """Carry out what a person has typed: a command, or a message to the open room."""
        chat = self._chat
        if chat.room is not None and not self._is_secret(text):
            chat.home.notes.remember(chat.room.conversation, text)
        if text.startswith("/") and not text.startswith("//"):
            self.command(text[1:])
        elif chat.room is None or chat.room.is_notices:
            chat.view.say(chat.words("no-room"))
        else:
            chat.send(chat.room, text.removeprefix("/") if text.startswith("//") else text)

    def _is_secret(self, text: str) -> bool:
        verb = self._verbs.get(text[1:].partition(" ")[0].lower()) if text.startswith("/") else None
        return verb is not None and verb.secrets

    def command(self, line: str) -> None:
        """Carry out a command, without its slash."""
        word, _, rest = line.partition(" ")
        lower = word.lower()
        if lower in self._own:
            self._own[lower][1](rest.strip())
        elif lower in self._verbs:
            self._verb(self._verbs[lower], rest)
        else:
            self._unknown(word)

    def _unknown(self, word: str) -> None:
        say, words = self._chat.view.say, self._chat.words
        if word.upper().encode() in {name for verb in MSG_SERVER_COMMANDS.verbs for name in verb.words}:
            say(words("not-here", word))
            return
        near = get_close_matches(word.lower(), self.names, 1)
        say(words("unknown-command", safe_line(word), words("near-command", near[0]) if near else ""))

    # -- verbs of the protocol

    def _verb(self, verb: Verb, rest: str) -> None:
        chat = self._chat
        filled = self._filled(verb, rest)
        if filled is None:
            return
        operations: dict[bytes, Callable[..., Any]] = {
            b"SEND_EDIT": chat.client.edit,
            b"SEND_RECALL": chat.client.recall,
            b"SEND_REACTION": chat.client.react,
            b"REMOVE_REACTION": chat.client.unreact,
            b"SEND_PIN": chat.client.pin,
            b"REMOVE_PIN": chat.client.unpin,
        }
        operate = operations.get(verb.name)
        if operate is not None:
            chat.run(self._operated(operate, filled))
        elif verb.name in (b"SEND_MESSAGE_P2P", b"SEND_MESSAGE_TOPIC"):
            to, _, text = filled.partition(" ")
            room = chat.of(f"#{to}" if verb.name == b"SEND_MESSAGE_TOPIC" else chat._conversation(to))
            chat.send(room, text)
            chat.open(room)
        else:
            chat.run(self._asked(verb, filled))

    def _filled(self, verb: Verb, rest: str) -> str | None:
        """Return the fields of a verb with what the open conversation says; None after a refusal was shown."""
        line = f"{verb.name.decode()} {rest}".strip()
        names = [field.name for field in verb.fields]
        room = self._chat.room
        if names and room is not None:
            words = rest.split(" ") if rest else []
            needed = len(names) + (verb.text is Text.REQUIRED)
            if names[0] == "id":
                return self._with_message(room, words)
            is_short = len(words) < needed
            is_elsewhere = verb.name in ELSEWHERE or (not is_short and self._is_topic(words[0]))
            if names[0] == "topic" and room.is_topic and (is_short or not is_elsewhere):
                rest = " ".join([room.conversation[1:], *words])
            elif is_short and names[0] in ("account", "named-conversation") and not words and not room.is_notices:
                rest = room.address.lstrip("#") if names[0] == "account" else room.conversation
        line = f"{verb.name.decode()} {rest}".strip()
        try:
            MSG_SERVER_COMMANDS.parse(line.encode())
        except ProtocolError as error:
            self._chat.view.say(self._chat.words("refused", error.word, error.text))
            return None
        return rest

    def _is_topic(self, word: str) -> bool:
        return f"#{word.lstrip('#')}" in self._chat.rooms

    def _with_message(self, room: Room, words: list[str]) -> str | None:
        """Return the words with the id of a message first: that of its number, or of the selected or last one."""
        if words and ":" in words[0]:
            return " ".join(words)
        if words and words[0].lstrip("#").isdecimal():
            number, rest = int(words[0].lstrip("#")), words[1:]
            entry = room.numbered(number)
        else:
            number, rest = 0, words
            entry = room.find(room.selected) or _last_message(room)
        if entry is None:
            self._chat.view.say(self._chat.words("no-message", number or ""))
            return None
        return " ".join([entry.id, *rest])

    async def _operated(self, operate: Callable[..., Any], filled: str) -> None:
        message, *text = filled.split(" ", 1)
        await operate(message, *text)
        # One's own operations are not pushed to the device that made them.
        await self._chat.refresh(message)

    async def _asked(self, verb: Verb, filled: str) -> None:
        chat = self._chat
        line = f"{verb.name.decode()} {filled}".strip().encode()
        reply: Reply = await chat.client.ask(Request(verb.name, line, lambda reply: reply))
        for item, _ in reply.items[:SHOWN]:
            chat.view.say("  " + safe_line(item.decode("utf-8", "replace")))
        short = verb.short.decode().lower()
        if not reply.items:
            told = safe_line(reply.rest.decode("utf-8", "replace"))
            chat.view.say(chat.words("done", f"{short} {told}".strip()))
        if verb.name in (b"CREATE_TOPIC", b"JOIN_TOPIC", b"JOIN_LINK") and not reply.rest.endswith(b"pending"):
            topic = reply.rest.decode().split(" ")[0] or filled.split(" ")[0]
            chat.open(chat.of(f"#{topic}"))

    # -- comforts

    def _win(self, name: str) -> None:
        chat = self._chat
        if not name:
            for place, room in enumerate(chat.listed, 1):
                unread = f" ({room.unread})" if room.unread else ""
                chat.view.say(f"  {place:2} {safe_line(room.title)}{unread}")
            return
        found = chat.room_of(name)
        if found is None:
            chat.view.say(chat.words("unknown-room", safe_line(name)))
        else:
            chat.open(found)

    def _reply(self, rest: str) -> None:
        chat = self._chat
        filled = None if chat.room is None else self._with_message(chat.room, rest.split(" "))
        if filled is None or chat.room is None:
            return
        message, _, text = filled.partition(" ")
        if text:
            chat.send(chat.room, text, reply=message)
        else:
            chat.view.say(chat.words("usage", "reply [n] text"))

    def _search(self, text: str) -> None:
        chat, lower = self._chat, text.lower()
        if chat.room is None or not text:
            return
        looked = [entry for entry in chat.room.entries if entry.kind == "message"]
        found = [entry for entry in looked if lower in entry.text.lower()]
        for entry in found[-SHOWN:]:
            chat.view.say(f"  {entry.number} {entry.author}: {safe_line(entry.text)}")
        if not found:
            chat.view.say(chat.words("found-none", safe_line(text), len(looked)))

    def _next(self) -> None:
        room = self._chat.next_with_news()
        if room is not None:
            self._chat.open(room)

    def _filter(self) -> None:
        notes = self._chat.home.notes
        notes.folds = not notes.folds
        self._chat.view.say(self._chat.words("filter-on" if notes.folds else "filter-off"))
        self._chat.view.changed()

    def _me(self) -> None:
        self._chat.view.say(f"{self._chat.home.place} ({self._chat.client.device})")

    def _help(self, word: str) -> None:
        chat = self._chat
        verb = self._verbs.get(word.lstrip("/").lower())
        if verb is not None:
            chat.view.say(f"  /{verb.usage_as(verb.short)}: {verb.zh if chat.words.chinese else verb.help}")
            return
        chat.view.say(chat.words("comforts"))
        for name, (usage, _) in self._own.items():
            if name != "help":
                chat.view.say(f"  /{name} {usage}: {chat.words(f'help-{name}')}")
        chat.view.say(chat.words("server-commands"))
        for name in sorted({verb.short.decode().lower() for verb in self._verbs.values()}):
            verb = self._verbs[name]
            chat.view.say(f"  /{verb.usage_as(verb.short).lower()}: {verb.zh if chat.words.chinese else verb.help}")


def _last_message(room: Room) -> Entry | None:
    return next((entry for entry in reversed(room.entries) if entry.id and entry.kind == "message"), None)
