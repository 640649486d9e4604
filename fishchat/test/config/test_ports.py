"""Which addresses a configuration listens on, and whether that is possible."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.check import check
from fishchat.config.ports import check_processes, rows
from fishchat.config.schema import Config, Gateway, Monitor, MsgServer, Up


class RowTests(SynchronousTestCase):
    def test_ports(self) -> None:
        """All that is listened on, with the key to change."""
        config = Config(up=Up(msg_servers=2))
        self.assertEqual(
            rows(config, 2),
            [
                ("127.0.0.1:17000", "gateway.listen"),
                ("127.0.0.1:17080", "web.listen"),
                ("127.0.0.1:19000", "msg_server.listen"),
                ("127.0.0.1:19001", "msg_server.listen"),
                ("127.0.0.1:17081", "msg_server.listen_web"),
                ("127.0.0.1:17082", "msg_server.listen_web"),
                ("127.0.0.1:30000", "monitor.listen"),
            ],
        )

    def test_tls_ports(self) -> None:
        """Those with TLS are behind them."""
        config = Config(
            gateway=Gateway(listen_tls="0.0.0.0:17443"),
            msg_server=MsgServer(listen_tls="0.0.0.0:19443"),
            monitor=Monitor(listen_tls="0.0.0.0:30443"),
        )
        self.assertEqual(
            rows(config, 2)[7:],
            [
                ("0.0.0.0:17443", "gateway.listen_tls"),
                ("0.0.0.0:19443", "msg_server.listen_tls"),
                ("0.0.0.0:19444", "msg_server.listen_tls"),
                ("0.0.0.0:30443", "monitor.listen_tls"),
            ],
        )


class CollisionTests(SynchronousTestCase):
    def collide(self, one: str, other: str) -> bool:
        """Return whether the gateway and a msg_server may not have these addresses."""
        config = Config(gateway=Gateway(listen=one), msg_server=MsgServer(listen=other))
        found = [finding for finding in check(config) if "must differ" in finding.text]
        self.assertEqual([finding.key for finding in found], ["msg_server.listen"] * len(found))
        return bool(found)

    def test_one_process(self) -> None:
        """Two listeners of one configuration: the same address, two names of it, or one within the other."""
        for one, other, collides in (
            ("127.0.0.1:7000", "127.0.0.1:7000", True),
            ("127.0.0.1:7000", "localhost:7000", True),
            ("127.0.0.1:7000", "0.0.0.0:7000", True),
            ("[::]:7000", "127.0.0.1:7000", True),
            ("[::1]:7000", "[::]:7000", True),
            ("127.0.0.1:7000", "127.0.0.1:7001", False),
            ("127.0.0.1:7000", "127.0.0.2:7000", False),
            ("[::1]:7000", "0.0.0.0:7000", False),
            ("127.0.0.1:0", "127.0.0.1:0", False),
        ):
            self.assertEqual(self.collide(one, other), collides, (one, other))

    def test_processes(self) -> None:
        """The ports of the further msg_servers are checked against all others, and for being ports at all."""
        for more, wanted in (
            ({}, []),
            (
                {"msg_server": MsgServer(listen="127.0.0.1:7000", listen_tls="127.0.0.1:7001")},
                ["msg_server.listen_tls"],
            ),
            ({"monitor": Monitor(listen="127.0.0.1:19001")}, ["monitor.listen"]),
            ({"gateway": Gateway(listen="0.0.0.0:19001")}, ["msg_server.listen"]),
            ({"msg_server": MsgServer(listen="127.0.0.1:65535")}, ["msg_server.listen"]),
            ({"msg_server": MsgServer(advertise="chat.example:65535")}, ["msg_server.advertise"]),
            ({"msg_server": MsgServer(advertise_web_tls="chat.example:65535")}, ["msg_server.advertise_web_tls"]),
            ({"msg_server": MsgServer(listen="127.0.0.1:65535"), "up": Up(msg_servers=1)}, []),
            ({"msg_server": MsgServer(listen="127.0.0.1:0", listen_tls="127.0.0.1:0")}, []),
        ):
            found = check_processes(Config(**more))
            self.assertEqual([key for key, _ in found], wanted, more)

    def test_text(self) -> None:
        """The reason has both keys, the port, and the number of msg_servers."""
        [(_, text)] = check_processes(Config(monitor=Monitor(listen="127.0.0.1:19001")))
        for part in ("127.0.0.1:19001", "msg_server.listen", "up.msg_servers", "2"):
            self.assertIn(part, text)
