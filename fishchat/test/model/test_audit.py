"""Lines of the audit record."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.model.audit import FIELDS, LONGEST, Event, line, ordered


class Lines(SynchronousTestCase):
    """One event is one line of ``key=value``, whatever its values are."""

    def test_order(self) -> None:
        """The address is before everything that a peer can choose, and empty fields are left out."""
        event: Event = {
            "account": b"alice",
            "reason": b"AUTH",
            "address": "2001:db8::1",
            "kind": "refused",
            "device": b"",
        }
        self.assertEqual(line(event), "kind=refused address=2001:db8::1 reason=AUTH account=alice")

    def test_reasons_of_people(self) -> None:
        """Blanks, quotes and line ends of a reason are escaped."""
        self.assertEqual(line({"why": "stolen\nkind=login ä"}), "why=stolen%0Akind%3Dlogin%20%C3%A4")

    @given(st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.binary(max_size=300), st.text(max_size=100))))
    def test_any_values(self, event: dict[str, bytes | str]) -> None:
        """No value can end its line, or look like another field."""
        text = line(event)
        self.assertRegex(text, r"^[\x21-\x7e]*( [\x21-\x7e]+)*$")
        self.assertEqual(len(re.findall("=", text)), len(ordered(event)))
        self.assertLessEqual(max((len(value) for _, value in ordered(event)), default=0), LONGEST)
