"""Cursors that are not stored yet: merged here, written once a second and when a device logs out."""

from __future__ import annotations

from fishchat.errors import Refusal
from fishchat.model.device import Device, Reading
from fishchat.model.names import Position, format_position
from fishchat.services.msg_server.queue.commits import Commits
from fishchat.services.msg_server.queue.items import Call
from fishchat.storage.logs.calls import acknowledge

#: The most readings that one call writes.
CHUNK = 500


class Cursors:
    """Write the cursors of the readings in ``dirty``, the set that ``Reading.moved`` fills."""

    def __init__(self, commits: Commits, dirty: set[Reading]) -> None:
        self._commits = commits
        self._dirty = dirty

    def flush(self, device: Device | None = None) -> None:
        """Write all cursors, or those of one device."""
        if device is None:
            moved = list(self._dirty)
            self._dirty.clear()
        else:
            known = [*device.readings.values(), *device.left.values()]
            moved = [reading for reading in known if reading in self._dirty]
            self._dirty.difference_update(moved)
        for start in range(0, len(moved), CHUNK):
            self._write([(reading, reading.acked) for reading in moved[start : start + CHUNK]])

    def discard(self, device: Device) -> None:
        """Forget the acknowledgements of one device that are not written yet."""
        self._dirty.difference_update([*device.readings.values(), *device.left.values()])

    def _write(self, moved: list[tuple[Reading, Position]]) -> None:
        flat: list[bytes] = []
        for reading, acked in moved:
            device = reading.device
            flat += (device.account, device.name, reading.conversation.name, format_position(acked))

        def fail(_: Refusal) -> None:
            # A cursor that is not stored causes repeated messages at the next login, so it is written again later.
            self._dirty.update(reading for reading, _ in moved)

        self._commits.add(Call.of(acknowledge(flat), lambda _: None, fail))
