"""Times for people: a client that never sent ``HELLO`` sees when the messages that it missed were sent."""

from __future__ import annotations

from collections.abc import Callable
from time import localtime, strftime
from time import time as time_of_day

from fishchat.features.messages.rows import RESP_TIME
from fishchat.model.device import Device

#: Milliseconds for which a message counts as sent right now.
NOW = 60_000


class ShownTimes:
    """Show a time before a message that was sent in another minute than the one before it.

    :ivar wall: returns the time of day in seconds since 1970, as the stamps of messages count it.
    """

    def __init__(self, wall: Callable[[], float] = time_of_day) -> None:
        self.wall = wall

    def show(self, device: Device, time: int) -> None:
        """Show the time of a message, in ms, that is about to be pushed to a person."""
        minute = time // 60_000
        if minute == device.minute or (not device.minute and self.wall() * 1000 - time < NOW):
            return
        device.minute = minute
        words = strftime("%Y-%m-%d %H:%M %z", localtime(time / 1000)).encode().split()
        device.push(RESP_TIME.line(*words) + b"\r\n")
