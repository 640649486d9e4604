"""The endpoint that leads to a Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

from fishchat.config.redis_url import Address, parse_url
from fishchat.storage.wire import StoreError

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL.crypto import X509
    from twisted.internet.ssl import PrivateCertificate

__all__ = ["Address", "endpoint", "parse_url"]

#: Seconds for the connection itself; the first reply has the timeout of every command.
CONNECT_TIMEOUT = 2.0


def endpoint(
    address: Address, reactor: Any, trust_root: Any = None, certificate: ClientCertificate | None = None
) -> IStreamClientEndpoint:
    """Return the endpoint of ``address``. With TLS the server's certificate must name the host and be trusted.

    ``trust_root`` is an argument of Twisted's ``optionsForClientTLS``; None means the system's authorities.
    ``certificate`` is shown to a server that asks for one.
    """
    if address.path:
        return UNIXClientEndpoint(reactor, address.path, timeout=CONNECT_TIMEOUT)
    plain = HostnameEndpoint(reactor, address.host, address.port, timeout=CONNECT_TIMEOUT)
    if not address.tls:
        return plain
    # Imported here: it loads OpenSSL, which takes a tenth of a second that a unix socket does not need.
    from fishchat.net.tls_peer import CheckedPeer

    own, chain = (None, []) if certificate is None else (certificate.own, certificate.chain)
    peer = CheckedPeer(
        address.host,
        lambda wrong: StoreError(f"the certificate of {address} {wrong}"),
        "set redis.authority to the authority's PEM file",
        extra={"extraCertChain": chain or None},
        trustRoot=trust_root,
        clientCertificate=own,
    )
    return wrapClientTLS(peer, plain)


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate with its key in Twisted's form, and the rest of its chain."""

    own: PrivateCertificate
    chain: list[X509]


def client_certificate(chain: Sequence[x509.Certificate], key: Any) -> ClientCertificate:
    """Return the certificate for ``endpoint`` from objects of ``cryptography``."""
    from OpenSSL.crypto import X509, PKey
    from twisted.internet.ssl import Certificate, KeyPair, PrivateCertificate

    own, *others = (X509.from_cryptography(certificate) for certificate in chain)
    pair = KeyPair(PKey.from_cryptography_key(key))
    return ClientCertificate(PrivateCertificate.fromCertificateAndKeyPair(Certificate(own), pair), others)


def trust_only(authorities: Sequence[x509.Certificate]) -> Any:
    """Return the trust root of these authorities and no others."""
    from OpenSSL.crypto import X509
    from twisted.internet.ssl import Certificate, trustRootFromCertificates

    return trustRootFromCertificates([Certificate(X509.from_cryptography(each)) for each in authorities])
