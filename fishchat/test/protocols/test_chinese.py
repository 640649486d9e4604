"""Everything that ``HELP zh`` says is there in Chinese: each row, each tag, each word in angle brackets."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.registry import FEATURES, PUSHES, TERMS, VERBS
from fishchat.protocols.rows import Row, Text, Verb
from fishchat.services.gateway.rows import GATEWAY_VERBS

ROWS: tuple[Row, ...] = tuple(dict.fromkeys([*VERBS, *GATEWAY_VERBS, *PUSHES]))

_HAN = re.compile("[\u4e00-\u9fff]")


class ChineseTests(SynchronousTestCase):
    """A new row needs its sentence in Chinese beside the one in English."""

    def test_rows(self) -> None:
        """Every verb and push has ``zh``; so has every tag, and every feature a title."""
        self.assertEqual([row.name.decode() for row in ROWS if not _HAN.search(row.zh)], [])
        self.assertEqual([(row.name, tag.name) for row in ROWS for tag in row.tags if not _HAN.search(tag.zh)], [])
        self.assertEqual([feature.name for feature in FEATURES if not _HAN.search(feature.zh)], [])

    def test_terms(self) -> None:
        """Every word in angle brackets of a usage or a reply is among the ``TERMS`` of its feature or of the fields."""
        texts = [row.usage for row in ROWS] + [row.reply for row in ROWS if isinstance(row, Verb)]
        words = {word for text in texts for word in re.findall("<([^<>]+)>", text)}
        words |= {row.text_name for row in ROWS if row.text is not Text.NONE}
        self.assertEqual(sorted(words - TERMS.keys()), [])

    def test_one_line(self) -> None:
        """A sentence is like the English one: on one line, without its stop."""
        self.assertEqual([row.name.decode() for row in ROWS if "\n" in row.zh or row.zh.endswith(("。", "."))], [])
