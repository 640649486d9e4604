"""What lines cost that no program would write."""

from __future__ import annotations

import contextlib
from time import process_time

from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import ProtocolError
from fishchat.features.registry import MSG_SERVER_COMMANDS
from fishchat.protocols.lines import MAX_LINE

#: Bytes that are repeated to the end of a line: keys, beginnings of sequences, blanks, marks, tags.
REPEATED = (b"\x17", b"\x17 ", b"\b", b"\x1b", b"\x1b[", b"\x1b[0", b"\xc2\x9b", b"\xc2\x80", b"a ", b" ", b"\t", b";")
MORE = (b"\xef\xbb\xbf", "\u3000".encode(), b"@", b"a=1;", b"\xff\xfb\x01")


class CostTests(SynchronousTestCase):
    def test_longest_lines(self) -> None:
        """No line of the greatest length keeps a server busy for long."""
        for part in (*REPEATED, *MORE):
            for beginning in (b"", b"a" + b" " * 4000, b"MSG bob ", b"@id=1 ", b"@"):
                line = (beginning + part * MAX_LINE)[:MAX_LINE]
                start = process_time()
                with contextlib.suppress(ProtocolError):
                    MSG_SERVER_COMMANDS.parse(line)
                self.assertLess(process_time() - start, 0.1, (beginning[:9], part))
