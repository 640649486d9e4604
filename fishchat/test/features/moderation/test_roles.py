"""Roles: ``set_role``, ``transfer``, and the topic of an owner whose account is deleted."""

from __future__ import annotations

import re

from fishchat.test.support.govern_runner import ROLES, TOPIC, GovernCase
from fishchat.test.support.script_runner import on_each_redis


@on_each_redis
class Roles(GovernCase):
    """``set_role``."""

    def test_appointed(self) -> None:
        """The owner makes an admin, which a notice tells; once is enough."""
        *notice, _ = self.role("alice", "carol", "admin")
        self.assertEqual(notice[3:5], [2, "alice main -1 n ROLE carol admin"])
        self.assertEqual(self.members()["carol"][0], "admin")
        self.assertEqual(self.role("alice", "carol", "admin"), ["OK"])
        self.assertEqual(self.role("alice", "carol", "member")[0], "OK")
        self.assertEqual(self.members()["carol"][0], "member")
        self.assertEqual(self.role("alice", "carol", "member"), ["OK"])

    def test_refused(self) -> None:
        """Only the owner appoints, nobody itself, and only members."""
        for role in ("admin", "member"):
            self.assertEqual(self.role("bob", "carol", role), ["RIGHTS", "needs=owner"])
            self.assertEqual(self.role("alice", "alice", role), ["RIGHTS", "needs=nobody"])
            self.assertEqual(self.role("alice", "dave", role), ["NOTMEMBER"])
            self.assertEqual(self.role("dave", "carol", role), ["NOTMEMBER"])
            self.assertEqual(self.role("*", "alice", role), ["OWNER"])
        self.assertEqual(self.role("carol", "carol", "admin"), ["RIGHTS", "needs=owner"])
        self.assertEqual(self.govern("set_role", "alice", "bob", "admin", 1, topic="nothing"), ["NOTFOUND"])

    def test_stepping_down(self) -> None:
        """An admin may become a member again, by itself."""
        self.assertEqual(self.role("bob", "bob", "member")[0], "OK")
        self.assertEqual(self.texts()[-1], "ROLE bob member")
        self.assertEqual(self.kick("bob", "carol"), ["RIGHTS", "needs=admin"])
        self.assertEqual(self.role("bob", "bob", "member"), ["OK"])
        self.assertEqual(self.role("dave", "dave", "member"), ["NOTMEMBER"])

    def test_full(self) -> None:
        """So many admins at most."""
        self.assertEqual(self.role("alice", "carol", "admin", most=1), ["FULL", 1])
        self.assertEqual(self.role("alice", "bob", "admin", most=1), ["OK"])

    def test_leaving(self) -> None:
        """An admin that leaves and comes again is a member."""
        self.leave("bob", "fishing")
        self.join("bob", "fishing")
        self.assertEqual(self.members()["bob"][0], "member")
        self.assertEqual(self.command("EXISTS", "admins:" + TOPIC), 0)

    def test_operator(self) -> None:
        """The operator needs no right; the notice names nobody."""
        self.role("*", "carol", "admin")
        [[_, fields]] = self.command("XREVRANGE", "log:" + TOPIC, "+", "-", "COUNT", 1)
        self.assertEqual(fields[3], "- * -1 n ROLE carol admin")


@on_each_redis
class Transfers(GovernCase):
    """``transfer``."""

    def test_handed_on(self) -> None:
        """The heir is the owner and no admin, the former owner an admin; both can do what their roles may."""
        self.assertEqual(self.transfer("alice", "bob")[0], "OK")
        self.assertEqual(self.roles(), {"alice": "admin", "bob": "owner", "carol": "member"})
        self.assertEqual(self.texts()[-1], "OWNER bob")
        self.assertEqual(self.command("HKEYS", "admins:" + TOPIC), ["alice"])
        self.assertEqual(self.leave("bob", "fishing"), ["OWNER"])
        self.assertEqual(self.leave("alice", "fishing")[0], "OK")
        self.assertEqual(self.dismiss("bob", "fishing")[0], "OK")

    def test_two_at_once(self) -> None:
        """Of two transfers that are under way at once, the second one finds that it has no right any more."""
        self.assertEqual(self.transfer("alice", "bob")[0], "OK")
        self.assertEqual(self.transfer("alice", "carol"), ["RIGHTS", "needs=owner"])
        self.assertEqual([row[0] for row in self.members().values()].count("owner"), 1)
        self.assertEqual(self.owner(), "bob")

    def test_refused(self) -> None:
        """By whoever is not the owner, and to an heir who could not run the topic."""
        self.mute("alice", "carol")
        self.ban("alice", "dave")
        before = self.dump()
        self.assertEqual(self.transfer("bob", "bob"), ["RIGHTS", "needs=owner"])
        self.assertEqual(self.transfer("dave", "dave"), ["NOTMEMBER"])
        self.assertEqual(self.transfer("alice", "carol"), ["RIGHTS", "needs=unmuted"])
        self.assertEqual(self.transfer("alice", "dave"), ["RIGHTS", "needs=unbanned"])
        self.assertEqual(self.transfer("alice", "nobody"), ["NOTMEMBER"])
        self.assertEqual(self.transfer("*", "carol"), ["RIGHTS", "needs=unmuted"])
        self.assertEqual(self.transfer("alice", "alice"), ["OK"])
        self.assert_unchanged(before)

    def test_lapsed_mute(self) -> None:
        """A mute that has ended does not count."""
        self.mute("alice", "carol")
        self.lapse("muted:", "carol")
        self.assertEqual(self.transfer("alice", "carol")[0], "OK")

    def test_deleted_heir(self) -> None:
        """An account whose deletion has begun inherits nothing, although it is still a member."""
        self.call("accounts/erase", "carol", "")
        self.assertEqual(self.transfer("alice", "carol"), ["NOTMEMBER"])

    def test_operator(self) -> None:
        """The operator hands on the topic of an owner who does not come back."""
        self.assertEqual(self.transfer("*", "carol")[0], "OK")
        self.assertEqual((self.owner(), self.members()["alice"][0]), ("carol", "admin"))


@on_each_redis
class Inheriting(GovernCase):
    """The owner's account is deleted."""

    def setUp(self) -> None:
        """The epoch is the one of this Redis, as a msg_server has found it."""
        super().setUp()
        run = re.findall(r"run_id:(\w+)", self.command("INFO", "server"))[0]
        self.command("SET", "epoch:run", run)

    def test_admin(self) -> None:
        """The admin of longest standing is the owner, although another member is here for longer."""
        self.join("dave", "fishing")
        self.role("alice", "dave", "admin")
        self.command("HSET", "admins:" + TOPIC, "bob", self.now() + 5)
        self.mute("alice", "dave")
        self.erase("alice")
        self.assertEqual(self.roles(), {"dave": "owner", "bob": "admin", "carol": "member"})
        self.assertEqual(self.texts()[-1], "OWNER dave")
        self.assertIsInstance(self.said("dave", TOPIC, "x"), int)

    def test_member(self) -> None:
        """Without admins the member of longest standing."""
        self.role("alice", "bob", "member")
        self.said("alice", TOPIC, "x")
        self.leave("bob", "fishing")
        self.join("bob", "fishing")
        self.erase("alice")
        self.assertEqual(self.owner(), "carol")

    def test_quiet(self) -> None:
        """The notice does not count as unread."""
        self.said("bob", TOPIC, "hello")
        self.erase("alice")
        self.assertEqual(self.texts(), ["hello", "OWNER bob"])
        self.assertEqual(self.conversations("carol")[TOPIC][2], 1)

    def test_unknown_epoch(self) -> None:
        """If no server has seen a restart of Redis, the topic has an owner, but no notice under the old epoch."""
        self.command("SET", "epoch:run", "another")
        self.erase("alice")
        self.assertEqual(self.owner(), "bob")
        self.assertEqual(self.texts(), [])

    def test_interrupted(self) -> None:
        """Until the last step the topic has the owner it had; a deletion that is interrupted goes on."""
        self.role("alice", "bob", "member")
        for number in range(1500):
            self.join(f"m{number:04}", "fishing", members=2000)
        self.call("accounts/erase", "alice", "")
        after, steps = "", 0
        while True:
            after, *_ = self.call("accounts/erase_conversation", "alice", TOPIC, after, 500)
            if not after:
                break
            self.assertEqual(self.owner(), "alice")
            steps += 1
        self.assertGreater(steps, 1)
        self.assertEqual(self.owner(), "bob")
        self.assertEqual(self.command("HEXISTS", "members:" + TOPIC, "alice"), 0)

    def test_heir_leaves_meanwhile(self) -> None:
        """A member found in one step and gone in the next one inherits nothing."""
        self.role("alice", "bob", "member")
        for number in range(1500):
            self.join(f"m{number:04}", "fishing", members=2000)
        self.call("accounts/erase", "alice", "")
        after = ""
        left = []
        while True:
            after, *_ = self.call("accounts/erase_conversation", "alice", TOPIC, after, 500)
            if not after:
                break
            for account in ("bob", "carol"):
                if after.startswith("h") and account not in left and account in after:
                    self.leave(account, "fishing")
                    left.append(account)
        self.assertIn(self.owner(), self.members())

    def test_last_one(self) -> None:
        """Without another member the topic ends, with everything that belongs to it."""
        self.set("alice", "listed", "yes")
        self.set("alice", "slow", "5")
        self.ban("alice", "eve")
        self.mute("alice", "carol")
        for account in ("bob", "carol"):
            self.leave(account, "fishing")
        self.assertEqual(self.erase_talk("alice", TOPIC)[1:], [1, 0, 1])
        left = [key for key in self.command("KEYS", "*" + TOPIC) if not key.startswith(("log:", "meta:", "quiet:"))]
        self.assertEqual((left, self.command("EXISTS", "directory")), ([], 0))
        self.assertIsNone(self.command("HGET", "meta:" + TOPIC, "b"))

    def test_traces(self) -> None:
        """Nothing of a deleted member stays with the topic: neither a role nor a mute, a ban, a request or a time."""
        self.set("alice", "slow", "600")
        self.said("carol", TOPIC, "x")
        self.mute("alice", "carol")
        self.command("HSET", "asked:" + TOPIC, "carol", "1 x")
        self.erase("carol")
        self.ban("alice", "bob")
        self.erase("bob")
        for key in ("admins:", "muted:", "banned:", "slow:", "asked:"):
            self.assertEqual(self.command("HKEYS", key + TOPIC), [], key)
        self.assertEqual(self.command("HGET", "meta:" + TOPIC, "b"), "s600")
        self.assertEqual(set(self.members()), {"alice"})

    def test_roles_known(self) -> None:
        """The cast of these tests is what it says."""
        self.assertEqual(self.roles(), {name: role for name, role in ROLES.items() if role})
