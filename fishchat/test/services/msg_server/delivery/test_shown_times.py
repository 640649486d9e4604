"""Times for people, with a time of day and a zone that the test sets."""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.device import Device
from fishchat.services.msg_server.delivery.shown_times import ShownTimes
from fishchat.test.support.owners import Unending

#: 2026-11-30 18:04 in Shanghai, in ms.
SENT = 1_796_033_040_000
MINUTE = 60_000


class Showing(SynchronousTestCase):
    """A person in Shanghai, where the server is."""

    def setUp(self) -> None:
        """Set the zone; it is an hour after the first message."""
        self.addCleanup(self._set_zone, os.environ.get("TZ"))
        self._set_zone("Asia/Shanghai")
        self.times = ShownTimes(lambda: (SENT + 60 * MINUTE) / 1000)
        owner = Unending()
        self.lines = owner.lines
        self.device = Device(b"bob", b"bob/main", b"", owner, frozenset(), set(), minute=0)

    def _set_zone(self, name: str | None) -> None:
        os.environ.pop("TZ", None)
        if name is not None:
            os.environ["TZ"] = name
        time.tzset()

    def shown(self, *times: int) -> list[bytes]:
        """Return the lines for messages that were sent at these times, in ms after the first one."""
        for each in times:
            self.times.show(self.device, SENT + each)
            self.lines.append(b"message")
        lines = [line.removesuffix(b"\r\n") for line in self.lines if line != b"message"]
        self.lines.clear()
        return lines

    def test_each_minute_once(self) -> None:
        """A time precedes the first message of each minute, in the zone of the server."""
        lines = self.shown(0, 1, MINUTE - 1, MINUTE, 3 * MINUTE)
        self.assertEqual(lines, [b"RESP_TIME 2026-11-30 18:0%d +0800" % minute for minute in (4, 5, 7)])

    def test_another_conversation(self) -> None:
        """A conversation that goes back in time shows the time again."""
        lines = self.shown(0, 2 * MINUTE, 0)
        self.assertEqual(lines, [b"RESP_TIME 2026-11-30 18:0%d +0800" % minute for minute in (4, 6, 4)])

    def test_now(self) -> None:
        """A message of the last minute has none, and neither has one from a store whose clock is ahead."""
        self.assertEqual(self.shown(60 * MINUTE, 60 * MINUTE - 59_999, 61 * MINUTE), [])
        self.assertEqual(self.shown(59 * MINUTE), [b"RESP_TIME 2026-11-30 19:03 +0800"])

    def test_now_after_another_time(self) -> None:
        """After an older time has been shown, a message of the last minute has one, too: it is not as old as that."""
        lines = self.shown(0, 60 * MINUTE)
        self.assertEqual(lines, [b"RESP_TIME 2026-11-30 18:04 +0800", b"RESP_TIME 2026-11-30 19:04 +0800"])
