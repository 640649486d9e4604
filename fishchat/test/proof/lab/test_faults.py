"""A fault that does nothing makes the run fail, and a seed is the same plan however many clients there are."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.faults.links import check_there, some
from fishchat.proof.lab.proxy import Link, Proxy
from fishchat.proof.lab.reading import read
from fishchat.proof.lab.run import Plan, Run


class FaultTests(SynchronousTestCase):
    def make(self) -> Run:
        """A run of which nothing is started."""
        run = Run(reactor, "nothing", lambda run: succeed(None), Plan(notes=Path(self.mktemp()).absolute()))
        self.addCleanup(run.recorder.close)
        return run

    def complaints(self, run: Run, kind: str) -> list[str]:
        """Return the complaints of this kind in its journal, which has no others."""
        run.recorder.flush()
        found = read(run.rig.notes / "journal.jsonl").complaints
        self.assertEqual(found.keys(), {kind})
        return found[kind]

    def test_no_connection(self) -> None:
        """Where there is no connection, nothing could be done to one."""
        run = self.make()
        check_there(run, Proxy(reactor, "127.0.0.1:1", random=run.random))
        self.assertEqual(len(self.complaints(run, "setup")), 1)

    def test_nothing_was_done(self) -> None:
        """A run without a fault is none, and a probe that was never answered has shown nothing."""
        run = self.make()
        run.look_for_nothing()
        self.assertEqual(len(self.complaints(run, "setup")), 1 + len(run.probes))
        run.recorder.fault("kill", "ms1")
        for probe in run.probes.values():
            probe.stored = 1
        run.look_for_nothing()
        self.assertEqual(len(self.complaints(run, "setup")), 1 + len(run.probes))

    def test_old_logs(self) -> None:
        """A traceback is found although its log has been put aside since."""
        run = self.make()
        (run.rig.data / "output").touch()
        text = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no\n'
        (run.rig.data / "ms1.log.1").write_text(text)
        run.look_for_tracebacks()
        self.assertEqual(self.complaints(run, "traceback"), ["ms1.log.1 has a traceback: ValueError: no"])

    def test_choice_of_links(self) -> None:
        """However many links there are, and however often they are looked at, the plan goes on with the same number."""
        following = set()
        for count in (0, 5, 30):
            run = self.make()
            fits = some(run, 2)
            links = [Link.__new__(Link) for _ in range(count)]
            chosen = [fits(link) for link in links]
            self.assertEqual([fits(link) for link in links], chosen)
            following.add(run.random.random())
        self.assertEqual(len(following), 1)
