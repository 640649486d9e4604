"""The lab's proxy, on real sockets: without a fault nobody notices it, and each fault does what it says, no more."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
)
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from fishchat.proof.lab.flow import FULL
from fishchat.proof.lab.proxy import Direction, Link, Proxy
from fishchat.test.support.waiting import until

#: Bytes that Twisted reads at once, and bytes at which a sender gives up that nobody makes wait.
READ, MOST = 1 << 16, 1 << 26

CONNECTS = """
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    sys.stdin.read()
"""


class End(Protocol):
    """One end of a connection: what it heard, and how it was ended."""

    transport: Any

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ended: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = reason

    def say(self, data: bytes) -> None:
        self.transport.write(data)


@implementer(IPushProducer)
class Fast:
    """Sends as fast as it may, until ``enough``."""

    def __init__(self, end: End) -> None:
        self.sent = 0
        self.hash = sha256()
        self.paused = self.done = False
        self._random = Random(7)
        self._transport = end.transport
        self._transport.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self.paused = False
        while not self.paused and not self.done and self.sent < MOST:
            piece = self._random.randbytes(READ)
            self.sent += len(piece)
            self.hash.update(piece)
            self._transport.write(piece)

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.done = True

    def enough(self) -> None:
        """Send no more, and end the connection."""
        self.done = True
        self._transport.unregisterProducer()
        self._transport.loseConnection()


class ProxyCase(TestCase):
    """A proxy with a server behind it; ``unix`` says by what kind of sockets both are reached."""

    unix = False
    timeout = 60

    async def proxy(self) -> Proxy:
        """A proxy that has just been started."""
        self.ends: list[End] = []
        # Not the default temporary directory: a socket's path must be short.
        place = tempfile.TemporaryDirectory(prefix="fc-", dir="/tmp")
        self.addCleanup(place.cleanup)
        self.path = str(Path(place.name) / "near.sock")
        self.server = await self.listen(str(Path(place.name) / "far.sock"))
        self.addCleanup(self.server.stopListening)
        target = self.server.getHost()
        made = Proxy(reactor, target.name.decode() if self.unix else f"127.0.0.1:{target.port}", random=Random(5))
        await made.start(self.path if self.unix else "127.0.0.1:0")
        self.made = made
        self.addCleanup(self.gone)
        self.addCleanup(made.stop)
        return made

    async def listen(self, path: str) -> Any:
        endpoint: Any
        endpoint = (
            UNIXServerEndpoint(reactor, path) if self.unix else TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        )
        return await endpoint.listen(Factory.forProtocol(self.far))

    def far(self) -> End:
        self.ends.append(End())
        return self.ends[-1]

    async def gone(self) -> None:
        """No end of any connection is left."""
        for end in self.ends:
            if end.ended is None and end.transport is not None:
                end.transport.abortConnection()
        await until(lambda: all(end.ended for end in self.ends) and not self.made.links)

    async def near(self) -> End:
        """One more that connects to the proxy."""
        endpoint: Any
        if self.unix:
            endpoint = UNIXClientEndpoint(reactor, self.path)
        else:
            endpoint = HostnameEndpoint(reactor, "127.0.0.1", self.made.port)
        end: End = await connectProtocol(endpoint, End())
        self.ends.append(end)
        return end

    async def pair(self) -> tuple[End, End, Link]:
        """Both ends of a new connection through the proxy, and what it is there."""
        before, links = set(self.ends), set(self.made.links)
        near = await self.near()
        await until(lambda: len(set(self.ends) - before) == 2)
        (far,) = set(self.ends) - before - {near}
        (link,) = self.made.links - links
        await until(lambda: link.far is not None and far.transport is not None)
        return near, far, link

    async def settled(self) -> None:
        """What can arrive has arrived: the loopback takes no time, and the reactor has been at everything since.

        Some round trips beside the proxy are the measure of it.
        """
        aside: list[End] = []

        def server() -> End:
            aside.append(End())
            return aside[0]

        listening: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(server))
        end: End = await connectProtocol(HostnameEndpoint(reactor, "127.0.0.1", listening.getHost().port), End())
        await until(lambda: aside)
        for count in range(1, 6):
            end.say(b"x")
            await until(lambda count=count: len(aside[0].heard) == count)  # type: ignore[misc]
            aside[0].say(b"x")
            await until(lambda count=count: len(end.heard) == count)  # type: ignore[misc]
        end.transport.abortConnection()
        await until(lambda: end.ended and aside[0].ended)
        await listening.stopListening()

    async def assert_passes(self, near: End, far: End) -> None:
        """Both hear what the other says."""
        heard = len(near.heard), len(far.heard)
        near.say(b"to the server")
        far.say(b"to the client")
        await until(lambda: near.heard[heard[0] :] == b"to the client" and far.heard[heard[1] :] == b"to the server")


class PassingOn(ProxyCase):
    """Without a fault, and with what everything that passes has in common."""

    async def test_both_directions_byte_by_byte(self) -> None:
        """Much that is said in both directions at once arrives as it was said."""
        await self.proxy()
        near, far, _ = await self.pair()
        up, down = Random(1).randbytes(3_000_000), Random(2).randbytes(3_000_000)
        near.say(up)
        far.say(down)
        await until(lambda: len(far.heard) >= len(up) and len(near.heard) >= len(down))
        self.assertEqual((far.heard, near.heard), (up, down))

    async def test_end_of_the_near_side(self) -> None:
        """When the client closes, the server hears all that it said, and the end."""
        proxy = await self.proxy()
        near, far, _ = await self.pair()
        said = Random(1).randbytes(1_000_000)
        near.say(said)
        near.transport.loseConnection()
        await until(lambda: far.ended)
        self.assertEqual(far.heard, said)
        self.assertIsInstance(far.ended and far.ended.value, ConnectionDone)
        await until(lambda: not proxy.links)

    async def test_end_of_the_far_side(self) -> None:
        """When the server closes, the client hears all that it said, and the end."""
        proxy = await self.proxy()
        near, far, _ = await self.pair()
        said = Random(1).randbytes(1_000_000)
        far.say(said)
        far.transport.loseConnection()
        await until(lambda: near.ended)
        self.assertEqual(near.heard, said)
        self.assertIsInstance(near.ended and near.ended.value, ConnectionDone)
        await until(lambda: not proxy.links)

    async def test_said_and_closed_at_once(self) -> None:
        """What a client says before the server has taken the connection arrives there, and so does the end."""
        await self.proxy()
        near = await self.near()
        near.say(b"only this")
        near.transport.loseConnection()
        await until(lambda: len(self.ends) == 2 and self.ends[1].ended)
        self.assertEqual(self.ends[1].heard, b"only this")

    async def test_target_away(self) -> None:
        """When the server cannot be reached, the client's connection is closed, and nothing is left of it."""
        proxy = await self.proxy()
        await self.server.stopListening()
        near = await self.near()
        await until(lambda: near.ended and not proxy.links)

    async def test_stop(self) -> None:
        """After the end of the proxy both ends are closed, whatever was in their way."""
        proxy = await self.proxy()
        first, second = await self.pair(), await self.pair()
        proxy.hold(fits=lambda link: link is first[2])
        proxy.swallow(lambda link: link is second[2])
        first[0].say(b"kept")
        await until(lambda: first[2].up.size)
        await proxy.stop()
        await until(lambda: all(end.ended for end in self.ends) and not proxy.links)

    async def _stuck(self, fast: End, slow: End, direction: Direction) -> None:
        slow.transport.pauseProducing()
        sender = Fast(fast)
        (link,) = self.made.links
        (flow,) = link.flows(direction)
        await until(lambda: sender.paused and flow.paused)
        await self.settled()
        await until(lambda: sender.paused and flow.paused)
        self.assertLess(sender.sent, MOST)
        self.assertLess(flow.size, FULL + READ)
        slow.transport.resumeProducing()
        sender.enough()
        await until(lambda: slow.ended)
        self.assertEqual(len(slow.heard), sender.sent)
        self.assertEqual(sha256(slow.heard).digest(), sender.hash.digest())

    async def test_server_that_does_not_read(self) -> None:
        """A client that sends faster than the server reads is made to wait; all of it arrives when the server reads."""
        await self.proxy()
        near, far, _ = await self.pair()
        await self._stuck(near, far, "up")

    async def test_client_that_does_not_read(self) -> None:
        """A server that sends faster than the client reads is made to wait; all of it arrives when the client reads."""
        await self.proxy()
        near, far, _ = await self.pair()
        await self._stuck(far, near, "down")

    async def test_held_is_bounded(self) -> None:
        """Of what is held only so much is taken from the client; the rest waits there, and comes after it."""
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.hold()
        sender = Fast(near)
        await until(lambda: sender.paused and link.up.paused)
        await self.settled()
        self.assertTrue(sender.paused and link.up.paused)
        self.assertLess(sender.sent, MOST)
        self.assertLess(link.up.size, FULL + READ)
        sender.enough()
        proxy.heal()
        await until(lambda: far.ended)
        self.assertEqual(sha256(far.heard).digest(), sender.hash.digest())


class PassingOnUnix(PassingOn):
    """The same between unix sockets, as roles reach Redis."""

    unix = True

    async def test_pid(self) -> None:
        """Of a link over a unix socket it is known which process connected, this one or another."""
        await self.proxy()
        _, _, link = await self.pair()
        self.assertEqual(link.pid, os.getpid())
        child = subprocess.Popen([sys.executable, "-c", CONNECTS, self.path], stdin=subprocess.PIPE)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        assert child.stdin is not None
        self.addCleanup(child.stdin.close)
        await until(lambda: len(self.made.links) == 2)
        (other,) = self.made.links - {link}
        self.assertEqual(other.pid, child.pid)


class FaultTests(ProxyCase):
    """Each method of the proxy that puts something in the way."""

    async def test_no_pid(self) -> None:
        """Of a link over a port nobody knows which process connected."""
        await self.proxy()
        _, _, link = await self.pair()
        self.assertIsNone(link.pid)

    async def _pieces(self, end: End, flow: Any, count: int) -> bytes:
        """Say pieces that come to the proxy one by one; all of them together."""
        pieces = [b"%d;" % number for number in range(count)]
        for piece in pieces:
            size = flow.size
            end.say(piece)
            await until(lambda size=size: flow.size > size)  # type: ignore[misc]
        return b"".join(pieces)

    async def test_delay(self) -> None:
        """Everything takes so long in both directions and comes in order, whatever the delay of each; so the end."""
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.delay(0.4, 0.3)
        began = reactor.seconds()
        up = await self._pieces(near, link.up, 12)
        down = await self._pieces(far, link.down, 12)
        await until(lambda: len(far.heard) == len(up) and len(near.heard) == len(down))
        self.assertEqual((far.heard, near.heard), (up, down))
        self.assertGreater(reactor.seconds() - began, 0.1)
        began = reactor.seconds()
        near.transport.loseConnection()
        await until(lambda: far.ended)
        self.assertGreater(reactor.seconds() - began, 0.09)

    async def test_jitter_alone(self) -> None:
        """A delay of nothing, give or take something, delays too."""
        proxy = await self.proxy()
        near, far, _ = await self.pair()
        proxy.delay(0.0, 0.2)
        began = reactor.seconds()
        for count in range(1, 11):
            near.say(b"x")
            await until(lambda count=count: len(far.heard) == count)  # type: ignore[misc]
        self.assertGreater(reactor.seconds() - began, 0.2)

    async def test_delay_healed(self) -> None:
        """What was to take long comes at once when the fault ends, in front of what is said then."""
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.delay(3600.0)
        said = await self._pieces(near, link.up, 3)
        # No delay any more, but behind what is still to come.
        proxy.delay(0.0)
        said += await self._pieces(near, link.up, 3)
        proxy.heal()
        near.say(b"after")
        await until(lambda: far.heard == said + b"after")
        await self.assert_passes(near, far)

    async def test_drip(self) -> None:
        """No more than the rate passes in each direction, and not much less."""
        proxy = await self.proxy()
        proxy.drip(2000.0)
        said = bytes(range(200)) * 5
        near, far, _ = await self.pair()
        for speaks, hears in (near, far), (far, near):
            began = reactor.seconds()
            speaks.say(said)
            await until(lambda hears=hears: hears.heard == said)  # type: ignore[misc]
            # The first piece stands for the next twentieth of a second.
            self.assertGreater(reactor.seconds() - began, 0.44)
            self.assertLess(reactor.seconds() - began, 5.0)

    async def test_drip_of_many_pieces(self) -> None:
        """What is said letter by letter is no faster."""
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.drip(40.0)
        began = reactor.seconds()
        too_many = 0.0
        for number in range(100):
            near.say(b"x")
            await until(lambda number=number: link.up.size + len(far.heard) > number)  # type: ignore[misc]
            too_many = max(too_many, len(far.heard) - 40.0 * (reactor.seconds() - began))
        self.assertLess(too_many, 3.0)
        proxy.heal()
        await until(lambda: far.heard == b"x" * 100)

    async def test_drip_of_less_than_a_piece(self) -> None:
        """Some bytes a second are no more than that."""
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.drip(10.0)
        began = reactor.seconds()
        near.say(b"some letters")
        await until(lambda: len(far.heard) >= 4)
        self.assertGreater(reactor.seconds() - began, 0.28)
        proxy.heal()
        await until(lambda: far.heard == b"some letters")
        self.assertEqual(link.up.size, 0)

    async def test_hold_up(self) -> None:
        """What clients say is held, and comes afterwards; what servers say passes."""
        await self._hold("up")

    async def test_hold_down(self) -> None:
        """What servers say is held, and comes afterwards; what clients say passes."""
        await self._hold("down")

    async def test_hold_both(self) -> None:
        """What either says is held, and comes afterwards."""
        await self._hold("both")

    async def _hold(self, direction: Direction) -> None:
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.hold(direction)
        sides = (near, far, link.up), (far, near, link.down)
        said = b""
        for speaks, hears, flow in sides:
            if flow in link.flows(direction):
                said = await self._pieces(speaks, flow, 4)
            else:
                speaks.say(b"through")
                await until(lambda hears=hears: hears.heard == b"through")  # type: ignore[misc]
        await self.settled()
        for _, hears, flow in sides:
            self.assertEqual(hears.heard, b"" if flow in link.flows(direction) else b"through")
        proxy.heal()
        for speaks, hears, flow in sides:
            speaks.say(b"!")
            expected = (said if flow in link.flows(direction) else b"through") + b"!"
            await until(lambda hears=hears, expected=expected: hears.heard == expected)  # type: ignore[misc]

    async def test_end_while_held(self) -> None:
        """Who closes meanwhile is heard to its end when the fault ends, and not before."""
        proxy = await self.proxy()
        for by_server in False, True:
            near, far, _ = await self.pair()
            speaks, hears = (far, near) if by_server else (near, far)
            proxy.hold()
            speaks.say(b"last words")
            speaks.transport.loseConnection()
            await until(lambda speaks=speaks: speaks.ended)  # type: ignore[misc]
            await self.settled()
            self.assertEqual((hears.heard, hears.ended), (b"", None))
            proxy.heal()
            await until(lambda hears=hears: hears.ended)  # type: ignore[misc]
            self.assertEqual(hears.heard, b"last words")
        await until(lambda: not proxy.links)

    async def test_swallow(self) -> None:
        """Of a dead link neither end hears a byte or the end of the other any more, after the fault neither."""
        proxy = await self.proxy()
        for by_server in False, True:
            near, far, link = await self.pair()
            speaks, hears = (far, near) if by_server else (near, far)
            proxy.swallow()
            speaks.say(b"unheard")
            hears.say(b"unheard")
            await self.settled()
            self.assertEqual((speaks.heard, hears.heard), (b"", b""))
            speaks.say(b"and the end")
            speaks.transport.loseConnection()
            await until(lambda speaks=speaks: speaks.ended)  # type: ignore[misc]
            await self.settled()
            proxy.heal()
            await self.settled()
            self.assertEqual((hears.heard, hears.ended), (b"", None))
            self.assertIn(link, proxy.links)
            hears.transport.loseConnection()
            await until(lambda link=link: link not in proxy.links)  # type: ignore[misc]
        await self.assert_passes(*(await self.pair())[:2])

    async def test_swallow_what_waits(self) -> None:
        """What waits is swallowed with the link, and who was made to wait can send again, into nothing."""
        proxy = await self.proxy()
        near, far, link = await self.pair()
        proxy.hold()
        sender = Fast(near)
        await until(lambda: sender.paused and link.up.paused)
        proxy.swallow()
        proxy.heal()
        await until(lambda: sender.sent == MOST)
        await self.settled()
        self.assertEqual((far.heard, far.ended, link.up.size), (b"", None, 0))

    async def test_swallow_without_target(self) -> None:
        """A link that is dead from its beginning does not tell either that nobody is there."""
        proxy = await self.proxy()
        await self.server.stopListening()
        proxy.swallow()
        near = await self.near()
        await until(lambda: proxy.links)
        (link,) = proxy.links
        await link.connecting
        await self.settled()
        self.assertIsNone(near.ended)

    async def test_tear(self) -> None:
        """Exactly so many bytes of the server's arrive, then the end, at both sides; others are not concerned."""
        proxy = await self.proxy()
        other = await self.pair()
        said = Random(3).randbytes(500_000)
        for count in 0, 1, 10, 1000, 300_000:
            near, far, link = await self.pair()
            near.say(b"asked before")
            await until(lambda far=far: far.heard)  # type: ignore[misc]
            proxy.tear(count, lambda one, link=link: one is link)  # type: ignore[misc]
            # Something on its way up does not take from what has passed down.
            near.say(b"something under way")
            far.say(said)
            await until(lambda near=near, far=far: near.ended and far.ended)  # type: ignore[misc]
            self.assertEqual(near.heard, said[:count])
        await until(lambda: len(proxy.links) == 1)
        proxy.heal()
        await self.assert_passes(*other[:2])

    async def test_tear_nothing_in_the_beginning(self) -> None:
        """A link that comes when no byte more is to pass ends at once, and nothing is left of it."""
        proxy = await self.proxy()
        proxy.tear(0)
        near = await self.near()
        await until(lambda: near.ended and not proxy.links)
        self.assertEqual(near.heard, b"")

    async def test_tear_healed(self) -> None:
        """A link that has not come to the place where it would have been torn is whole after the fault."""
        proxy = await self.proxy()
        near, far, _ = await self.pair()
        proxy.tear(10)
        far.say(b"nine byte")
        await until(lambda: near.heard == b"nine byte")
        proxy.heal()
        await self.assert_passes(near, far)

    async def test_reset(self) -> None:
        """The links that fit are reset at both ends, are counted, and are gone; the others are not concerned."""
        proxy = await self.proxy()
        (near, far, link), other = await self.pair(), await self.pair()
        proxy.reset(lambda one: one is link)
        await until(lambda: near.ended and far.ended)
        for end in near, far:
            self.assertIsInstance(end.ended and end.ended.value, ConnectionLost)
        await self.assert_passes(*other[:2])
        self.assertEqual(proxy.counts, {"links": 2, "reset": 1})
        self.assertEqual(proxy.links, {other[2]})
        later = await self.pair()
        await self.assert_passes(*later[:2])

    async def test_later_links(self) -> None:
        """A fault holds for links that come later, until the end of it."""
        proxy = await self.proxy()
        proxy.hold("up")
        near, far, link = await self.pair()
        near.say(b"held")
        await until(lambda: link.up.size == 4)
        await self.settled()
        self.assertEqual(far.heard, b"")
        proxy.heal()
        await until(lambda: far.heard == b"held")
        later = await self.pair()
        await self.assert_passes(*later[:2])

    async def test_which_links(self) -> None:
        """A fault is only for the links that fit, those that are there and those that come."""
        proxy = await self.proxy()
        free, held = await self.pair(), await self.pair()
        chosen = {held[2]}

        def fits(link: Link) -> bool:
            # Of those that come, the first one.
            if len(proxy.links) == 3:
                chosen.add(link)
            return link in chosen

        proxy.hold("both", fits)
        later_held, later_free = await self.pair(), await self.pair()
        for near, far, link in held, later_held:
            near.say(b"up")
            far.say(b"down")
            await until(lambda link=link: (link.up.size, link.down.size) == (2, 4))  # type: ignore[misc]
        for near, far, _ in free, later_free:
            await self.assert_passes(near, far)
        for near, far, _ in held, later_held:
            self.assertEqual((near.heard, far.heard), (b"", b""))

    async def test_together(self) -> None:
        """Faults that hold at the same time all hold: slow, late, and cut off behind so many bytes."""
        proxy = await self.proxy()
        near, far, _ = await self.pair()
        proxy.drip(2000.0)
        proxy.delay(0.1)
        proxy.tear(400)
        began = reactor.seconds()
        far.say(bytes(range(200)) * 5)
        await until(lambda: near.ended and far.ended)
        self.assertEqual(near.heard, bytes(range(200)) * 2)
        self.assertGreater(reactor.seconds() - began, 0.2)
