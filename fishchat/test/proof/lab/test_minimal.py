"""The lab's own client, against real processes: what it is told of the protocol is all that it needs."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
from functools import partial
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from fishchat.proof.lab import minimal_wire
from fishchat.proof.lab.minimal import Closed, Gap, Message, MinimalClient, Operation, Refused
from fishchat.proof.processes import MISSING
from fishchat.proof.site import Place, Up
from fishchat.test.support.waiting import until

_up: Up | None = None


async def running() -> Up:
    """All roles as processes, the same for all tests here; they end with this process."""
    global _up
    if _up is None:
        place = Place()
        atexit.register(place.close)
        _up = Up(place)
        atexit.register(_up.kill)
    await _up.when_alive(reactor)
    return _up


class Person:
    """A client that keeps what it is told."""

    def __init__(self, up: Up, account: str, state: object | None = None, operations: bool = False) -> None:
        gateway = f"127.0.0.1:{up.place.gateway}"
        self.client = MinimalClient(account, gateway=gateway, reactor=reactor, state=state, operations=operations)
        self.operations: list[Operation] = []
        self.client.on_operation = self.operations.append
        self.messages: list[Message] = []
        self.gaps: list[Gap] = []
        self.reasons: list[str] = []
        self.notices: list[Message] = []
        self.client.on_message = self.take
        self.client.on_gap = self.gaps.append
        self.client.on_closed = self.reasons.append

    def take(self, message: Message) -> None:
        """Keep what somebody said apart from notices, such as of a new member."""
        (self.notices if message.is_notice else self.messages).append(message)

    @property
    def texts(self) -> list[str]:
        """What was said to it, in the order of arrival, without notices."""
        return [message.text for message in self.messages if not message.is_notice]

    def was_told(self, text: str) -> bool:
        """Whether somebody has said this to it."""
        return text in self.texts


class MinimalClientTests(TestCase):
    """Each test has accounts of its own, named after it."""

    skip = MISSING or None
    timeout = 90

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits for it
        return Deferred.fromCoroutine(self._set_up())

    async def _set_up(self) -> None:
        self.up = await running()

    async def person(self, account: str, state: object | None = None, operations: bool = False) -> Person:
        person = Person(self.up, account, state, operations)
        self.addCleanup(person.client.stop)
        await person.client.start()
        return person

    def send_all(self, person: Person, to: str, texts: list[str]) -> Deferred[Any]:
        return gatherResults([person.client.send(to, text) for text in texts], consumeErrors=True)

    async def test_two(self) -> None:
        """Two talk to each other, and a text comes as it was, line ends and backslashes too."""
        ann, ben = await self.person("two.ann"), await self.person("two.ben")
        said = ["plain", " two\nlines\r\n", "a\\nb", "back\\slash\nand line", "tab\tand \u9c7c"]
        ids = await self.send_all(ann, "two.ben", said)
        await until(lambda: len(ben.texts) == len(said))
        self.assertEqual(ben.texts, said)
        self.assertEqual([message.id for message in ben.messages], ids)
        self.assertEqual({message.conversation for message in ben.messages}, {"two.ann+two.ben"})
        self.assertEqual({message.from_ for message in ben.messages}, {"two.ann"})
        answer = await ben.client.send("two.ann", "yes")
        await until(lambda: ann.texts)
        self.assertEqual([(message.id, message.text) for message in ann.messages], [(answer, "yes")])
        items = await ann.client.history("two.ann+two.ben")
        self.assertEqual([item.text for item in items], [*said, "yes"])
        self.assertEqual([item.id for item in items], [*ids, answer])
        older = await ann.client.history("two.ann+two.ben", before=ids[3], limit=2)
        self.assertEqual([item.text for item in older], said[1:3])
        self.assertEqual([ann.gaps, ben.gaps], [[], []])

    async def test_topic(self) -> None:
        """In a topic all members but the sender are given what is said, until they leave."""
        people = [await self.person("topic." + name) for name in ("ann", "ben", "cid")]
        await people[0].client.create_topic("topic.t")
        for person in people[1:]:
            await person.client.join("topic.t")
        await people[0].client.send("#topic.t", "one\ntwo")
        await until(lambda: people[1].texts and people[2].texts)
        await people[2].client.leave("topic.t")
        await people[1].client.send("#topic.t", "three")
        await until(lambda: people[0].texts)
        self.assertEqual([person.texts for person in people], [["three"], ["one\ntwo"], ["one\ntwo"]])
        self.assertEqual({message.conversation for message in people[1].messages}, {"#topic.t"})
        with self.assertRaises(Refused) as refused:
            await people[2].client.send("#topic.t", "may I?")
        self.assertEqual(refused.exception.word, "NOTMEMBER")
        with self.assertRaises(Refused) as refused:
            await people[2].client.create_topic("topic.t")
        self.assertEqual(refused.exception.word, "EXISTS")

    async def test_operations(self) -> None:
        """What one does to a message the other is told, in order; whoever was away is told what stands."""
        ann, ben = await self.person("ops.ann"), await self.person("ops.ben", operations=True)
        first, second = await self.send_all(ann, "ops.ben", ["one", "two"])
        calls = [ann.client.edit(first, "o\nne"), ann.client.react(first, "+1"), ann.client.unreact(first, "+1")]
        calls += [ann.client.pin(first), ann.client.unpin(first), ann.client.recall(second, "wrong window")]
        ids = await gatherResults(calls, consumeErrors=True)
        await until(lambda: len(ben.operations) == len(ids))
        told = [(one.kind, one.of, one.what) for one in ben.operations]
        expected = [("edit", first, "o\nne"), ("react", first, "+1"), ("unreact", first, "+1")]
        self.assertEqual(
            told, [*expected, ("pin", first, ""), ("unpin", first, ""), ("recall", second, "wrong window")]
        )
        self.assertEqual([one.id for one in ben.operations], ids)
        items = await ben.client.history("ops.ann+ops.ben")
        self.assertEqual([(one.text, one.edited, one.recalled) for one in items[:1]], [("o\nne", ids[0], "")])
        self.assertEqual(items[1].recalled, "ops.ann")
        self.assertEqual([one.text for one in await ben.client.versions(first)], ["one", "o\nne"])
        self.assertEqual((await ben.client.message(first)).text, "o\nne")
        [talk] = [one for one in await ben.client.conversations() if one.conversation == "ops.ann+ops.ben"]
        self.assertEqual((talk.last, talk.read, talk.unread), (8, 0, 1))
        with self.assertRaises(Refused) as refused:
            await ben.client.edit(first, "mine")
        self.assertEqual(refused.exception.word, "RIGHTS")
        with self.assertRaises(Refused) as refused:
            await ann.client.react(second, "+1")
        self.assertEqual(refused.exception.word, "GONE")

    async def test_running_a_topic(self) -> None:
        """An owner kicks, bans, mutes and hands the topic on."""
        ann, ben = await self.person("run.ann"), await self.person("run.ben")
        await ann.client.create_topic("run.t")
        await ben.client.join("run.t")
        await ann.client.mute("run.t", "run.ben")
        await self.refused(ben.client.send("#run.t", "hello"), "MUTED")
        await ann.client.unmute("run.t", "run.ben")
        await ann.client.kick("run.t", "run.ben")
        await self.refused(ben.client.send("#run.t", "hello"), "NOTMEMBER")
        await ann.client.ban("run.t", "run.ben")
        await self.refused(ben.client.join("run.t"), "BANNED")
        await ann.client.unban("run.t", "run.ben")
        await ben.client.join("run.t")
        await ann.client.set_role("run.t", "run.ben", "admin")
        await self.refused(ben.client.transfer("run.t", "run.ben"), "RIGHTS")
        await ann.client.transfer("run.t", "run.ben")
        await ann.client.leave("run.t")

    async def refused(self, command: Deferred[Any], word: str) -> None:
        """Check that a command is refused with this word."""
        with self.assertRaises(Refused) as refused:
            await command
        self.assertEqual(refused.exception.word, word)

    async def test_offline(self) -> None:
        """What was missed comes at the next login, once and in order; without its state, too."""
        ann, ben = await self.person("off.ann"), await self.person("off.ben")
        await ann.client.send("off.ben", "0")
        await until(lambda: ben.texts)
        await ben.client.stop()
        self.assertEqual(ben.reasons, ["stopped"])
        await self.send_all(ann, "off.ben", [str(number) for number in range(1, 400)])
        again = await self.person("off.ben")
        self.assertEqual(again.texts, [str(number) for number in range(1, 400)])
        await again.client.stop()
        self.assertEqual((await self.person("off.ben")).texts, [])

    async def test_state(self) -> None:
        """A client that goes on from the state of one that was cut off repeats nothing and loses nothing."""
        ann, ben = await self.person("state.ann"), await self.person("state.ben")
        await self.send_all(ann, "state.ben", ["1", "2", "3"])
        await until(lambda: len(ben.texts) == 3)
        # Their later selves replace them before anything was acknowledged.
        ben2 = await self.person("state.ben", ben.client.state)
        ann2 = await self.person("state.ann", ann.client.state)
        await until(lambda: ann.reasons and ben.reasons)
        self.assertEqual([ann.reasons, ben.reasons], [["replaced"], ["replaced"]])
        await self.send_all(ann2, "state.ben", ["3", "4"])
        await until(lambda: len(ben2.texts) >= 2)
        self.assertEqual(ben2.texts, ["3", "4"])
        self.assertEqual(ann2.texts, [])
        with self.assertRaises(Closed):
            await ann.client.send("state.ben", "too late")

    async def test_lost_count(self) -> None:
        """A client without state asks for its numbers, so it neither repeats a message nor takes another one for it."""
        ann, ben = await self.person("count.ann"), await self.person("count.ben")
        await self.send_all(ann, "count.ben", ["1", "2"])
        await ann.client.stop()
        ann = await self.person("count.ann")
        await self.send_all(ann, "count.ben", ["1", "2"])
        await until(lambda: len(ben.texts) == 4)
        self.assertEqual(ben.texts, ["1", "2", "1", "2"])

    async def test_limits(self) -> None:
        """What can never be sent is refused by its word, and what was sent behind it arrives."""
        ann, ben = await self.person("limit.ann"), await self.person("limit.ben")
        texts = ["first", "x" * 7168, "x" * 7169, "\n" * 3585, "x" * 9000, "nul\0", "half \ud800", "last"]
        sends = [ann.client.send("limit.ben", text) for text in texts]
        words = []
        for send in sends:
            try:
                await send
            except Refused as refused:
                words.append(refused.word)
        self.assertEqual(words, ["TEXTTOOLONG", "TEXTTOOLONG", "TOOLONG", "NUL", "BADUTF8"])
        await until(lambda: len(ben.texts) == 3)
        self.assertEqual(ben.texts, ["first", "x" * 7168, "last"])
        for to in ("limit.nobody", "#limit.nothing", "Limit Ben", "two\nlines", ""):
            with self.assertRaises(Refused) as refusal:
                await ann.client.send(to, "hello")
            self.assertIn(refusal.exception.word, ("NOTFOUND", "BADNAME"))

    async def killed(self, name: str, pid: int) -> None:
        """Return when all roles run again, this one as another process."""
        await until(lambda: self.up.running().get(name, pid) != pid, 30.0)
        await self.up.when_alive(reactor)

    async def test_hang_and_move(self) -> None:
        """From a msg_server that hangs, and from one that ends in order, both go on elsewhere, and nothing is lost."""
        self.patch(minimal_wire, "DUE", 1.5)
        self.patch(minimal_wire, "QUIET", 0.5)
        ann, ben = await self.person("hang.ann"), await self.person("hang.ben")
        texts = [str(number) for number in range(60)]
        for name, number in (("ms1", signal.SIGSTOP), ("ms2", signal.SIGTERM)):
            given = len(ben.texts)
            sent = self.send_all(ann, "hang.ben", texts[given : given + 30])
            back = self.send_all(ben, "hang.ann", texts[given : given + 30])
            pid = self.up.running()[name]
            os.kill(pid, number)
            try:
                await gatherResults([sent, back])
                await until(partial(ben.was_told, texts[given + 29]))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            await self.up.when_alive(reactor)
        await until(lambda: len(ann.texts) == 60)
        self.assertEqual([ann.texts, ben.texts], [texts, texts])
        self.assertEqual([ann.gaps, ben.gaps, ann.reasons, ben.reasons], [[], [], [], []])

    async def test_kills(self) -> None:
        """When msg_servers and Redis are killed within 300 sends, nothing is lost, doubled or out of order."""
        ann, ben = await self.person("kill.ann"), await self.person("kill.ben")
        cid = await self.person("kill.cid")
        await ann.client.create_topic("kill.t")
        await ben.client.join("kill.t")
        await cid.client.join("kill.t")
        texts = [str(number) for number in range(100)]
        ids = []
        for part, name in enumerate(("ms1", "redis", "ms2")):
            some = texts[part * 34 : part * 34 + 34]
            sends = [self.send_all(ann, "kill.ben", some), self.send_all(ann, "#kill.t", some)]
            sends.append(self.send_all(ben, "kill.ann", some))
            await until(partial(ben.was_told, some[4]))
            pid = self.up.running()[name]
            os.kill(pid, signal.SIGKILL)
            ids.append([await send for send in sends])
            await self.killed(name, pid)
        await until(lambda: [len(one.texts) for one in (ann, ben, cid)] == [100, 200, 100], 30.0)
        self.assertEqual([ann.texts, cid.texts], [texts, texts])
        for index, conversation in enumerate(("kill.ann+kill.ben", "#kill.t")):
            said = [message for message in ben.messages if not message.is_notice]
            given = [message for message in said if message.conversation == conversation]
            self.assertEqual([message.text for message in given], texts)
            self.assertEqual([message.id for message in given], [id_ for part in ids for id_ in part[index]])
        self.assertEqual([ann.gaps, ben.gaps, cid.gaps], [[], [], []])
