"""``/socket``: the handshake of WebSocket, after which the connection is one of the msg_server's.

The library ``websockets`` checks the handshake. The answer is written here and not by Twisted, so that the objects of
the HTTP connection are gone afterwards: they would cost some KiB for each client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from websockets.datastructures import Headers
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from fishchat.errors import Refusal
from fishchat.protocols.frames import SUBPROTOCOL
from fishchat.protocols.peer import LinePeer
from fishchat.services.web.origins import Origins
from fishchat.services.web.site import hand_over

#: Makes the peer of a new client at an address, with TLS or not; returns a Refusal when there is no room.
Connect = Callable[[IAddress, bool], "LinePeer | Refusal"]


class Socket(Resource):
    """The resource, for pages of the origins that its site lists. :param connect: makes the peer of a client."""

    isLeaf = True

    def __init__(self, connect: Connect, clock: IReactorTime) -> None:
        super().__init__()
        self._connect = connect
        self._clock = clock

    def render_GET(self, request: Request) -> bytes | int:
        """Answer a handshake: become a WebSocket, or refuse it with a status and a sentence."""
        origins: Origins = request.origins  # type: ignore[attr-defined]
        if not origins.has_origin(request.getHeader(b"origin")):
            return _refuse(request, 403, "pages of this origin may not connect; add it to web.origins")
        response, protocol = _answer(request)
        if response.status_code != 101:
            return _refuse(request, response.status_code, response.body.decode() or "this is no WebSocket handshake")
        if protocol.subprotocol != SUBPROTOCOL:
            return _refuse(request, 400, f"ask for the subprotocol {SUBPROTOCOL}")
        peer = self._connect(request.getClientAddress(), request.isSecure())
        if isinstance(peer, Refusal):
            request.setHeader("Retry-After", str(peer.extra.get("retry", 5)))
            return _refuse(request, 503, peer.text)
        # In a turn of its own: the HTTP connection still works on the bytes that came with the request.
        channel: Any = request.channel
        channel.setTimeout(None)
        channel.pauseProducing()
        self._clock.callLater(0, _become, channel, response, peer)
        return NOT_DONE_YET


def _answer(request: Request) -> tuple[Response, ServerProtocol]:
    protocol = ServerProtocol(subprotocols=[Subprotocol(SUBPROTOCOL)])
    headers = Headers()
    for name, values in request.requestHeaders.getAllRawHeaders():
        for value in values:
            headers[name.decode("latin-1")] = value.decode("latin-1")
    return protocol.accept(Handshake(request.uri.decode("latin-1"), headers)), protocol


def _refuse(request: Request, status: int, text: str) -> bytes:
    request.setResponseCode(status)
    request.setHeader("Content-Type", "text/plain; charset=utf-8")
    if status == 426:
        request.setHeader("Upgrade", "websocket")
    return text.strip().encode() + b"\n"


def _become(channel: Any, response: Response, peer: LinePeer) -> None:
    transport = channel.transport.transport
    # What a client sent together with its request, before it knew the answer.
    early = b"".join(channel._dataBuffer)
    if not hand_over(channel, peer):
        return
    transport.write(response.serialize())
    peer.makeConnection(transport)
    transport.resumeProducing()
    if early:
        peer.dataReceived(early)
