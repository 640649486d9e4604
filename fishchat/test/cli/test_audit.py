"""``fishchat audit`` and ``fishchat online``, and the record of what an operator changes."""

from __future__ import annotations

import os
import pwd
from collections.abc import Coroutine
from typing import Any

from click.testing import CliRunner
from twisted.internet.defer import ensureDeferred

from fishchat.cli import main
from fishchat.cli.operator import name, recorder
from fishchat.config.schema import Config
from fishchat.errors import Refusal
from fishchat.features.accounts.administration import Accounts
from fishchat.model.secrets.passwords import Verifier
from fishchat.storage.audit.calls import newest_first
from fishchat.test.support.account_runner import AccountCase, Plain
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

    def test_changes(self) -> None:
        """Every change is recorded: what and to whom; a refused one is not."""
        store = Plain(self.runner)
        accounts = Accounts(store, 30, recorder(store, Config()))
        bob = b"bob"

        def done(work: Coroutine[Any, Any, Any]) -> Any:
            return self.successResultOf(ensureDeferred(work))

        done(accounts.add(bob, None))
        token = done(accounts.grant(bob, b"lamp", 10))
        done(accounts.revoke(bob, b"lamp"))
        code = done(accounts.invite(1, 1, b"carol"))
        (invitation,) = done(accounts.invitations())
        done(accounts.withdraw(invitation.id.encode()))
        done(accounts.disable(bob))
        done(accounts.enable(bob))
        done(accounts.set_name(bob, b"Bob"))
        done(accounts.set_password(bob, Verifier(b"argon", b"scram")))
        self.failureResultOf(ensureDeferred(accounts.disable(b"nobody")), Refusal)
        done(accounts.erase(bob))

        async def collect() -> list[dict[str, str]]:
            return [event.fields async for event in newest_first(store)][::-1]

        events = done(collect())
        self.assertEqual({each.pop("kind") for each in events}, {"admin"})
        self.assertEqual({each.pop("by") for each in events}, {name()})
        of_bob, what = {"account": "bob"}, {"what": invitation.id}
        self.assertEqual(
            events,
            [
                {"action": "add", **of_bob},
                {"action": "token", "device": "lamp", **of_bob},
                {"action": "revoke", "device": "lamp", **of_bob},
                {"action": "invite", "account": "carol", **what},
                {"action": "withdraw", **what},
                {"action": "disable", **of_bob},
                {"action": "enable", **of_bob},
                {"action": "rename", **of_bob},
                {"action": "passwd", **of_bob},
                {"action": "delete", **of_bob},
            ],
        )
        for secret in (token, code):
            self.assertNotIn(secret.decode(), repr(events))

    async def test_who_and_why(self) -> None:
        """The record has the user of the machine and the reason, on one line whatever the reason is."""
        self.assertEqual(self.enrol("bob"), ["OK"])
        await self.good("user", "disable", "bob", "--why", "stolen at\nthe station")
        (event,) = (await self.good("audit", "--kind", "admin", "--json")).json
        self.assertEqual((event["by"], event["why"]), (name(), "stolen at\nthe station"))
        self.assertIn(pwd.getpwuid(os.getuid()).pw_name + "@", event["by"])
        (line,) = (await self.good("audit")).out.splitlines()
        self.assertRegex(line, r"^\d{4}-\d\d-\d\d [0-9:]{8} kind=admin account=bob .* why=stolen%20at%0Athe%20station$")

    async def test_conditions(self) -> None:
        """Events are selected by account, kind, address and age; at most so many, the newest ones."""
        self.command(
            "XADD", "audit", self.now() - 7_200_000, "kind", "login", "account", "alice", "address", "192.0.2.1"
        )
        self.record("kind", "refused", "account", "alice", "address", "192.0.2.2", "reason", "AUTH")
        self.record("kind", "login", "account", "bob", "address", "192.0.2.1")
        for arguments, count in (
            (("--since", "1h"), 2),
            (("--kind", "login", "--account", "alice"), 1),
            (("--address", "192.0.2.1"), 2),
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
