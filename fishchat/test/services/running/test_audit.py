"""The audit record of a server, with a store that answers when the test wants it."""

from __future__ import annotations

import re
from typing import Any, cast

from twisted.logger import ILogObserver, LogEvent, formatEvent, formatEventAsClassicLogText, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.schema import KeepAudit
from fishchat.services.running.audit import APART, BATCH, LINES, SOURCES, WAITING, Audit
from fishchat.storage.redis import ReplyError, StoreError, Unknown
from fishchat.test.pages.test_docs import DocsCase, pages
from fishchat.testing.fake_store import FakeStore


class AuditCase(SynchronousTestCase):
    """A record whose store is in memory."""

    def setUp(self) -> None:
        """Observe the log."""
        self.store = FakeStore()
        self.audit = Audit(b"ms1", self.store, KeepAudit(days=2, count=1000))
        self.logged: list[LogEvent] = []
        observer = cast(ILogObserver, self.logged.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    @property
    def lines(self) -> list[str]:
        """The lines of the log."""
        return [formatEvent(event) for event in self.logged if event["log_namespace"] == "fishchat.audit"]

    def second(self, reply: Any = b"OK") -> list[list[bytes]]:
        """Let a second end; answer each call with ``reply``. Returns the events that the store was given."""
        self.audit.flush()
        given: list[list[bytes]] = []
        while self.store.asked:
            given += self.store.asked[0].values[0]
            self.store.answer(reply)
        return given

    def refuse(self, address: str, count: int = 1) -> None:
        """Refuse logins."""
        for _ in range(count):
            self.audit.note("refused", address, reason=b"AUTH", account=b"alice")


class Gathering(AuditCase):
    """Events cost nothing until a second is over."""

    def test_one_call(self) -> None:
        """The events of a second are one call, and a line each."""
        for n in range(3):
            self.audit.note("login", "192.0.2.1", account=b"a%d" % n, device=b"main", method=b"token")
        self.assertEqual((self.store.asked, self.lines), ([], []))
        self.audit.flush()
        (call,) = self.store.asked
        self.assertEqual(call.values[1:], [1000, 0])
        self.assertEqual(
            self.lines[1], "audit kind=login address=192.0.2.1 account=a1 device=main method=token server=ms1"
        )
        self.store.answer(b"OK")
        self.assertEqual(self.second(), [])
        self.assertEqual(len(self.lines), 3)

    def test_figures(self) -> None:
        """Logins, refusals and sign-ups are counted, each of them."""
        self.audit.note("login", "192.0.2.1", account=b"alice")
        self.audit.note("signup", "192.0.2.1", account=b"alice")
        self.refuse("192.0.2.1", APART + 3)
        self.assertEqual(self.audit.figures(), {"logins": 1, "refused": APART + 3, "signups": 1, "unrecorded": 0})

    def test_large(self) -> None:
        """Many events are several calls, one after the other."""
        for n in range(BATCH + 1):
            self.audit.note("login", account=b"a%d" % n)
        self.audit.flush()
        self.assertEqual([len(call.values[0]) for call in self.store.asked], [BATCH])
        self.audit.flush()
        self.assertEqual(len(self.store.asked), 1)
        self.store.answer(b"OK")
        self.assertEqual([len(call.values[0]) for call in self.store.asked], [1])

    def test_while_it_is_written(self) -> None:
        """Events during a call are logged and stored after the next second."""
        self.audit.note("login", account=b"alice")
        self.audit.flush()
        self.audit.note("login", account=b"bob")
        self.store.answer(b"OK")
        self.assertEqual((len(self.lines), self.store.asked), (1, []))
        self.assertEqual(self.second(), [[b"kind", b"login", b"account", b"bob", b"server", b"ms1"]])
        self.assertEqual(len(self.lines), 2)

    def test_lines(self) -> None:
        """A storm of logins fills the store, and the log only up to a bound."""
        for n in range(LINES + 5):
            self.audit.note("login", account=b"a%d" % n)
        self.assertEqual(len(self.second()), LINES + 5)
        self.assertEqual(len(self.lines), LINES + 1)
        self.assertEqual(self.lines[-1], "audit kind=lost server=ms1 more=5 (in the store only)")


class Attacked(AuditCase):
    """Memory and records are bounded."""

    def test_one_address(self) -> None:
        """Of many refusals of one address in a second, the first are events, and the rest is a number."""
        self.refuse("192.0.2.1", APART + 1234)
        self.refuse("192.0.2.2")
        self.assertEqual(len(self.second()), APART + 2)
        self.assertEqual(self.lines[-1], "audit kind=refused address=192.0.2.1 server=ms1 more=1234")
        self.refuse("192.0.2.1")
        self.assertEqual(len(self.second()), 1)

    def test_many_addresses(self) -> None:
        """Beyond a number of addresses, the further ones are counted together."""
        for n in range(SOURCES + 50):
            self.refuse(f"2001:db8::{n:x}")
        self.assertEqual(len(self.second()), SOURCES + APART + 1)

    def test_waiting(self) -> None:
        """While the store is away events wait, up to a bound; the number of the others is recorded later."""
        self.store.connected = False
        for n in range(WAITING + 7):
            self.audit.note("login", account=b"a%d" % n)
        self.assertEqual(self.second(), [])
        self.assertEqual(self.audit.figures()["unrecorded"], 7)
        self.store.connect()
        self.assertEqual(len(self.second()), WAITING)
        self.assertEqual(self.second(), [[b"kind", b"lost", b"server", b"ms1", b"more", b"7"]])
        self.assertEqual(self.second(), [])

    def test_again(self) -> None:
        """Events whose call failed are written again, and are logged once."""
        for error in (Unknown("no reply"), ReplyError("OOM command not allowed")):
            self.audit.note("login", account=b"alice")
            self.audit.flush()
            self.store.answer(error)
            self.assertIsInstance(error, StoreError)
            self.assertEqual(len(self.second()), 1)
        self.assertEqual(len(self.lines), 2)


class Filter(AuditCase, DocsCase):
    """The filter for fail2ban of the page finds refusals in the log."""

    def test_matches(self) -> None:
        """It finds the address of each wrong secret, and nothing else, whatever a peer wrote."""
        (pattern,) = re.findall(r"^failregex = (.*)$", pages()["doc/operations.md"], re.MULTILINE)
        regex = re.compile(pattern.replace("<HOST>", r"(?P<host>\S+)"))
        self.refuse("192.0.2.1")
        self.audit.note("refused", "2001:db8::1", reason=b"INVITATION", verb=b"CREATE_CLIENT", account=b"bob")
        self.audit.note("refused", "192.0.2.3", reason=b"DEVICES", account=b"bob")
        self.audit.note("login", "192.0.2.4", account=b"bob")
        self.audit.note("admin", by=b"x@y", why=b"audit kind=refused address=192.0.2.5 reason=AUTH")
        self.second()
        texts = [formatEventAsClassicLogText(event) or "" for event in self.logged]
        # fail2ban removes the time first.
        found = [regex.search(text.partition(" ")[2].rstrip("\n")) for text in texts]
        self.assertEqual([each["host"] for each in found if each], ["192.0.2.1", "2001:db8::1"])
