"""Checks of the server at the other end of a TLS connection: its name and its authority.

The check of the certificate is our own: Twisted's logs a certificate without a name or with a malformed one, and then
accepts it for every host.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256
from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import TLSVersion, optionsForClientTLS
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from fishchat.net.addresses import is_ip

_UNTIMELY = (SSL.X509VerificationCodes.ERR_CERT_HAS_EXPIRED, SSL.X509VerificationCodes.ERR_CERT_NOT_YET_VALID)


@implementer(IOpenSSLClientConnectionCreator)
class CheckedPeer:
    """TLS, at least 1.2, to one host.

    :param problem: makes the exception that ends the connection from a text on the certificate. :param otherwise:
    advice for an authority that is not trusted. :param options: further arguments of Twisted's ``optionsForClientTLS``.
    """

    def __init__(
        self, host: str, problem: Callable[[str], Exception], otherwise: str, *, extra: Any = None, **options: Any
    ) -> None:
        # A name from the resolver's root ends with a dot; certificates and TLS know it without.
        self._host = host = host.removesuffix(".")
        self._problem = problem
        self._otherwise = otherwise
        # Twisted's default minimum, or a minimum set elsewhere, may be 1.3, which not every Redis speaks.
        extra = {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_2, **(extra or {})}
        self._options = optionsForClientTLS(host, extraCertificateOptions=extra, **options)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Return the connection for ``protocol``."""
        connection: SSL.Connection = self._options.clientConnectionForTLS(protocol)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._check(protocol))
        return connection

    def _check(self, protocol: TLSMemoryBIOProtocol) -> Callable[..., bool]:
        # The connection refers to the function, and the protocol to the connection.
        connected = weakref.ref(protocol)

        def check(_connection: object, certificate: crypto.X509, code: int, depth: int, good: bool) -> bool:
            wrong = self._wrong(certificate.to_cryptography, code, depth, good)
            # Report the first reason: that of the whole chain is only "verify failed".
            if wrong is not None and (told := connected()) is not None:
                told.failVerification(Failure(self._problem(wrong)))
            return wrong is None

        return check

    def _wrong(self, certificate: Callable[[], x509.Certificate], code: int, depth: int, good: int) -> str | None:
        if code in _UNTIMELY:
            return "has expired or is not valid yet: it must be made anew, if this machine's clock is right"
        if not good:
            return f"is not from an authority that is trusted here; {self._otherwise}"
        if depth:
            return None
        try:
            if is_ip(self._host):
                verify_certificate_ip_address(certificate(), self._host)
            else:
                verify_certificate_hostname(certificate(), self._host)
        except (VerificationError, CertificateError, ValueError) as error:
            return (
                f"is not for {self._host}; connect by a name that it has, or have one made that has this name"
                f" ({type(error).__name__})"
            )
        return None


def binding(certificate: x509.Certificate) -> bytes | None:
    """Return the channel binding of a certificate (RFC 5929, ``tls-server-end-point``); None where it is undefined.

    Both sides use this function: the hash of the signature, or SHA-256 where that hash is weaker.
    """
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:
        return None
    return certificate.fingerprint(SHA256() if isinstance(algorithm, (MD5, SHA1)) else algorithm)


def binding_of(transport: Any) -> bytes | None:
    """Return the channel binding of a connection; None without TLS, or with a certificate that has none.

    The binding belongs to the certificate of this connection, even if another one was loaded since.
    """
    if not isinstance(transport, TLSMemoryBIOProtocol):
        return None
    handle = transport.getHandle()
    shown = None if handle is None else handle.get_certificate()
    return None if shown is None else binding(shown.to_cryptography())
