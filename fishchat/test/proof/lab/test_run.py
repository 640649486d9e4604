"""A short set of faults over real processes, with fixed seeds; the whole set is `fishchat lab all`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from fishchat.proof.lab import campaign
from fishchat.proof.lab.catalogue import FAULTS
from fishchat.proof.lab.checkers import NAMES
from fishchat.proof.lab.mutants import MUTANTS
from fishchat.proof.lab.runner import Options, redis_version
from fishchat.proof.processes import COMMAND, HERE, MISSING, prepare_child
from fishchat.test.support.waiting import until

#: What is done, for how many seconds.
CHOSEN = {"kill": 14.0, "cut": 14.0, "hints": 12.0, "redis-unheard": 18.0, "members-unheard": 10.0}
#: Messages a second: other tests want the machine, too.
RATE = 150.0


class CatalogueTests(SynchronousTestCase):
    def test_sentences(self) -> None:
        """Every fault says what it does, and takes its name from nobody else."""
        sentences = [fault.sentence for fault in FAULTS.values()]
        self.assertEqual(len(set(sentences)), len(FAULTS))
        self.assertTrue(all(sentence.endswith(".") for sentence in sentences), sentences)

    def test_evidence(self) -> None:
        """Every mutant names violations that it must cause; a run with others only has not found it."""
        for mutant in MUTANTS:
            self.assertTrue(mutant.evidence and set(mutant.evidence) <= set(NAMES), mutant.name)
        unsynced = next(one for one in MUTANTS if one.name == "unsynced")
        self.assertTrue(campaign.is_found(unsynced, {"violations": {"stalled": 1, "lost": 2}}))
        self.assertFalse(campaign.is_found(unsynced, {"violations": {"stalled": 1, "failed": 2}}))
        self.assertFalse(campaign.is_found(unsynced, {"failed": "no end within 300 s"}))

    def test_ten_defects_at_least(self) -> None:
        """A lab that has not found at least ten defects has proved nothing."""
        self.assertGreaterEqual(len({mutant.name for mutant in MUTANTS}), 10)


class RunTests(TestCase):
    timeout = 150
    skip = MISSING or None

    def setUp(self) -> None:
        """One run at a time; each is a process of its own."""
        self.servers = campaign.servers()

    async def kept(self, fault: str) -> None:
        """This fault with seed 1 loses nothing; on the newest Redis that there is."""
        options = Options(fault, seconds=CHOSEN[fault], rate=RATE, redis=self.servers[-1])
        work: Deferred[dict[str, Any]] = deferToThread(campaign.run_child, options)
        figures = await work
        self.assertTrue(figures["kept"], figures)
        self.assertGreater(figures["acknowledged"], 300)
        self.assertTrue(figures["faults"], figures)
        self.assertEqual(figures["redis"], redis_version(self.servers[-1]))

    async def test_kill(self) -> None:
        """Roles and Redis are killed in turn."""
        await self.kept("kill")

    async def test_cut(self) -> None:
        """Redis' file is cut."""
        await self.kept("cut")

    async def test_hints(self) -> None:
        """Hints are lost, doubled and late."""
        await self.kept("hints")

    async def test_redis_unheard(self) -> None:
        """Redis' answers do not arrive."""
        await self.kept("redis-unheard")

    async def test_members_unheard(self) -> None:
        """Members come and go, and servers do not hear of it."""
        await self.kept("members-unheard")

    async def test_mutant_is_found(self) -> None:
        """A defect is found: the numbers of hints are not compared."""
        mutant = next(one for one in MUTANTS if one.name == "numbers-not-compared")
        work: Deferred[dict[str, Any]] = deferToThread(campaign.look_for, mutant, RATE, lambda _: None)
        found = await work
        self.assertTrue(found["found"], found)


class CommandTests(TestCase):
    timeout = 60
    skip = MISSING or None

    async def test_journal_is_judged_again(self) -> None:
        """`fishchat lab check` reads a journal and ends with 1 when something in it is wrong."""
        journal = Path(self.mktemp())
        lines: list[list[Any]] = [
            ["device", 0.0, "alice/main"],
            ["device", 0.0, "bob/main"],
            *(
                ["member", 0.0, account, "alice+bob", step]
                for account in ("alice", "bob")
                for step in ("asks-in", "in")
            ),
            ["sent", 1.0, "alice/main", "alice+bob", "one"],
            ["ok", 1.1, "one", "alice+bob:1-1"],
            ["log", 9.0, "alice+bob", "alice+bob:1-1", "alice", "one"],
            ["plan", 0.0, "kill", 5.0],
            ["fault", 1.05, "kill", "ms1"],
        ]
        late = ["probed", 9.0, "ms1", 1.2]
        handed = ["handed", 1.2, "bob/main", "alice+bob", "alice+bob:1-1", "alice", "one"]
        for more, code in (([handed], 0), ([], 1), ([handed, late], 1), ([["nonsense", 1.0]], 1)):
            journal.write_text("\n".join(map(json.dumps, [*lines, *more])))
            self.assertEqual(await self.command("lab", "check", str(journal)), code, more)
        journal.write_text("")
        self.assertEqual(await self.command("lab", "check", str(journal)), 1)

    async def test_unknown_fault(self) -> None:
        """A fault that is none is refused with the way to those that are."""
        self.assertEqual(await self.command("lab", "run", "earthquake"), 2)

    async def test_bad_options(self) -> None:
        """What cannot be is refused before anything is started, and is no broken promise."""
        empty, used = Path(self.mktemp()), Path(self.mktemp())
        empty.mkdir()
        used.mkdir()
        (used / "journal.jsonl").touch()
        for option, value in (
            ("--keep", str(used)),
            ("--keep", "/proc/none"),
            ("--source", str(empty)),
            ("--redis", "/bin/true"),
        ):
            self.assertEqual(await self.command("lab", "run", "kill", option, value), 2, (option, value))
        self.assertEqual(await self.command("lab", "all", "--json", "/proc/none/results"), 2)

    async def test_results_of_another_version(self) -> None:
        """Results that cannot be read make no table, and no traceback."""
        results = Path(self.mktemp())
        for text in ('{"fault": "earthquake", "acknowledged": 1}', "{"):
            results.write_text(text)
            self.assertEqual(await self.command("lab", "table", str(results)), 1, text)

    async def test_interrupted(self) -> None:
        """Ctrl+C in the midst of a fault leaves no process behind, not even one that the fault has stopped."""
        directory = Path(tempfile.mkdtemp(prefix="fc-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, directory)
        process = self.started("lab", "run", "hang", "--rate", "100", "--keep", str(directory))
        journal = directory / "journal.jsonl"
        # It shows once clients have talked: the file is written to in large pieces.
        await until(lambda: journal.exists() and b'"hang"' in journal.read_bytes(), 40.0)
        process.send_signal(signal.SIGINT)
        await until(lambda: process.poll() is not None, 20.0)
        await until(lambda: not self.working_in(str(directory)), 20.0)

    def working_in(self, directory: str) -> list[int]:
        """The processes that have this directory in their command or their environment."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if directory.encode() in told:
                found.append(int(entry.name))
        return found

    async def command(self, *words: str) -> int:
        """The exit code of `fishchat` with these words."""
        process = self.started(*words)
        await until(lambda: process.poll() is not None, 30.0)
        return int(process.returncode)

    def started(self, *words: str) -> subprocess.Popen[bytes]:
        """`fishchat` with these words, which is ended with the test."""
        process = subprocess.Popen(
            [*COMMAND, *words],
            env={**os.environ, "PYTHONPATH": HERE},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=partial(prepare_child, os.getpid()),
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process
