"""A person is told how to talk to what was started."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.schema import Accounts, Config, Gateway, Monitor, Tls, Up, Web
from fishchat.services.launch import banner
from fishchat.services.launch.banner import talk
from fishchat.test.support.tls_fixture import authority


class TalkTests(SynchronousTestCase):
    """What a person is told when everything runs."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp()).absolute()
        self.data.mkdir()

    def test_plain(self) -> None:
        """Two terminals, nothing to know."""
        said = talk(Config(data=str(self.data), up=Up(msg_servers=3)), in_processes=True)
        self.assertIn("    nc 127.0.0.1 19000                        nc 127.0.0.1 19002\n", said)
        self.assertIn("    LOGIN bob                                 LOGIN alice\n", said)
        self.assertIn("\nHELP shows what you can type, and HELP zh shows it in Chinese.\n", said)
        for word in ("openssl", "Accounts", "https", "PASSWORD"):
            self.assertNotIn(word, said)

    def test_tls(self) -> None:
        """How to come by TLS, with the authority's certificate when there is one of our own."""
        config = Config(
            data=str(self.data),
            gateway=Gateway(listen_tls="0.0.0.0:17443"),
            monitor=Monitor(listen_tls="0.0.0.0:30443", accounts=["anna"]),
        )
        command = "TLS      openssl s_client -quiet -crlf -alpn fishchat/1 -connect chat.example:19443"
        self.assertIn(f"{command} -verify_return_error\n", talk(config, False, "chat.example:19443"))
        (self.data / "tls").mkdir()
        (self.data / "tls" / "ca.pem").touch()
        said = talk(config, False, "chat.example:19443")
        self.assertIn(f"{command} -CAfile {self.data / 'tls' / 'ca.pem'} -verify_return_error\n", said)
        self.assertIn("Gateway  127.0.0.1:17000, with TLS 0.0.0.0:17443\n", said)
        self.assertIn("Monitor  http://127.0.0.1:30000/, with TLS https://0.0.0.0:30443/\n", said)

    def test_pages(self) -> None:
        """The address of the pages is the first thing, with the way in for a second person; or that none are built."""
        self.patch(banner, "static_directory", lambda: self.data)
        closed = Config(accounts=Accounts(mode="closed"))
        everywhere = Web(listen_tls="0.0.0.0:17443")
        named = Tls(certificate=str(authority().server))
        for config, code, address, words in (
            (Config(), "", "http://127.0.0.1:17080/", ("choose another one", "取个名字")),
            (closed, "", "http://127.0.0.1:17080/", ("fishchat user invite prints a link", "需要账号")),
            (closed, "fci_x", "http://127.0.0.1:17080/#invite=fci_x", ("the first account", "第一个账号")),
            (Config(accounts=Accounts(mode="signup")), "", "http://127.0.0.1:17080/", ("Anyone can make", "注册")),
            (Config(web=Web(public_url="https://chat.example/")), "", "https://chat.example/", ()),
            # The first name in the certificate; without one, that of the listener.
            (Config(web=everywhere, tls=named), "", "https://localhost:17443/", ()),
            (Config(data=str(self.data), web=everywhere), "", "https://0.0.0.0:17443/", ()),
        ):
            said = talk(config, False, invitation=code)
            start = f"FishChat is running. Open it in a browser:\n\n    {address}\n"
            self.assertEqual(said[: len(start)], start)
            for word in words:
                self.assertIn(word, said[: said.index("nc 127.0.0.1")])
        self.assertNotIn("browser", talk(Config(web=Web(listen="")), False))
        self.patch(banner, "static_directory", lambda: None)
        self.assertIn("not built (make web)", talk(Config(), False))

    def test_accounts(self) -> None:
        """Where accounts are needed: how to make one, and that it has a password."""
        said = talk(Config(data=str(self.data), accounts=Accounts(mode="closed")), False)
        self.assertIn("    LOGIN bob PASSWORD                        LOGIN alice PASSWORD\n", said)
        self.assertIn(f"Accounts fishchat user add NAME --data {self.data}\n", said)
        self.assertIn("Accounts fishchat user add NAME\n", talk(Config(accounts=Accounts(mode="closed")), False))
        said = talk(Config(data=str(self.data), accounts=Accounts(mode="signup")), False)
        self.assertIn("Accounts SIGNUP NAME PASSWORD, or fishchat user add NAME --data", said)
