"""The certificate that is shown: what is refused at the start, what a reload changes, and when it expires."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from unittest import SkipTest

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config import schema
from fishchat.services.net.authority import client_pair, server_pair
from fishchat.services.net.certificates import EVERY, WARN_DAYS, CertificateError, Certificates
from fishchat.services.net.listen import CHAT
from fishchat.services.running.errors import StartError
from fishchat.services.running.heartbeat import Load
from fishchat.test.support.tls_fixture import HOSTS, authority, write_pair

DAY = 86400.0


class Case(SynchronousTestCase):
    """A directory with a good pair of its own, and time that the test moves."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        (self.directory / "tls").mkdir(parents=True)
        self.certificate, self.key = self.directory / "tls" / "server.pem", self.directory / "tls" / "server.key"
        shutil.copy(authority().server, self.certificate)
        shutil.copy(authority().server_key, self.key)
        self.clock = Clock()
        self.begun = datetime.datetime.now(datetime.timezone.utc)
        self.said: list[tuple[LogLevel, str]] = []

    def certificates(self, **msg_server: Any) -> Certificates:
        """Not started."""
        config = schema.Config(data=str(self.directory), msg_server=schema.MsgServer(**msg_server))
        return Certificates(config, self.clock, wall=lambda: self.begun.timestamp() + self.clock.seconds())

    def started(self, **msg_server: str) -> Certificates:
        """Running; ends with the test. What it logs is in ``said``."""
        made = self.certificates(**msg_server)

        def note(event: LogEvent) -> None:
            if event.get("log_source") is made:
                self.said.append((event["log_level"], formatEvent(event)))

        observer = cast(ILogObserver, note)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        made.privilegedStartService()
        made.startService()
        self.addCleanup(made.stopService)
        return made

    def replace(self, hosts: list[str] = HOSTS, days: float = 30, ago: float = 0) -> x509.Certificate:
        """Another pair takes the place of the one in the directory."""
        made = server_pair(authority().pair, hosts, self.begun - datetime.timedelta(days=ago), days)
        write_pair(self.directory / "tls", "server", made)
        return x509.load_pem_x509_certificate(made.certificate)


class Starting(Case):
    """What cannot be used is told in words, with the file and the way out."""

    def refused(self) -> str:
        """The text of the refusal."""
        error = self.assertRaises(CertificateError, self.certificates().privilegedStartService)
        self.assertIsInstance(error, StartError)
        return str(error)

    def check(self, path: Path, what: str) -> None:
        """It says that of this file, and what makes a pair."""
        text = self.refused()
        self.assertIn(f"{path} {what}", text)
        self.assertIn("create a new pair with `fishchat cert server HOST`", text)

    def test_good(self) -> None:
        """The pair of the data directory is found without any key of the configuration."""
        made = self.started()
        self.assertEqual(made.names, HOSTS)

    def test_configured(self) -> None:
        """Or the pair that is named."""
        tls = schema.Tls(certificate=str(authority().server), key=str(authority().server_key))
        made = Certificates(schema.Config(data="/nowhere", tls=tls), self.clock)
        made.privilegedStartService()
        self.assertEqual(made.names, HOSTS)

    def test_missing(self) -> None:
        """No certificate, no key."""
        self.key.unlink()
        self.check(self.key, "cannot be read: No such file or directory")
        self.certificate.unlink()
        self.check(self.certificate, "cannot be read: No such file or directory")

    def test_unreadable(self) -> None:
        """Something that is no file."""
        self.certificate.unlink()
        self.certificate.mkdir()
        self.check(self.certificate, "cannot be read: Is a directory")

    def test_nonsense(self) -> None:
        """Files with something else in them, the one where the other should be among it."""
        for text in (b"", b"nonsense", authority().server_key.read_bytes()):
            self.certificate.write_bytes(text)
            self.check(self.certificate, "is not a certificate in PEM format")
        shutil.copy(authority().server, self.certificate)
        for text in (b"", b"nonsense", authority().server.read_bytes()):
            self.key.write_bytes(text)
            self.check(self.key, "is not a private key in PEM format")

    def test_no_secret_told(self) -> None:
        """A key that is broken is not shown."""
        text = self.key.read_text()
        self.key.write_text(text.replace("\n", "\n!", 2))
        self.assertNotIn(text.splitlines()[1], self.refused())

    def test_encrypted(self) -> None:
        """A key with a password."""
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        encrypted = serialization.BestAvailableEncryption(b"secret")
        form = serialization.PrivateFormat.PKCS8
        self.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encrypted))
        self.check(self.key, "is encrypted")

    def test_open_to_others(self) -> None:
        """A key that others can read is refused; root may share one with a group, as Debian does."""
        self.key.chmod(0o604)
        self.assertIn(f"`chmod 600 {self.key}`", self.refused())
        self.key.chmod(0o640)
        if os.getuid():
            self.assertIn(f"`chmod 600 {self.key}`", self.refused())
        else:
            self.started()

    def test_mismatched(self) -> None:
        """The key of another certificate."""
        shutil.copy(authority().client_key, self.key)
        self.check(self.key, f"does not belong to the first certificate in {self.certificate}")

    def test_rsa_pss(self) -> None:
        """A key for RSA-PSS only is called that, and not one that does not belong to its certificate."""
        openssl = shutil.which("openssl")
        if openssl is None:
            raise SkipTest("needs openssl to make the key")
        command = [openssl, "req", "-x509", "-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run([*command, *names, *files], check=True, capture_output=True)
        self.key.chmod(0o600)
        self.check(self.certificate, "has a key for RSA-PSS only; use a certificate with an ordinary RSA or EC key")

    def test_for_a_client(self) -> None:
        """A client's pair by mistake."""
        write_pair(self.directory / "tls", "server", client_pair(authority().pair, "ms1", self.begun))
        self.check(self.certificate, "is not for a server")

    def test_expired(self) -> None:
        """One that was good until yesterday, and one that will be good tomorrow."""
        self.replace(days=1, ago=2)
        self.check(self.certificate, "has expired on ")
        self.replace(ago=-1)
        self.check(self.certificate, "is not valid before ")

    def test_without_names(self) -> None:
        """A pattern alone does not say what clients connect to; with the key of the configuration it may stay."""
        self.replace(["*.example.org"])
        made = self.certificates(listen_tls="0.0.0.0:19443")
        self.assertIn("msg_server.advertise_tls", str(self.assertRaises(CertificateError, made.startService)))
        self.started(listen_tls="0.0.0.0:19443", advertise_tls="a.example.org:443")
        self.started(listen_tls="127.0.0.1:19443")


class Advertised(Case):
    """What clients with TLS are told to connect to."""

    def test_address(self) -> None:
        """What is configured; else where it listens; else the first name of the certificate."""
        for listen, advertise, told in (
            ("192.0.2.1:19443", "chat.example.org:443", "chat.example.org:443"),
            ("192.0.2.1:19443", "", "192.0.2.1:19443"),
            ("0.0.0.0:19443", "", "localhost:19443"),
            ("[::]:19443", "", "localhost:19443"),
        ):
            self.assertEqual(self.started(listen_tls=listen, advertise_tls=advertise).address(), told)

    def test_other_name(self) -> None:
        """A reload changes that name."""
        made = self.started(listen_tls="0.0.0.0:19443")
        self.replace(["2001:db8::1", "b.example.org"])
        made.reload()
        self.assertEqual(made.address(), "[2001:db8::1]:19443")


class Reloading(Case):
    """Only a good pair takes the place of a good one."""

    def test_good(self) -> None:
        """The next connection has the new one; one that exists keeps its own."""
        made = self.started()
        creator, old = made.creator(CHAT), made.current
        existing = creator.serverConnectionForTLS(None)  # type: ignore[arg-type]
        new = self.replace()
        self.assertTrue(made.reload())
        self.assertEqual(made.current, new)
        shown = existing.get_certificate()
        assert shown is not None
        self.assertEqual(shown.to_cryptography(), old)
        shown = creator.serverConnectionForTLS(None).get_certificate()  # type: ignore[arg-type]
        assert shown is not None
        self.assertEqual(shown.to_cryptography(), new)

    def test_bad(self) -> None:
        """A new certificate with any defect is not used: the old one stays, and the defect is logged."""
        made = self.started()
        old, context = made.current, made.context(CHAT)

        def only(path: Path) -> Callable[[], object]:
            return lambda: path.write_text("nonsense")

        spoilers: list[tuple[Callable[[], object], str]] = [
            (only(self.certificate), "is not a certificate"),
            (only(self.key), "is not a private key"),
            (self.key.unlink, "cannot be read"),
            (lambda: shutil.copy(authority().client_key, self.key), "does not belong to"),
            (lambda: self.key.chmod(0o644), "other users can read"),
            (lambda: self.replace(days=1, ago=2), "has expired"),
        ]
        for spoil, why in spoilers:
            self.replace()
            spoil()
            self.assertFalse(made.reload())
            self.assertIs(made.current, old)
            self.assertIs(made.context(CHAT), context)
            level, text = self.said.pop()
            self.assertEqual(level, LogLevel.error)
            self.assertIn("the certificate in use stays", text)
            self.assertIn(why, text)

    def test_half_replaced(self) -> None:
        """Between the new key and the new certificate nothing is taken."""
        made = self.started()
        old = self.certificate.read_bytes()
        new = self.replace()
        both = self.certificate.read_bytes()
        self.certificate.write_bytes(old)
        self.assertFalse(made.reload())
        self.certificate.write_bytes(both)
        self.assertTrue(made.reload())
        self.assertEqual(made.current, new)


class Expiring(Case):
    """It is told in time."""

    def test_warned(self) -> None:
        """From three weeks before, twice a day; critical when it is too late."""
        self.replace(days=WARN_DAYS + 0.75)
        self.started()
        self.assertEqual(self.said, [])
        self.clock.advance(EVERY)
        self.assertEqual(self.said, [])
        self.clock.advance(EVERY)
        self.assertEqual([level for level, _ in self.said], [LogLevel.warn])
        self.assertIn(f"{self.certificate} expires in 21 days", self.said[0][1])
        self.said.clear()
        self.clock.pump([EVERY] * (2 * WARN_DAYS))
        levels = [level for level, _ in self.said]
        self.assertEqual(levels, [LogLevel.warn] * (2 * WARN_DAYS - 1) + [LogLevel.critical])
        self.assertIn("has expired", self.said[-1][1])

    def test_at_the_start(self) -> None:
        """Also one that has few days left when it is loaded."""
        self.replace(days=3)
        self.started()
        self.assertEqual([level for level, _ in self.said], [LogLevel.warn])

    def test_figure(self) -> None:
        """The days left are a figure of the heartbeat, beside the role's own."""
        self.replace(days=30)
        made = self.started()
        counted = made.counted(lambda: Load("a:1", 3, 10, {"messages": 7.0}))
        self.clock.advance(DAY / 2)
        self.assertEqual(counted(), Load("a:1", 3, 10, {"messages": 7.0, "certificate_days": 29.5}))
