"""The features together: nothing is defined twice, and every row is complete."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import fishchat.features
from fishchat.features.registry import FEATURES, PUSHES, PUSHES_OF, VERBS, VERBS_OF, part
from fishchat.protocols.rows import Row, Text
from fishchat.protocols.table import SERVER_PREFIXES
from fishchat.services.gateway.rows import GATEWAY_VERBS

ROWS: tuple[Row, ...] = tuple(dict.fromkeys([*VERBS, *GATEWAY_VERBS, *PUSHES]))
COMMANDS = tuple(dict.fromkeys([*VERBS, *GATEWAY_VERBS]))


def twice(things: list[object]) -> list[object]:
    """Those that are there more than once."""
    return sorted({one for one in things if things.count(one) > 1}, key=repr)


class FeatureTests(SynchronousTestCase):
    def test_found(self) -> None:
        """Every package is a feature that is named as its directory, and says in a paragraph what it is."""
        roots = map(Path, fishchat.features.__path__)
        packages = {path.parent.name for root in roots for path in root.glob("*/__init__.py")}
        self.assertEqual({feature.name for feature in FEATURES}, packages)
        for feature in FEATURES:
            module = part(feature, "__init__") or __import__(f"fishchat.features.{feature.name}", fromlist=["_"])
            self.assertGreater(len(module.__doc__ or ""), 40, feature)
        self.assertIsNone(part(FEATURES[0], "no_such_part"))

    def test_order(self) -> None:
        """No two stand in the same place, and the session comes first."""
        self.assertEqual(twice([feature.order for feature in FEATURES]), [])
        self.assertEqual(FEATURES[0].name, "session")

    def test_all(self) -> None:
        """Every row of a module is in its lists, under the name that it has on the wire, and in one feature."""
        for feature in FEATURES:
            rows = part(feature, "rows")
            own = [*VERBS_OF[feature], *PUSHES_OF[feature]]
            found = {name: one for name, one in vars(rows).items() if isinstance(one, Row)}
            self.assertEqual(set(found.values()), set(own), feature)
            for name, row in found.items():
                self.assertEqual(name.encode(), row.name)


class UniqueTests(SynchronousTestCase):
    """One word for one thing, over all features and both ports."""

    def test_words(self) -> None:
        """No name or alias stands for two verbs."""
        self.assertEqual(twice([word for verb in COMMANDS for word in verb.words]), [])

    def test_pushes(self) -> None:
        """No push is defined twice, and each is named as pushes are, so that no verb is taken for one."""
        self.assertEqual(twice([push.name for push in PUSHES]), [])
        for push in PUSHES:
            self.assertRegex(push.name, rb"\ARESP_[A-Z0-9_]+\Z")
        self.assertFalse([verb.name for verb in COMMANDS if verb.name.startswith(SERVER_PREFIXES)])

    def test_tags(self) -> None:
        """A tag of one name is one tag in all rows of a feature, but for the exceptions here.

        Two features may read it in their own ways.
        """
        # A message in the history, a place in the list of conversations.
        own = {"messages": [b"before"]}
        for feature in FEATURES:
            tags = {tag for row in (*VERBS_OF[feature], *PUSHES_OF[feature]) for tag in row.tags}
            self.assertEqual(twice([tag.name for tag in tags]), own.get(feature.name, []), feature.name)

    def test_kept_tags(self) -> None:
        """What is stored with messages has one meaning everywhere, and its check is a file of a feature."""
        kept = {tag for row in ROWS for tag in row.tags if tag.kept}
        self.assertEqual(twice([tag.name for tag in kept]), [])
        checked = [f"attribute_{tag.name.decode()}.lua" for tag in kept if tag.check]
        roots = map(Path, fishchat.features.__path__)
        there = [path.name for root in roots for path in root.rglob("attribute_*.lua")]
        self.assertEqual(sorted(checked), sorted(there))

    def test_fields(self) -> None:
        """A field of one name is one field, whatever its sample is."""
        fields = {(one.name, one.read, one.write, one.grammar, one.shown) for row in ROWS for one in row.fields}
        self.assertEqual(twice([name for name, *_ in fields]), [])


class CompleteTests(SynchronousTestCase):
    def test_help(self) -> None:
        """Each says what it is for, in one sentence that has no subject and no stop; verbs say what they answer."""
        for row in ROWS:
            self.assertRegex(row.help, r"\A[a-z].*[^.]\Z", row.name)
        for verb in COMMANDS:
            self.assertRegex(verb.help, r"\A[a-z]+s ", verb.name)
            self.assertTrue(verb.reply, verb.name)
            self.assertTrue(verb.states, verb.name)

    def test_tags_in_help(self) -> None:
        """A tag that a verb's help names is one of its tags."""
        for verb in COMMANDS:
            for tag in re.findall(r"@([a-z]+)", verb.help):
                self.assertIn(tag.encode(), verb.tag_rows, verb.name)

    def test_verbs_in_words(self) -> None:
        """A verb or push that is named in a help or in a reply is there."""
        known = {row.name.decode() for row in ROWS} | {"LOCATE_TOPIC_MSG_ADDR", "SELECT_MSG_SERVER_FOR_CLIENT"}
        for row in ROWS:
            for word in re.findall(r"\b[A-Z]+_[A-Z0-9_]+\b", row.help + getattr(row, "reply", "")):
                self.assertIn(word, known, row.name)

    def test_numbered(self) -> None:
        """What is numbered has a message id and a text, or is an operation on a message; nothing else has a text."""
        for push in PUSHES:
            names = [one.name for one in push.fields]
            is_message = names[-1:] == ["id"] and push.text is Text.REQUIRED
            is_operation = names[1:3] == ["id", "message"]
            self.assertEqual(push.numbered, is_message or is_operation, push.name)
            if is_operation:
                self.assertEqual(push.capability, b"ops", push.name)
