"""The chat in lines: a prompt below lines that scroll. For screen readers, bad lines and pipes.

In a pipe it reads lines, prints lines, and ends when everything that was read is answered.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from twisted.internet.task import LoopingCall

from fishchat.chat.commands import Commands
from fishchat.chat.core import Chat
from fishchat.chat.errors import ChatError
from fishchat.chat.lines import Writer
from fishchat.chat.rooms import Entry, Room, Row
from fishchat.chat.safe import safe_line
from fishchat.chat.words import Words

#: Seconds that a pipe waits for the answers to its last lines, and for the connection.
PATIENCE = 10.0
#: Entries of a room that are printed when it is opened.
SHOWN = 20


class Plain:
    """The view in lines. ``write`` prints one line."""

    def __init__(self, words: Words, account: str, write: Callable[[str], None]) -> None:
        self._words = words
        self._write = write
        self._writer = Writer(words, account)
        self._room: Room | None = None
        self._state = ""
        self.chat: Chat | None = None
        self._printed: set[str] = set()

    def changed(self) -> None:
        """Print the state of the connection if it is another one, and the room if another one was opened."""
        chat = self.chat
        if chat is None:
            return
        if chat.state != self._state:
            self._state = chat.state
            self._write(f"-- {self._words(chat.state, chat.home.place.server)}")
        room = chat.room
        if room is not None and room.loaded and room is not self._room:
            self._room = room
            self._write(f"-- {safe_line(room.title)}")
            for row in list(room.rows(chat.home.notes.folds))[-SHOWN:]:
                self._print(room, row)

    def arrived(self, room: Room, entry: Entry) -> None:
        """Print a message; one of another room with its name."""
        chat = self.chat
        if chat is None or entry.id in self._printed:
            return
        if room is not chat.room:
            self._write(f"-- [{safe_line(room.title)}]")
        self._print(room, Row("entry", entry))

    def amended(self, room: Room, message_id: str) -> None:
        """Print a message of the open room again, as it is now."""
        entry = room.find(message_id)
        if entry is not None and room is self._room and message_id in self._printed:
            for line in self._writer.row(room, Row("entry", entry)):
                self._write(f"~ {line.text}")

    def _print(self, room: Room, row: Row) -> None:
        if row.entry is not None and row.entry.id:
            self._printed.add(row.entry.id)
        for line in self._writer.row(room, row):
            self._write(line.text)

    def say(self, text: str) -> None:
        """Print a line of the chat's own."""
        self._write(text)


async def run(chat: Chat, view: Plain, words: Words) -> None:
    """Run until the person ends it, or a pipe is at its end."""
    done = asyncio.Event()
    commands = Commands(chat, done.set)
    if sys.stdin.isatty():
        await _typed(chat, commands, words, done)
        return
    try:
        await _piped(chat, commands)
    except asyncio.TimeoutError:
        server = chat.home.place.server
        raise ChatError(words("no-server", server, f"{PATIENCE:.0f}", words("check-server"))) from None


async def _typed(chat: Chat, commands: Commands, words: Words, done: asyncio.Event) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.patch_stdout import patch_stdout

    names = WordCompleter([f"/{name}" for name in commands.names], sentence=True)
    session: PromptSession[str] = PromptSession(completer=names, complete_while_typing=False)
    with patch_stdout():
        while not done.is_set():
            title = safe_line(chat.room.title) if chat.room is not None else ""
            try:
                line = await session.prompt_async(f"{title}> ")
            except (EOFError, KeyboardInterrupt):
                return
            if line.strip():
                commands.submit(line)


async def _piped(chat: Chat, commands: Commands) -> None:
    await _until(lambda: chat.state == "connected" and chat.is_idle)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip():
            commands.submit(line.rstrip("\r\n"))
            # The next line may be about what this one opens.
            await _until(lambda: chat.is_idle)


async def _until(condition: Callable[[], bool]) -> None:
    met = asyncio.Event()

    def look() -> None:
        if condition():
            met.set()

    looking = LoopingCall(look)
    looking.start(0.02)
    try:
        await asyncio.wait_for(met.wait(), PATIENCE)
    finally:
        looking.stop()
