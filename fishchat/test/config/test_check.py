"""What values may be, and what keys say about each other."""

from __future__ import annotations

import socket

from twisted.trial import unittest

from fishchat.config.check import check, server_id, value_problem
from fishchat.config.schema import Accounts, Config, Gateway, Limits, Monitor, MsgServer, Redis, Risks


class Names(unittest.SynchronousTestCase):
    def test_a_server_is_named_by_its_port_until_it_has_a_name(self) -> None:
        self.assertEqual(server_id(Config()), "ms-19000")
        self.assertEqual(server_id(Config(msg_server=MsgServer(listen="[::1]:7"))), "ms-7")
        self.assertEqual(server_id(Config(msg_server=MsgServer(id="left"))), "left")

    def test_server_id_of_a_machine(self) -> None:
        """With an external Redis, which several machines may use, the name of the machine is in the default one."""
        external = Redis(url="redis://10.0.0.1")
        for machine, wanted in (
            ("chat1.example.org", "ms-chat1.example.org-19000"),
            ("Büro_PC", "ms-bro_pc-19000"),
            ("a" * 60, "ms-" + "a" * 23 + "-19000"),
        ):
            self.patch(socket, "gethostname", lambda machine=machine: machine)
            self.assertEqual(server_id(Config(redis=external)), wanted)
        self.assertEqual(server_id(Config(redis=external, msg_server=MsgServer(id="left"))), "left")


class Values(unittest.SynchronousTestCase):
    def test_a_port_out_of_range_is_a_problem(self) -> None:
        self.assertIn("above 65535", value_problem("gateway.listen", "127.0.0.1:70000") or "")
        self.assertIn("above 65535", value_problem("gateway.servers", ["a:1", "b:70000"]) or "")
        self.assertIsNone(value_problem("gateway.listen", "127.0.0.1:0"))

    def test_nobody_can_be_sent_to_port_0(self) -> None:
        self.assertIsNotNone(value_problem("gateway.servers", ["a:0"]))
        self.assertIsNotNone(value_problem("msg_server.advertise", "a:0"))
        self.assertIsNone(value_problem("msg_server.advertise", ""))

    def test_a_Redis_URL_that_leads_nowhere_is_a_problem(self) -> None:
        """It is found before anything is started, and the text shows no secret."""
        for url in ("redis://u:s3cret@127.0.0.1:x/0", "unix://run/redis.sock", "redis://127.0.0.1/seven"):
            problem = value_problem("redis.url", url)
            self.assertIn("must be the URL of a Redis", problem or "")
            self.assertNotIn("s3cret", problem or "")
        self.assertIsNone(value_problem("redis.url", "redis://u:s3cret@127.0.0.1:6379/0"))
        self.assertIsNone(value_problem("redis.url", ""))

    def test_numbers_are_finite_and_texts_printable(self) -> None:
        self.assertIsNotNone(value_problem("limits.rate", float("inf")))
        self.assertIsNotNone(value_problem("msg_server.id", "ms\n"))
        self.assertIsNone(value_problem("data", "/home/渔/fish chat"))


class Together(unittest.SynchronousTestCase):
    def test_the_defaults_can_be_run(self) -> None:
        self.assertEqual(check(Config()), [])

    def test_a_plain_listener_on_the_network_is_refused_with_the_lines_that_mend_it(self) -> None:
        found = check(Config(gateway=Gateway(listen="0.0.0.0:17000")))
        self.assertEqual([one.key for one in found], ["gateway.listen"])
        self.assertIn("must be loopback", found[0].text)
        tls = {"gateway.listen_tls": "0.0.0.0:17443"}
        self.assertEqual(found[0].instead, {**tls, "accounts.mode": "closed"})
        closed = Config(gateway=Gateway(listen_tls="0.0.0.0:17443"), accounts=Accounts(mode="closed"))
        self.assertEqual(check(closed), [])
        # With accounts alone the secrets would be readable.
        found = check(Config(gateway=Gateway(listen="0.0.0.0:17000"), accounts=Accounts(mode="closed")))
        self.assertEqual(found[0].instead, tls)

    def test_no_port_is_made_up(self) -> None:
        """The chosen port is the one for TLS; only beside a default listener it is another one."""
        for port, proposed in ((41960, 41960), (65535, 65535), (0, 0), (30000, 30443)):
            found = check(Config(monitor=Monitor(listen=f"0.0.0.0:{port}")))
            self.assertEqual(found[0].instead["monitor.listen_tls"], f"0.0.0.0:{proposed}")
            self.assertEqual(found[0].instead["monitor.accounts"], ["NAME"])

    def test_tls_on_the_network_needs_accounts(self) -> None:
        found = check(Config(msg_server=MsgServer(listen_tls="192.0.2.1:19443")))
        self.assertEqual([one.key for one in found], ["accounts.mode"])
        self.assertEqual(found[0].instead, {"accounts.mode": "closed"})
        self.assertIn("msg_server.listen_tls is 192.0.2.1:19443", found[0].text)
        for mode in ("closed", "signup"):
            accounts = Accounts(mode=mode)
            self.assertEqual(check(Config(msg_server=MsgServer(listen_tls="192.0.2.1:19443"), accounts=accounts)), [])
        self.assertEqual(check(Config(msg_server=MsgServer(listen_tls="127.0.0.1:19443"))), [])

    def test_each_risk_is_taken_by_its_own_words(self) -> None:
        plain = MsgServer(listen="192.0.2.1:19000")
        self.assertEqual(
            [one.key for one in check(Config(msg_server=plain, risks=Risks(plain_text_on_the_network=True)))],
            ["accounts.mode"],
        )
        self.assertEqual(
            [one.key for one in check(Config(msg_server=plain, risks=Risks(anyone_may_log_in_as_anyone=True)))],
            ["msg_server.listen"],
        )
        both = Risks(plain_text_on_the_network=True, anyone_may_log_in_as_anyone=True)
        self.assertEqual(check(Config(msg_server=plain, risks=both)), [])

    def test_somebody_is_named_who_may_look_at_the_monitor(self) -> None:
        found = check(Config(monitor=Monitor(listen_tls="127.0.0.1:30443")))
        self.assertEqual([one.key for one in found], ["monitor.accounts"])
        self.assertEqual(check(Config(monitor=Monitor(listen_tls="127.0.0.1:30443", accounts=["ann"]))), [])

    def test_limits_are_lifted_on_loopback_only(self) -> None:
        lifted = Limits(flood=False)
        self.assertEqual(check(Config(limits=lifted)), [])
        found = check(Config(limits=lifted, msg_server=MsgServer(listen="10.0.0.1:19000")))
        self.assertIn("limits.flood", [one.key for one in found])

    def test_two_listeners_have_two_addresses(self) -> None:
        """Else the second would be told that another program has its port."""
        config = Config(gateway=Gateway(listen="127.0.0.1:19000"))
        self.assertEqual([finding.key for finding in check(config)], ["msg_server.listen"])
        free = "127.0.0.1:0"
        self.assertEqual(check(Config(gateway=Gateway(listen=free), msg_server=MsgServer(listen=free))), [])

    def test_a_wildcard_listener_says_where_clients_connect_to(self) -> None:
        """If it is allowed at all: else there is another thing to do first."""
        everywhere, risks = MsgServer(listen="[::]:19000"), Risks(plain_text_on_the_network=True)
        self.assertEqual([one.key for one in check(Config(msg_server=everywhere))], ["msg_server.listen"])
        self.assertIn("msg_server.advertise", [one.key for one in check(Config(msg_server=everywhere, risks=risks))])
        told = MsgServer(listen="[::]:19000", advertise="chat.example.org:19000")
        self.assertNotIn("msg_server.advertise", [one.key for one in check(Config(msg_server=told, risks=risks))])
