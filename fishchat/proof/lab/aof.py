"""The messages and operations in Redis' append-only file, so that it is known which of them a fault takes away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fishchat.proof.lab.minimal_wire import unescape

#: Conversation, epoch and number, by which a message or an operation is known; its text.
Messages = dict[tuple[str, int, int], str]

#: The streams that share the numbers of a conversation: its messages, and operations on them.
_STREAMS = (b"log:", b"ops:")
#: The place of the body among the words of a command.
_BODY = 6
#: The command with which Redis begins after the binary part that a rewritten file of Redis 6 begins with.
_SELECT = b"*2\r\n$6\r\nSELECT\r\n"


def newest(data: Path) -> Path:
    """Return the file that Redis appends to: of Redis 7 the last part."""
    parts = list((data / "appendonlydir").glob("*.incr.aof"))
    return max(parts, key=lambda path: int(path.name.split(".")[-3]), default=data / "appendonly.aof")


def messages(content: bytes) -> Messages:
    """Return the messages in a file with this content; a transaction that is not complete counts as absent."""
    start = max(0, content.find(_SELECT)) if content.startswith(b"REDIS") else 0
    found: Messages = {}
    waiting: list[list[bytes]] | None = None
    for words in _commands(content, start):
        name = words[0].upper()
        if name == b"MULTI":
            waiting = []
        elif name == b"EXEC":
            for each in waiting or ():
                _apply(each, found)
            waiting = None
        elif waiting is not None:
            waiting.append(words)
        else:
            _apply(words, found)
    return found


def _apply(words: list[bytes], found: Messages) -> None:
    if words[0].upper() != b"XADD" or not words[1].startswith(_STREAMS):
        return
    conversation = words[1].partition(b":")[2].decode()
    epoch, _, number = words[2].partition(b"-")
    _, _, _, form, text = words[_BODY].decode().split(" ", 4)
    kind, *tags = form.split(";")
    found[conversation, int(epoch), int(number)] = unescape("esc" if kind == "e" or "esc" in tags else "", text)


def _commands(content: bytes, at: int) -> Iterator[list[bytes]]:
    """Return the complete commands from a place on."""
    while (head := _number(content, at, b"*")) is not None:
        count, at = head
        words: list[bytes] = []
        while len(words) < count and (head := _number(content, at, b"$")) is not None:
            size, at = head
            if at + size + 2 > len(content):
                return
            words.append(content[at : at + size])
            at += size + 2
        if len(words) < count:
            return
        yield words


def _number(content: bytes, at: int, mark: bytes) -> tuple[int, int] | None:
    """Return the number after a mark, and the place after its line; None at the end of what is complete."""
    # Redis 7 writes the time between commands.
    while content[at : at + 1] == b"#":
        at = content.find(b"\n", at) + 1 or len(content)
    end = content.find(b"\r\n", at)
    if end < 0 or content[at : at + 1] != mark:
        return None
    return int(content[at + 1 : end]), end + 2
