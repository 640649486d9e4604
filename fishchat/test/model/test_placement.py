from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.placement import GONE, MOST, OFFERED, Placement, Way


def placement(*fallback: str, seed: int = 1) -> Placement:
    """With dice that fall the same way each time."""
    return Placement(fallback, Random(seed))


def at(address: str, address_tls: str = "") -> dict[Way, str]:
    """The addresses of a server."""
    return {Way(): address, **({Way(secure=True): address_tls} if address_tls else {})}


class Choosing(SynchronousTestCase):
    """A client is sent to a msg_server that is alive and has room."""

    def test_nobody(self) -> None:
        """Nothing heard, nothing configured: nothing to offer."""
        self.assertEqual(placement().choose(0), [])

    def test_fallback(self) -> None:
        """The configured ones are offered when none is known, each once, in no fixed order."""
        known = placement("a:1", "b:1", "a:1")
        first = {known.choose(0)[0] for _ in range(50)}
        self.assertEqual(first, {"a:1", "b:1"})
        self.assertEqual(sorted(known.choose(0)), ["a:1", "b:1"])

    def test_live_ones_only(self) -> None:
        """Once a live one is known, the configured list means nothing."""
        known = placement("a:1")
        known.heard("ms1", 1, at("b:1"), 10, now=0)
        self.assertEqual(known.choose(0), ["b:1"])

    def test_secure(self) -> None:
        """With TLS only servers that have an address for it, and a list of their own when there is none."""
        known = Placement(["f:1"], Random(1), ["f:2", "f:2"])
        self.assertEqual((known.choose(0), known.choose(0, Way(secure=True))), (["f:1"], ["f:2"]))
        known.heard("ms1", 1, at("a:1"), 10, now=0)
        self.assertEqual((known.choose(0), known.choose(0, Way(secure=True))), (["a:1"], ["f:2"]))
        known.heard("ms2", 1, at("b:1", "b:2"), 10, 0)
        self.assertEqual(sorted(known.choose(0)), ["a:1", "b:1"])
        self.assertEqual(known.choose(0, Way(secure=True)), ["b:2"])

    def test_unheard(self) -> None:
        """A server unheard for six seconds is not offered; heard again, it is."""
        known = placement("a:1")
        known.heard("ms1", 1, at("b:1"), 10, now=0)
        self.assertEqual(known.choose(GONE - 0.001), ["b:1"])
        self.assertEqual(known.choose(GONE), ["a:1"])
        known.heard("ms1", 1, at("b:1"), 10, now=GONE + 1)
        self.assertEqual(known.choose(GONE + 1), ["b:1"])

    def test_stopping(self) -> None:
        """A server that stops is not offered from that moment."""
        known = placement("a:1")
        known.heard("ms1", 1, at("b:1"), 10, now=0)
        known.stopping("ms1", 1)
        known.stopping("never-heard-of", 1)
        self.assertEqual(known.choose(0), ["a:1"])

    def test_stopping_predecessor(self) -> None:
        """The late good-bye of a process that was replaced already does not hide its successor."""
        known = placement()
        known.heard("ms1", 1, at("b:1"), 10, now=0)
        known.heard("ms1", 2, at("b:1"), 10, now=1)
        known.stopping("ms1", 1)
        self.assertEqual(known.choose(1), ["b:1"])

    def test_by_room(self) -> None:
        """Three times the room, three times the clients."""
        known = placement()
        known.heard("ms1", 1, at("a:1"), 300, now=0)
        known.heard("ms2", 1, at("b:1"), 100, now=0)
        first = Counter(known.choose(0)[0] for _ in range(4000))
        self.assertApproximates(first["a:1"] / 4000, 0.75, 0.03)

    def test_full(self) -> None:
        """A full server comes behind all others, and is offered when there is nothing else."""
        known = placement()
        known.heard("ms1", 1, at("a:1"), 0, now=0)
        known.heard("ms2", 1, at("b:1"), 1, now=0)
        known.heard("ms3", 1, at("c:1"), -5, now=0)
        for _ in range(20):
            offered = known.choose(0)
            self.assertEqual(offered[0], "b:1")
            self.assertEqual(sorted(offered[1:]), ["a:1", "c:1"])
        known.stopping("ms2", 1)
        self.assertEqual(sorted(known.choose(0)), ["a:1", "c:1"])

    def test_bounded(self) -> None:
        """However many names are heard, only so many are remembered, and the living are not lost for them."""
        known = placement()
        known.heard("ms1", 1, at("a:1"), 10, now=0)
        for number in range(MOST + 5):
            known.heard(f"x{number}", 1, at(f"x:{number}"), 0, now=0)
        self.assertEqual(known.count, MOST)
        self.assertEqual(known.choose(0)[0], "a:1")
        known.heard("ms2", 1, at("b:1"), 10, now=GONE)
        self.assertEqual(known.choose(GONE), ["b:1"])

    def test_always(self) -> None:
        """For any heartbeats, the choice is up to three different addresses of live servers, as many as possible."""
        server_and_port = st.integers(0, 8), st.integers(0, 5)
        heartbeat = st.tuples(*server_and_port, st.integers(-3, 50), st.floats(0, 12), st.booleans())

        @given(st.lists(heartbeat), st.integers(0, 2**32))
        def holds(heard: list[tuple[int, int, int, float, bool]], seed: int) -> None:
            known = placement("f:1", "f:2", seed=seed)
            alive: dict[int, tuple[int, float]] = {}
            for server, port, free, when, stops in sorted(heard, key=lambda each: each[3]):
                known.heard(f"ms{server}", 1, at(f"h:{port}"), free, when)
                alive[server] = (port, when)
                if stops:
                    known.stopping(f"ms{server}", 1)
                    del alive[server]
            expected = {f"h:{port}" for port, when in alive.values() if 12 - when < GONE}
            offered = known.choose(12)
            self.assertEqual(len(set(offered)), len(offered))
            if expected:
                self.assertLessEqual(set(offered), expected)
                self.assertEqual(len(offered), min(OFFERED, len(expected)))
            else:
                self.assertEqual(sorted(offered), ["f:1", "f:2"])

        holds()
