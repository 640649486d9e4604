"""Clients with TLS on real sockets, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography import x509
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.python.failure import Failure

from fishchat.services.net.listen import CHAT
from fishchat.test.support.client import Client
from fishchat.test.support.tls_fixture import authority


class SocketClient(Client):
    """A client of a cluster's tests on a socket, connected through ``transport``."""

    transport: Any
    _sips = False

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def received(self, data: bytes) -> None:
        if self._sips:
            self.stop_reading()
        super().received(data)

    def drop(self) -> None:
        if not self.closed:
            self.transport.abortConnection()

    def stop_reading(self) -> None:
        self.transport.pauseProducing()

    def read_on(self) -> None:
        self.transport.resumeProducing()

    def sip(self) -> None:
        """Read a little, then stop reading."""
        self._sips = True
        self.read_on()

    def shown(self) -> x509.Certificate:
        """Return the certificate of the server."""
        certificate = self.transport.getPeerCertificate()
        found: x509.Certificate = certificate.to_cryptography()
        return found


class Wire(Protocol):
    """Pass received bytes to a client, and record how the connection ended. It exists before any handshake."""

    def __init__(self, client: SocketClient) -> None:
        self._client = client
        self.heard = b""
        self.reason: Failure | None = None

    def connectionMade(self) -> None:
        self._client.transport = self.transport

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self._client.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason
        self._client.ended()


def trust() -> Any:
    """Return the trust root of the tests' authority."""
    return Certificate.loadPEM(authority().ca.read_bytes())


async def connect_plain(port: int, name: str = "client") -> tuple[SocketClient, Wire]:
    """Open a connection to 127.0.0.1 without TLS."""
    client = SocketClient(name)
    factory: Any = Factory.forProtocol(lambda: Wire(client))
    wire: Any = await HostnameEndpoint(reactor, "127.0.0.1", port).connect(factory)
    return client, wire


async def begin_tls(
    port: int, name: str = "client", protocols: Sequence[bytes] = (CHAT,), host: str = "localhost"
) -> tuple[SocketClient, Wire]:
    """Open a connection to 127.0.0.1 and begin its handshake, which checks that the server is ``host``."""
    client = SocketClient(name)
    options = optionsForClientTLS(host, trustRoot=trust(), acceptableProtocols=list(protocols) or None)
    factory: Any = Factory.forProtocol(lambda: Wire(client))
    endpoint = wrapClientTLS(options, HostnameEndpoint(reactor, "127.0.0.1", port))
    wire: Any = await endpoint.connect(factory)
    return client, wire


async def connect_tls(port: int, name: str = "client", protocols: Sequence[bytes] = (CHAT,)) -> SocketClient:
    """Return a client that has received the greeting."""
    client, _ = await begin_tls(port, name, protocols)
    await client.expect("HELLO fishchat/1 …")
    return client
