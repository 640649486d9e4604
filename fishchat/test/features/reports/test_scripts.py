"""Reports in the store."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import on_each_redis

AB = "alice+bob"
DAY = 86_400_000


@on_each_redis
class Reports(AccountCase):
    """Bob has said something to alice."""

    def setUp(self) -> None:
        """All logged in."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.login(account)
        self.said("bob", "alice", "buy this")

    def report(self, account: str = "alice", at: str = "7-1", conversation: str = AB, daily: int = 20) -> Any:
        """Report a message."""
        return self.call("reports/report", account, conversation, at, "spam", daily)

    def reports(self) -> list[dict[str, str]]:
        """Return all reports."""
        return [
            dict(zip(flat[::2], flat[1::2], strict=True)) for _, flat in self.command("XRANGE", "reports", "-", "+")
        ]

    def reported_ago(self, message: str, ms: int) -> None:
        """Let alice have reported it so long ago; in the future if it is negative."""
        seconds, micros = self.command("TIME")
        then = int(seconds) * 1000 + int(micros) // 1000 - ms
        report = self.command("HGET", "reported:alice", message).partition(" ")[2]
        self.command("HSET", "reported:alice", message, f"{then} {report}")

    def test_copy(self) -> None:
        """The report has the message, its sender and time, the reporting account and its reason."""
        self.assertEqual(self.report(), ["OK", 1])
        [report] = self.reports()
        self.assertEqual(report.pop("time"), self.command("XRANGE", "log:" + AB, "-", "+")[0][1][1])
        self.assertEqual(
            report,
            {
                "by": "alice",
                "message": AB + ":7-1",
                "from": "bob",
                "device": "main",
                "form": "-",
                "text": "buy this",
                "reason": "spam",
            },
        )

    def test_twice(self) -> None:
        """An account reports a message once; another account may report it as well."""
        self.report()
        before = self.dump()
        self.assertEqual(self.report(), ["OK", 0])
        self.assert_unchanged(before)
        self.assertEqual(self.report("bob"), ["OK", 1])
        self.assertEqual([each["by"] for each in self.reports()], ["alice", "bob"])

    def test_evidence(self) -> None:
        """The copy survives the message, and its report may be repeated after that."""
        self.report()
        self.command("XDEL", "log:" + AB, "7-1")
        self.assertEqual(self.report(), ["OK", 0])
        self.assertEqual(self.report("bob"), ["NOTFOUND"])
        self.assertEqual([each["text"] for each in self.reports()], ["buy this"])

    def test_edited(self) -> None:
        """The copy of an edited message has the text that stands now."""
        self.command("HSET", "amended:" + AB, "1", "a 7-2 1 -")
        self.command("XADD", "ops:" + AB, "7-2", "t", "1", "m", "bob main -1 edit;of=7-1 sell this")
        self.report()
        [report] = self.reports()
        self.assertEqual((report["text"], report["from"]), ("sell this", "bob"))

    def test_out_of_sight(self) -> None:
        """What the account cannot see is refused like what never was."""
        self.create("bob", "fishing")
        self.said("bob", "#fishing", "before alice joined")
        self.join("alice", "fishing")
        self.said("bob", "#fishing", "before alice left")
        self.leave("alice", "fishing")
        self.said("bob", "#fishing", "after alice left")
        self.said("bob", "carol", "x")
        before = self.dump()
        for conversation, at in (
            (AB, "7-2"),
            (AB, "6-1"),
            (AB, "7-0"),
            (AB, "0-0"),
            ("#fishing", "7-1"),
            ("#fishing", "7-3"),
            ("bob+carol", "7-1"),
            ("#nothing", "7-1"),
            ("alice+nobody", "7-1"),
        ):
            self.assertEqual(self.report("alice", at, conversation), ["NOTFOUND"])
        self.assert_unchanged(before)
        self.assertEqual(self.report("alice", "7-2", "#fishing"), ["OK", 1])

    def test_daily(self) -> None:
        """So many reports are accepted in a day, and more on the next one."""
        for number in range(3):
            self.said("bob", "alice", f"{number}")
        for at in ("7-1", "7-2"):
            self.assertEqual(self.report(at=at, daily=2), ["OK", 1])
        self.assertEqual(self.report(at="7-3", daily=2), ["FULL", 2])
        self.assertEqual(self.report(at="7-2", daily=2), ["OK", 0])
        self.reported_ago(AB + ":7-1", DAY)
        self.assertEqual(self.report(at="7-3", daily=2), ["OK", 1])
        self.assertEqual(self.report(at="7-4", daily=2), ["FULL", 2])
        # The clock was set back: reports of a time that is still to come do not count.
        for at in ("7-2", "7-3"):
            self.reported_ago(f"{AB}:{at}", -400 * DAY)
        self.assertEqual(self.report(at="7-4", daily=2), ["OK", 1])

    def test_bounded(self) -> None:
        """What an account has reported is forgotten after 90 days, and expires as a whole."""
        self.said("bob", "alice", "again")
        self.report()
        self.reported_ago(AB + ":7-1", 90 * DAY)
        self.report(at="7-2")
        self.assertEqual(self.command("HKEYS", "reported:alice"), [AB + ":7-2"])
        self.assertTrue(89 * DAY < self.command("PTTL", "reported:alice") <= 90 * DAY)

    def test_drop(self) -> None:
        """A removed report is gone, and is not made again by the same account."""
        self.report()
        [[report, _]] = self.command("XRANGE", "reports", "-", "+")
        self.assertEqual(self.call("reports/drop", report), ["OK"])
        self.assertEqual(self.call("reports/drop", report), ["NOTFOUND"])
        self.assertEqual((self.report(), self.reports()), (["OK", 0], []))

    def test_trim(self) -> None:
        """Retention removes by number and by age."""
        for at in ("5-1", "6-1", "7-1"):
            self.command("XADD", "reports", at, "by", "alice")
        self.assertEqual(self.call("reports/trim", 2, 0), 1)
        self.assertEqual(self.call("reports/trim", 2, 90 * DAY), 2)

    def test_deleted(self) -> None:
        """Reports by a deleted account are removed; a report about its messages remains."""
        self.said("alice", "bob", "hello")
        self.report()
        self.report("bob", "7-2")
        self.erase("alice")
        self.assertEqual([each["by"] for each in self.reports()], ["bob"])
        self.assertEqual(self.command("EXISTS", "reported:alice"), 0)
        self.assertEqual(self.report(), ["NOTFOUND"])
