"""``fishchat user export``: all that an account has said, and nothing of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fishchat.services.backup.export import STEP
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import STREAM
from fishchat.test.support.user_runner import Commands


class Export(AccountCase, Commands):
    """An account that was busy."""

    def setUp(self) -> None:
        super().setUp()
        self.data = self.server.data

    def fill(self) -> None:
        """Alice talks to bob and in a topic, has a device, a contact and somebody whom she has blocked."""
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.login(account)
        self.said("alice", "bob", "hello: 你好")
        # As with @esc, and with an attribute that is kept.
        body = r"alice phone 1 e;reply=alice+bob:1-1 two\nlines"
        self.command("XADD", "log:alice+bob", "9-2", "t", 5000, "m", body)
        self.command("HSET", "meta:alice+bob", "n", 2, "e", 9)
        self.said("bob", "alice", "not hers")
        self.create("alice", "fishing")
        self.join("carol", "fishing")
        for other, kind in (("bob", "c"), ("carol", "b")):
            self.relate("alice", other, kind)

    def parsed(self, text: str) -> dict[str, list[dict[str, Any]]]:
        """The lines, by their type."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in text.splitlines():
            each = json.loads(line)
            found.setdefault(each.pop("type"), []).append(each)
        return found

    async def test_all(self) -> None:
        """Profile, devices, relations, topics and messages; nothing of others, no notices, no hashes."""
        self.fill()
        self.invite("alice", "fishing", "bob")
        said = await self.good("export", "alice")
        self.assertTrue(said.out.isascii())
        found = self.parsed(said.out)
        [account] = found["account"]
        self.assertEqual((account["account"], account["contacts"], account["blocked"]), ("alice", 1, 1))
        self.assertEqual([device["device"] for device in found["device"]], ["main"])
        self.assertEqual((found["contact"], found["blocked"]), ([{"account": "bob"}], [{"account": "carol"}]))
        self.assertEqual(found["topic"], [{"topic": "fishing", "owner": True}])
        self.assertEqual(
            [(each["text"], each["device"]) for each in found["message"]],
            [
                ("hello: 你好", "main"),
                ("two\nlines", "phone"),
            ],
        )
        self.assertEqual(found["message"][1]["id"], "alice+bob:9-2")
        self.assertEqual((found["message"][1]["time"], found["message"][1]["tags"]), (5000, "reply=alice+bob:1-1"))
        self.assertEqual(found["end"], [{"messages": 2}])
        self.assertNotIn("argon", said.out)

    async def test_people(self) -> None:
        """Remarks, requests, settings and reports of the account; nothing that others asked or reported."""
        self.fill()
        self.enrol("dora")
        bodies = "alice main -1 n ASKED alice hello", "alice main -1 n CONTACT alice"
        for account, other in (("alice", "dora"), ("alice", "nobody"), ("dora", "carol")):
            self.fenced("contacts/ask", STREAM, account, other, "hello", 10, 10, 10, *bodies)
        self.call("contacts/set", "alice", "bob", "c", True, 10, "Bob; from work")
        for setting, value in (("notify", "none"), ("pinned", "yes"), ("remark", "my brother")):
            body = "alice main -1 n SET"
            self.fenced("preferences/set", STREAM, "alice", "alice+bob", setting, value, 10, body)
        for account in ("alice", "bob"):
            self.call("reports/report", account, "alice+bob", "7-1", f"{account} says spam", 20)
        said = await self.good("export", "alice")
        found = self.parsed(said.out)
        self.assertEqual(found["remark"], [{"account": "bob", "text": "Bob; from work"}])
        [request] = found["request"]
        self.assertEqual((request["account"], request["text"]), ("dora", "hello"))
        self.assertEqual(
            found["settings"],
            [
                {
                    "conversation": "alice+bob",
                    "notify": "none",
                    "until": 0,
                    "pinned": True,
                    "archived": False,
                    "remark": "my brother",
                }
            ],
        )
        [report] = found["report"]
        self.assertEqual((report["message"], report["reason"]), ("alice+bob:7-1", "alice says spam"))
        self.assertNotIn("bob says", said.out)

    async def test_long(self) -> None:
        """More than one step reads, in the order of the conversation."""
        self.fill()
        add = "for i = 3, 3 + 2 * ARGV[1] do redis.call('XADD', KEYS[1], '9-' .. i, 't', i, 'm', ARGV[2] .. i) end"
        self.command("EVAL", add, 1, "log:alice+bob", STEP, "alice main -1 - ")
        found = self.parsed((await self.good("export", "alice")).out)
        self.assertEqual([each["text"] for each in found["message"]][2:], [str(n) for n in range(3, 2 * STEP + 4)])

    async def test_file(self) -> None:
        """--output writes a file for the owner's eyes, and overwrites nothing."""
        self.fill()
        file = Path(self.mktemp()).absolute()
        said = await self.good("export", "alice", "--output", str(file))
        self.assertEqual(said.out, f"wrote {file}: 2 messages of alice\n")
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.parsed(file.read_text())["end"], [{"messages": 2}])
        self.assertIn("exists already", await self.refused("export", "bob", "--output", str(file)))
        self.assertEqual(len(self.parsed(file.read_text())["message"]), 2)

    async def test_nobody(self) -> None:
        """An unknown account is one line, and no file."""
        file = Path(self.mktemp()).absolute()
        self.assertIn("there is no account nobody", await self.refused("export", "nobody", "--output", str(file)))
        self.assertFalse(file.exists())
