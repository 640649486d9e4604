"""Finishes the dismissals of topics that a msg_server began and did not end."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from fishchat.bus import channels
from fishchat.features.topics.calls import RELEASED, release
from fishchat.interfaces import IBus, IStore
from fishchat.services.manager.rounds import Rounds
from fishchat.storage.redis import Unavailable, Unknown

#: Seconds between two rounds.
EVERY = 5.0


class Dismissals(Rounds):
    """Releases the members of dismissed topics, and notifies the msg_servers. Repeating a step changes nothing."""

    def __init__(self, store: IStore, bus: IBus, clock: IReactorTime) -> None:
        super().__init__(store, EVERY, clock)
        self._bus = bus

    async def round(self) -> None:
        """Release all members that are left."""
        for topic in await self._store.run("SMEMBERS", "dismissed"):
            try:
                await self._finish(topic)
            except (Unavailable, Unknown):
                raise
            except Exception:
                self.log.failure("the dismissal of {topic} could not be finished", topic=topic.decode())

    async def _finish(self, topic: bytes) -> None:
        more = True
        while more:
            if not self.running:
                return
            more = await release(topic, RELEASED).of(self._store)
        sync = channels.TopicSync(topics=[topic.decode()], accounts={})
        self._bus.publish(channels.TOPIC_SYNC, sync.encode())
