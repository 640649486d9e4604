"""Listening on a configured address, with errors that name the setting to change."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any, cast

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger

from fishchat.net.addresses import format_address, parse_address
from fishchat.services.net.probes import probe
from fishchat.services.running.errors import StartError

if TYPE_CHECKING:
    from fishchat.services.net.tls import Creator

#: After a restart all clients reconnect at once. When the queue is full, the kernel may answer a client with a cookie
#: and forget it; the client then believes it is connected and receives nothing. More exceeds Linux' default.
BACKLOG = 4096

#: The ALPN names that clients of a TLS listener may ask for, so that no bytes of another protocol are read as ours.
CHAT, HTTP = b"fishchat/1", b"http/1.1"

#: Texts by the system's error; ``key`` is the configuration key.
_WHY = {
    errno.EADDRINUSE: "another program uses this port; stop it, or set {key} to another port",
    errno.EACCES: "ports below 1024 need special rights; set {key} to a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address; set {key} to one it has",
}


class ListenError(StartError):
    """A port is not available. The text names the address and the key to change."""


def refusal(address: str, key: str, error: OSError | None) -> ListenError:
    """Return the text for people about an address that cannot be listened on."""
    name = f"`{key}` (FISHCHAT__{key.upper().replace('.', '__')})"
    why = _WHY.get(error.errno or 0) if error is not None else None
    if why is None:
        why = f"{error or 'it cannot be used'}; set {{key}} to another address"
    return ListenError(f"cannot listen on {address}: " + why.format(key=name))


def taken(address: str) -> OSError | None:
    """Return why this address cannot be listened on; None when it can."""
    host, port = parse_address(address)
    if port == 0:
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


class Listener(Service):
    """Accepts connections on ``address`` for ``factory`` from the start to the stop of the service.

    With ``tls``, which makes the server's side of a handshake, each connection begins with one. ``key`` is the
    configuration key of the address. ``port`` is the real port number while the service listens, for addresses with
    port 0.
    """

    log = Logger()

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

    @property
    def bound(self) -> str:
        """The address with the real port; the configured one while the service does not listen."""
        host, port = parse_address(self.address)
        return format_address(host, self.port or port)

    def check(self) -> None:
        """Raise ListenError when the address cannot be listened on now."""
        if self._listening is None:
            error = taken(self.address)
            if error is not None:
                raise refusal(self.address, self.key, error)

    def privilegedStartService(self) -> None:
        """Bind before ``twistd`` gives up its rights and before any service starts. May raise ListenError."""
        self._listen()
        super().privilegedStartService()

    def startService(self) -> None:
        """Bind if necessary. Raises ListenError on failure."""
        self._listen()
        super().startService()

    def stopService(self) -> Deferred[Any]:
        """Stop listening. Fires when no client can connect any more; existing connections belong to the factory."""
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
        self._probe()
        self.port = cast(IPv4Address | IPv6Address, self._listening.getHost()).port

    def _probe(self) -> None:
        bound = getattr(self._listening, "socket", None)  # a reactor for tests has none
        if bound is None:
            return
        if missing := probe(bound):
            self.log.info(
                "this system has no {options}: a connection whose other computer has died may last for hours",
                options=", ".join(missing),
            )

    def _outer(self) -> IProtocolFactory:
        if self.tls is None:
            return self.factory
        # Imported here: it loads OpenSSL, which a process without a TLS listener does not need.
        from fishchat.services.net.tls import TlsFactory

        return TlsFactory(self.tls, self.factory)
