"""``fishchat cert``: what it makes can be used, what it replaces is never lost, what it refuses is told."""

from __future__ import annotations

import datetime
import json
import os
import ssl
from pathlib import Path

from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli import main
from fishchat.config import schema
from fishchat.services.net.authority import (
    AUTHORITY_DAYS,
    DAYS,
    Pair,
    days_left,
    fingerprint,
    new_authority,
    parse_host,
    server_pair,
)
from fishchat.services.net.certificates import Certificates, pair_paths, read_pair

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


class Case(SynchronousTestCase):
    """A data directory that is not there yet."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp()).absolute() / "data"
        self.tls = self.data / "tls"

    def run_cert(self, *arguments: str) -> Result:
        """``fishchat cert …`` with that directory."""
        command, *others = arguments
        return CliRunner().invoke(main, ["cert", command, "--data", str(self.data), *others])

    def made(self, *arguments: str) -> str:
        """It must go well; what it says."""
        result = self.run_cert(*arguments)
        self.assertEqual(result.exit_code, 0, result.output)
        return result.output

    def refused(self, *arguments: str) -> str:
        """It must refuse in one line, and write nothing."""
        before = self.files()
        result = self.run_cert(*arguments)
        self.assertEqual(result.exit_code, 1, result.output)
        self.assertEqual(len(result.output.splitlines()), 1, result.output)
        self.assertEqual(self.files(), before)
        return result.output

    def files(self) -> dict[str, bytes]:
        """What is in the directory, hidden things too."""
        return {path.name: path.read_bytes() for path in self.tls.iterdir()} if self.tls.exists() else {}

    def load(self, name: str) -> x509.Certificate:
        """A certificate that was made."""
        return x509.load_pem_x509_certificate((self.tls / name).read_bytes())


class Making(Case):
    """Pairs and their authority."""

    def test_first(self) -> None:
        """The first call makes all that a server needs, and says what to give to whom."""
        said = self.made("server", "chat.example.org", "192.0.2.1", "[2001:db8::1]")
        self.assertEqual(set(self.files()), {"ca.pem", "ca.key", "server.pem", "server.key"})
        for name in self.files():
            self.assertIn(f"wrote {self.tls / name}\n", said)
        self.assertIn("give them this file and no other", said)
        self.assertIn(f"clients need {self.tls / 'ca.pem'}", said)
        self.assertIn("kill -HUP PID", said)
        read_pair(*pair_paths(schema.Config(data=str(self.data))), NOW)

    def test_modes(self) -> None:
        """Keys are for the owner alone, as is the directory, also when the umask is careless."""
        before = os.umask(0)
        try:
            self.made("server", "localhost")
        finally:
            os.umask(before)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (self.data, self.tls, *self.tls.iterdir())}
        self.assertEqual(
            modes,
            {"data": 0o700, "tls": 0o700, "ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600},
        )

    def test_server(self) -> None:
        """A server's certificate: its names, its purpose, its time; nobody's authority."""
        self.made("server", "Chat.Example.org.", "127.0.0.1", "chat.example.org", "::1")
        made = self.load("server.pem")
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["chat.example.org"])
        self.assertEqual(list(map(str, names.get_values_for_type(x509.IPAddress))), ["127.0.0.1", "::1"])
        usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual(list(usage), [ExtendedKeyUsageOID.SERVER_AUTH])
        self.assertEqual(round(days_left(made, NOW)), DAYS)
        self.assertFalse(made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
        made.verify_directly_issued_by(self.load("ca.pem"))

    def test_authority(self) -> None:
        """It signs certificates of others, none of which signs again."""
        self.made("server", "localhost")
        root = self.load("ca.pem")
        constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
        self.assertEqual((constraints.critical, constraints.value.ca, constraints.value.path_length), (True, True, 0))
        usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
        self.assertEqual((usage.key_cert_sign, usage.crl_sign, usage.digital_signature), (True, True, False))
        self.assertEqual(round(days_left(root, NOW)), AUTHORITY_DAYS)

    def test_client(self) -> None:
        """A client's pair, for links between machines."""
        said = self.made("client", "ms1.example", "--days", "30")
        self.assertIn(f"the other side needs {self.tls / 'ca.pem'}", said)
        made = self.load("ms1.example.pem")
        usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual(list(usage), [ExtendedKeyUsageOID.CLIENT_AUTH])
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["ms1.example"])
        self.assertEqual(round(days_left(made, NOW)), 30)

    def test_again(self) -> None:
        """A second one replaces the pair, by the same authority, and leaves nothing else behind."""
        self.made("server", "localhost")
        before = self.files()
        self.made("server", "localhost", "chat.example.org")
        after = self.files()
        self.assertEqual(after.keys(), before.keys())
        changed = {name for name in after if after[name] != before[name]}
        self.assertEqual(changed, {"server.pem", "server.key"})

    def test_directory(self) -> None:
        """--dir is another place; the data directory is not touched."""
        other = self.data.parent / "elsewhere"
        self.made("server", "localhost", "--dir", str(other))
        self.assertTrue((other / "server.pem").exists())
        self.assertFalse(self.data.exists())
        self.assertIn("localhost", self.made("show", "--dir", str(other)))

    def test_running(self) -> None:
        """While `fishchat up` runs there, it is named."""
        self.data.mkdir(parents=True)
        (self.data / "up.lock").write_text("4711\n")
        self.assertIn("kill -HUP 4711\n", self.made("server", "localhost"))

    def test_reloaded(self) -> None:
        """A server that runs takes the new pair, and at no moment a half of it."""
        self.made("server", "localhost")
        running = Certificates(schema.Config(data=str(self.data)), None)  # type: ignore[arg-type]
        running.privilegedStartService()
        old = self.files()
        self.made("server", "other.example")
        new = self.files()
        # As it is between the two renames.
        (self.tls / "server.pem").write_bytes(old["server.pem"])
        self.assertFalse(running.reload())
        self.assertEqual(running.names, ["localhost"])
        (self.tls / "server.pem").write_bytes(new["server.pem"])
        self.assertTrue(running.reload())
        self.assertEqual(running.names, ["other.example"])

    def test_trusted_by_others(self) -> None:
        """Another OpenSSL, as strict as it can be, trusts it for its names and for no others."""
        self.made("server", "chat.example.org", "127.0.0.1")
        context = ssl.create_default_context(cafile=str(self.tls / "ca.pem"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(self.tls / "server.pem", self.tls / "server.key")
        for name, trusted in (("chat.example.org", True), ("127.0.0.1", True), ("example.org", False)):
            self.assertEqual(_shake(context, serving, name), trusted, name)


class Refusing(Case):
    """What is not done, and why."""

    def test_hosts(self) -> None:
        """Nothing that no client could connect to, and no patterns."""
        for host, why in (
            ("chat.example.org:443", "give a host, such as"),
            ("https://chat.example.org", "give a host, such as"),
            ("*.example.org", "is a pattern"),
            ("192.0.2", "is not an IP address"),
            ("192.0.2.256", "is not an IP address"),
            ("0.0.0.0", "not one to connect to"),
            ("::", "not one to connect to"),
            ("fe80::1%eth0", "remove the part after %"),
            ("my_host", "is neither a host name"),
            ("-a.example", "is neither a host name"),
            ("a..example", "is neither a host name"),
            ("a" * 64, "is neither a host name"),
            (".".join(["a" * 60] * 5), "is neither a host name"),
            ("bücher.example", "xn--"),
            ("a b", "is neither a host name"),
            ("", "is neither a host name"),
        ):
            self.assertIn(why, self.refused("server", "localhost", "--", host), host)

    def test_any_text(self) -> None:
        """Any text is a host as it stands in a certificate, or refused; what is one stays as it is."""

        @given(st.one_of(st.text(max_size=80), st.from_regex(r"[a-z0-9.:\[\]%*-]{1,40}", fullmatch=True)))
        def holds(text: str) -> None:
            try:
                host = parse_host(text)
            except ValueError as error:
                self.assertIn(repr(text), str(error))
            else:
                self.assertEqual(parse_host(host), host)

        holds()

    def test_names(self) -> None:
        """A client's name is a file's name too, and not one of the others here."""
        for name in ("ca", "server", "Big", "a/b", "..", "../x", "192.0.2.1", "::1", "a.", ".a", ""):
            self.refused("client", "--", name)

    def test_days(self) -> None:
        """No time at all, and no longer than the authority itself."""
        self.assertEqual(self.run_cert("server", "localhost", "--days", "0").exit_code, 2)
        root = new_authority(NOW - datetime.timedelta(days=AUTHORITY_DAYS - 100))
        error = self.assertRaises(ValueError, server_pair, root, ["localhost"], NOW, 101)
        self.assertIn("in 100 days", str(error))
        server_pair(root, ["localhost"], NOW, 99)

    def test_authority_in_pieces(self) -> None:
        """Half of an authority is not completed, another key not used."""
        self.made("server", "localhost")
        files = self.files()
        for missing in ("ca.key", "ca.pem"):
            (self.tls / missing).unlink()
            self.assertIn(f"but {self.tls / missing} is missing", self.refused("server", "localhost"))
            (self.tls / missing).write_bytes(files[missing])
            (self.tls / missing).chmod(0o600)
        (self.tls / "ca.key").write_bytes(files["server.key"])
        self.assertIn("does not belong to ca.pem", self.refused("server", "localhost"))
        (self.tls / "ca.key").chmod(0o644)
        self.assertIn("chmod 600", self.refused("server", "localhost"))

    def test_not_an_authority(self) -> None:
        """A server's pair does not sign."""
        root = new_authority(NOW)
        self.assertRaises(ValueError, server_pair, server_pair(root, ["a.example"], NOW), ["b.example"], NOW)

    def test_unwritable(self) -> None:
        """A directory that cannot be made is named."""
        self.data.parent.mkdir()
        self.data.write_text("")
        self.assertIn(f"{self.tls.parent}", self.refused("server", "localhost"))

    def test_no_secret_shown(self) -> None:
        """A pair may be printed."""
        pair = new_authority(NOW)
        self.assertNotIn("PRIVATE", repr(pair))
        self.assertIn("CERTIFICATE", repr(Pair(pair.certificate, b"")))


class Showing(Case):
    """What stands in a certificate."""

    def test_text(self) -> None:
        """The server's, if none is named."""
        self.made("server", "localhost", "127.0.0.1")
        said = self.made("show")
        made = self.load("server.pem")
        self.assertIn("localhost, 127.0.0.1", said)
        self.assertIn("FishChat private authority", said)
        self.assertIn(f"days left  {DAYS}", said)
        self.assertIn(fingerprint(made), said)
        self.assertEqual(len(bytes.fromhex(fingerprint(made).replace(":", ""))), 32)

    def test_json(self) -> None:
        """For programs; of any file."""
        self.made("client", "ms1")
        shown = json.loads(self.made("show", "--json", str(self.tls / "ms1.pem")))
        self.assertEqual(list(shown), ["file", "names", "authority", "expires", "days_left", "sha256"])
        self.assertEqual(shown["names"], ["ms1"])
        self.assertEqual(round(shown["days_left"]), DAYS)

    def test_none(self) -> None:
        """A file that is not there, or is something else."""
        self.assertIn("server.pem cannot be read", self.refused("show"))
        self.made("server", "localhost")
        self.assertIn("is not a certificate", self.refused("show", str(self.tls / "server.key")))


def _shake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> bool:
    """Whether the client is content with the server as this host."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return one.version() is not None
