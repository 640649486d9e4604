"""What commands print."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli.printing import local_time


class Times(SynchronousTestCase):
    """Times of the store for people."""

    def test_any(self) -> None:
        """Every number is a text, also one that no calendar has."""
        self.assertRegex(local_time(1_796_064_992_253), r"^2026-\d\d-\d\d \d\d:\d\d$")
        self.assertEqual(local_time(0, "no token"), "no token")
        for beyond in (10**15, 10**20, 2**63):
            self.assertEqual(local_time(beyond), "after 9999")
        self.assertEqual(local_time(-(10**20)), "before 1")
