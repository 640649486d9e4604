"""What is offered in a handshake and what is refused, seen by another OpenSSL than the server's."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ssl
import warnings
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from OpenSSL import SSL
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from fishchat.net.tls_peer import binding, binding_of
from fishchat.services.net.listen import CHAT, HTTP
from fishchat.services.net.pem import read_pair
from fishchat.services.net.tls import server_context
from fishchat.test.support.tls_fixture import authority

#: The alert ``no_application_protocol`` of RFC 7301, fatal, as it stands in a record of TLS 1.2 before any encryption.
NO_PROTOCOL = bytes([21, 3, 3, 0, 2, 2, 120])


@dataclass
class Shaken:
    """How a handshake ended: the client's side if it did well, and what was wrong on either side."""

    client: ssl.SSLObject
    refused: str = ""
    #: The last bytes that the server sent.
    said: bytes = b""
    server: SSL.Connection | None = None


def shake(context: SSL.Context, client: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Shaken:
    """A handshake in memory, until both sides are done or one refuses."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    other = SSL.Connection(context, None)
    other.set_accept_state()
    result = Shaken(one, server=other)
    ready = [False, False]
    for _ in range(10):
        try:
            one.do_handshake()
            ready[0] = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            result.refused = f"client: {error}"
            return result
        if data := to_server.read():
            other.bio_write(data)
        try:
            other.do_handshake()
            ready[1] = True
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            result.refused = f"server: {error}"
        try:
            result.said = other.bio_read(65536)
            to_client.write(result.said)
        except SSL.WantReadError:
            pass
        if result.refused or all(ready):
            break
    if not result.refused:
        # What comes behind the handshake, tickets for instance, is read with the first data.
        other.send(b"x")
        to_client.write(other.bio_read(65536))
        assert one.read(1) == b"x"
    return result


def client_context(**attributes: Any) -> ssl.SSLContext:
    """A client that trusts the tests' authority; ``ciphers`` and ``protocols`` are set by their methods."""
    context = ssl.create_default_context(cafile=str(authority().ca))
    protocols, ciphers = attributes.pop("protocols", None), attributes.pop("ciphers", None)
    with warnings.catch_warnings():
        # Old versions are what is tried here.
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, value in attributes.items():
            setattr(context, name, value)
    if protocols is not None:
        context.set_alpn_protocols(protocols)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    return context


class HandshakeCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.chain, self.key = read_pair(authority().server, authority().server_key)

    def context(self, protocol: bytes = CHAT) -> SSL.Context:
        """The server's."""
        return server_context(self.chain, self.key, protocol)

    def shake(self, protocol: bytes = CHAT, session: ssl.SSLSession | None = None, **attributes: Any) -> Shaken:
        """A handshake with such a client."""
        return shake(self.context(protocol), client_context(**attributes), session)


class Versions(HandshakeCase):
    """TLS 1.2 and 1.3."""

    def test_newest(self) -> None:
        """1.3 unless the client cannot."""
        self.assertEqual(self.shake().client.version(), "TLSv1.3")

    def test_older(self) -> None:
        """1.2 for one that knows no other."""
        result = self.shake(maximum_version=ssl.TLSVersion.TLSv1_2)
        self.assertEqual((result.client.version(), result.refused), ("TLSv1.2", ""))

    def test_too_old(self) -> None:
        """Nothing below, and it is the server who says so."""
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            result = self.shake(minimum_version=version, maximum_version=version, ciphers="ALL:@SECLEVEL=0")
            self.assertIn("server: ", result.refused)
            self.assertIn("unsupported protocol", result.refused)


class Suites(HandshakeCase):
    """Forward secrecy and authenticated encryption."""

    def with_suite(self, suite: str) -> Shaken:
        """A client of TLS 1.2 that wants this one."""
        return self.shake(maximum_version=ssl.TLSVersion.TLSv1_2, ciphers=suite + ":@SECLEVEL=0")

    def test_offered(self) -> None:
        """AES-GCM and ChaCha20 behind an ephemeral key."""
        for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"):
            cipher = self.with_suite("ECDHE-ECDSA-" + suite).client.cipher()
            assert cipher is not None
            self.assertEqual(cipher[0], "ECDHE-ECDSA-" + suite)

    def test_refused(self) -> None:
        """No CBC, no key exchange by the certificate's own key, nothing without authentication."""
        for suite in (
            "AES128-SHA",
            "AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES128-SHA",
            "ECDHE-ECDSA-AES256-SHA384",
            "AECDH-AES128-SHA",
        ):
            self.assertIn("no shared cipher", self.with_suite(suite).refused, suite)

    def test_all_of_them(self) -> None:
        """The whole list of the server, so that nothing else slipped in."""
        names = SSL.Connection(self.context(), None).get_cipher_list()
        for name in names:
            self.assertRegex(name, r"^(TLS_|ECDHE-(ECDSA|RSA)-)(AES|CHACHA20|AES\d+-GCM)")
            self.assertNotRegex(name, r"-SHA$|CCM|CBC")
        self.assertEqual(len([name for name in names if name.startswith("ECDHE")]), 6)

    def test_server_chooses(self) -> None:
        """The client's preference does not count."""
        suites = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
        cipher = self.with_suite(suites).client.cipher()
        assert cipher is not None
        self.assertEqual(cipher[0], "ECDHE-ECDSA-AES256-GCM-SHA384")


class Protocols(HandshakeCase):
    """ALPN."""

    def test_ours(self) -> None:
        """Who offers it among others gets it."""
        for protocol, name in ((CHAT, "fishchat/1"), (HTTP, "http/1.1")):
            result = self.shake(protocol, protocols=["h2", name])
            self.assertEqual(result.client.selected_alpn_protocol(), name)

    def test_none(self) -> None:
        """Who offers nothing is served."""
        self.assertEqual((self.shake().refused, self.shake().client.selected_alpn_protocol()), ("", None))

    def test_others_only(self) -> None:
        """Who offers others only is refused in the handshake, by the alert that says why; in both versions."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            result = self.shake(protocols=["h2", "http/1.1"], maximum_version=version)
            self.assertIn("no application protocol", result.refused)
            self.assertEqual(result.said, NO_PROTOCOL)


class Nothing(HandshakeCase):
    """What is left out."""

    def test_no_resumption(self) -> None:
        """A second connection makes a whole handshake, whatever the first one was given."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client, context = client_context(maximum_version=version), self.context()
            first = shake(context, client)
            again = shake(context, client, first.client.session)
            self.assertEqual((again.refused, again.client.session_reused), ("", False))

    def test_no_compression(self) -> None:
        """Of any kind."""
        self.assertIsNone(self.shake().client.compression())

    def test_no_renegotiation(self) -> None:
        """A client that asks for another handshake on the same connection is refused, and is still served."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        client, server = SSL.Connection(context, None), SSL.Connection(self.context(), None)
        client.set_connect_state()
        server.set_accept_state()

        def carry() -> None:
            for one, other in ((client, server), (server, client)):
                with contextlib.suppress(SSL.WantReadError):
                    other.bio_write(one.bio_read(65536))
                with contextlib.suppress(SSL.WantReadError):
                    other.do_handshake()

        for _ in range(3):
            with contextlib.suppress(SSL.WantReadError):
                client.do_handshake()
            carry()
        before = server.get_finished()
        self.assertTrue(client.renegotiate())
        with contextlib.suppress(SSL.WantReadError):
            client.do_handshake()
        server.bio_write(client.bio_read(65536))
        self.assertRaises(SSL.WantReadError, server.recv, 1)
        client.bio_write(server.bio_read(65536))
        error = self.assertRaises(SSL.Error, client.do_handshake)
        self.assertIn("no renegotiation", str(error))
        self.assertEqual(server.get_finished(), before)


class Bindings(HandshakeCase):
    """The channel binding ``tls-server-end-point``."""

    def made(self, key: Any, algorithm: Any) -> x509.Certificate:
        """A certificate that is signed so."""
        name = x509.Name([])
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now)
            .not_valid_after(now)
            .sign(key, algorithm)
        )

    def test_hashes(self) -> None:
        """The hash that it was signed with; where that is none of its own, there is no binding."""
        curve, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
        for key, algorithm, name in (
            (curve, hashes.SHA256(), "sha256"),
            (curve, hashes.SHA384(), "sha384"),
            (curve, hashes.SHA512(), "sha512"),
            (curve, hashes.SHA224(), "sha224"),
        ):
            made = self.made(key, algorithm)
            der = made.public_bytes(serialization.Encoding.DER)
            self.assertEqual(binding(made), hashlib.new(name, der).digest())
        self.assertIsNone(binding(self.made(edwards, None)))

    def test_without_tls(self) -> None:
        """There is none."""
        self.assertIsNone(binding_of(StringTransport()))
