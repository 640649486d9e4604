from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.redis_url import LONGEST_PATH
from fishchat.storage.address import Address, endpoint, parse_url


class ParseUrl(SynchronousTestCase):
    """A Redis URL means one place, and a wrong one is refused in words that hold no secret."""

    def test_unix(self) -> None:
        """Three slashes, an absolute path."""
        self.assertEqual(parse_url("unix:///run/redis.sock"), Address(path="/run/redis.sock"))

    def test_unix_with_all(self) -> None:
        """Login and database go with a unix socket too."""
        self.assertEqual(
            parse_url("unix://u:p%40@/run/a%20b.sock?db=2"),
            Address(path="/run/a b.sock", db=2, username="u", password="p@"),
        )

    def test_tcp(self) -> None:
        """Port and database have Redis' defaults."""
        self.assertEqual(parse_url("redis://db.example"), Address(host="db.example", port=6379))
        self.assertEqual(
            parse_url("redis://user:s%2Fcret@db.example:7000/3"),
            Address(host="db.example", port=7000, db=3, username="user", password="s/cret"),
        )
        self.assertEqual(parse_url("redis://:secret@[::1]:7000"), Address(host="::1", port=7000, password="secret"))

    def test_tls(self) -> None:
        """The second s is for TLS."""
        self.assertTrue(parse_url("rediss://db.example").tls)
        self.assertFalse(parse_url("redis://db.example").tls)

    def test_refused(self) -> None:
        """What is not understood is refused, and what may be a secret is not repeated."""
        for url in (
            "http://:hushhush@db.example",
            "redis://:hushhush@",
            "redis://db.example:hushhush",
            "redis://db.example:99999",
            "redis://db.example/hushhush",
            "unix://:hushhush@host/run/redis.sock",
            "unix:run/redis.sock",
            # Of these the library's own errors quote what stands around them.
            "redis://:hushhush\u2100@db.example",
            "redis://:a[hushhush]@db.example",
            "redis://:hushhush@[db.example",
            "redis://:hushhush@db.example]",
            "redis://:hush]hush@db.example",
            "redis://:hushhush@db[::1]",
            "redis://:hushhush@[::1]db",
            "redis://:hushhush@[::1]7000",
            "redis://:hushhush@[]",
            "redis://:hushhush@[v1.db]",
            "redis://:hushhush@[db.example]:7000",
            "redis://:hushhush@[127.0.0.1]",
            "db.example:6379",
            "",
        ):
            error: Any = self.assertRaises(ValueError, parse_url, url)
            self.assertTrue(error.__suppress_context__ or error.__context__ is None)
            self.assertNotIn("hushhush", str(error), url)

    def test_options(self) -> None:
        """What has no meaning is refused, not passed over; after a ? it may be a part of the password."""
        for url in (
            "redis://db.example?db=3",
            "redis://db.example/3?",
            "rediss://db.example?ssl_cert_reqs=none",
            "redis://u:pass?hushhush@db.example",
            "redis://u:pass#hushhush@db.example",
            "redis://db.example/0#hushhush",
            "redis://db.example/0#",
            "unix:///run/redis.sock?password=hushhush",
            "unix:///run/redis.sock?db=1&db=2",
            "unix:///run/redis.sock?db=",
            "unix:///run/redis.sock?db",
            "unix:///run/redis.sock?hushhush",
        ):
            self.assertNotIn("hushhush", str(self.assertRaises(ValueError, parse_url, url)), url)

    def test_long_path(self) -> None:
        """A path that no socket can have is refused before anything tries to connect to it; it counts bytes."""
        fits = "/" + "x" * (LONGEST_PATH - 1)
        self.assertEqual(parse_url(f"unix://{fits}").path, fits)
        for path in (fits + "x", "/" + "渔" * (LONGEST_PATH // 2), "/" + "%20" * LONGEST_PATH):
            told = str(self.assertRaises(ValueError, parse_url, f"unix://{path}"))
            self.assertIn(f"at most {LONGEST_PATH} bytes", told)

    def test_no_secret_shown(self) -> None:
        """An address may be logged."""
        address = parse_url("redis://somebody:hushhush@db.example:7000/3")
        self.assertEqual(str(address), "redis://db.example:7000/3")
        self.assertNotIn("hushhush", repr(address))

    def test_only_value_errors(self) -> None:
        """Any text gives an address or a ValueError."""

        @given(st.one_of(st.text(), st.text().map("redis://".__add__), st.text().map("unix:///".__add__)))
        def holds(url: str) -> None:
            with contextlib.suppress(ValueError):
                parse_url(url)

        holds()


class Endpoint(SynchronousTestCase):
    """Each kind of address has its endpoint."""

    def test_kinds(self) -> None:
        """TLS is wrapped around the plain one."""
        self.assertIsInstance(endpoint(parse_url("unix:///run/redis.sock"), reactor), UNIXClientEndpoint)
        self.assertIsInstance(endpoint(parse_url("redis://db.example"), reactor), HostnameEndpoint)
        self.assertNotIsInstance(endpoint(parse_url("rediss://db.example"), reactor), HostnameEndpoint)
