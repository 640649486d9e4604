"""A typed call of a script: its arguments, and the parser of its reply.

Beside each directory of scripts is a module ``calls`` with one function for each script::

    def join(account: bytes, topic: bytes, members: int, topics: int) -> Ask[Joined]: ...

The values do not hold the fence: the queue of the msg_server adds it to a fenced call when it writes the call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fishchat.errors import Refusal
from fishchat.interfaces import IStore
from fishchat.storage.packing import unpack
from fishchat.storage.script import Script

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Ask(Generic[T_co]):
    """One call, not made yet.

    :ivar parse: returns the result from the reply, or raises Refusal.
    """

    script: Script
    values: tuple[Any, ...]
    parse: Callable[[Any], T_co]

    @property
    def fenced(self) -> bool:
        """Whether the fence comes before the values."""
        return self.script.fenced

    async def of(self, store: IStore) -> T_co:
        """Make the call, which must not be fenced, and return its result.

        Raises Refusal, and the failures of ``IStore.call``.
        """
        return self.parse(await store.call(self.script, *self.values))


def accepted(reply: Any) -> list[Any]:
    """Return the values after ``OK``. Raises Refusal for anything else: a word, perhaps with a limit."""
    if reply[0] != b"OK":
        raise refusal_of(reply)
    rest: list[Any] = reply[1:]
    return rest


def refusal_of(reply: Any) -> Refusal:
    """Return the Refusal of an array that begins with a word, or of a bare word."""
    if isinstance(reply, bytes):
        return Refusal(reply.decode())
    word = reply[0].decode()
    if len(reply) == 1:
        return Refusal(word)
    extra = reply[1]
    return Refusal(word, limit=extra) if isinstance(extra, int) else Refusal(word, **pairs_of(extra))


def pairs_of(extra: bytes) -> dict[str, str]:
    """Return the pairs of a refusal in a script's words: ``b"until=1795581000123"``."""
    return dict(pair.split("=", 1) for pair in extra.decode().split())


def nothing(reply: Any) -> None:
    """Check a reply that is ``OK`` and no more. Raises Refusal."""
    accepted(reply)


def ignored(reply: Any) -> None:
    """Ignore a reply that is not needed."""


def rows(packed: bytes, width: int) -> list[tuple[Any, ...]]:
    """Return the rows of a packed flat array, in its order."""
    flat = iter(unpack(packed))
    return list(zip(*[flat] * width, strict=True))
