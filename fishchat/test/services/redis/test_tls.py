"""Redis by TLS with a client's certificate: a real one behind a gate that asks for it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from OpenSSL.crypto import X509, PKey
from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorSSL
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.ssl import CertificateOptions, PrivateCertificate
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.config import schema
from fishchat.services.net.authority import client_pair, new_authority, server_pair
from fishchat.services.redis.credentials import credentials
from fishchat.services.role import Parts
from fishchat.services.running.errors import StartError
from fishchat.storage.redis import Connection
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.tls_clients import trust
from fishchat.test.support.tls_fixture import authority, signed, write_pair
from fishchat.test.support.waiting import until

NOW = datetime.datetime.now(datetime.timezone.utc)


class _Back(Protocol):
    def __init__(self, front: _Front) -> None:
        self._front = front

    def dataReceived(self, data: bytes) -> None:
        self._front.transport.write(data)  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._front.transport.loseConnection()  # type: ignore[union-attr]


class _Front(Protocol):
    """One connection through the gate."""

    factory: Gate

    def connectionMade(self) -> None:
        self._waiting: list[bytes] = []
        self._back: _Back | None = None
        self.factory.fronts.append(self)
        back: Any = connectProtocol(UNIXClientEndpoint(reactor, self.factory.path), _Back(self))
        back.addCallback(self._connected)

    def _connected(self, back: _Back) -> None:
        self._back = back
        for data in self._waiting:
            back.transport.write(data)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.factory.heard += data
        if self._back is None:
            self._waiting.append(data)
        else:
            self._back.transport.write(data)  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.fronts.remove(self)
        self.factory.reasons.append(reason)
        if self._back is not None:
            self._back.transport.loseConnection()  # type: ignore[union-attr]


class Gate(ServerFactory):
    """Takes TLS off, from clients with a certificate of the tests' authority, and gives the rest to a Redis."""

    protocol = _Front  # type: ignore[assignment]
    noisy = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.heard = b""
        self.fronts: list[_Front] = []
        self.reasons: list[Failure] = []

    @property
    def refusals(self) -> str:
        """Why connections have ended."""
        return " ".join(str(reason.value) for reason in self.reasons)


class GateCase(TestCase):
    """A Redis behind a gate."""

    timeout = 30

    def setUp(self) -> None:
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)
        self.gate = Gate(self.redis.path)
        made = authority()
        self.own = PrivateCertificate.loadPEM(made.server.read_bytes() + made.server_key.read_bytes())
        self.port = self.serve(self.own.options(trust()))
        self.files = {
            "authority": str(made.ca),
            "certificate": str(made.client),
            "key": str(made.client_key),
        }

    def serve(self, options: Any) -> int:
        """The gate's port with these options, until the end of the test."""
        ssl: IReactorSSL = reactor  # type: ignore[assignment]
        port: Any = ssl.listenSSL(0, self.gate, options, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number

    def connection(self, host: str = "localhost", **files: str) -> Connection:
        """One that a role would make, started."""
        config = schema.Redis(url=f"rediss://{host}:{self.port}", **{**self.files, **files})  # type: ignore[arg-type]
        made = Parts(schema.Config(redis=config), embedded=False).connection()
        made.disownServiceParent()
        made.startService()
        self.addCleanup(made.stopService)
        return made

    async def refused(self, connection: Connection) -> None:
        """It does not come about, nor does a second try, and Redis has heard nothing."""
        await until(lambda: connection.failures >= 2 and self.gate.reasons)
        self.assertFalse(connection.connected)
        self.assertEqual(self.gate.heard, b"")


class Connecting(GateCase):
    """Both sides prove who they are."""

    async def test_right(self) -> None:
        """With all of it commands go through, by name and by address."""
        for host in ("localhost", "127.0.0.1"):
            connection = self.connection(host)
            await connection.when_connected()
            self.assertEqual(await connection.run("SET", "a", host), b"OK")
            self.assertEqual(self.redis.command("GET", "a"), host.encode())

    async def test_versions(self) -> None:
        """TLS 1.2 at least."""
        connection = self.connection()
        await connection.when_connected()
        transport: Any = self.gate.fronts[0].transport
        self.assertIn(transport.getHandle().get_protocol_version_name(), ("TLSv1.2", "TLSv1.3"))

    async def test_whole_role(self) -> None:
        """A role's connections all go this way."""
        config = schema.Redis(url=f"rediss://localhost:{self.port}", **self.files)  # type: ignore[arg-type]
        parts = Parts(schema.Config(redis=config), embedded=False)
        store = parts.store()
        parts.startService()
        self.addCleanup(parts.stopService)
        await store.when_connected()
        await until(lambda: parts.listener.connected and parts.speaker.connected)
        self.assertEqual(len(self.gate.fronts), 3)

    async def test_other_name(self) -> None:
        """A server whose certificate is for another name is told nothing, no password either."""
        other = server_pair(authority().pair, ["other.example"], NOW)
        self.port = self.serve(PrivateCertificate.loadPEM(other.certificate + other.key).options(trust()))
        await self.refused(self.connection(":secret@localhost"))

    async def test_no_name(self) -> None:
        """Nor one whose certificate is signed by the right authority, and for nobody, or for a name that is none."""
        odd: tuple[list[x509.GeneralName] | None, ...] = (None, [x509.DNSName("*.org")])
        for names in odd:
            key = ec.generate_private_key(ec.SECP256R1())
            shown = CertificateOptions(
                privateKey=PKey.from_cryptography_key(key), certificate=X509.from_cryptography(signed(key, names))
            )
            self.port = self.serve(shown)
            await self.refused(self.connection(":secret@localhost"))

    async def test_other_authority(self) -> None:
        """Nor one that is signed by another authority, or by one that only the system would have to know."""
        other = Path(self.mktemp())
        other.write_bytes(new_authority(NOW).certificate)
        await self.refused(self.connection(authority=str(other)))
        await self.refused(self.connection(authority=""))

    async def test_no_certificate(self) -> None:
        """Who shows nothing is refused by the other side."""
        await self.refused(self.connection(certificate="", key=""))
        await until(lambda: "did not return a certificate" in self.gate.refusals)

    async def test_foreign_certificate(self) -> None:
        """Who shows a certificate of another authority, too."""
        directory = Path(self.mktemp())
        directory.mkdir()
        certificate, key = write_pair(directory, "client", client_pair(new_authority(NOW), "ms1", NOW))
        await self.refused(self.connection(certificate=str(certificate), key=str(key)))

    async def test_old_version(self) -> None:
        """A server that knows only what is too old."""
        options = self.own.options(trust())
        options.getContext().set_max_proto_version(SSL.TLS1_1_VERSION)
        self.port = self.serve(options)
        await self.refused(self.connection())


class Files(SynchronousTestCase):
    """A file that is not right is a start that is refused, by the key of the configuration."""

    def refused(self, url: str = "rediss://localhost", **files: str) -> str:
        """The text."""
        config = schema.Redis(url=url, **files)  # type: ignore[arg-type]
        error = self.assertRaises(StartError, Parts, schema.Config(redis=config), embedded=False)
        return str(error)

    def test_each(self) -> None:
        """Missing, another thing, not belonging together, open to others."""
        made, missing = authority(), "/no/such/file.pem"
        client, key = str(made.client), str(made.client_key)
        loose = Path(self.mktemp())
        loose.write_bytes(made.client_key.read_bytes())
        loose.chmod(0o644)
        private = Path(self.mktemp())
        private.write_bytes(made.client.read_bytes())
        private.chmod(0o600)
        for files, begins, why in (
            ({"authority": missing}, "redis.authority: ", "cannot be read"),
            ({"authority": key}, "redis.authority: ", "is not a certificate"),
            ({"certificate": missing, "key": key}, "redis.certificate: ", "cannot be read"),
            ({"certificate": key, "key": key}, "redis.certificate: ", "is not a certificate"),
            ({"certificate": client, "key": missing}, "redis.key: ", "cannot be read"),
            ({"certificate": client, "key": str(private)}, "redis.key: ", "is not a private key"),
            ({"certificate": client, "key": str(made.server_key)}, "redis.key: ", "does not belong to"),
            ({"certificate": client, "key": str(loose)}, "redis.key: ", "chmod 600"),
        ):
            text = self.refused(**files)
            self.assertTrue(text.startswith(begins), text)
            self.assertIn(why, text)

    def test_half(self) -> None:
        """A certificate without a key, and the other way round."""
        self.assertIn("redis.certificate is set alone", self.refused(certificate=str(authority().client)))
        self.assertIn("redis.key is set alone", self.refused(key=str(authority().client_key)))

    def test_without_tls(self) -> None:
        """They mean nothing for a Redis without TLS, which somebody may not have meant."""
        text = self.refused("redis://localhost", authority=str(authority().ca))
        self.assertIn("redis.authority has an effect only if redis.url begins with rediss://", text)

    def test_none(self) -> None:
        """Without any the system's authorities are trusted, and nothing is shown."""
        self.assertEqual(credentials(schema.Redis(url="rediss://localhost")), {})
