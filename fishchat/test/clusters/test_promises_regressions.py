"""Regressions found by ``test_promises``: each history again, short and by hand."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.model import device
from fishchat.services.msg_server.delivery import rooms
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.sync_processes import Server
from fishchat.test.support.sync_redis import Store
from fishchat.test.support.sync_world import World


class Case(SynchronousTestCase):
    """A test with two msg_servers and a router."""

    def setUp(self) -> None:
        """Start without a logged-in device."""
        store = Store(shared_redis())
        self.addCleanup(store.close)
        self.world = World(store)
        self.addCleanup(self.world.close)
        for name in ("ms1", "ms2", "router1"):
            self.world.start(name)
        self.world.settle()

    def log_in(self, **servers: str) -> None:
        """Log devices in one after the other: ``alice_d1="ms1"`` and so on."""
        for key, server in servers.items():
            self.world.connect(self.world.devices[key.replace("_", "/")], server)
            self.world.settle()

    def server(self, name: str) -> Server:
        """Return a process that runs."""
        found = self.world.server(name)
        assert found is not None
        return found

    def say(self, key: str, conversation: str) -> None:
        """Send one message, and deliver everything that follows from it."""
        self.world.devices[key].send(conversation)
        self.world.settle()

    def ask(self, key: str, line: str) -> None:
        """Send a command, and deliver everything that follows from it."""
        self.world.devices[key].ask(line)
        self.world.settle()

    def assert_has(self, key: str, conversation: str, *texts: str) -> None:
        """Check that the device has exactly these messages, in this order."""
        self.world.check_errors()
        self.assertEqual([each.text for each in self.world.devices[key].at(conversation).got], list(texts))


class FirstMessageTests(Case):
    """A conversation begins while devices of both sides are logged in."""

    def test_login_knows_first(self) -> None:
        """If a login reads the first message before its hint arrives, the account's other devices receive it too."""
        self.log_in(alice_d1="ms1", alice_d2="ms1", bob_d1="ms2")
        self.world.held = self.server("ms1").bus.hear_one
        self.say("bob/d1", "alice+bob")
        self.log_in(alice_d1="ms1")
        self.world.held = None
        self.world.settle()
        self.assert_has("alice/d1", "alice+bob", "bob/d1:1")
        self.assert_has("alice/d2", "alice+bob", "bob/d1:1")

    def test_second_before_first(self) -> None:
        """If a server stores the second message before the hint of the first arrives, its devices receive both."""
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
        """After the store lost a conversation that a server knows, new logins receive its new first message."""
        self.log_in(carol_d2="ms1", bob_d1="ms1")
        self.world.keep()
        self.say("carol/d2", "bob+carol")
        self.world.put_back()
        self.world.advance(1.0)
        self.log_in(bob_d2="ms1")
        self.say("carol/d2", "bob+carol")
        self.assert_has("bob/d2", "bob+carol", "carol/d2:2")


class AcknowledgingTests(Case):
    """A device that acknowledges everything has room, and no message is repeated."""

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
        """Messages from before a leave can be acknowledged after it, and are not repeated at every login."""
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
        """Messages of a membership are delivered although it ended before the members were read."""
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
        """If a login opens a topic, earlier devices that missed their membership receive its messages, too."""
        self.log_in(alice_d1="ms1", bob_d1="ms1", bob_d2="ms2")
        self.ask("alice/d1", "CREATE_TOPIC pond")
        self.say("alice/d1", "#pond")
        self.server("ms2").bus.losing = 1
        self.ask("bob/d1", "JOIN_TOPIC pond")
        self.log_in(bob_d1="ms2")
        self.say("alice/d1", "#pond")
        self.assert_has("bob/d2", "#pond", "alice/d1:2")

    def test_came_back(self) -> None:
        """Messages between a leave and a new join are not delivered to a device on another server."""
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
        """Messages between a leave and a join are not delivered either if that server was disconnected, and sweeps."""
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
        """A message stored before a join is not delivered to the new member if its hint arrives after the join."""
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
        """An empty span is read once, not for ever."""
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
        """A command refused for the lease is sent again; later commands are not answered before it."""
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
            # The client detects an answer that overtakes another one.
            self.world.settle()
            self.world.advance(1.0)
            self.assertEqual(list(link.asked), [])

    def test_held_of_another_life(self) -> None:
        """A message held ahead of a gap during a restore of the store is not delivered in place of a new message."""
        self.log_in(carol_d1="ms1", carol_d2="ms2", bob_d1="ms2")
        self.say("carol/d2", "bob+carol")
        self.world.keep()
        # The hint of number 2 does not reach ms2, so it holds its own number 3.
        self.world.crash("router1")
        self.say("carol/d1", "bob+carol")
        self.say("carol/d2", "bob+carol")
        self.world.put_back()
        self.world.advance(0.5)
        for _ in range(2):
            self.say("carol/d2", "bob+carol")
        self.world.advance(3.0)
        self.assert_has("bob/d1", "bob+carol", "carol/d2:1", "carol/d2:3", "carol/d2:4")
