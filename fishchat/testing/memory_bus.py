"""The bus in one process, for tests: it can lose, hold and reorder what is said, and be away for a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from fishchat.interfaces import IBus, Receiver

#: A channel and what was said on it.
Said = tuple[str, bytes]


class Medium:
    """What buses share: each hears what any of them says, all in the same order.

    With ``clock`` everything is heard in a later turn; without, before ``publish`` returns, though never
    inside another receiver's call.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime | None = None) -> None:
        self.buses: list[MemoryBus] = []
        self._clock = clock
        self._todo: deque[Callable[[], None]] = deque()
        self._busy = False

    def later(self, calls: Iterable[Callable[[], None]]) -> None:
        """Make ``calls`` after all that was asked for before."""
        self._todo.extend(calls)
        if self._busy or not self._todo:
            return
        self._busy = True
        if self._clock is None:
            self._work(None)
        else:
            self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        # What is said meanwhile is for the next turn, as on a wire.
        self._work(len(self._todo))
        if self._busy and self._clock is not None:
            self._clock.callLater(0, self._turn)

    def _work(self, most: int | None) -> None:
        while self._todo and most != 0:
            most = None if most is None else most - 1
            try:
                self._todo.popleft()()
            except Exception:
                self.log.failure("a receiver failed")
        self._busy = bool(self._todo)


@implementer(IBus)
class MemoryBus:
    """One participant's bus. Those on one ``medium`` hear each other; without one, it hears only itself."""

    def __init__(self, medium: Medium | None = None) -> None:
        self._medium = medium or Medium()
        self._medium.buses.append(self)
        self._channels: dict[str, list[tuple[Receiver, Callable[[], None] | None]]] = {}
        self._drop = 0
        self._held: list[Said] | None = None
        self._connected = True
        #: Grows with every loss, so that what was on its way then is not heard later.
        self._lost = 0

    def publish(self, channel: str, payload: bytes) -> None:
        """Let every connected bus of the medium hear ``payload``; dropped when this one is disconnected."""
        if self._connected:
            # All at once, so that no answer overtakes what it answers.
            self._medium.later([call for bus in self._medium.buses for call in bus.hear(channel, payload)])

    def subscribe(self, channel: str, receive: Receiver, ready: Callable[[], None] | None = None) -> None:
        """Call ``receive`` with every payload of ``channel``, ``ready`` when it is confirmed, each time."""
        self._channels.setdefault(channel, []).append((receive, ready))
        if self._connected and ready is not None:
            self._medium.later([self._call(ready)])

    def drop_next(self, count: int = 1) -> None:
        """Lose the next ``count`` payloads that this bus would hear."""
        self._drop += count

    def hold(self) -> None:
        """Keep what is heard from now on until ``release``."""
        self._held = [] if self._held is None else self._held

    def release(self, reordered: Callable[[list[Said]], Iterable[Said]] | None = None) -> None:
        """Hear what was held: in order, or as ``reordered`` returns it (``reversed``, say)."""
        held, self._held = self._held or [], None
        order = held if reordered is None else list(reordered(held))
        self._medium.later([call for channel, payload in order for call in self._calls(channel, payload)])

    def disconnect(self) -> None:
        """Be away: nothing is said or heard, and what is on its way is lost."""
        self._connected = False
        self._lost += 1
        self._held = None if self._held is None else []

    def reconnect(self) -> None:
        """Be there again: every subscription is confirmed anew."""
        self._connected = True
        readies = [ready for subscriptions in self._channels.values() for _, ready in subscriptions]
        self._medium.later([self._call(ready) for ready in readies if ready is not None])

    def hear(self, channel: str, payload: bytes) -> list[Callable[[], None]]:
        """Return the calls that deliver this payload to the subscribers of this bus."""
        if not self._connected or channel not in self._channels:
            return []
        if self._drop:
            self._drop -= 1
            return []
        if self._held is not None:
            self._held.append((channel, payload))
            return []
        return self._calls(channel, payload)

    def _calls(self, channel: str, payload: bytes) -> list[Callable[[], None]]:
        return [self._call(receive, payload) for receive, _ in self._channels[channel]]

    def _call(self, function: Callable[..., None], *arguments: bytes) -> Callable[[], None]:
        lost = self._lost

        def call() -> None:
            if lost == self._lost:
                function(*arguments)

        return call
