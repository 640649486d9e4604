"""Looking after the connections: who is silent, who takes nothing, who does not log in. One timer for all."""

from __future__ import annotations

from collections.abc import Collection

from fishchat.errors import Refusal
from fishchat.protocols.peer import HANDSHAKE
from fishchat.protocols.replies import error_line
from fishchat.protocols.state import is_stranger
from fishchat.services.msg_server.sessions.connection import ClientConnection

#: Seconds between two looks.
EVERY = 5.0
#: Silence after which a client is pinged, and after which it is gone.
PING_AFTER = 90.0
GONE_AFTER = 120.0


def look_after(connections: Collection[ClientConnection], now: float, login_seconds: float) -> None:
    """Ping, close or cut off whoever it is time for."""
    for connection in list(connections):
        # Whoever is not read cannot be heard.
        silent = now - connection.heard_at if connection.is_read else 0.0
        if connection.is_stuck(now):
            connection.abort()
        elif connection.shaking:
            if now - connection.since >= HANDSHAKE:
                connection.abort()
        elif silent >= GONE_AFTER:
            connection.end()
            connection.abort()
        elif is_stranger(connection.state):
            if now - connection.since >= login_seconds:
                late = Refusal("STATE", "log in sooner", limit=f"{login_seconds:g}s")
                connection.say_goodbye(error_line(late, None, {}))
        elif silent < PING_AFTER:
            # Whatever it said, even a line that was refused, was an answer.
            connection.pinged = False
        elif not connection.pinged:
            connection.pinged = True
            connection.send(b"RESP_PING\r\n")
