"""Topics and who may see what of them: ``create``, ``join``, ``leave``, ``invite``, ``dismiss`` and the lists."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fishchat.model.message import pack_body
from fishchat.storage.fence import Fence
from fishchat.storage.packing import unpack
from fishchat.test.support.script_runner import MS2, PROPERTY, STREAM, Said, ScriptCase, on_each_redis, rows

TOPIC = "#fishing"


class TopicCase(ScriptCase):
    """Three accounts on the first msg_server."""

    def setUp(self) -> None:
        """Logged in, no topic yet."""
        super().setUp()
        self.people()

    def people(self) -> None:
        """Log them in."""
        for account in ("alice", "bob", "carol"):
            self.login(account)


@on_each_redis
class Membership(TopicCase):
    """Making, joining, leaving, inviting."""

    def test_create(self) -> None:
        """The maker is owner and member, from the first message on."""
        self.assertEqual(self.create("alice", "fishing"), ["OK", 1, "0-0"])
        self.assertEqual(self.packed("topics/list", "alice"), ["fishing", "alice", "open", 1])

    def test_create_twice(self) -> None:
        """A name is taken once."""
        self.create("alice", "fishing")
        before = self.dump()
        self.assertEqual(self.create("bob", "fishing"), ["EXISTS"])
        self.assert_unchanged(before)

    def test_create_too_many(self) -> None:
        """An account is in so many topics at most."""
        self.create("alice", "one", most=1)
        self.assertEqual(self.create("alice", "two", most=1), ["FULL", 1])

    def test_join(self) -> None:
        """Each member raises the version, and is told from where it sees messages."""
        self.create("alice", "fishing")
        self.said("alice", TOPIC, "x")
        self.assertEqual(self.join("bob", "fishing"), ["OK", 2, "7-1"])

    def test_join_again(self) -> None:
        """Who is a member stays one, as before."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "x")
        before = self.dump()
        self.assertEqual(self.join("bob", "fishing"), ["OK", 2, "0-0"])
        self.assert_unchanged(before)

    def test_join_nothing(self) -> None:
        """There must be such a topic."""
        self.assertEqual(self.join("bob", "fishing"), ["NOTFOUND"])

    def test_join_full(self) -> None:
        """A topic has so many members at most, and an account is in so many topics."""
        self.create("alice", "fishing")
        self.create("bob", "sailing")
        before = self.dump()
        self.assertEqual(self.join("bob", "fishing", members=1), ["FULL", 1])
        self.assertEqual(self.join("bob", "fishing", topics=1), ["FULL", 1])
        self.assert_unchanged(before)

    def test_leave(self) -> None:
        """Leaving raises the version."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.assertEqual(self.leave("bob", "fishing"), ["OK", 3])
        self.assertEqual(self.packed("topics/list", "bob"), [])

    def test_leave_refused(self) -> None:
        """Only members leave, and the owner stays."""
        self.create("alice", "fishing")
        self.assertEqual(self.leave("bob", "fishing"), ["NOTMEMBER"])
        self.assertEqual(self.leave("bob", "sailing"), ["NOTFOUND"])
        self.assertEqual(self.leave("alice", "fishing"), ["OWNER"])

    def test_invitation_only(self) -> None:
        """Nobody comes in uninvited, and an invitation is good for one join."""
        self.create("alice", "fishing", "invitation")
        self.assertEqual(self.join("bob", "fishing"), ["INVITEONLY"])
        self.invite("alice", "fishing", "bob")
        self.assertEqual(self.join("bob", "fishing")[0], "OK")
        self.leave("bob", "fishing")
        self.assertEqual(self.join("bob", "fishing"), ["INVITEONLY"])

    def test_invitation_is_told(self) -> None:
        """The guest has a notice, and its server is told when it is another one."""
        self.create("alice", "fishing")
        self.login("bob", "phone", MS2)
        body = "alice main -1 n INVITED fishing"
        *notice, _ = self.invite("alice", "fishing", "bob")
        self.assertEqual(notice, ["OK", "@bob", 7, 1, body, 0])
        self.assertEqual(self.history("bob", "@bob"), ["INVITED fishing"])
        self.assertEqual(self.routed(), [{"ms2": ["@bob", 1, body, 0]}])

    def test_invitation_once(self) -> None:
        """Inviting somebody again sends no second notice."""
        self.create("alice", "fishing")
        self.invite("alice", "fishing", "bob")
        self.assertEqual(self.invite("alice", "fishing", "bob"), ["OK"])
        self.assertEqual(len(self.log("@bob")), 1)

    def test_invitation_refused(self) -> None:
        """Members invite, and only those who exist and are not in yet, so many at most."""
        self.create("alice", "fishing")
        self.assertEqual(self.invite("alice", "sailing", "bob"), ["NOTFOUND"])
        self.assertEqual(self.invite("bob", "fishing", "carol"), ["NOTMEMBER"])
        self.assertEqual(self.invite("alice", "fishing", "nobody"), ["NOTFOUND"])
        self.assertEqual(self.invite("alice", "fishing", "alice"), ["EXISTS"])
        self.invite("alice", "fishing", "bob", most=1)
        self.assertEqual(self.invite("alice", "fishing", "carol", most=1), ["FULL", 1])

    def test_dismiss(self) -> None:
        """A last notice, told to all servers under the version it was read with; then nobody is a member."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        body = "alice main -1 n DISMISSED fishing"
        *notice, _ = self.dismiss("alice", "fishing")
        self.assertEqual(notice, ["OK", TOPIC, 7, 1, body, 2])
        self.assertEqual(self.routed(), [{"ms2": [TOPIC, 1, body, 2]}])
        self.assertEqual(self.packed("topics/list", "bob"), [])
        self.assertEqual(self.call("topics/exists", "fishing"), 0)
        self.assertEqual(self.call("logs/members_among", TOPIC, ["alice", "bob"])[0::2], [3, []])

    def test_dismiss_refused(self) -> None:
        """Only the owner ends a topic."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.assertEqual(self.dismiss("bob", "fishing"), ["OWNER"])
        self.assertEqual(self.dismiss("bob", "sailing"), ["NOTFOUND"])

    def test_invitations_end_with_the_topic(self) -> None:
        """An invitation to a topic that was dismissed opens no later one of that name."""
        self.create("alice", "fishing", "invitation")
        self.invite("alice", "fishing", "bob")
        self.dismiss("alice", "fishing")
        self.create("carol", "fishing", "invitation")
        self.assertEqual(self.join("bob", "fishing"), ["INVITEONLY"])


@on_each_redis
class Fencing(TopicCase):
    """P6: without lease and epoch nothing of this is done."""

    def test_refused(self) -> None:
        """Each script that writes for a client is refused, and nothing at all changes."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", "bob", "x")

        def each(refusal: list[str]) -> None:
            before = self.dump()
            for reply in (
                self.create("alice", "sailing"),
                self.join("carol", "fishing"),
                self.leave("bob", "fishing"),
                self.invite("alice", "fishing", "carol"),
                self.dismiss("alice", "fishing"),
                self.login("dora"),
                self.ack("alice", "alice+bob", "7-1"),
                self.send(Said("alice", "bob", "y")),
                self.fenced("messages/read", "/sysctrl/send", "bob", "alice+bob", "7-1", ""),
            ):
                self.assertEqual(reply, refusal)
            self.assert_unchanged(before)

        self.grow_epoch()
        each(["EPOCH", "8"])
        self.command("DEL", "lease:ms1")
        each(["LEASE"])


@on_each_redis
class Lists(TopicCase):
    """What is asked about topics."""

    def test_locate(self) -> None:
        """There is such a topic, or not."""
        self.create("alice", "fishing")
        self.assertEqual([self.call("topics/exists", topic) for topic in ("fishing", "sailing")], [1, 0])

    def test_topics(self) -> None:
        """Every topic of an account with owner, kind and size."""
        self.create("alice", "fishing")
        self.create("bob", "sailing", "invitation")
        self.join("bob", "fishing")
        self.assertEqual(
            rows(self.packed("topics/list", "bob"), 4),
            {"fishing": ["alice", "open", 2], "sailing": ["bob", "invitation", 1]},
        )

    def test_roster(self) -> None:
        """Members see who else is in, who owns it, and how far each has read."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("bob", TOPIC, "x")
        self.call("accounts/set_profile", "bob", "name", "Bob of the Boats")
        reply = self.runner.script("topics/members", "bob", "fishing", ["bob", "carol", "alice"])
        self.assertEqual(reply[0], b"OK")
        found = rows([*map(_text, unpack(reply[1]))], 5)
        self.assertEqual(found, {"alice": ["owner", 0, "", 0], "bob": ["member", 1, "Bob of the Boats", 0]})

    def test_names(self) -> None:
        """All members are named, in as many steps as it takes."""
        self.create("alice", "fishing")
        members = {f"m{number:04}" for number in range(1500)}
        for name in members:
            self.join(name, "fishing", members=2000)
        names, cursor, steps = set(), "0", 0
        while cursor != "0" or not steps:
            ok, cursor, some, version = self.call("topics/member_names", "alice", "fishing", cursor, -1)
            self.assertEqual((ok, version), ("OK", 1501))
            names.update(some)
            steps += 1
        self.assertEqual(names, {"alice", *members})
        self.assertGreater(steps, 1)
        self.assertEqual(self.call("topics/member_names", "alice", "fishing", "0", 1501), ["OK", "0", [], 1501])
        self.join("bob", "fishing", members=2000)
        self.assertGreater(len(self.call("topics/member_names", "alice", "fishing", "0", 1501)[2]), 1)

    def test_roster_refused(self) -> None:
        """Nobody else sees them."""
        self.create("alice", "fishing")
        for script, rest in (("topics/members", ["alice"]), ("topics/member_names", "0")):
            self.assertEqual(self.call(script, "bob", "fishing", rest), ["NOTMEMBER"])
            self.assertEqual(self.call(script, "bob", "sailing", rest), ["NOTFOUND"])

    def test_members(self) -> None:
        """The server asks which of its accounts are members; it gets at least those, with the version."""
        self.create("alice", "fishing")
        self.said("alice", TOPIC, "x")
        self.join("bob", "fishing")
        self.assertEqual(self.call("logs/members_among", TOPIC, ["bob"]), [2, "7-1", ["bob", "7-1"]])
        many = ["carol", "bob", *(f"a{number}" for number in range(2500))]
        version, last, found = self.call("logs/members_among", TOPIC, many)
        self.assertEqual((version, last), (2, "7-1"))
        self.assertEqual(rows(found, 2), {"alice": ["0-0"], "bob": ["7-1"]})

    def test_members_among_many(self) -> None:
        """Thousands of the server's accounts are looked up in a topic of thousands."""
        self.create("alice", "fishing")
        for first in range(0, 3000, 500):
            flat = [word for number in range(first, first + 500) for word in (f"a{number}", "0-0")]
            self.command("HSET", "members:" + TOPIC, *flat)
        asked = [f"a{number}" for number in range(1, 5000, 2)]
        found = self.call("logs/members_among", TOPIC, asked)[2]
        self.assertEqual(set(found[::2]), {f"a{number}" for number in range(1, 3000, 2)})


@on_each_redis
class Sight(TopicCase):
    """Nobody sees what was said before they joined or after they left."""

    def test_before_the_join(self) -> None:
        """A new member does not see what was said before."""
        self.create("alice", "fishing")
        self.said("alice", TOPIC, "before")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "after")
        self.assertEqual(self.history("bob", TOPIC), ["after"])
        self.assertEqual(self.history("alice", TOPIC), ["before", "after"])

    def test_after_the_leave(self) -> None:
        """Who left keeps what they saw, and sees no more; to others it is as if it did not exist."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "before")
        self.leave("bob", "fishing")
        self.said("alice", TOPIC, "after")
        self.assertEqual(self.history("bob", TOPIC), ["before"])
        self.assertEqual(self.conversations("bob")[TOPIC], [1, 0, 1])
        self.assertEqual(self.history("carol", TOPIC), "NOTFOUND")

    def test_rejoin(self) -> None:
        """Who comes back sees what was said during each membership, and nothing in between."""
        self.create("alice", "fishing")
        for text in ("1", "2", "3"):
            self.join("bob", "fishing")
            self.said("alice", TOPIC, "in " + text)
            self.leave("bob", "fishing")
            self.said("alice", TOPIC, "out " + text)
        self.assertEqual(self.history("bob", TOPIC), ["in 1", "in 2", "in 3"])
        self.assertEqual(self.conversations("bob")[TOPIC], [5, 0, 3])

    def test_pages_over_memberships(self) -> None:
        """Pages go on from one membership to the next, in both directions, and are never longer than asked for."""
        self.create("alice", "fishing")
        for first in (1, 4, 7):
            self.join("bob", "fishing")
            self.send(*[Said("alice", TOPIC, str(number)) for number in (first, first + 1)])
            self.leave("bob", "fishing")
            self.said("alice", TOPIC, "out")
        self.assertEqual(self.history("bob", TOPIC, after="0-0", limit=3), ["1", "2", "4"])
        self.assertEqual(self.history("bob", TOPIC, after="7-4", limit=2), ["5", "7"])
        self.assertEqual(self.history("bob", TOPIC, limit=3), ["5", "7", "8"])
        self.assertEqual(self.history("bob", TOPIC, before="7-7", limit=3), ["2", "4", "5"])
        self.assertEqual(self.history("bob", TOPIC, after="7-1", before="7-8", limit=9), ["2", "4", "5", "7"])

    def test_rejoin_at_once(self) -> None:
        """Leaving and joining without a word in between changes nothing of what is seen."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "1")
        self.leave("bob", "fishing")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "2")
        self.assertEqual(self.history("bob", TOPIC), ["1", "2"])
        self.assertEqual(self.login("bob")[2][TOPIC][2], "0-0:")

    def test_nothing_said(self) -> None:
        """A membership in which nothing was said shows nothing."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.leave("bob", "fishing")
        self.said("alice", TOPIC, "after")
        self.assertEqual(self.history("bob", TOPIC), [])
        self.assertEqual(self.history("bob", TOPIC, before="7-9", after="0-0"), [])
        self.assertEqual(self.conversations("bob")[TOPIC], [0, 0, 0])

    def test_dismissed(self) -> None:
        """When a topic ends everybody keeps what was said until then, the notice of the end included."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "x")
        self.dismiss("alice", "fishing")
        for account in ("alice", "bob"):
            self.assertEqual(self.history(account, TOPIC), ["x", "DISMISSED fishing"])

    def test_dismissed_in_steps(self) -> None:
        """Between the notice and the last released member nobody writes, and the name stays taken."""
        self.create("alice", "fishing")
        members = [f"m{number:03}" for number in range(600)]
        for name in members:
            self.join(name, "fishing", members=1000)
        body = pack_body(b"alice", b"main", -1, b"n", b"DISMISSED fishing")
        version = int(self.command("HGET", "meta:" + TOPIC, "v"))
        self.assertEqual(self.fenced("topics/dismiss", "alice", "fishing", STREAM, body)[0], "OK")
        self.assertEqual(self.said("m001", TOPIC, "late"), "NOTFOUND")
        self.assertEqual(self.create("bob", "fishing"), ["EXISTS"])
        self.assertEqual(self.packed("topics/list", "m001"), [])
        steps = 1
        while self.call("topics/release", "fishing", 100):
            self.assertEqual(int(self.command("HGET", "meta:" + TOPIC, "v")), version)
            steps += 1
        self.assertGreater(steps, 3)
        self.assertEqual(int(self.command("HGET", "meta:" + TOPIC, "v")), version + 1)
        self.assertEqual(self.command("EXISTS", "dismissed", "dismissed:" + TOPIC), 0)
        self.assertEqual(self.create("bob", "fishing")[0], "OK")
        self.said("bob", TOPIC, "new")
        self.assertEqual(self.history("m599", TOPIC), ["DISMISSED fishing"])

    def test_release_sparse(self) -> None:
        """The steps of a large topic come to an end: each releases somebody, however many were released before."""
        members = [text for number in range(6000) for text in (f"m{number:04}", "7-0")]
        self.command("HSET", "dismissed:" + TOPIC, *members)
        self.command("SADD", "dismissed", "fishing")
        left = 6000
        while self.call("topics/release", "fishing", 200):
            before, left = left, int(self.command("HLEN", "dismissed:" + TOPIC))
            self.assertLess(left, before)
        self.assertEqual(self.command("EXISTS", "dismissed", "dismissed:" + TOPIC), 0)

    def test_release_of_nobody(self) -> None:
        """A step that finds nobody to release is not to be repeated."""
        self.create("alice", "fishing")
        self.command("SADD", "dismissed", "fishing")
        self.command("HSET", "dismissed:" + TOPIC, *[x for n in range(300) for x in (f"m{n}", "x")])
        steps: list[int] = []
        while not steps or steps[-1]:
            steps.append(self.call("topics/release", "fishing", 200))
            self.assertLess(len(steps), 10)
        self.assertEqual(steps[-1], 0)
        self.assertEqual(self.command("EXISTS", "dismissed", "dismissed:" + TOPIC), 0)

    def test_release_again(self) -> None:
        """Releasing the members of a topic that has none to release changes nothing, whether it exists or not."""
        self.create("alice", "fishing")
        before = self.dump()
        self.assertEqual((self.call("topics/release", "fishing", 5), self.call("topics/release", "no", 5)), (0, 0))
        self.assert_unchanged(before)

    def test_made_again(self) -> None:
        """A new topic under the name of one that was dismissed goes on in its numbers, unseen by those before."""
        self.create("alice", "fishing")
        self.said("alice", TOPIC, "old")
        self.dismiss("alice", "fishing")
        self.assertEqual(self.create("bob", "fishing"), ["OK", 3, "7-2"])
        self.assertEqual(self.said("bob", TOPIC, "new"), 3)
        self.assertEqual(self.history("alice", TOPIC), ["old", "DISMISSED fishing"])
        self.assertEqual(self.history("bob", TOPIC), ["new"])

    def test_across_epochs(self) -> None:
        """Joining before and leaving after a restart of the store shows what was said between the two."""
        self.create("alice", "fishing")
        self.said("alice", TOPIC, "1")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "2")
        fence, _ = self.grow_epoch()
        self.said("alice", TOPIC, "3", fence=fence)
        self.leave("bob", "fishing", fence=fence)
        self.said("alice", TOPIC, "4", fence=fence)
        self.assertEqual(self.history("bob", TOPIC), ["2", "3"])

    def test_many_memberships(self) -> None:
        """The last 32 memberships are remembered; who comes and goes more often loses sight of the oldest."""
        self.create("alice", "fishing")
        for number in range(40):
            self.join("bob", "fishing")
            self.send(Said("alice", TOPIC, f"in {number}"))
            self.leave("bob", "fishing")
            self.send(Said("alice", TOPIC, "out"))
        self.assertEqual(self.history("bob", TOPIC), [f"in {number}" for number in range(8, 40)])

    def test_page_is_read_with_its_version(self) -> None:
        """A page of the log names the membership version it was read under."""
        self.create("alice", "fishing")
        self.said("alice", TOPIC, "x")
        version, trimmed, [position, _, body] = self.call("logs/page", TOPIC, "0-0", "", 10)
        self.assertEqual((version, trimmed, position, body), (1, 0, "7-1", "alice main -1 - x"))
        self.join("bob", "fishing")
        self.assertEqual(self.call("logs/page", TOPIC, "7-1", "", 10), [2, 0, []])

    @PROPERTY
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["join", "leave", "say", "say", "dismiss", "create", "epoch"]),
                st.sampled_from(["alice", "bob", "carol"]),
            ),
            max_size=40,
        )
    )
    def test_any_sequence(self, steps: list[tuple[str, str]]) -> None:
        """For every order of joins, leaves and messages, each account sees the messages sent while it was a member."""
        self.empty()
        self.people()
        world = World()
        fence = Fence(b"ms1", b"aaaa", 7)
        for number, (step, account) in enumerate(steps):
            if step == "epoch":
                fence, _ = self.grow_epoch()
            elif step == "say":
                if self.said(account, TOPIC, str(number), fence=fence) not in ("NOTMEMBER", "NOTFOUND"):
                    world.said(account, str(number))
            elif step == "dismiss":
                world.dismissed(account, self.dismiss(account, "fishing", fence)[0])
            else:
                reply = getattr(self, step)(account, "fishing", fence=fence)
                world.moved(step, account, reply[0])
        self.check(world)

    def check(self, world: World) -> None:
        """History, its pages, and the list of conversations agree with the model."""
        for account in ("alice", "bob", "carol"):
            seen = world.seen.get(account)
            if seen is None:
                self.assertEqual(self.history(account, TOPIC), "NOTFOUND")
                continue
            self.assertEqual(self.history(account, TOPIC, limit=100), seen)
            self.assertEqual(self.history(account, TOPIC, after="0-0", limit=100), seen)
            self.assertEqual(self.history(account, TOPIC, limit=3), seen[-3:])
            self.assertEqual(self.history(account, TOPIC, after="0-0", limit=3), seen[:3])
            self.assertEqual(self.conversations(account)[TOPIC][2], world.unread(account))


class World:
    """What each account may see of one topic: a few lines of Python instead of spans."""

    def __init__(self) -> None:
        self.owner = ""
        self.members: set[str] = set()
        self.seen: dict[str, list[str]] = {}
        self.read: dict[str, int] = {}

    def said(self, account: str, text: str) -> None:
        """Stored, so its sender must be in."""
        assert account in self.members, account
        for member in self.members:
            self.seen[member].append(text)
        self.read[account] = len(self.seen[account])

    def moved(self, step: str, account: str, word: str) -> None:
        """Created, joined or left, or refused."""
        if step == "leave":
            refusal = "OWNER" if account == self.owner else "NOTMEMBER"
            assert word == ("NOTFOUND" if not self.owner else "OK" if account in self.others else refusal)
            if word == "OK":
                self.members.discard(account)
        elif step == "create":
            assert word == ("EXISTS" if self.owner else "OK")
        else:
            assert word == ("OK" if self.owner else "NOTFOUND")
        if step != "leave" and word == "OK":
            self.members.add(account)
            self.seen.setdefault(account, [])
            if step == "create":
                self.owner = account

    def dismissed(self, account: str, word: str) -> None:
        """The topic ended, or not."""
        assert word == ("NOTFOUND" if not self.owner else "OK" if account == self.owner else "OWNER")
        if word == "OK":
            for member in self.members:
                self.seen[member].append("DISMISSED fishing")
            self.members.clear()
            self.owner = ""

    @property
    def others(self) -> set[str]:
        """Members that may leave."""
        return self.members - {self.owner}

    def unread(self, account: str) -> int:
        """What was said since the account last spoke, of what it may see."""
        return len(self.seen[account]) - self.read.get(account, 0)


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
