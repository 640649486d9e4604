"""``fishchat reports``: what an operator sees of reports, and their removal."""

from __future__ import annotations

from fishchat.cli.operator import name
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.user_runner import Commands

BOTH = "alice+bob"


class Reports(AccountCase, Commands):
    """Redis runs; what the servers would have done is done by scripts."""

    words = ()

    def setUp(self) -> None:
        super().setUp()
        self.data = self.server.data
        for account in ("alice", "bob"):
            self.enrol(account)
            self.login(account)
        self.said("bob", "alice", "buy this \x1b[31m" + "x" * 50)
        self.said("alice", "bob", "no")
        self.call("reports/report", "alice", BOTH, "7-1", "advertising", 20)
        self.call("reports/report", "bob", BOTH, "7-2", "", 20)

    async def test_list(self) -> None:
        """The newest report is the last one; texts are cut, and control no terminal."""
        said = await self.good("reports", "list")
        head, *rows = said.out.splitlines()
        self.assertEqual(head.split(), ["ID", "REPORTED", "BY", "FROM", "TEXT", "REASON"])
        self.assertEqual([row.split()[3:5] for row in rows], [["alice", "bob"], ["bob", "alice"]])
        self.assertIn("buy this", rows[0])
        self.assertNotIn("\x1b", said.out)
        self.assertLess(len(rows[0]), 150)

    async def test_conditions(self) -> None:
        """By sender, by reporting account, by number, by age."""
        for options, texts in (
            (("--from", "alice"), ["no"]),
            (("--by", "bob"), ["no"]),
            (("--from", "bob", "--by", "bob"), []),
            (("--limit", "1"), ["no"]),
            (("--since", "1h", "--by", "bob"), ["no"]),
        ):
            found = (await self.good("reports", "list", "--json", *options)).json
            self.assertEqual([each["text"] for each in found], texts, options)
        self.command("DEL", "reports")
        self.assertEqual((await self.good("reports", "list", "--json")).json, [])

    async def test_show(self) -> None:
        """All of a report, with the whole text; as JSON, too."""
        [first, _] = (await self.good("reports", "list", "--json")).json
        shown = await self.good("reports", "show", first["id"])
        for part in ("alice+bob:7-1", "advertising", "bob/main", "x" * 50):
            self.assertIn(part, shown.out)
        self.assertNotIn("\x1b", shown.out)
        self.assertEqual((await self.good("reports", "show", first["id"], "--json")).json, first)
        self.assertEqual((first["from"], first["by"], first["reason"]), ("bob", "alice", "advertising"))

    async def test_drop(self) -> None:
        """The report is gone, and the audit record says who removed it and why."""
        [first, second] = (await self.good("reports", "list", "--json")).json
        said = await self.good("reports", "drop", first["id"], "--why", "settled")
        self.assertEqual(said.out, f"removed report {first['id']}\n")
        self.assertEqual((await self.good("reports", "list", "--json")).json, [second])
        [event] = (await self.good("audit", "--kind", "admin", "--json")).json
        self.assertEqual(
            (event["action"], event["what"], event["by"], event["why"]), ("drop", first["id"], name(), "settled")
        )
        self.assertNotIn("advertising", repr(event))

    async def test_unknown(self) -> None:
        """A report that does not exist, and what is no id."""
        for command in ("show", "drop"):
            for report in ("1-1", "x", "1", "*"):
                said = await self.ended("reports", command, report)
                self.assertNotEqual(said.status, 0, report)
                self.assertIn("`fishchat reports list`", " ".join(said.err.split()))
