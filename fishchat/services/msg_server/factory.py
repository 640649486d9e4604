"""Connections of clients to a msg_server."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from fishchat.protocols.peer import LinePeer
from fishchat.services.msg_server.service import MsgServer
from fishchat.services.net.connection_limits import Refused


class ClientFactory(Factory):
    """The factory of one listener of a msg_server; ``secure`` says whether its connections use TLS."""

    noisy = False

    def __init__(self, server: MsgServer, secure: bool = False) -> None:
        self._server = server
        self._secure = secure

    def buildProtocol(self, addr: IAddress | None) -> LinePeer | Refused | None:
        return self._server.connect(addr, self._secure)
