"""What one device does to messages: it edits, recalls, pins and reacts to some of those that it knows."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from random import Random
from typing import Any

from twisted.internet.defer import Deferred

#: The messages of each conversation that a device still changes; and those of its pins that it keeps there.
REMEMBERED, KEPT = 12, 10
REACTIONS = ("+1", "ok", "鱼")
#: How often each operation is chosen.
WEIGHTS = {"edit": 4, "react": 4, "unreact": 2, "recall": 2, "pin": 1, "unpin": 1}


@dataclass(frozen=True)
class Known:
    """A message that a device knows: its id, its first text, and its sender."""

    id: str
    origin: str
    from_: str


@dataclass(frozen=True)
class Wish:
    """An operation to ask for; ``arguments`` are those of the client's method after the id."""

    kind: str
    of: Known
    arguments: tuple[str, ...] = ()

    def ask(self, client: Any) -> Deferred[str]:
        """Ask for it; fires with the id of the operation."""
        asked: Deferred[str] = getattr(client, self.kind)(self.of.id, *self.arguments)
        return asked

    @property
    def what(self) -> str:
        """The new text, the reason or the reaction."""
        return self.arguments[0] if self.arguments else ""


class Changer:
    """Chooses what a device does to messages.

    :param account: the account of the device.
    """

    def __init__(self, account: str, random: Random) -> None:
        self._account = account
        self._random = random
        self._recent: dict[str, deque[Known]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._given: dict[tuple[str, str], deque[Wish]] = defaultdict(lambda: deque(maxlen=50))

    def remember(self, conversation: str, message_id: str, origin: str, from_: str) -> None:
        """Take note of a message that was received or stored."""
        self._recent[conversation].append(Known(message_id, origin, from_))

    def any(self, conversation: str) -> Known | None:
        """Return one of the messages that are remembered."""
        recent = self._recent[conversation]
        return self._random.choice(recent) if recent else None

    def wish(self, conversation: str, text: str, rules: bool) -> Wish | None:
        """Return what to do next; None if there is nothing to do it to.

        :param text: a text that is used nowhere else in the run.
        :param rules: whether the account may pin here, and recall messages of others.
        """
        [kind] = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        may_pin = rules or not conversation.startswith("#")
        if kind in ("unreact", "unpin"):
            return self._removal(conversation, kind)
        if kind == "pin" and (not may_pin or len(self._given[conversation, "pin"]) >= KEPT):
            return None
        is_free = kind in ("react", "pin") or (kind == "recall" and rules and conversation.startswith("#"))
        fitting = [one for one in self._recent[conversation] if is_free or one.from_ == self._account]
        if not fitting:
            return None
        of = self._random.choice(fitting)
        if kind == "recall":
            self._recent[conversation].remove(of)
            return Wish(kind, of, (self._random.choice(("", "wrong window")),))
        if kind == "react":
            return Wish(kind, of, (self._random.choice(REACTIONS),))
        return Wish(kind, of, (text,) if kind == "edit" else ())

    def done(self, conversation: str, wish: Wish) -> None:
        """Take note of the ``OK``, so that it may be taken back later."""
        if wish.kind in ("react", "pin"):
            self._given[conversation, wish.kind].append(wish)

    def _removal(self, conversation: str, kind: str) -> Wish | None:
        given = self._given[conversation, kind.removeprefix("un")]
        if not given:
            return None
        wish = self._random.choice(given)
        given.remove(wish)
        return Wish(kind, wish.of, wish.arguments)
