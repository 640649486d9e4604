"""What ``test_promises`` has found: each history once more, short and by hand."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.model import device
from fishchat.services.msg_server.delivery import rooms
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.sync_processes import Server
from fishchat.test.support.sync_redis import Store
from fishchat.test.support.sync_world import World


class Case(SynchronousTestCase):
    """Two msg_servers and a router."""

    def setUp(self) -> None:
        """Nobody is logged in."""
        store = Store(shared_redis())
        self.addCleanup(store.close)
        self.world = World(store)
        self.addCleanup(self.world.close)
        for name in ("ms1", "ms2", "router1"):
            self.world.start(name)
        self.world.settle()

    def log_in(self, **servers: str) -> None:
        """``alice_d1="ms1"`` and so on, one after the other."""
        for key, server in servers.items():
            self.world.connect(self.world.devices[key.replace("_", "/")], server)
            self.world.settle()

    def server(self, name: str) -> Server:
        """One that runs."""
        found = self.world.server(name)
        assert found is not None
        return found

    def say(self, key: str, conversation: str) -> None:
        """One message, and all that comes of it."""
        self.world.devices[key].send(conversation)
        self.world.settle()

    def ask(self, key: str, line: str) -> None:
        """A command, and all that comes of it."""
        self.world.devices[key].ask(line)
        self.world.settle()

    def assert_has(self, key: str, conversation: str, *texts: str) -> None:
        """The device has these messages, in this order, and no others."""
        self.world.check_errors()
        self.assertEqual([each.text for each in self.world.devices[key].at(conversation).got], list(texts))


class FirstMessageTests(Case):
    """A conversation begins while devices of both sides are logged in."""

    def test_login_knows_first(self) -> None:
        """A login reads of the first message before the router tells of it: the account's other devices get it too."""
        self.log_in(alice_d1="ms1", alice_d2="ms1", bob_d1="ms2")
        self.world.held = self.server("ms1").bus.hear_one
        self.say("bob/d1", "alice+bob")
        self.log_in(alice_d1="ms1")
        self.world.held = None
        self.world.settle()
        self.assert_has("alice/d1", "alice+bob", "bob/d1:1")
        self.assert_has("alice/d2", "alice+bob", "bob/d1:1")

    def test_second_before_first(self) -> None:
        """A server stores the second message before it hears of the first: its devices get both."""
        self.log_in(alice_d1="ms1", alice_d2="ms2", bob_d1="ms2")
        self.world.crash("router1")
        self.say("alice/d1", "alice+bob")
        self.world.held = self.server("ms2").connections[1].give
        self.say("alice/d2", "alice+bob")
        self.world.expire(b"router:/sysctrl/send")
        self.world.start("router2")
        self.world.settle()
        self.world.held = None
        self.world.settle()
        self.assert_has("bob/d1", "alice+bob", "alice/d1:1", "alice/d2:1")

    def test_put_back_before_first(self) -> None:
        """The store forgets a conversation that a server knows: who logs in after that gets its new first message."""
        self.log_in(carol_d2="ms1", bob_d1="ms1")
        self.world.keep()
        self.say("carol/d2", "bob+carol")
        self.world.put_back()
        self.world.advance(1.0)
        self.log_in(bob_d2="ms1")
        self.say("carol/d2", "bob+carol")
        self.assert_has("bob/d2", "bob+carol", "carol/d2:2")


class AcknowledgingTests(Case):
    """Whoever acknowledges everything has room, and is not given it again."""

    def test_room_behind_own_messages(self) -> None:
        """Own messages above the acknowledged ones take no room."""
        self.patch(device, "WINDOW", 4)
        self.patch(rooms, "REFILL", 2)
        self.log_in(alice_d1="ms1", bob_d1="ms1")
        for _ in range(4):
            self.say("bob/d1", "alice+bob")
        for _ in range(5):
            self.say("alice/d1", "alice+bob")
        self.world.devices["alice/d1"].ack("alice+bob")
        self.say("bob/d1", "alice+bob")
        self.say("bob/d1", "alice+bob")
        self.assert_has("alice/d1", "alice+bob", *[f"bob/d1:{n}" for n in range(1, 7)])

    def test_after_leaving(self) -> None:
        """What came before the account left can be acknowledged after it, and does not come at every login."""
        self.log_in(alice_d1="ms1", bob_d1="ms1")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "LEAVE_TOPIC pond")
        self.world.devices["bob/d1"].ack("#pond")
        self.world.advance(2.0)
        self.log_in(bob_d1="ms2")
        self.assert_has("bob/d1", "#pond", "alice/d1:1")
        link = self.world.devices["bob/d1"].link
        assert link is not None and link.synced
        self.assertEqual(link.pushed, {})


class MembershipTests(Case):
    """An account's devices on other servers follow it into topics."""

    def test_came_and_went(self) -> None:
        """What was said while the account was a member arrives, although it has left before the members were read."""
        self.log_in(alice_d1="ms1", bob_d1="ms1", bob_d2="ms2")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.world.held = self.server("ms2").bus.hear_one
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "LEAVE_TOPIC pond")
        self.world.held = None
        self.world.settle()
        self.assert_has("bob/d2", "#pond", "alice/d1:1")

    def test_opened_by_login(self) -> None:
        """A login opens a topic; who was here before, and was not told that it is a member, gets its messages too."""
        self.log_in(alice_d1="ms1", bob_d1="ms1", bob_d2="ms2")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.server("ms2").bus.losing = 1
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.log_in(bob_d1="ms2")
        self.say("alice/d1", "#pond")
        self.assert_has("bob/d2", "#pond", "alice/d1:2")

    def test_came_back(self) -> None:
        """What was said between leaving and coming back is not given to a device that waits on another server."""
        self.log_in(alice_d1="ms1", bob_d1="ms1", bob_d2="ms2")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.world.held = self.server("ms2").bus.hear_one
        self.ask("bob/d1", "LEAVE_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.world.held = None
        self.world.settle()
        self.say("alice/d1", "#pond")
        for key in ("bob/d1", "bob/d2"):
            self.assert_has(key, "#pond", "alice/d1:1", "alice/d1:3")

    def test_came_back_unheard(self) -> None:
        """The same when that server was cut off meanwhile, and sweeps."""
        self.log_in(alice_d1="ms1", bob_d1="ms1", bob_d2="ms2")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.server("ms2").bus.disconnect()
        self.ask("bob/d1", "LEAVE_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.server("ms2").bus.reconnect()
        self.world.settle()
        self.say("alice/d1", "#pond")
        self.assert_has("bob/d2", "#pond", "alice/d1:1", "alice/d1:3")

    def test_came_later(self) -> None:
        """A message that a server stored before a join, and hears of after it, is not for the new member."""
        self.log_in(alice_d1="ms1", bob_d1="ms2", bob_d2="ms1")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.ask("bob/d1", "LEAVE_TOPIC pond")
        self.world.held = self.server("ms1").connections[0].give
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.world.held = None
        self.world.settle()
        self.say("alice/d1", "#pond")
        self.assert_has("bob/d2", "#pond", "alice/d1:2")

    def test_nothing_since_coming_back(self) -> None:
        """A span with nothing in it is looked into once, not for ever."""
        self.log_in(alice_d1="ms1", bob_d1="ms1")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "LEAVE_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.log_in(bob_d2="ms1", bob_d1="ms2")
        self.say("alice/d1", "#pond")
        self.assert_has("bob/d1", "#pond", "alice/d1:1", "alice/d1:3")


class LostTests(Case):
    """Leases, connections and older states."""

    def test_answers_in_order(self) -> None:
        """A command that is refused for the lease goes again; what was asked behind it is not answered before it."""
        self.log_in(alice_d1="ms1", bob_d1="ms1")
        writer = self.server("ms1").connections[0]
        alice = self.world.devices["alice/d1"]
        link = alice.link
        assert link is not None
        for behind in ("REQ_TOPICS", "JOIN_TOPIC pond"):
            self.world.expire(b"lease:ms1")
            alice.ask("CREATE_TOPIC pond")
            alice.ask(behind)
            link.arrive()
            link.arrive()
            self.world.turn()
            self.assertEqual(len(writer.requests), 2)
            writer.do()
            writer.give()
            if behind == "JOIN_TOPIC pond":
                writer.drop("lost")
            # The client notices an answer that overtakes another one.
            self.world.settle()
            self.world.advance(1.0)
            self.assertEqual(list(link.asked), [])

    def test_held_of_another_life(self) -> None:
        """What was held ahead of a gap when the store was put back is not given in the place of a new message."""
        self.log_in(carol_d1="ms1", carol_d2="ms2", bob_d1="ms2")
        self.say("carol/d2", "bob+carol")
        self.world.keep()
        # Nobody tells ms2 of number 2, so it holds its own number 3.
        self.world.crash("router1")
        self.say("carol/d1", "bob+carol")
        self.say("carol/d2", "bob+carol")
        self.world.put_back()
        self.world.advance(0.5)
        for _ in range(2):
            self.say("carol/d2", "bob+carol")
        self.world.advance(3.0)
        self.assert_has("bob/d1", "bob+carol", "carol/d2:1", "carol/d2:3", "carol/d2:4")
