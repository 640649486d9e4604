"""Calls of the scripts that scrub streams, so that nothing is left of what was erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fishchat.errors import Refusal
from fishchat.interfaces import IStore
from fishchat.storage.ask import Ask, ignored
from fishchat.storage.script import script

_HOLD = script("scrub/hold")
_BEGIN = script("scrub/begin")
_COPY = script("scrub/copy")
_FINISH = script("scrub/finish")
_WRITTEN = script("scrub/written")
_RELEASE = script("scrub/release")
_MARK = script("scrub/mark")
_ERASE_AGAIN = script("scrub/erase_again")
#: The scripts that a scrub uses.
SCRIPTS = (_HOLD, _BEGIN, _COPY, _FINISH, _WRITTEN, _RELEASE, _MARK)

#: The streams of a conversation.
LOG, OPS = b"log", b"ops"


class LeaseLost(Exception):
    """Another process scrubs, or this one was silent for longer than its lease."""


class Again(Refusal):
    """Something was removed from the stream since its copy was begun: the copy is gone, and has to be begun again."""

    def __init__(self) -> None:
        super().__init__("AGAIN", "something was removed from the stream while it was copied; begin the copy again")


@dataclass(frozen=True)
class Progress:
    """How far the scrub is.

    :ivar waiting: conversations in which something was erased, and which were not scrubbed since.
    :ivar unwritten: conversations that were scrubbed in memory, but are still as before in Redis' file.
    :ivar last: the time of the last complete scrub, in ms since 1970; 0 if there was none.
    """

    waiting: int
    unwritten: int
    last: int

    @property
    def is_due(self) -> bool:
        """Whether a scrub has anything to do."""
        return self.waiting > 0 or self.unwritten > 0


def hold(token: bytes, lease: int) -> Ask[int]:
    """Take the lease of the scrub, or keep it, for so many ms. Returns how many conversations were ever copied.

    Raises LeaseLost while another process scrubs.
    """

    def parse(reply: Any) -> int:
        copied: int = _accepted(reply)[0]
        return copied

    return Ask(_HOLD, (token, lease), parse)


def begin(token: bytes, lease: int, conversation: bytes) -> Ask[None]:
    """Begin to scrub a conversation. Raises LeaseLost without the lease, as all further steps do."""
    return Ask(_BEGIN, (token, lease, conversation), _nothing)


def copy(
    token: bytes,
    lease: int,
    what: bytes,
    conversation: bytes,
    after: bytes,
    count: int,
    size: int,
    replaced: bool,
) -> Ask[tuple[bytes, int]]:
    """Copy some entries of a stream. Returns the position to go on after, empty at the end, and the entries copied.

    ``what`` is ``LOG`` or ``OPS`` of the conversation, or the name of a stream that is of no conversation. A call
    copies about ``count`` entries, and fewer if they have more than ``size`` bytes. With ``replaced``, texts that were
    replaced by edits are kept. Raises Again.
    """

    def parse(reply: Any) -> tuple[bytes, int]:
        after, copied = _accepted(reply)
        return after, copied

    return Ask(_COPY, (token, lease, what, conversation, after, count, size, replaced), parse)


def finish(token: bytes, lease: int, conversation: bytes) -> Ask[None]:
    """Finish the scrub of a conversation. Raises Again if something in it was erased since the beginning."""
    return Ask(_FINISH, (token, lease, conversation), _nothing)


def written(token: bytes, lease: int, copied: int) -> Ask[None]:
    """Record that Redis' file was written anew, after ``copied`` conversations had been copied."""
    return Ask(_WRITTEN, (token, lease, copied), _nothing)


def release(token: bytes) -> Ask[None]:
    """Release the lease."""
    return Ask(_RELEASE, (token,), ignored)


async def state(store: IStore) -> Progress:
    """Read how far the scrub is."""
    copied, written, last = await store.run("HMGET", "scrub", "copied", "written", "last")
    waiting = await store.run("SCARD", "unscrubbed") + await store.run("SCARD", "scrubbing")
    return Progress(waiting, int(copied or 0) - int(written or 0), int(last or 0))


def mark(conversations: Sequence[bytes]) -> Ask[None]:
    """Let the next scrub visit these conversations, whether something in them was erased or not."""
    return Ask(_MARK, (list(conversations),), ignored)


def erase_again(erasures: Sequence[tuple[bytes, int]]) -> Ask[int]:
    """Erase messages in a restored store, and record the erasures with their times (ms). Returns how many were there.

    An erasure is the id of a message, or an account that the caller has erased.
    """
    return Ask(_ERASE_AGAIN, ([value for pair in erasures for value in pair],), int)


def _accepted(reply: Any) -> list[Any]:
    word, rest = reply[0], list(reply[1:])
    if word == b"LEASE":
        raise LeaseLost
    if word == b"AGAIN":
        raise Again
    return rest


def _nothing(reply: Any) -> None:
    _accepted(reply)
