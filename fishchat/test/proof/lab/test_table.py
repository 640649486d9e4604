"""What people read of runs: the tables, and the sentence at the end of a run."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.runner import redis_version, sentence
from fishchat.proof.lab.table import tables
from fishchat.test.support.redis_fixture import executables

FIGURES: dict[str, Any] = {
    "fault": "kill",
    "seed": 1,
    "redis": "7.0",
    "faults": {"kill": 4, "stop": 1},
    "acknowledged": 1234,
    "handed": 2468,
    "first_ok": 0.5,
    "violations": {},
    "kept": True,
}


class ForPeople(SynchronousTestCase):
    """Figures as text."""

    def test_redis(self) -> None:
        """The table says with which Redis a run was done; a run knows that, whether one was chosen for it or not."""
        self.assertIn("| `kill` |", tables([FIGURES]))
        self.assertIn(" | 7.0 | 1 | 5 | 1,234 | 2,468 | 0.50 s | 0 |", tables([FIGURES]))
        self.assertRegex(redis_version(executables()[0]), r"^[0-9]+\.[0-9]+$")
        self.assertRegex(redis_version(""), r"^[0-9]+\.[0-9]+$")

    def test_sentence(self) -> None:
        """A run ends with a sentence: promises were kept, or where to look."""
        self.assertEqual(sentence(FIGURES), "kill: all promises were kept (5 faults, 1,234 messages acknowledged)")
        broken = {**FIGURES, "violations": {"lost": 2, "late": 1}, "notes": "/tmp/run", "kept": False}
        self.assertEqual(
            sentence(broken),
            "kill: 3 violations of promises (5 faults, 1,234 messages acknowledged); see /tmp/run",
        )
