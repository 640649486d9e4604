"""TLS of the server: the offered protocols and suites, and the layer between a socket and a connection.

Twisted's own contexts also offer CBC and RSA key exchange for old browsers. No client of FishChat needs these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

#: The suites of TLS 1.2 with forward secrecy and authenticated encryption. All suites of TLS 1.3 have both.
SUITES = b"ECDHE+AESGCM:ECDHE+CHACHA20"

_OPTIONS = (
    SSL.OP_NO_COMPRESSION
    | SSL.OP_CIPHER_SERVER_PREFERENCE
    # TLS 1.3 still sends tickets; without a cache they have no effect.
    | SSL.OP_NO_TICKET
    | SSL.OP_NO_RENEGOTIATION
)


def server_context(chain: Sequence[x509.Certificate], key: Any, protocol: bytes) -> SSL.Context:
    """Return the context of one certificate, with its chain, and one protocol.

    Raises ``SSL.Error`` when OpenSSL refuses them, for instance because the key is too short.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    # An idle connection releases its buffers.
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
        # Only this makes the alert name the reason: OpenSSL reports Twisted's empty answer as an "internal error".
        raise SSL.Error([("fishchat", "ALPN", "no application protocol")])

    return select


# OpenSSL's reasons for giving up a peer whose first bytes are no record of TLS.
_NOT_TLS = frozenset({"wrong version number", "http request", "https proxy request"})


@implementer(IOpenSSLServerConnectionCreator)
class Creator:
    """Creates each connection with the current context."""

    def __init__(self, context: Callable[[], SSL.Context]) -> None:
        self._context = context

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._context(), None)


def _is_plain_text(error: BaseException | None) -> bool:
    """Return whether a handshake has failed because the first bytes were not TLS at all."""
    # Subclasses, such as the error of a lost connection, have other arguments.
    return type(error) is SSL.Error and any(reason[-1] in _NOT_TLS for reason in error.args[0])


class _Layer(TLSMemoryBIOProtocol):
    """Twisted's layer, freed completely at the end of the connection without the garbage collector.

    The collector runs seldom and does not count OpenSSL's memory. Some 60 KiB of each connection would stay until then,
    however fast connections follow each other. Twisted's default layer also collects small writes, which FishChat's
    connections already do themselves.
    """

    factory: Any

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        if reason is not None and not self._handshakeDone and _is_plain_text(reason.value):
            self.factory.answer_plain_text(self)
        super()._tlsShutdownFinished(reason)
        if reason is not None:
            # The failure refers to the frames that it passed through, and one of them refers to the failure.
            reason.cleanFailure()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        # The producer refers to this layer as its transport, and this layer to the producer.
        self._producer = None


class TlsFactory(TLSMemoryBIOFactory):
    """TLS before a factory. A connection that the factory refuses with None is closed before any handshake."""

    protocol = _Layer
    log = Logger()

    def __init__(self, creator: Creator, factory: IProtocolFactory) -> None:
        super().__init__(creator, False, factory)
        self._logged = False

    def answer_plain_text(self, layer: _Layer) -> None:
        """Answer a peer that speaks plain text with the line that its protocol has for that; log the first one."""
        # The layer encrypts what is written to it; the transport below does not.
        transport: Any = layer.transport
        transport.write(getattr(layer.wrappedProtocol, "not_tls", b""))
        if not self._logged:
            self._logged = True
            self.log.info(
                "{peer} sent plain text to the port for TLS at {host}; later ones are not logged",
                peer=transport.getPeer(),
                host=transport.getHost(),
            )

    def buildProtocol(self, addr: IAddress | None) -> Any:
        inner = self.wrappedFactory.buildProtocol(addr)
        return None if inner is None else self.protocol(self, inner)
