"""The mutants fit the code, so that a campaign of hours does not end on the first that no longer does."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.catalogue import FAULTS
from fishchat.proof.lab.defects import Edit, Mutant
from fishchat.proof.lab.mutants import MUTANTS, edited


class MutantTests(SynchronousTestCase):
    def test_fit(self) -> None:
        """Each mutant names faults that exist, changes every file that it names, and leaves valid Python."""
        for mutant in MUTANTS:
            self.assertLessEqual(set(mutant.faults), FAULTS.keys(), mutant.name)
            texts = edited(mutant)
            self.assertEqual(set(texts), {edit.file for edit in mutant.edits})
            for file, text in texts.items():
                if file.endswith(".py"):
                    compile(text, file, "exec")

    def test_unfit(self) -> None:
        """A mutant whose text is not in the file is refused."""
        stale = Mutant("stale", "Nothing.", ("storm",), ("lost",), (Edit("model/device.py", "no such text", ""),))
        self.assertRaises(ValueError, edited, stale)
