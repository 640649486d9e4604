"""The first line that a client receives."""

from __future__ import annotations

from fishchat.config.schema import Config
from fishchat.features.registry import CAPABILITIES
from fishchat.interfaces import IPeer
from fishchat.protocols.lines import MAX_LINE, MAX_TEXT
from fishchat.services.msg_server.sessions.authentication import Authentication


class Greeting:
    """The greeting of one msg_server."""

    def __init__(self, server: bytes, config: Config, authentication: Authentication) -> None:
        self._authentication = authentication
        self._line = b"HELLO fishchat/1 server=%b auth=%b maxline=%d maxtext=%d caps=%b" % (
            server,
            config.accounts.mode.encode(),
            MAX_LINE,
            MAX_TEXT,
            b",".join(CAPABILITIES),
        )

    def line(self, peer: IPeer) -> bytes:
        """Return the line for a peer: which mechanisms it may use depends on its encryption."""
        mechanisms = self._authentication.mechanisms(peer)
        sasl = b" sasl=" + b",".join(mechanisms) if mechanisms else b""
        return self._line + sasl + b"\r\n"
