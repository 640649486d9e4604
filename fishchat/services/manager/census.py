"""Counts what happens to clients and topics, from the status channels.

Hints may be lost and a restarted manager begins at zero, so these are figures for orientation; the store has the truth.
"""

from __future__ import annotations

from collections import Counter

from twisted.application.service import Service

from fishchat.bus import channels
from fishchat.interfaces import IBus


class Census(Service):
    """The counts since the start."""

    def __init__(self, bus: IBus) -> None:
        self._bus = bus
        self.came = self.went = 0
        self.topics: Counter[str] = Counter()

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        self._bus.subscribe(channels.CLIENT_STATUS, self._client, None)
        self._bus.subscribe(channels.TOPIC_STATUS, self._topic, None)

    def figures(self) -> dict[str, int]:
        """Return the counts by the names of the heartbeat's figures."""
        topics = {f"topics_{event}": self.topics[event] for event in channels.TOPIC_EVENTS}
        return {"came": self.came, "went": self.went, **topics}

    def _client(self, payload: bytes) -> None:
        status = channels.ClientStatus.decode(payload)
        self.came += len(status.came)
        self.went += len(status.went)

    def _topic(self, payload: bytes) -> None:
        event = channels.TopicStatus.decode(payload).event
        if event in channels.TOPIC_EVENTS:
            self.topics[event] += 1
