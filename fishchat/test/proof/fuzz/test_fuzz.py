"""The targets of fuzzing, run on the kept inputs and on inputs from hypothesis; that they notice violations."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from fishchat.features.registry import MSG_SERVER_COMMANDS, VERBS
from fishchat.proof.fuzz import grammar, run
from fishchat.proof.fuzz.helpers import Dice, Violation, claim, pieces, quiet
from fishchat.proof.fuzz.inputs import CORPUS, keep, kept, merged
from fishchat.proof.fuzz.targets import TARGETS
from fishchat.proof.fuzz.transcript import Transcript, compare, expected
from fishchat.services.gateway.rows import GATEWAY_VERBS
from fishchat.test.protocols.test_table import BAD, GOOD
from fishchat.test.support import strategies

#: What each target is given beside any bytes: the bytes that choose how, then what looks like its subject.
_HEADS = {
    "lines": 2,
    "frames": 2,
    "server": 20,
    "gateway": 2,
    "client": 1,
    "redis": 1,
    "web": 2,
    "scram_server": 1,
    "scram_client": 1,
}


def _commands() -> SearchStrategy[bytes]:
    line = st.builds(lambda parts: strategies.to_line(*parts), strategies.command_parts())
    return st.lists(st.one_of(line, strategies.message_lines, strategies.ack_lines), max_size=6).map(b"\n".join)


def _words(name: str) -> SearchStrategy[bytes]:
    """The words of a target's dictionary, in any order, with something between them."""
    between = st.sampled_from([b"", b"\n", b" ", b"\r\n", b"\n!"])
    word = st.one_of(st.sampled_from(TARGETS[name].words or (b"",)), st.binary(max_size=8))
    return st.lists(st.builds(bytes.__add__, word, between), max_size=12).map(b"".join)


def _structured(name: str) -> SearchStrategy[bytes]:
    bodies = [_words(name)]
    if name in ("lines", "commands", "server", "gateway"):
        bodies += [strategies.streams, _commands().map(lambda said: said + b"\n")]
    head = st.binary(min_size=_HEADS.get(name, 0), max_size=_HEADS.get(name, 0))
    return st.builds(bytes.__add__, head, st.one_of(bodies))


class CorpusTests(SynchronousTestCase):
    """The kept inputs."""

    def test_complete(self) -> None:
        """Every target has inputs, and they are as few and small as they should be."""
        self.assertEqual({path.stem for path in CORPUS.iterdir()}, set(TARGETS))
        sizes = {name: [len(data) for data in kept(name).values()] for name in TARGETS}
        self.assertTrue(all(0 < len(each) <= 200 for each in sizes.values()), sizes)
        self.assertLess(sum(map(sum, sizes.values())), 500_000)

    def test_replay(self) -> None:
        """Nothing that is promised for all inputs is violated by one that is kept."""
        for name, target in TARGETS.items():
            for one, data in kept(name).items():
                try:
                    target.run(data)
                except Exception as error:
                    raise AssertionError(f"{name}, {one}: {error}") from error

    def test_written_again(self) -> None:
        """A file is written again byte for byte, so that a diff shows nothing but the inputs that changed."""
        directory = Path(self.mktemp())
        directory.mkdir()
        for path in sorted(CORPUS.iterdir()):
            inputs = kept(path.stem)
            keep(path.stem, dict(reversed(inputs.items())), directory)
            self.assertEqual((directory / path.name).read_bytes(), path.read_bytes())

    def test_any_bytes(self) -> None:
        """Inputs of any bytes are read as they were written; a file of another form is refused with its line."""
        directory = Path(self.mktemp())
        directory.mkdir()
        inputs = {"a": bytes(range(256)), "b": b"", "c": b"'\" \\n\n "}
        keep("some", inputs, directory)
        self.assertEqual(kept("some", directory), inputs)
        (directory / "some.txt").write_text("a b'x'\nb b'\n")
        error = self.assertRaises(ValueError, kept, "some", directory)
        self.assertIn("line 2", str(error))

    def test_merge(self) -> None:
        """A merge leaves inputs with names of their own, and adds no second copy of them."""
        old = {"made-1": b"one", "reached-0": b"zero"}
        new = merged(old, [b"one", b"two"])
        self.assertEqual(new.pop("made-1"), b"one")
        self.assertEqual(list(new.values()), [b"two"])
        self.assertTrue(next(iter(new)).startswith("reached-"))


class PropertyTests(SynchronousTestCase):
    """The same for inputs from hypothesis."""


def _property(name: str) -> Callable[[PropertyTests], None]:
    target = TARGETS[name]

    @settings(max_examples=60)
    @given(st.one_of(st.binary(max_size=min(target.longest, 200)), _structured(name)))
    def holds(data: bytes) -> None:
        target.run(data)

    def test(self: PropertyTests) -> None:
        """The property holds for all bytes."""
        holds()

    return test


for _name in TARGETS:
    setattr(PropertyTests, f"test_{_name}", _property(_name))


class NoticingTests(SynchronousTestCase):
    """What stands behind the targets notices what is wrong."""

    def test_claims(self) -> None:
        """What does not hold is a violation, and tells with which values; so is a failure in the log."""
        claim(1, "one")
        error = self.assertRaises(Violation, claim, 0, "none", b"value")
        self.assertEqual(str(error), "none: b'value'")
        with self.assertRaises(Violation) as raised, quiet():
            try:
                raise KeyError("lost")
            except KeyError:
                Logger().failure("something was lost")
        self.assertIn("KeyError", str(raised.exception))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_values(self) -> None:
        """Any bytes make values, no bytes the smallest ones; a stream in pieces is the stream."""
        dice = Dice(b"")
        self.assertEqual((dice.byte(), dice.number(), dice.name(), dice.text(), dice.left), (0, 0, b"a", b"x", 0))
        dice = Dice(b"\3abc\1\2rest")
        self.assertEqual((dice.raw(), dice.flag(), dice.byte(), dice.rest()), (b"abc", True, 2, b"rest"))
        for seed in range(9):
            self.assertEqual(b"".join(pieces(b"x" * 99 + b"y", seed)), b"x" * 99 + b"y")

    def test_grammar(self) -> None:
        """The second reader takes what the samples of the first one say, and nothing else."""
        for line, command in GOOD:
            if b"\xff" not in line:
                read = grammar.read(line)
                self.assertTrue(read and read[0] == command.verb.name, line)
        for line, _ in BAD:
            self.assertIsNone(grammar.read(line), line)
        self.assertIsNotNone(grammar.read(b"REQ_MSG_SERVER", gateway=True))

    def test_grammar_names(self) -> None:
        """It is written by hand, so that a mistake would have to be made twice; only its words are compared."""
        for gateway, rows in ((False, VERBS), (True, GATEWAY_VERBS)):
            known = {word: (verb.name, set(verb.tag_rows)) for verb in rows for word in verb.words}
            own = {word: (name, set(tags)) for word, (name, _, tags) in grammar.verbs(gateway).items()}
            self.assertEqual(own, known)

    def test_no_line_of_a_server(self) -> None:
        """What a server must not say is noticed."""
        for said in (
            b"OK SEND_PING",
            b"OK SEND_PING\r\n\r\n",
            b"OK SEND_PING \x1b[31m\r\n",
            b"ERR SEND_PING NOSUCHWORD text\r\n",
            b"ERR SEND_PING FULL\r\n",
            b"@esc OK SEND_PING\r\n",
            b"@other=1 OK SEND_PING\r\n",
            b"BEGIN HELP 1\r\nEND HELP\r\n",
            b"BEGIN HELP 0\r\nITEM x\r\nEND HELP\r\n",
            b"BEGIN HELP 1\r\nITEM x\r\n",
            b"BEGIN HELP 1\r\nOK SEND_PING\r\nITEM x\r\nEND HELP\r\n",
            b"@id=1 BEGIN HELP 0\r\nEND HELP\r\n",
            b"ITEM x\r\n",
            b"HELLO a\r\nHELLO a\r\n",
            b"RESP_%s x\r\n" % b"NOSUCH",
            b"RESP_REVOKED whatever\r\n",
            b"OK X " + b"x" * 16384 + b"\r\n",
        ):
            self.assertRaises((Violation, ValueError), Transcript, said)

    def test_order(self) -> None:
        """A reply that is missing, doubled, of another command or with another ``@id`` is noticed."""
        asked = b"@id=1 PING\nACK alice+bob:7-1\nTOPICS\nNOPE\n"
        right = [
            b"@id=1 OK SEND_PING\r\n",
            b"BEGIN REQ_TOPICS 0\r\n",
            b"END REQ_TOPICS\r\n",
            b"ERR - UNKNOWN_VERB x\r\n",
        ]

        def look(said: list[bytes]) -> None:
            compare(Transcript(b"".join(said)), expected(MSG_SERVER_COMMANDS, asked), False)

        look(right)
        look([right[0], b"ERR SEND_ACK AHEAD x\r\n", *right[1:]])
        look([right[0], right[1], b"RESP_SYNCED\r\n", *right[2:]])
        for wrong in (
            right[:-1],
            [*right, right[-1]],
            [*right[1:], right[0]],
            [b"OK SEND_PING\r\n", *right[1:]],
            [b"@id=2 OK SEND_PING\r\n", *right[1:]],
        ):
            self.assertRaises(Violation, look, wrong)


class CommandTests(SynchronousTestCase):
    """``python -m fishchat.proof.fuzz``."""

    def say(self, *arguments: str) -> tuple[int, str, str]:
        """Its exit code, and what it writes to either side."""
        out, wrong = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(wrong):
            code = run.main(arguments)
        return code, out.getvalue(), wrong.getvalue()

    def test_replay(self) -> None:
        """Inputs that were saved are tried again, and it says how many violate something."""
        path = Path(self.mktemp())
        path.write_bytes(b"alice+bob:7-1")
        code, said, _ = self.say("names", "--replay", str(path), str(path))
        self.assertEqual((code, json.loads(said)), (0, {"inputs": 2, "crashes": 0}))

    def test_replay_by_name(self) -> None:
        """A kept input is named by its name alone; a word that is neither that nor a file is an error."""
        code, said, _ = self.say("names", "--replay", next(iter(kept("names"))))
        self.assertEqual((code, json.loads(said)), (0, {"inputs": 1, "crashes": 0}))
        code, _, wrong = self.say("names", "--replay", "nothing-of-this-name")
        self.assertEqual(code, 2)
        self.assertIn("neither a kept input of names nor a file", wrong)

    def test_figures(self) -> None:
        """What libFuzzer writes becomes a line of JSON; a finding is told of, and where its input is."""
        said = (
            "#512 NEW    cov: 17 ft: 44 corp: 9/99b\n#600 REDUCE cov: 19 ft: 45 corp: 9/98b\n"
            "stat::number_of_executed_units: 1234\nstat::average_exec_per_sec:     56\nstat::new_units_added: 7\n"
        )
        figures = {"target": "names", "inputs": 1234, "per_second": 56, "new": 7, "covered": 19, "crashes": 0}
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as wrong:
            self.assertEqual(run.report("names", said, 0), 0)
            self.assertEqual(wrong.getvalue(), "")
            found = said + "artifact_prefix='x-'; Test unit written to x-crash-1\n"
            self.assertEqual(run.report("names", found, 77), 1)
        first, second = map(json.loads, out.getvalue().splitlines())
        self.assertEqual((first, second), (figures, {**figures, "crashes": 1, "found": ["x-crash-1"]}))

    def test_words(self) -> None:
        """Words of any bytes may stand in libFuzzer's dictionary."""
        self.assertEqual(run.quoted(b'a"\\\r\n\xff'), '"' + r"\x61\x22\x5c\x0d\x0a\xff" + '"\n')

    def test_without_atheris(self) -> None:
        """Where there is no atheris, it says what to install; the tests do without it."""
        if find_spec("atheris") is None:
            code, _, wrong = self.say("names", "--seconds", "1")
            self.assertEqual(code, 2)
            self.assertIn("fishchat[fuzz]", wrong)
