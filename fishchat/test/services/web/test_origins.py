"""Hosts and origins: which requests a site answers, and whose pages may open a socket."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.schema import Config, MsgServer, Web
from fishchat.services.web.mount import names_of
from fishchat.services.web.origins import Origins, origins_of, parse_origin

LOOPBACK = Origins(lambda: origins_of("127.0.0.1:17080"))


class Lists(SynchronousTestCase):
    """What is in a list, and what is not."""

    def test_origins(self) -> None:
        """An origin counts as a whole: scheme, host, port. None is that of a client that is no browser."""
        for origin in (None, b"http://127.0.0.1:17080", b"http://localhost:17080", b"http://[::1]:17080"):
            self.assertTrue(LOOPBACK.has_origin(origin), origin)
        for bad in (
            *(b"null", b"", b"http://127.0.0.1", b"https://127.0.0.1:17080", b"http://127.0.0.1:17081"),
            *(b"http://127.attacker.example:17080", b"http://localhost.example:17080", b"http://127.0.0.1:170800"),
            *(b"http://x@127.0.0.1:17080", b"http://127.0.0.1:17080 http://evil", b"\xff", b"file://"),
        ):
            self.assertFalse(LOOPBACK.has_origin(bad), bad)

    def test_hosts(self) -> None:
        """A host that was made to resolve to this machine is none of its names."""
        for host in (b"127.0.0.1:17080", b"localhost:17080", b"LOCALHOST:17080", b"[::1]:17080"):
            self.assertTrue(LOOPBACK.has_host(host, secure=False), host)
        for bad in (None, b"", b"127.0.0.1", b"evil.example:17080", b"127.0.0.1:80", b"localhost:17080@evil", b"\xff"):
            self.assertFalse(LOOPBACK.has_host(bad, secure=False), bad)

    def test_public(self) -> None:
        """A public address has the port of its scheme; listening everywhere has the names that are given."""
        public = Origins(lambda: [parse_origin("https://chat.example.org/")])
        self.assertTrue(public.has_origin(b"https://chat.example.org"))
        self.assertTrue(public.has_host(b"chat.example.org", secure=True))
        self.assertFalse(public.has_host(b"chat.example.org", secure=False))
        everywhere = Origins(lambda: origins_of("0.0.0.0:17443", secure=True, names=["chat.example.org"]))
        self.assertTrue(everywhere.has_host(b"chat.example.org:17443", secure=True))
        self.assertFalse(everywhere.has_host(b"other.example.org:17443", secure=True))

    def test_anything(self) -> None:
        """No header is an error."""

        @given(st.binary(max_size=60))
        def holds(header: bytes) -> None:
            self.assertIn(LOOPBACK.has_origin(header), (True, False))
            self.assertIn(LOOPBACK.has_host(header, secure=False), (True, False))

        holds()


class Configured(SynchronousTestCase):
    """The list of a configuration."""

    def hosts(self, certified: list[str], **sections: Any) -> Origins:
        """Return the list of a site."""
        return Origins(names_of(Config(**sections), [], lambda: certified))

    def test_certificate(self) -> None:
        """A site that listens everywhere has the names in its certificate, and no pattern is one."""
        site = self.hosts(["Chat.example.org", "192.0.2.7", "*.example.org"], web=Web(listen_tls="0.0.0.0:17443"))
        for host in (b"chat.example.org:17443", b"192.0.2.7:17443", b"localhost:17443"):
            self.assertTrue(site.has_host(host, secure=True), host)
            self.assertTrue(site.has_origin(b"https://" + host), host)
        for bad in (b"other.example.org:17443", b"*.example.org:17443", b"chat.example.org", b"0.0.0.0:17443"):
            self.assertFalse(site.has_host(bad, secure=True), bad)
        self.assertFalse(
            self.hosts([], web=Web(listen_tls="0.0.0.0:17443")).has_host(b"chat.example.org:17443", secure=True)
        )

    def test_advertised(self) -> None:
        """A msg_server answers under the addresses that its heartbeats name; the page is that of the gateway."""
        told = MsgServer(advertise_web="a.example:81", advertise_web_tls="a.example:444")
        site = self.hosts([], msg_server=told, web=Web(origins=["https://chat.example.org"]))
        self.assertTrue(site.has_host(b"a.example:444", secure=True))
        self.assertTrue(site.has_host(b"a.example:81", secure=False))
        self.assertTrue(site.has_origin(b"https://chat.example.org"))
        self.assertFalse(site.has_host(b"a.example:445", secure=True))
