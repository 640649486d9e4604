"""Addresses are taken apart and put together, and it is known who can reach them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial import unittest

from fishchat.net.addresses import format_address, is_everywhere, is_loopback, parse_address


class Addresses(unittest.SynchronousTestCase):
    def test_host_and_port(self) -> None:
        self.assertEqual(parse_address("127.0.0.1:19000"), ("127.0.0.1", 19000))
        self.assertEqual(parse_address("chat.example.org:0"), ("chat.example.org", 0))
        self.assertEqual(parse_address("[::1]:65535"), ("::1", 65535))

    def test_what_is_no_address_is_refused(self) -> None:
        no_port = (
            "",
            "19000",
            ":19000",
            "a:",
            "a:b",
            "a:65536",
            "a:-1",
            "a:1\n",
            "a:\N{ARABIC-INDIC DIGIT ONE}",
        )
        no_host = ("::1:1", "[::1]", "a b:1", "300.1.1.1:1", "127.1:1", "[::g]:1", "[::1]x:1", "*:1", "a/b:1")
        for text in no_port + no_host:
            with self.assertRaises(ValueError, msg=text):
                parse_address(text)

    @given(
        st.ip_addresses().map(str) | st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
        st.integers(0, 65535),
    )
    def test_printing_then_parsing_gives_the_same(self, host: str, port: int) -> None:
        self.assertEqual(parse_address(format_address(host, port)), (host, port))

    @given(st.text())
    def test_any_text_is_an_address_or_a_ValueError(self, text: str) -> None:
        try:
            host, port = parse_address(text)
        except ValueError:
            return
        self.assertTrue(host and 0 <= port <= 65535)

    def test_loopback(self) -> None:
        for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST", "::ffff:127.0.0.1"):
            self.assertTrue(is_loopback(host), host)
        for host in (
            "0.0.0.0",
            "::",
            "192.168.1.1",
            "example.org",
            "localhost.example.org",
            "::ffff:10.0.0.1",
        ):
            self.assertFalse(is_loopback(host), host)

    def test_everywhere(self) -> None:
        for address in ("0.0.0.0:1", "[::]:1"):
            self.assertTrue(is_everywhere(address), address)
        for address in ("", "127.0.0.1:1", "[::1]:1", "example.org:1"):
            self.assertFalse(is_everywhere(address), address)
