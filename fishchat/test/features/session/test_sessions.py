"""Coming and going: ``login``, ``logout``, ``talks``, ``talk``, ``status``."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any

import hiredis

from fishchat.storage.fence import Fence
from fishchat.test.support.script_runner import MS1, MS2, ScriptCase, on_each_redis, readable, talks

AB = "alice+bob"


@on_each_redis
class Login(ScriptCase):
    """A device logs in."""

    def test_first(self) -> None:
        """A new account begins with nothing, and its session is known."""
        self.assertEqual(self.login("alice"), ["OK", "", {}])
        self.assertEqual(self.command("HGET", "session:alice", "main"), "ms1 aaaa 1")
        self.assertEqual(self.command("GET", "at:alice"), "ms1/main")

    def test_accounts_are_not_made_unasked(self) -> None:
        """Where accounts are made elsewhere an unknown one is refused and nothing is left of it."""
        before = self.dump()
        self.assertEqual(self.login("alice", create=False), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_session_before_read(self) -> None:
        """P1: what is sent after the login is sent to its server, what was sent before is in what it reads."""
        self.login("alice")
        self.login("bob")
        self.said("alice", "bob", "before")
        _, _, known = self.login("bob", "phone", MS2)
        self.assertEqual(known[AB][0], "7-1")
        self.said("alice", "bob", "after")
        self.assertEqual(self.routed(), [{"ms2": [AB, 2, "alice main -1 - after", 0]}])

    def test_reads_its_conversations(self) -> None:
        """Each conversation comes with its end, the device's cursor, what may be seen, the membership version."""
        self.login("alice")
        self.login("bob")
        self.said("alice", "bob", "x")
        self.create("alice", "fishing")
        self.ack("alice", AB, "7-1")
        self.assertEqual(self.login("alice")[2], {AB: ["7-1", "7-1", "0-0:", 0], "#fishing": ["0-0", "", "0-0:", 1]})

    def test_first_device_begins_at_the_beginning(self) -> None:
        """Somebody who never acknowledged anything is given everything."""
        self.login("alice")
        self.command("HSET", "account:bob", "created", 1)
        self.said("alice", "bob", "x")
        self.assertEqual(self.login("bob")[2][AB][1], "")

    def test_new_device_begins_at_the_furthest(self) -> None:
        """A further device is not given again what the account has had, on whichever device."""
        self.login("alice")
        self.login("bob")
        self.login("bob", "phone")
        for _ in range(3):
            self.said("alice", "bob", "x")
        self.ack("bob", AB, "7-1")
        self.ack("bob", AB, "7-2", "phone")
        self.assertEqual(self.login("bob", "tablet")[2][AB][1], "7-2")

    def test_known_device_keeps_its_cursor(self) -> None:
        """A device that comes back goes on where it stood, whatever the others have had."""
        self.login("alice")
        self.login("bob")
        self.login("bob", "phone")
        for _ in range(2):
            self.said("alice", "bob", "x")
        self.ack("bob", AB, "7-2")
        self.ack("bob", AB, "7-1", "phone")
        self.assertEqual(self.login("bob", "phone")[2][AB][1], "7-1")

    def test_devices_limit(self) -> None:
        """An account has so many devices at most; those that it has go on logging in."""
        for device in ("one", "two"):
            self.assertEqual(self.login("alice", device, devices=2)[0], "OK")
        before = self.dump()
        self.assertEqual(self.login("alice", "three", devices=2), ["DEVICES"])
        self.assert_unchanged(before)
        self.assertEqual(self.login("alice", "two", devices=2)[0], "OK")

    def test_device_away_for_long(self) -> None:
        """A device that was away for long gives its place to a new one: the longest first, only when there is need."""
        self.login("alice", "online", devices=3)
        for device, seen in (("older", 5), ("old", 6)):
            self.login("alice", device, MS2, devices=3)
            self.command("HDEL", "session:alice", device)
            self.command("HSET", "seen:alice", device, seen)
            self.command("HSET", f"cursor:alice/{device}", AB, "7-1")
        self.command("HSET", "seen:alice", "online", 1)
        self.assertEqual(self.login("alice", "new", devices=3)[0], "OK")
        self.assertEqual(sorted(self.command("HKEYS", "seen:alice")), ["new", "old", "online"])
        self.assertEqual(self.command("EXISTS", "cursor:alice/older"), 0)
        self.assertEqual(self.command("EXISTS", "cursor:alice/old"), 1)

    def test_device_away_not_long_enough(self) -> None:
        """A device that was here within that time keeps its place."""
        for device in ("one", "two"):
            self.login("alice", device, devices=2)
            self.command("HDEL", "session:alice", device)
        before = self.dump()
        self.assertEqual(self.login("alice", "three", devices=2), ["DEVICES"])
        self.assert_unchanged(before)

    def test_replaced_on_the_same_server(self) -> None:
        """The same device again: the session is the new connection's, and the old one is named."""
        self.login("alice")
        self.assertEqual(self.login("alice")[1], "ms1 aaaa 1")
        self.assertEqual(self.command("HGETALL", "session:alice"), ["main", "ms1 aaaa 2"])

    def test_replaced_on_another_server(self) -> None:
        """The other server is told which session ended, and no longer counts the device as its own."""
        self.login("alice")
        with Listener(self.server.path, "/sysctrl/client-status") as listener:
            self.assertEqual(self.login("alice", fence=MS2)[1], "ms1 aaaa 1")
            heard = json.loads(listener.next())
        self.assertEqual(heard, {"server": "ms2", "replaced": {"alice/main": "ms1 aaaa 1"}})
        self.assertEqual(self.command("GET", "at:alice"), "ms2/main")
        self.assertEqual(self.command("SMEMBERS", "on:ms1:aaaa"), [])
        self.assertEqual(self.command("SMEMBERS", "on:ms2:bbbb"), ["alice/main"])

    def test_places_of_an_account(self) -> None:
        """Each device of an account is named with its server."""
        for device, fence in (("a", MS1), ("b", MS2), ("c", MS1)):
            self.login("alice", device, fence)
        self.assertEqual(sorted(self.command("GET", "at:alice").split()), ["ms1/a", "ms1/c", "ms2/b"])

    def test_without_memory(self) -> None:
        """With the memory full, known devices still come in to read; nobody new does."""
        self.login("alice")
        self.fill_memory()
        self.assertEqual(self.login("alice")[0], "OK")
        self.assertRaises(hiredis.ReplyError, self.login, "alice", "phone")
        self.assertRaises(hiredis.ReplyError, self.login, "bob")
        self.assertEqual(self.command("EXISTS", "account:bob"), 0)


@on_each_redis
class Logout(ScriptCase):
    """Devices go."""

    def logout(self, *gone: Any, fence: Fence = MS1) -> Any:
        """How many sessions ended."""
        return self.fenced("session/logout", list(gone), fence=fence)

    def test_ends_the_session(self) -> None:
        """Nothing is sent to the server for that device any more."""
        self.login("alice")
        self.assertEqual(self.logout("alice", "main", 1), 1)
        self.assertEqual(self.command("EXISTS", "session:alice", "at:alice", "on:ms1:aaaa"), 0)

    def test_other_devices_stay(self) -> None:
        """One device going does not take the account's others with it."""
        self.login("alice", "one")
        self.login("alice", "two", MS2)
        self.assertEqual(self.logout("alice", "one", 1), 1)
        self.assertEqual(self.command("GET", "at:alice"), "ms2/two")

    def test_late_logout(self) -> None:
        """A logout that comes behind the device's next login ends nothing: neither here nor elsewhere."""
        self.login("alice")
        self.login("alice")
        self.login("bob")
        self.login("bob", fence=MS2)
        self.assertEqual(self.logout("alice", "main", 1, "bob", "main", 3), 0)
        self.assertEqual(self.command("GET", "at:alice"), "ms1/main")
        self.assertEqual(self.command("GET", "at:bob"), "ms2/main")

    def test_another_incarnation(self) -> None:
        """A server that was replaced by one of the same name ends none of its sessions."""
        self.login("alice")
        self.assertEqual(self.logout("alice", "main", 1, fence=replace(MS1, incarnation=b"old")), 0)

    def test_without_memory(self) -> None:
        """A full memory does not keep anybody online."""
        self.login("alice")
        self.fill_memory()
        self.assertEqual(self.logout("alice", "main", 1), 1)
        self.assertEqual(self.command("EXISTS", "at:alice"), 0)


@on_each_redis
class Looking(ScriptCase):
    """What is read of a device without changing anything."""

    def test_talks(self) -> None:
        """The same as a login reads, with the session, for the sweep."""
        self.login("alice")
        self.create("alice", "fishing")
        session, packed = self.runner.script("logs/device_conversations", "alice", "main")
        self.assertEqual(readable(session), "ms1 aaaa 1")
        self.assertEqual(talks(packed), {"#fishing": ["0-0", "", "0-0:", 1]})

    def test_talks_of_nobody(self) -> None:
        """A device that is not logged in has no session; an account without conversations has an empty list."""
        session, packed = self.runner.script("logs/device_conversations", "nobody", "main")
        self.assertEqual((session, talks(packed)), (b"", {}))

    def test_talk(self) -> None:
        """One conversation by itself: its end, the cursor, what may be seen, the version."""
        self.login("alice")
        self.login("bob")
        self.said("alice", "bob", "x")
        self.ack("alice", AB, "7-1")
        self.assertEqual(self.call("logs/device_conversation", "alice", "main", AB), ["7-1", "7-1", "0-0:", 0])
        self.assertEqual(self.call("logs/device_conversation", "bob", "main", AB), ["7-1", "", "0-0:", 0])
        self.assertEqual(self.call("logs/device_conversation", "carol", "main", AB), ["7-1", "", "", 0])

    def test_status(self) -> None:
        """Online with any device, offline without; the last time is of the device that was there last."""
        self.login("alice", "one")
        self.login("alice", "two")
        self.command("HSET", "seen:alice", "one", 5, "two", 1_790_000_000_123)
        self.assertEqual(self.call("accounts/status", "bob", "alice"), [1, 1_790_000_000_123, ""])
        self.fenced("session/logout", ["alice", "one", 1, "alice", "two", 2])
        online, seen, _ = self.call("accounts/status", "bob", "alice")
        now = int(self.command("TIME")[0]) * 1000
        self.assertEqual(online, 0)
        self.assertTrue(now - 60_000 < seen < now + 60_000, seen)

    def test_status_of_nobody(self) -> None:
        """An account that does not exist is not offline."""
        self.assertEqual(self.call("accounts/status", "alice", "nobody"), "NOTFOUND")


class Listener:
    """One subscriber; :meth:`next` waits for what is published."""

    def __init__(self, path: str, channel: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(path)
        self._reader = hiredis.Reader()
        self._socket.sendall(f"SUBSCRIBE {channel}\r\n".encode())
        self.next()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def next(self) -> Any:
        """The next payload."""
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65536))
        return reply[2]
