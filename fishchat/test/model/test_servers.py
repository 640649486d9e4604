from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.servers import FORGOTTEN, GONE, LATE, MOST, Health, Servers


class Remembering(SynchronousTestCase):
    """The monitor remembers who was there lately."""

    def setUp(self) -> None:
        """Nobody heard yet."""
        self.servers: Servers[str] = Servers()

    def health(self, id: str, now: float) -> Health | None:
        """How a router is, None when it is forgotten."""
        server = self.servers.at(now).get(("router", id))
        return None if server is None else server.health(now)

    def test_states(self) -> None:
        """Alive, then late, then gone, by the age of the last report; a new report revives it."""
        self.servers.heard(("router", "r1"), "report", 0)
        self.assertIs(self.health("r1", LATE - 0.1), Health.ALIVE)
        self.assertIs(self.health("r1", LATE), Health.LATE)
        self.assertIs(self.health("r1", GONE), Health.GONE)
        self.servers.heard(("router", "r1"), "report", GONE)
        self.assertIs(self.health("r1", GONE), Health.ALIVE)

    def test_stopped(self) -> None:
        """Who says good-bye is gone at once."""
        self.servers.heard(("router", "r1"), "report", 0, stopped=True)
        self.assertIs(self.health("r1", 0), Health.GONE)

    def test_last_report(self) -> None:
        """Of each server the last report counts; role and id together name it."""
        self.servers.heard(("router", "x"), "old", 0)
        self.servers.heard(("manager", "x"), "other", 0)
        self.servers.heard(("router", "x"), "new", 1)
        known = self.servers.at(1)
        self.assertEqual([*known], [("manager", "x"), ("router", "x")])
        self.assertEqual(known["router", "x"].report, "new")

    def test_forgotten(self) -> None:
        """After an hour without a word nothing is known of it any more."""
        self.servers.heard(("router", "r1"), "report", 0)
        self.servers.heard(("router", "r2"), "report", 10)
        self.assertIs(self.health("r1", FORGOTTEN - 1), Health.GONE)
        self.assertIsNone(self.health("r1", FORGOTTEN))
        self.assertIs(self.health("r2", FORGOTTEN), Health.GONE)

    def test_bounded(self) -> None:
        """With too many the longest unheard are forgotten."""
        for number in range(MOST + 1):
            self.servers.heard(("router", f"r{number}"), "report", 0)
            self.servers.heard(("router", "always"), "report", 0)
        self.assertEqual(len(self.servers.at(0)), MOST)
        self.assertIsNone(self.health("r0", 0))
        self.assertIs(self.health("always", 0), Health.ALIVE)
