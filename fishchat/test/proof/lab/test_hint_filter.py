"""What the lab does to the messages of Redis' channels, and that it leaves everything else as it is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import hiredis
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.proof.lab.hint_filter import HintFilter
from fishchat.proof.lab.proxy import Proxy
from fishchat.test.support.chunks import cut
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.waiting import until

PREFIX = b"/msg_server/"

_pack: Any = hiredis.pack_command


def bulk(word: bytes) -> bytes:
    """A word as Redis writes it."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


def array(replies: list[bytes]) -> bytes:
    """Replies in one."""
    return b"*%d\r\n%b" % (len(replies), b"".join(replies))


def message(channel: bytes, payload: bytes) -> bytes:
    """What a subscriber is told."""
    return array([bulk(b"message"), bulk(channel), bulk(payload)])


#: Words may hold what looks like the beginning of a reply, or of a message.
words = st.one_of(st.binary(max_size=20), st.sampled_from([b"\r\n", b"*3\r\n$7\r\nmessage\r\n", message(PREFIX, b"x")]))
plain = st.one_of(
    words.map(bulk),
    st.integers(-(10**18), 10**18).map(lambda number: b":%d\r\n" % number),
    st.sampled_from(
        [b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"+OK\r\n", b"+\r\n", b"-ERR what is *3 $7\r\n", b"$0\r\n\r\n"]
    ),
)
hints = st.builds(message, st.binary(max_size=5).map(lambda name: PREFIX + name), words)
others = st.one_of(
    st.recursive(plain, lambda inner: st.lists(st.one_of(inner, hints), max_size=4).map(array), max_leaves=10),
    st.builds(message, st.sampled_from([b"", b"/", b"/msg_server", b"x/msg_server/1", b"/sysctrl/x"]), words),
    st.sampled_from([b"subscribe", b"unsubscribe"]).map(
        lambda kind: array([bulk(kind), bulk(PREFIX + b"1"), b":1\r\n"])
    ),
)
#: Each with whether it is a hint.
streams = st.lists(st.one_of(hints.map(lambda raw: (raw, True)), others.map(lambda raw: (raw, False))), max_size=10)
#: Where they are cut: at some places, or everywhere.
cuts = st.one_of(st.lists(st.integers(0, 600)), st.just(list(range(5000))))


class FilterTests(SynchronousTestCase):
    """Of any stream, cut anywhere."""

    def edited(self, stream: list[tuple[bytes, bool]], places: list[int], hints: HintFilter) -> bytes:
        """What is passed on of it, in the end."""
        return b"".join(hints.edit(piece) for piece in cut(b"".join(raw for raw, _ in stream), places))

    @given(streams, cuts)
    def test_nothing_is_disturbed(self, stream: list[tuple[bytes, bool]], places: list[int]) -> None:
        """Without a share everything passes unchanged, and nothing is kept back that is complete."""
        hints = HintFilter(PREFIX, 0.0, 0.0, 0.0, Random(1))
        self.assertEqual(self.edited(stream, places, hints), b"".join(raw for raw, _ in stream))

    @given(streams, cuts)
    def test_all_dropped(self, stream: list[tuple[bytes, bool]], places: list[int]) -> None:
        """The messages of the prefix are lost, those and no others."""
        hints = HintFilter(PREFIX, 1.0, 0.0, 0.0, Random(1))
        self.assertEqual(self.edited(stream, places, hints), b"".join(raw for raw, is_hint in stream if not is_hint))
        self.assertEqual(hints.counts["dropped"], sum(is_hint for _, is_hint in stream))

    @given(streams, cuts)
    def test_all_doubled(self, stream: list[tuple[bytes, bool]], places: list[int]) -> None:
        """The messages of the prefix come twice, those and no others."""
        hints = HintFilter(PREFIX, 0.0, 1.0, 0.0, Random(1))
        self.assertEqual(self.edited(stream, places, hints), b"".join(raw * (1 + is_hint) for raw, is_hint in stream))
        self.assertEqual(hints.counts["doubled"], sum(is_hint for _, is_hint in stream))

    @given(streams, cuts)
    def test_all_late(self, stream: list[tuple[bytes, bool]], places: list[int]) -> None:
        """Each message of the prefix comes where the next one would; the last one behind the first after the fault."""
        hints = HintFilter(PREFIX, 0.0, 0.0, 1.0, Random(1))
        expected, kept = b"", b""
        for raw, is_hint in stream:
            expected += kept if is_hint else raw
            kept = raw if is_hint else kept
        self.assertEqual(self.edited(stream, places, hints), expected)
        hints.heal()
        after = message(PREFIX, b"after")
        self.assertEqual(hints.edit(after * 2), after + kept + after)

    @given(streams, st.integers(0, 1000))
    def test_some_of_each(self, stream: list[tuple[bytes, bool]], seed: int) -> None:
        """What is neither lost nor doubled comes once, and the counts say how many were."""
        hints = HintFilter(PREFIX, 0.3, 0.2, 0.3, Random(seed))
        edited = self.edited(stream, [], hints)
        hints.heal()
        edited += hints.edit(message(PREFIX, b""))
        came = sum(is_hint for _, is_hint in stream) - hints.counts["dropped"] + hints.counts["doubled"] + 1
        self.assertEqual(len(self._messages(edited)), came)
        self.assertLessEqual(
            set(self._messages(edited)), {*(raw for raw, hint in stream if hint), message(PREFIX, b"")}
        )

    def _messages(self, stream: bytes) -> list[bytes]:
        """Those of the prefix: as a client of Redis reads them."""
        reader = hiredis.Reader()
        reader.feed(stream)
        found = []
        while (reply := reader.gets()) is not False:
            if isinstance(reply, list) and reply[:1] == [b"message"] and reply[1].startswith(PREFIX):
                found.append(message(reply[1], reply[2]))
        return found

    def test_shares(self) -> None:
        """Of many messages about the shares are lost, doubled and late; after the fault none is."""
        hints = HintFilter(PREFIX, 0.3, 0.1, 0.2, Random(1))
        for number in range(2000):
            hints.edit(message(PREFIX, b"%d" % number))
        for kind, share in ("dropped", 600), ("doubled", 200), ("late", 400):
            self.assertLess(abs(hints.counts[kind] - share), 80, kind)
        hints.heal()
        hints.edit(message(PREFIX, b"what was late comes with it"))
        for number in range(100):
            self.assertEqual(hints.edit(message(PREFIX, b"%d" % number)), message(PREFIX, b"%d" % number))

    def test_disturbed_otherwise(self) -> None:
        """What is disturbed, and how, can be changed while messages come."""
        hints = HintFilter(PREFIX, 1.0, 0.0, 0.0, Random(1))
        first, second = message(PREFIX + b"1", b"x"), message(b"/other/1", b"x")
        self.assertEqual(hints.edit(first + second), second)
        hints.disturb(b"/other/", 0.0, 1.0, 0.0)
        self.assertEqual(hints.edit(first + second), first + second * 2)

    def test_not_redis(self) -> None:
        """What cannot be taken apart is an error."""
        hints = HintFilter(PREFIX, 1.0, 0.0, 0.0, Random(1))
        self.assertRaises(ValueError, hints.edit, b"the rest of a reply\r\n")
        self.assertRaises(ValueError, HintFilter(PREFIX, 1.0, 0.0, 0.0, Random(1)).edit, b"$x\r\n")


class End(Protocol):
    """A client of Redis that keeps what it is told, byte by byte."""

    transport: Any

    def __init__(self) -> None:
        self.heard = b""
        self.ended = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = True

    def ask(self, *commands: tuple[bytes | str | int, ...]) -> None:
        self.transport.write(b"".join(map(_pack, commands)))


class RedisTests(TestCase):
    """Through the proxy, from a real Redis."""

    timeout = 60

    async def start(self) -> Proxy:
        """A proxy before the Redis that all tests share."""
        self.redis = shared_redis()
        place = tempfile.TemporaryDirectory(prefix="fc-", dir="/tmp")
        self.addCleanup(place.cleanup)
        self.path = str(Path(place.name) / "between.sock")
        proxy = Proxy(reactor, self.redis.path, random=Random(5))
        await proxy.start(self.path)
        self.addCleanup(until, lambda: not proxy.links)
        self.addCleanup(proxy.stop)
        return proxy

    async def end(self, path: str) -> End:
        end: End = await connectProtocol(UNIXClientEndpoint(reactor, path), End())
        self.addCleanup(until, lambda: end.ended)
        self.addCleanup(end.transport.abortConnection)
        return end

    async def told(self, subscriber: End) -> list[bytes]:
        """The payloads that a subscriber was told in order, once it has heard all until now."""
        mark = b"mark %d" % len(subscriber.heard)
        self.redis.command("PUBLISH", "/other/", mark)
        await until(lambda: bulk(mark) in subscriber.heard)
        reader = hiredis.Reader()
        reader.feed(subscriber.heard)
        subscriber.heard = b""
        found = []
        while (reply := reader.gets()) is not False:
            if reply[0] == b"message" and reply[1].startswith(PREFIX):
                found.append(reply[2])
        return found

    async def test_answers_pass_unchanged(self) -> None:
        """Ordinary commands are answered byte for byte as without the lab: nil, errors, numbers, arrays in arrays."""
        proxy = await self.start()
        proxy.disturb_hints(PREFIX, 1.0, 0.0, 0.0)
        nested = "return {1, 'a', {redis.status_reply('FINE'), {}, redis.error_reply('ERR no')}, '', 'message', -1}"
        commands: list[tuple[bytes | str | int, ...]] = [
            ("SET", "key", b"\r\n*3\r\n$7\r\nmessage\r\n"),
            ("GET", "key"),
            ("GET", "none"),
            ("NOSUCH",),
            ("INCR", "number"),
            ("MGET", "key", "none", "number"),
            ("EVAL", nested, 0),
            ("MULTI",),
            ("GET", "number"),
            ("INCR", "key"),
            ("EXEC",),
            # With one millisecond a busy Redis may block for ever: the time may be over before it begins to wait.
            ("BLPOP", "none", "0.1"),
            ("SET", "large", b"x" * 300_000),
            ("GET", "large"),
            ("PING",),
            ("ECHO", "fin"),
        ]
        heard = []
        for path in self.redis.path, self.path:
            self.redis.command("FLUSHALL")
            end = await self.end(path)
            end.ask(*commands)
            await until(lambda end=end: end.heard.endswith(b"fin\r\n"))  # type: ignore[misc]
            heard.append(end.heard)
        self.assertEqual(heard[0], heard[1])

    async def test_subscriber(self) -> None:
        """A subscriber misses the messages of the prefix and nothing else, until the fault ends."""
        proxy = await self.start()
        proxy.disturb_hints(PREFIX, 1.0, 0.0, 0.0)
        direct, disturbed = await self.end(self.redis.path), await self.end(self.path)
        for end in direct, disturbed:
            end.ask(("SUBSCRIBE", PREFIX + b"1", "/other/"), ("PING",), ("SUBSCRIBE", "/msg_server"))
            await until(lambda end=end: end.heard.endswith(b":3\r\n"))  # type: ignore[misc]
        for number in range(5):
            self.redis.command("PUBLISH", PREFIX + b"1", number)
            self.redis.command("PUBLISH", "/other/", number)
            self.redis.command("PUBLISH", "/msg_server", number)
        self.redis.command("PUBLISH", "/other/", "fin")
        await until(lambda: bulk(b"fin") in direct.heard and bulk(b"fin") in disturbed.heard)
        dropped = [message(PREFIX + b"1", b"%d" % number) for number in range(5)]
        for one in dropped:
            self.assertIn(one, direct.heard)
            direct.heard = direct.heard.replace(one, b"")
        self.assertEqual(disturbed.heard, direct.heard)
        proxy.heal()
        self.redis.command("PUBLISH", PREFIX + b"1", "again")
        self.assertEqual((await self.told(disturbed))[-1], b"again")

    async def test_changed_while_it_holds(self) -> None:
        """Links that are there are disturbed in the new way: first late, then twice; then healed."""
        proxy = await self.start()
        proxy.disturb_hints(PREFIX, 0.0, 0.0, 1.0)
        end = await self.end(self.path)
        end.ask(("SUBSCRIBE", PREFIX + b"1", "/other/"))
        await until(lambda: end.heard.endswith(b":2\r\n"))
        for text in "a", "b", "c":
            self.redis.command("PUBLISH", PREFIX + b"1", text)
        self.assertEqual(await self.told(end), [b"a", b"b"])
        proxy.disturb_hints(PREFIX, 0.0, 1.0, 0.0)
        self.redis.command("PUBLISH", PREFIX + b"1", "d")
        self.assertEqual(await self.told(end), [b"d", b"d", b"c"])
        proxy.heal()
        self.redis.command("PUBLISH", PREFIX + b"1", "e")
        self.assertEqual(await self.told(end), [b"e"])
        (link,) = proxy.links
        self.assertEqual(link.hints and link.hints.counts, {"late": 3, "doubled": 1})

    async def test_which_links(self) -> None:
        """Only subscribers that fit are disturbed."""
        proxy = await self.start()
        first = await self.end(self.path)
        await until(lambda: len(proxy.links) == 1)
        (chosen,) = proxy.links
        second = await self.end(self.path)
        proxy.disturb_hints(PREFIX, 1.0, 0.0, 0.0, lambda link: link is chosen)
        for end in first, second:
            end.ask(("SUBSCRIBE", PREFIX + b"1", "/other/"))
            await until(lambda end=end: end.heard.endswith(b":2\r\n"))  # type: ignore[misc]
        self.redis.command("PUBLISH", PREFIX + b"1", "hint")
        self.assertEqual(await self.told(first), [])
        self.assertEqual(await self.told(second), [b"hint"])
