"""``fishchat audit`` and ``fishchat online``, and the record of what an operator changes."""

from __future__ import annotations

import os
import pwd
import socket

from click.testing import CliRunner

from fishchat.cli import main
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS2
from fishchat.test.support.user_runner import Commands


class Audit(AccountCase, Commands):
    """Redis runs; what the servers would have done is done by scripts."""

    words = ()

    def setUp(self) -> None:
        super().setUp()
        self.data = self.server.data

    def record(self, *fields: str) -> None:
        """An event, as a msg_server records it."""
        self.assertEqual(self.call("audit/append", [list(fields)], 1000, 86_400_000), "OK")

    async def test_changes(self) -> None:
        """Every command that changes something is recorded: who, what, to whom and why; others are not."""
        me = f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
        env = {"SUDO_USER": ""}
        await self.good("user", "add", "bob", "--no-password", env=env)
        token = (await self.good("user", "token", "bob", "lamp", env=env)).out.strip()
        await self.good("user", "revoke", "bob", "lamp", "--why", "stolen at\nthe station", env=env)
        code = (await self.good("user", "invite", "--for", "carol", env=env)).out.strip()
        (invitation,) = (await self.good("user", "invitations", "--json", env=env)).json
        await self.good("user", "withdraw", invitation["id"], env=env)
        await self.good("user", "disable", "bob", env=env)
        await self.good("user", "enable", "bob", env=env)
        await self.good("user", "rename", "bob", "Bob", env=env)
        await self.good("user", "passwd", "bob", env={**env, "FISHCHAT_PASSWORD": "correct horse battery"})
        await self.good("user", "list", env=env)
        await self.refused("user", "disable", "nobody", env=env)
        await self.good("user", "delete", "bob", "--yes", env=env)
        said = await self.good("audit", "--kind", "admin", "--json")
        events = [{key: value for key, value in each.items() if key != "at"} for each in said.json]
        self.assertEqual({each.pop("by") for each in events}, {me})
        self.assertEqual({each.pop("kind") for each in events}, {"admin"})
        bob, what = {"account": "bob"}, {"what": invitation["id"]}
        self.assertEqual(
            events,
            [
                {"action": "add", **bob},
                {"action": "token", "device": "lamp", **bob},
                {"action": "revoke", "device": "lamp", "why": "stolen at\nthe station", **bob},
                {"action": "invite", "account": "carol", **what},
                {"action": "withdraw", **what},
                {"action": "disable", **bob},
                {"action": "enable", **bob},
                {"action": "rename", **bob},
                {"action": "passwd", **bob},
                {"action": "delete", **bob},
            ],
        )
        for secret in (token, code, "correct horse"):
            self.assertNotIn(secret, said.out)
        lines = (await self.good("audit")).out.splitlines()
        self.assertEqual(len(lines), len(events))
        self.assertRegex(
            lines[2], r"^\d{4}-\d\d-\d\d [0-9:]{8} kind=admin account=bob device=lamp .* why=stolen%20at%0Athe%20"
        )

    async def test_conditions(self) -> None:
        """Events are selected by account, kind, address and age; at most so many, the newest ones."""
        self.command(
            "XADD", "audit", self.now() - 7_200_000, "kind", "login", "account", "alice", "address", "192.0.2.1"
        )
        self.record("kind", "refused", "account", "alice", "address", "192.0.2.2", "reason", "AUTH")
        self.record("kind", "login", "account", "bob", "address", "192.0.2.1")
        for arguments, count in (
            ((), 3),
            (("--since", "1h"), 2),
            (("--account", "alice"), 2),
            (("--kind", "refused", "--account", "alice"), 1),
            (("--address", "192.0.2.1"), 2),
            (("--kind", "signup"), 0),
        ):
            self.assertEqual(len((await self.good("audit", *arguments)).out.splitlines()), count, arguments)
        said = await self.good("audit", "--limit", "1")
        self.assertRegex(said.out, r"^\S+ \S+ kind=login address=192.0.2.1 account=bob\n$")
        self.assertIn("note: only the newest 1 events", said.err)

    def test_since(self) -> None:
        """A time that cannot be read is refused, with what can."""
        for text in ("yesterday", "5", "-1h", "1y", "99999999d"):
            said = CliRunner().invoke(main, ["audit", "--since", text])
            self.assertEqual(said.exit_code, 2, text)
            self.assertIn("a time is like 30m, 12h or 7d", said.output)

    async def test_online(self) -> None:
        """Connected devices, with the address of their last login."""
        self.command("HSET", "servers", "ms1", "aaaa", "ms2", "bbbb")
        self.login("alice")
        self.login("alice", "phone", MS2)
        self.login("bob", "main", MS2)
        for address in ("192.0.2.1", "192.0.2.2"):
            self.record("kind", "login", "account", "alice", "device", "phone", "address", address)
        said = await self.good("online", "--json")
        self.assertEqual(
            [(each["account"], each["device"], each["server"], each["address"]) for each in said.json],
            [("alice", "main", "ms1", ""), ("alice", "phone", "ms2", "192.0.2.2"), ("bob", "main", "ms2", "")],
        )
        self.assert_about(said.json[0]["since"], self.now())
        lines = (await self.good("online", "--account", "alice", "--server", "ms2")).out.splitlines()
        self.assertEqual(lines[0].split(), ["ACCOUNT", "DEVICE", "SERVER", "ADDRESS", "SINCE"])
        self.assertEqual([line.split()[:4] for line in lines[1:]], [["alice", "phone", "ms2", "192.0.2.2"]])
        said = await self.good("online", "--limit", "2")
        self.assertEqual(len(said.out.splitlines()), 3)
        self.assertIn("note: only 2 devices", said.err)
