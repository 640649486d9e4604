"""The chat without a toolkit, on a real server: what it has after an absence, and what is done to messages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.protocols.portforward import ProxyFactory, ProxyServer
from twisted.trial.unittest import TestCase

from fishchat.chat.commands import Commands
from fishchat.chat.core import Chat
from fishchat.chat.home import Home, Place
from fishchat.chat.rooms import Entry, Room
from fishchat.chat.words import Words
from fishchat.client import Client
from fishchat.test.support.waiting import until
from fishchat.testing import Server


class Shown:
    """A view that notes what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.amendments: list[str] = []

    def changed(self) -> None:
        """Nothing is drawn."""

    def arrived(self, room: Room, entry: Entry) -> None:
        """Nothing is drawn."""

    def amended(self, room: Room, message_id: str) -> None:
        """Note the message."""
        self.amendments.append(message_id)

    def say(self, text: str) -> None:
        """Note the line."""
        self.said.append(text)


class Wire(ProxyFactory):
    """A wire to a server that can be cut, and mended."""

    noisy = False

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        super().__init__(host, int(port))
        self._ends: list[Any] = []
        self._port: Any = None
        self._number = 0

    def buildProtocol(self, address: Any) -> ProxyServer | None:
        """Keep the end that can be cut."""
        end = super().buildProtocol(address)
        self._ends.append(end)
        return end

    async def mend(self) -> str:
        """Let clients connect, at the same address each time, which is returned."""
        self._port = await TCP4ServerEndpoint(reactor, self._number, interface="127.0.0.1").listen(self)
        self._number = self._port.getHost().port
        return f"127.0.0.1:{self._number}"

    async def cut(self) -> None:
        """End all connections, and refuse others."""
        await self._port.stopListening()
        for end in self._ends:
            end.transport.abortConnection()
        self._ends.clear()


class CoreCase(TestCase):
    """Alice's chat, over a wire, and bob beside her; both are members of a topic."""

    async def begin(self, server: Server) -> None:
        """Log both in, and open the topic."""
        self.wire = Wire(server.address)
        address = await self.wire.mend()
        self.bob = Client("bob", servers=[server.address], reactor=reactor)
        await self.bob.start()
        await self.bob.create_topic("fish")
        options: dict[str, Any] = {"lazy": True, "own_reads": True, "operations": True}
        client = Client("alice", servers=[address], reactor=reactor, **options)
        self.home = Home(Path(self.mktemp()), Place("alice", address), "tui-test")
        self.view = Shown()
        self.chat = Chat(client, self.home, Words(), self.view, time.time)
        self.commands = Commands(self.chat, lambda: None)
        await client.start()
        self.commands.submit("/join fish")
        await until(lambda: self.chat.room is not None and self.chat.room.loaded)
        assert self.chat.room is not None
        self.room = self.chat.room

    async def end(self) -> None:
        """Log both out."""
        await self.chat.client.stop()
        await self.bob.stop()
        await self.wire.cut()
        self.home.close()

    def found(self, message: str) -> Entry:
        """The entry of a message; one without a text if it is not here."""
        return self.room.find(message) or Entry((0, 0, 0), "", "", 0.0)

    @property
    def texts(self) -> list[str]:
        """The texts in the topic's room."""
        return [entry.text for entry in self.room.entries if entry.kind == "message"]


class Absent(CoreCase):
    """The line is lost for a while."""

    async def test_long(self) -> None:
        """After many messages the newest are there without a hole, and the older ones can be read in order."""
        async with Server() as server:
            await self.begin(server)
            before = [f"before {n}" for n in range(5)]
            after = [f"after {n}" for n in range(120)]
            for text in before:
                await self.bob.send("#fish", text)
            await until(lambda: self.texts == before)
            for other in (False, True):
                with self.subTest(other=other):
                    await self.wire.cut()
                    if other:
                        # A room that is not open is read anew when it is opened.
                        self.chat.open(self.chat.of("alice+bob"))
                    for text in after:
                        await self.bob.send("#fish", text)
                    await self.wire.mend()
                    await until(lambda: self.chat.client.is_online and self.chat.is_idle)
                    self.chat.open(self.room)
                    await until(lambda: self.texts[-1:] == after[-1:] and self.room.loaded and self.chat.is_idle)
                    self.assertEqual(self.texts, after[-len(self.texts) :])
                    while not self.room.complete:
                        await self.chat.older(self.room)
                    wanted = before + after * (1 + other)
                    self.assertEqual(self.texts, wanted)
            await self.end()

    async def test_written(self) -> None:
        """What is written meanwhile waits, and is stored once."""
        async with Server() as server:
            await self.begin(server)
            await self.wire.cut()
            self.commands.submit("written offline")
            self.assertEqual(self.room.entries[-1].state, "waiting")
            await self.wire.mend()
            await until(lambda: self.room.entries[-1].state == "stored")
            page = await self.bob.history("#fish")
            self.assertEqual([item.text for item in page if not item.notice], ["written offline"])
            self.assertEqual(self.texts, ["written offline"])
            await self.end()


class Done(CoreCase):
    """What is done to messages."""

    async def test_operations(self) -> None:
        """Each is counted once, whoever did it, and the view is told of the message."""
        async with Server() as server:
            await self.begin(server)
            message = await self.bob.send("#fish", "hello")
            await until(lambda: self.found(message).text == "hello")
            await self.bob.react(message, "+1")
            await self.bob.react(message, "ok")
            self.commands.submit("/react +1")
            await until(lambda: self.chat.is_idle and self.found(message).reactions == {"+1": 2, "ok": 1})
            self.assertEqual(self.found(message).mine, ("+1",))
            await self.bob.unreact(message, "ok")
            await until(lambda: self.found(message).reactions == {"+1": 2})
            await self.bob.edit(message, "corrected")
            await until(lambda: self.found(message).text == "corrected")
            await self.bob.recall(message)
            await until(lambda: self.found(message).recalled == "bob")
            self.assertEqual(set(self.view.amendments), {message})
            await self.end()

    async def test_old_message(self) -> None:
        """A command about a message before the newest page changes that one, and adds none."""
        async with Server() as server:
            await self.begin(server)
            first = await self.bob.send("#fish", "first")
            for n in range(60):
                await self.bob.send("#fish", f"more {n}")
            await until(lambda: self.texts[-1:] == ["more 59"])
            number = self.found(first).number
            self.commands.submit(f"/react {number} +1")
            await until(lambda: self.found(first).reactions == {"+1": 1})
            self.assertEqual(len(self.texts), 61)
            await self.end()

    async def test_input_history(self) -> None:
        """Commands are there again, and no password."""
        async with Server() as server:
            await self.begin(server)
            for line in ("/me", "hello", "/password geheim123", "/SEND_PASSWORD geheim123"):
                self.commands.submit(line)
            self.assertEqual(self.home.notes.sent["#fish"], ["/me", "hello"])
            await until(lambda: self.chat.is_idle)
            await self.end()
