"""The vectors of the client's machine that the tests of the pages replay."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from fishchat.test.client import vectors


class Written(SynchronousTestCase):
    """The files in the repository are those of this machine."""

    def test_current(self) -> None:
        """``python -m fishchat.test.client.vectors`` would change nothing."""
        for path, text in vectors.files():
            self.assertTrue(path.read_text("utf-8") == text, f"{path} is out of date: python -m {vectors.__name__}")

    def test_everything(self) -> None:
        """The scenarios hold every kind of event but the ends, restarts and losses."""
        steps = [step for seed in range(vectors.SCENARIOS) for step in vectors.scenario(seed)]
        events = Counter(event["type"] for step in steps for event in step["events"])
        wanted = "settled message notice gap behind edited recalled reacted pinned reactionSums read presence typing"
        self.assertLessEqual({*wanted.split(), "online", "synced", "moved", "broken"}, set(events))
        self.assertLessEqual({"restart", "lost", "tick", "lines"}, {step["do"][0] for step in steps})
