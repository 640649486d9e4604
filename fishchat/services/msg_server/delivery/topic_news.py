"""News of topics' memberships between the roles: published once a turn, received from the other msg_servers."""

from __future__ import annotations

from fishchat.bus import channels
from fishchat.interfaces import IBus
from fishchat.net.turn import Turn
from fishchat.services.msg_server.delivery.membership import Membership


class TopicNews:
    """Publish events for the manager, and changed topics for the other msg_servers, which read the membership again."""

    def __init__(self, bus: IBus, turn: Turn, membership: Membership) -> None:
        self._bus = bus
        self._turn = turn
        self._membership = membership
        self._events: list[tuple[str, str, str]] = []

    def listen(self) -> None:
        """Subscribe to the news of the other msg_servers."""
        self._bus.subscribe(channels.TOPIC_SYNC, self._heard, None)

    def changed(self, topic: bytes, event: str, account: bytes) -> None:
        """Publish at the end of the turn that ``event`` happened to ``topic``, by ``account``."""
        if not self._events:
            self._turn.at_end(self._publish)
        self._events.append((topic.decode(), event, account.decode()))

    def _publish(self) -> None:
        events, self._events = self._events, []
        for topic, event, account in events:
            status = channels.TopicStatus(topic=topic, event=event, account=account)
            self._bus.publish(channels.TOPIC_STATUS, status.encode())
        moved: dict[str, list[str]] = {}
        for topic, event, account in events:
            if event != "invited":
                moved.setdefault(topic, []).append(account)
        if moved:
            self._bus.publish(channels.TOPIC_SYNC, channels.TopicSync(topics=sorted(moved), accounts=moved).encode())

    def _heard(self, payload: bytes) -> None:
        sync = channels.TopicSync.decode(payload)
        for topic in sync.topics:
            accounts = sync.accounts.get(topic, ())
            self._membership.changed(b"#" + topic.encode(), [account.encode() for account in accounts])
