"""TLS on the side of the server: what is offered in a handshake, and the layer between a socket and a connection.

Twisted's own contexts also offer CBC and RSA key exchange for the sake of old browsers, which nobody needs here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

#: The suites of TLS 1.2: forward secrecy and authenticated encryption. Those of TLS 1.3 are all good.
SUITES = b"ECDHE+AESGCM:ECDHE+CHACHA20"

_OPTIONS = (
    SSL.OP_NO_COMPRESSION
    | SSL.OP_CIPHER_SERVER_PREFERENCE
    # TLS 1.3 sends something of that name all the same; without a cache nothing comes of it.
    | SSL.OP_NO_TICKET
    | SSL.OP_NO_RENEGOTIATION
)


def server_context(chain: Sequence[x509.Certificate], key: Any, protocol: bytes) -> SSL.Context:
    """The context of one certificate, whose chain stands behind it, and one protocol.

    Raises ``SSL.Error`` when OpenSSL does not want them, a key that is too short for instance.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    # An idle connection gives its buffers back.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(SUITES)
    context.use_certificate(crypto.X509.from_cryptography(chain[0]))
    for certificate in chain[1:]:
        context.add_extra_chain_cert(crypto.X509.from_cryptography(certificate))
    context.use_privatekey(crypto.PKey.from_cryptography_key(key))
    context.check_privatekey()
    context.set_alpn_select_callback(_selecting(protocol))
    return context


def _selecting(protocol: bytes) -> Callable[[SSL.Connection, list[bytes]], bytes]:
    def select(connection: SSL.Connection, offered: list[bytes]) -> bytes:
        if protocol in offered:
            return protocol
        # This alone makes the alert say why: an empty answer, which is Twisted's, is an "internal error" to OpenSSL.
        raise SSL.Error([("fishchat", "ALPN", "no application protocol")])

    return select


@implementer(IOpenSSLServerConnectionCreator)
class Creator:
    """Makes each connection with the context of the moment."""

    def __init__(self, context: Callable[[], SSL.Context]) -> None:
        self._context = context

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._context(), None)


class _Layer(TLSMemoryBIOProtocol):
    """Twisted's layer, of which nothing is left when the connection is over, without the collector of cycles.

    That one comes by seldom, and does not see the memory of OpenSSL: some 60 KiB of each connection would stay until
    then, however fast they follow each other. Twisted's default layer also gathers what is written in small pieces;
    whoever writes here has done that already.
    """

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        super()._tlsShutdownFinished(reason)
        if reason is not None:
            # It holds the frames that it came from, and one of them holds it.
            reason.cleanFailure()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        # It would be told of a full buffer, and holds this layer as its transport.
        self._producer = None


class TlsFactory(TLSMemoryBIOFactory):
    """TLS in front of a factory; a connection that it refuses with None is closed before any handshake."""

    protocol = _Layer

    def __init__(self, creator: Creator, factory: IProtocolFactory) -> None:
        super().__init__(creator, False, factory)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        inner = self.wrappedFactory.buildProtocol(addr)
        return None if inner is None else self.protocol(self, inner)
