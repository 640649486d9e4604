"""Listening on a configured address, with errors that say what to change."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, cast

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from fishchat.net.addresses import parse_address
from fishchat.services.running.errors import StartError

if TYPE_CHECKING:
    from fishchat.services.net.tls import Creator

#: Clients that come back after a restart come all at once. The kernel may answer one for which there is no room by a
#: cookie and forget it, so that it believes to be connected and hears nothing. More than this is above Linux' default.
BACKLOG = 4096

#: What clients of a TLS listener may ask for by ALPN, so that bytes meant for another protocol are not taken for ours.
CHAT, HTTP = b"fishchat/1", b"http/1.1"

#: Texts by the system's reason; ``key`` is the configuration key.
_WHY = {
    errno.EADDRINUSE: "another program listens there; stop it, or set {key} to another port",
    errno.EACCES: "ports below 1024 need special rights; set {key} to a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address; set {key} to one it has",
}


class ListenError(StartError):
    """A port cannot be had; the text names the address and the key to change."""


def refusal(address: str, key: str, error: OSError | None) -> ListenError:
    """What to tell a person about an address that cannot be listened on."""
    name = f"`{key}` (FISHCHAT__{key.upper().replace('.', '__')})"
    why = _WHY.get(error.errno or 0) if error is not None else None
    if why is None:
        why = f"{error or 'it cannot be used'}; set {{key}} to another address"
    return ListenError(f"cannot listen on {address}: " + why.format(key=name))


class Listener(Service):
    """Accepts connections on ``address`` for ``factory`` from the start to the stop of the service.

    With ``tls`` each connection begins with a handshake, which that makes the server's side of.
    ``key`` is the configuration key that the address came from. ``port`` is the real port number while it
    listens, which matters when the address says 0.
    """

    def __init__(
        self, address: str, factory: IProtocolFactory, key: str, reactor: Any = None, tls: Creator | None = None
    ) -> None:
        self.address = address
        self.key = key
        self.factory = factory
        self.tls = tls
        self.port = 0
        self._reactor = reactor
        self._listening: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """Bind, before ``twistd`` gives up its rights and before anything starts. May raise ListenError."""
        self._listen()
        super().privilegedStartService()

    def startService(self) -> None:
        """Bind, if it has not been done; ListenError if that fails."""
        self._listen()
        super().startService()

    def stopService(self) -> Deferred[Any]:
        """Fires when nobody can connect any more; connections that exist are the factory's."""
        super().stopService()
        listening, self._listening = self._listening, None
        return succeed(None) if listening is None else maybeDeferred(listening.stopListening)

    def _listen(self) -> None:
        if self._listening is not None:
            return
        reactor = self._reactor
        if reactor is None:
            from twisted.internet import reactor
        host, port = parse_address(self.address)
        try:
            self._listening = reactor.listenTCP(port, self._outer(), interface=host, backlog=BACKLOG)
        except CannotListenError as error:
            cause = error.socketError
            raise refusal(self.address, self.key, cause if isinstance(cause, OSError) else None) from error
        self.port = cast(IPv4Address | IPv6Address, self._listening.getHost()).port

    def _outer(self) -> IProtocolFactory:
        if self.tls is None:
            return self.factory
        # Here and not above: it brings OpenSSL in, which a process without such a listener need not load.
        from fishchat.services.net.tls import TlsFactory

        return TlsFactory(self.tls, self.factory)
