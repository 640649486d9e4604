"""Members who are kicked, banned and muted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fishchat.features.moderation.calls import STEP
from fishchat.test.support.govern_runner import ROLES, TOPIC, GovernCase
from fishchat.test.support.script_runner import on_each_redis


@on_each_redis
class Kicks(GovernCase):
    """``kick``."""

    def test_kicked(self) -> None:
        """The notice is stored under the version with the member, and is the last message that it reads."""
        self.said("alice", TOPIC, "before")
        ok, version, conversation, epoch, number, body, before, _ = self.kick("bob", "carol", "spam and more")
        self.assertEqual([ok, conversation, epoch, version - before], ["OK", TOPIC, 7, 1])
        self.assertEqual(body, "bob main -1 n KICKED carol spam and more")
        self.said("alice", TOPIC, "after")
        self.assertEqual(self.history("carol", TOPIC), ["ROLE bob admin", "before", "KICKED carol spam and more"])
        self.assertEqual(self.said("carol", TOPIC, "x"), "NOTMEMBER")
        self.assertEqual(self.packed("topics/list", "carol"), [])
        self.assertEqual(self.command("HGET", "talks:carol", TOPIC).split(":")[-1], f"7-{number}")

    def test_comes_again(self) -> None:
        """It may join again, and sees nothing of what was said meanwhile."""
        self.kick("bob", "carol")
        self.said("alice", TOPIC, "between")
        self.assertEqual(self.join("carol", "fishing")[0], "OK")
        self.said("alice", TOPIC, "now")
        self.assertEqual(self.history("carol", TOPIC), ["ROLE bob admin", "KICKED carol", "now"])

    def test_rank(self) -> None:
        """Nobody acts on an equal or a higher role, nor on itself, in any of these ways."""
        acts: dict[str, Callable[[str, str], Any]] = {
            "kick": self.kick,
            "ban": self.ban,
            "mute": self.mute,
            "unban": self.unban,
            "unmute": self.unmute,
        }
        order = {"": 0, "member": 1, "admin": 2, "owner": 3}
        before = self.dump()
        for name, act in acts.items():
            for account, role in ROLES.items():
                for other, its in ROLES.items():
                    if order[role] > max(order[its], 1):
                        continue
                    if not role:
                        wanted: list[Any] = ["NOTMEMBER"]
                    elif role == "member":
                        wanted = ["RIGHTS", "needs=admin"]
                    else:
                        wanted = ["RIGHTS", "needs=nobody" if its == "owner" else "needs=owner"]
                    self.assertEqual(act(account, other), wanted, (name, account, other))
        self.assert_unchanged(before)

    def test_operator(self) -> None:
        """The operator acts on everybody but the owner."""
        for act in (self.kick, self.ban, self.mute, self.unban, self.unmute):
            self.assertEqual(act("*", "alice"), ["OWNER"])
        self.assertEqual(self.kick("*", "bob")[0], "OK")
        self.assertEqual(self.texts()[-1], "KICKED bob")

    def test_no_member(self) -> None:
        """Nor a topic that is not there."""
        self.assertEqual(self.kick("alice", "dave"), ["NOTMEMBER"])
        self.assertEqual(self.govern("kick", "alice", "bob", "", topic="nothing"), ["NOTFOUND"])
        self.assertEqual(self.govern("kick", "*", "bob", "", topic="nothing"), ["NOTFOUND"])


@on_each_redis
class Bans(GovernCase):
    """``ban``, ``unban`` and ``list_banned``."""

    def test_banned(self) -> None:
        """A member is out with the notice; the list tells until when, by whom and why."""
        ok, version, *notice = self.ban("bob", "carol", 600, "spam: again")
        self.assertEqual((ok, notice[3]), ("OK", "bob main -1 n BANNED carol 600 spam: again"))
        self.assertEqual(version, notice[4] + 1)
        self.assertEqual(self.said("carol", TOPIC, "x"), "NOTMEMBER")
        self.assertEqual(self.history("carol", TOPIC)[-1], "BANNED carol 600 spam: again")
        [(account, [until, by, reason])] = self.banned("alice").items()
        self.assertEqual((account, by, reason), ("carol", "bob", "spam: again"))
        self.assert_about(until, self.now() + 600_000)

    def test_for_ever(self) -> None:
        """Without an end; also a name that no account has, with the same answer."""
        for other in ("dave", "nobody"):
            self.assertEqual(self.ban("bob", other)[:2], ["OK", 0])
            self.assertEqual(self.texts()[-1], f"BANNED {other} 0")
        self.assertEqual(self.banned("bob"), {"dave": [0, "bob", ""], "nobody": [0, "bob", ""]})

    def test_no_way_back(self) -> None:
        """An invitation and a request end with the ban; they do not come back with its end."""
        self.set("alice", "kind", "invitation")
        self.invite("alice", "fishing", "dave")
        self.command("HSET", "asked:" + TOPIC, "dave", "1 please")
        self.ban("bob", "dave")
        self.unban("bob", "dave")
        self.assertEqual(self.command("EXISTS", "invited:" + TOPIC, "asked:" + TOPIC), 0)
        self.assertEqual(self.join("dave", "fishing"), ["INVITEONLY"])

    def test_admin(self) -> None:
        """The owner bans an admin, which is no admin when it comes again."""
        self.ban("alice", "bob")
        self.unban("alice", "bob")
        self.join("bob", "fishing")
        self.assertEqual(self.members()["bob"][0], "member")

    def test_again(self) -> None:
        """The last ban counts."""
        self.ban("alice", "dave", 600, "one")
        self.ban("bob", "dave", 0, "two")
        self.assertEqual(self.banned("bob"), {"dave": [0, "bob", "two"]})

    def test_unban(self) -> None:
        """It can be ended once."""
        self.ban("bob", "dave")
        *notice, _ = self.unban("bob", "dave")
        self.assertEqual(notice[4], "bob main -1 n UNBANNED dave")
        self.assertEqual(self.unban("bob", "dave"), ["NOTFOUND"])
        self.assertEqual(self.banned("bob"), {})

    def test_lapsed(self) -> None:
        """A ban that has ended is in no list, and cannot be ended; the next ban removes it."""
        self.ban("bob", "dave", 600)
        self.lapse("banned:", "dave")
        self.assertEqual(self.banned("bob"), {})
        self.assertEqual(self.unban("bob", "dave"), ["NOTFOUND"])
        self.ban("bob", "dave", 600)
        self.lapse("banned:", "dave")
        self.ban("bob", "eve", 600)
        self.assertEqual(self.command("HKEYS", "banned:" + TOPIC), ["eve"])

    def test_full(self) -> None:
        """So many at most; of those that have ended, however many, none counts."""
        self.ban("bob", "dave", 600)
        self.assertEqual(self.ban("bob", "eve", most=1), ["FULL", 1])
        self.assertEqual(self.ban("bob", "dave", most=1)[0], "OK")
        for number in range(2000):
            self.command("HSET", "banned:" + TOPIC, f"m{number}", "1 bob x")
        self.assertEqual(self.ban("bob", "eve", most=1500), ["FULL", 1500])
        cursor, steps = "0", 0
        while cursor != "0" or not steps:
            cursor = self.call("moderation/lapse", "fishing", "banned", cursor, STEP)
            steps += 1
        self.assertGreater(steps, 2)
        self.assertEqual(self.command("HKEYS", "banned:" + TOPIC), ["dave"])
        self.assertEqual(self.ban("bob", "eve", most=2)[0], "OK")

    def test_list_refused(self) -> None:
        """Only those who may ban see who is banned."""
        self.assertEqual(self.banned("carol"), ["RIGHTS", "needs=admin"])
        self.assertEqual(self.banned("dave"), ["NOTMEMBER"])


@on_each_redis
class Mutes(GovernCase):
    """``mute`` and ``unmute``."""

    def test_reason_of_a_muted_admin(self) -> None:
        """A muted admin does its work, but says nothing to the members by it."""
        self.mute("alice", "bob")
        before = self.dump()
        for act in (self.kick, self.ban, self.mute):
            refused = act("bob", "carol", reason="listen")
            self.assertEqual(refused[0], "MUTED")
            self.assertRegex(refused[1], r"^until=\d+$")
        self.assert_unchanged(before)
        self.assertEqual(self.kick("bob", "carol")[0], "OK")

    def test_muted(self) -> None:
        """A muted member reads, and says nothing; others see until when."""
        *notice, _ = self.mute("bob", "carol", 600, "too loud")
        until = self.members()["carol"][3]
        self.assert_about(until, self.now() + 600_000)
        self.assertEqual(notice[4], f"bob main -1 n MUTED carol {until} too loud")
        self.assertEqual(self.said("carol", TOPIC, "x"), f"MUTED until={until}")
        self.said("alice", TOPIC, "hello")
        self.assertEqual(self.history("carol", TOPIC)[-1], "hello")

    def test_outlives_leaving(self) -> None:
        """Leaving, or being kicked, is no way out of it."""
        self.mute("bob", "carol")
        self.leave("carol", "fishing")
        self.join("carol", "fishing")
        self.assertIn("MUTED", self.said("carol", TOPIC, "x"))
        self.kick("bob", "carol")
        self.join("carol", "fishing")
        self.assertIn("MUTED", self.said("carol", TOPIC, "x"))

    def test_ends(self) -> None:
        """By itself, or by an admin; the topic then costs nothing more."""
        self.mute("bob", "carol")
        self.lapse("muted:", "carol")
        self.assertIsInstance(self.said("carol", TOPIC, "x"), int)
        self.assertEqual(self.members()["carol"][3], 0)
        self.assertEqual(self.unmute("bob", "carol"), ["NOTFOUND"])
        self.assertIsNone(self.command("HGET", "meta:" + TOPIC, "b"))
        self.mute("bob", "carol")
        *notice, _ = self.unmute("bob", "carol")
        self.assertEqual(notice[4], "bob main -1 n UNMUTED carol")
        self.assertIsNone(self.command("HGET", "meta:" + TOPIC, "b"))
        self.assertIsInstance(self.said("carol", TOPIC, "x"), int)

    def test_absent(self) -> None:
        """Only members are muted; but a mute can be ended while its account is away."""
        self.assertEqual(self.mute("bob", "dave"), ["NOTMEMBER"])
        self.mute("bob", "carol")
        self.leave("carol", "fishing")
        self.assertEqual(self.unmute("bob", "carol")[0], "OK")

    def test_full(self) -> None:
        """So many at most."""
        self.join("dave", "fishing")
        self.mute("bob", "dave")
        self.assertEqual(self.mute("bob", "carol", most=1), ["FULL", 1])

    def test_forgotten_with_the_topic(self) -> None:
        """The next topic of this name begins without roles and sanctions."""
        self.mute("bob", "carol")
        self.ban("bob", "dave")
        self.set("alice", "slow", "60")
        self.said("bob", TOPIC, "x")
        self.command("SADD", "links:" + TOPIC, "one", "two")
        self.command("HSET", "link:one", "topic", "fishing")
        self.command("HSET", "asked:" + TOPIC, "eve", "1 x")
        self.dismiss("alice", "fishing")
        left = [key for key in self.command("KEYS", "*") if "#fishing" in key or key.startswith("link")]
        self.assertEqual(sorted(left), [f"{kind}:{TOPIC}" for kind in ("log", "meta", "quiet")])
        self.create("alice", "fishing")
        for account in ("bob", "carol", "dave"):
            self.assertEqual(self.join(account, "fishing")[0], "OK")
            self.assertIsInstance(self.said(account, TOPIC, "x"), int)
        self.assertEqual(self.members()["bob"][0], "member")
