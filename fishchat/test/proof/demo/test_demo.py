"""The demo: a whole one, and that it sees when a promise is broken."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from types import SimpleNamespace
from typing import Any, cast

from twisted.internet.defer import ensureDeferred, succeed
from twisted.trial.unittest import TestCase

from fishchat.client import HistoryItem
from fishchat.proof.demo.cast import TOPIC, YOU, Person, broken_promise
from fishchat.proof.demo.words import TEXTS
from fishchat.proof.processes import COMMAND, HERE, MISSING

#: Seconds that a demo without pauses may take.
PATIENCE = 90


def _item(number: int, sender: str, notice: bool = False) -> HistoryItem:
    return HistoryItem(f"#{TOPIC}:7-{number}", sender, 0.0, f"text {number}", notice=notice)


def _person(account: str, sent: list[int], received: list[int], history: list[HistoryItem]) -> Person:
    client = SimpleNamespace(account=account, history=lambda *_, **__: succeed(history))
    ids = [[f"#{TOPIC}:7-{number}" for number in numbers] for numbers in (sent, received)]
    return cast(Person, SimpleNamespace(client=client, sent=ids[0], received=ids[1]))


class Judged(TestCase):
    """Alice wrote 2 and 4, bob 3; 1 is a notice, and 5 was written by the person who looks on."""

    def judged(self, alice: tuple[list[int], list[int]], bob: list[int], stands: list[int]) -> str:
        senders = {1: "alice", 2: "alice", 3: "bob", 4: "alice", 5: YOU}
        history = [_item(one, senders[one], notice=one == 1) for one in stands]
        people = [_person("alice", *alice, history), _person("bob", [3], bob, history)]
        return self.successResultOf(ensureDeferred(broken_promise(people)))

    def test_kept(self) -> None:
        self.assertEqual(self.judged(([2, 4], [3]), [2, 4], [1, 2, 3, 4, 5]), "")

    def test_broken(self) -> None:
        cases: dict[str, Any] = {
            "stand twice": (([2, 4], [3]), [2, 4], [1, 2, 3, 3, 4, 5]),
            "what alice wrote": (([2, 4], [3]), [2, 4], [1, 2, 3, 5]),
            "what alice wrote is": (([4, 2], [3]), [2, 4], [1, 2, 3, 4]),
            "alice received": (([2, 4], []), [2, 4], [1, 2, 3, 4]),
            "bob received": (([2, 4], [3]), [4, 2], [1, 2, 3, 4]),
            "bob received [": (([2, 4], [3]), [2, 4, 4], [1, 2, 3, 4]),
        }
        for expected, case in cases.items():
            self.assertIn(expected, self.judged(*case), case)

    def test_words(self) -> None:
        for name, (english, chinese) in TEXTS.items():
            self.assertEqual(english.count("{"), chinese.count("{"), name)


class Whole(TestCase):
    """Real processes, one of which is killed."""

    if MISSING:
        skip = MISSING

    def demo(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FISHCHAT")}
        return subprocess.Popen(
            [*COMMAND, "demo", "--no-browser", "--quick", *arguments],
            env={**kept, "PYTHONPATH": HERE},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def test_whole(self) -> None:
        process = self.demo("--lang", "en")
        said, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("12 messages were written. Each stands once", said)
        self.assertIn("ms1 is killed", said)
        self.assertRegex(said, r"alice on ms1 +Good morning!")
        self.assertRegex(said, r"alice on ms2 +Who has bait\?")
        self.assertNotIn("Traceback", said)
        self.assert_gone(said)

    def test_interrupted(self) -> None:
        process = self.demo("--stay", "--lang", "zh")
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl+C" in line:
                process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130, said)
        self.assertNotIn("Traceback", said)
        self.assert_gone(said)

    def assert_gone(self, said: str) -> None:
        found = re.search(r"XDG_DATA_HOME=(\S+)", said)
        assert found is not None, said
        self.assertFalse(os.path.exists(found[1]), "its data were not removed")
        running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(found[1], running)
