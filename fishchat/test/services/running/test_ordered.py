"""Services stop one after another, the last one first."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.running.ordered import OrderedService


class Part(Service):
    """Notes what is asked of it, and stops when it is told that it has."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.setName(name)
        self.notes = notes
        self.stopped: Deferred[None] = Deferred()

    def startService(self) -> None:
        super().startService()
        self.notes.append(f"start {self.name}")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self.notes.append(f"stop {self.name}")
        return self.stopped


class OrderedServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.notes: list[str] = []
        self.service = OrderedService()
        self.parts = [Part(name, self.notes) for name in ("redis", "store", "port")]
        for part in self.parts:
            part.setServiceParent(self.service)
        self.service.startService()

    def test_starts_in_order(self) -> None:
        """What was added first starts first."""
        self.assertEqual(self.notes, ["start redis", "start store", "start port"])

    def test_stops_in_reverse_and_waits(self) -> None:
        """The next one is asked only when the one before has stopped."""
        self.notes.clear()
        stopped = self.service.stopService()
        self.assertEqual(self.notes, ["stop port"])
        self.parts[2].stopped.callback(None)
        self.assertEqual(self.notes, ["stop port", "stop store"])
        self.parts[1].stopped.callback(None)
        self.assertNoResult(stopped)
        self.parts[0].stopped.callback(None)
        self.successResultOf(stopped)
        self.assertFalse(self.service.running)

    def test_an_error_is_logged_and_the_others_stop(self) -> None:
        """One that fails to stop does not keep the others alive."""
        self.parts[2].stopped = fail(RuntimeError("cannot"))
        for part in self.parts[:2]:
            part.stopped.callback(None)
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.notes[-1], "stop redis")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
