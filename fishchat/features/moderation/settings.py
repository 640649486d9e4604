"""The settings of a topic: their names, and the values that each may have. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fishchat.model.display_names import DISPLAY_LENGTH, display_name, shown_text
from fishchat.protocols.fields import listed

#: The most bytes of ``about`` and of ``announcement``.
LONGEST = 1024
#: The longest pause of slow mode, in seconds: 6 hours.
SLOWEST = 21_600
#: The value that removes a name, a description or an announcement.
NONE = b"-"


@dataclass(frozen=True)
class Setting:
    """One setting.

    :ivar check: returns the value as it is stored, empty for none. Raises ValueError with a sentence for people.
    :ivar values: the values, for the page of the feature.
    """

    name: bytes
    check: Callable[[bytes], bytes]
    values: str
    help: str


def _one_of(name: bytes, *words: bytes) -> Setting:
    def check(value: bytes) -> bytes:
        if value not in words:
            raise ValueError(f"{name.decode()} must be {listed(words)}")
        return value

    return Setting(name, check, ", ".join(f"`{word.decode()}`" for word in words), _HELP[name])


def _text(name: bytes, check: Callable[[bytes], bytes], values: str) -> Setting:
    return Setting(name, lambda value: b"" if value == NONE else check(value), values, _HELP[name])


def _seconds(value: bytes) -> bytes:
    if not value.isdigit() or len(value) > 5 or int(value) > SLOWEST:
        raise ValueError(f"slow must be a number of seconds from 0 to {SLOWEST}")
    return b"%d" % int(value)


def _sentence(value: bytes) -> bytes:
    return shown_text(value, LONGEST)


_HELP = {
    b"name": "the name that people see; the topic keeps the name by which it is addressed",
    b"about": "what the topic is about",
    b"announcement": "what all members should know; its notice counts as unread",
    b"kind": "who may become a member: everybody, accounts that an admin has admitted, or invited ones",
    b"write": "who may write: all members, or only the owner and admins",
    b"slow": "the seconds between two messages of a member; 0 for no pause; admins need not wait",
    b"history": "what a new member may read: everything, or what is sent after it joined",
    b"listed": "whether the topic is in the directory",
    b"invite": "who may invite",
    b"all": "who may mention all members at once",
    b"react": "who may react to messages",
}
_BYTES = f"1 to {LONGEST} bytes; `-` for none"

#: Name → setting, in the order in which they are listed.
SETTINGS: dict[bytes, Setting] = {
    setting.name: setting
    for setting in (
        _text(b"name", display_name, f"1 to {DISPLAY_LENGTH} characters; `-` for none"),
        _text(b"about", _sentence, _BYTES),
        _text(b"announcement", _sentence, _BYTES),
        _one_of(b"kind", b"open", b"approval", b"invitation"),
        _one_of(b"write", b"all", b"admins"),
        Setting(b"slow", _seconds, f"0 to {SLOWEST}", _HELP[b"slow"]),
        _one_of(b"history", b"joined", b"all"),
        _one_of(b"listed", b"yes", b"no"),
        _one_of(b"invite", b"all", b"admins"),
        _one_of(b"all", b"admins", b"all"),
        _one_of(b"react", b"all", b"admins", b"off"),
    )
}
