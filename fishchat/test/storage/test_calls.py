"""Typed calls against their scripts: one for each, with as many values as the script takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, get_type_hints

from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import Refusal
from fishchat.features.engine import Budget
from fishchat.features.moderation.calls import OPERATOR, Actor
from fishchat.model import routing
from fishchat.model.names import Position
from fishchat.model.secrets.passwords import Verifier
from fishchat.services.msg_server.queue.items import Batch, Send
from fishchat.storage.ask import Ask, accepted, refusal_of
from fishchat.storage.fence import Fence
from fishchat.storage.header import parse
from fishchat.storage.loader import names, read

#: One value for each type of a parameter.
VALUES: dict[Any, Any] = {
    bytes: b"x",
    int: 1,
    str: "everyone",
    bool: True,
    Verifier: Verifier(b"argon", b"scram"),
    Actor: OPERATOR,
    Budget: Budget(5, 60_000),
    list[Position]: [(7, 1)],
}


def modules() -> Iterator[ModuleType]:
    """The calls beside every directory of scripts."""
    for directory in sorted({name.partition("/")[0] for name in names()}):
        found = (
            "storage"
            if directory in ("audit", "logs", "servers", "routes", "migrations", "profiles", "scrub")
            else "features"
        )
        yield import_module(f"fishchat.{found}.{directory}.calls")


def calls() -> Iterator[tuple[Callable[..., Ask[Any]], Ask[Any]]]:
    """Every typed call, and what it makes of some values."""
    for module in modules():
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if (
                function.__module__ == module.__name__
                and str(inspect.signature(function).return_annotation)[:4] == "Ask["
            ):
                hints = get_type_hints(function, {**vars(module), "Verifier": Verifier})
                values = [value(hints[name]) for name in inspect.signature(function).parameters]
                yield function, function(*values)


def value(kind: Any) -> Any:
    """Something of this type."""
    if kind in VALUES:
        return VALUES[kind]
    text = str(kind)
    if "Iterable[collections.abc.Mapping" in text:
        return [{"kind": "login"}]
    if "dict" in text:
        return {b"ms1": 1}
    if "[tuple[bytes, int]]" in text:
        return [(b"alice", 5)]
    if "[tuple[" in text:
        # Spans: their ends, of which the last one may be missing.
        return [((7, 1), None)]
    if text.startswith("tuple[int") or "tuple[int" in text:
        return (7, 1)
    if "tuple" in text:
        return (b"open",)
    return b"x" if "bytes |" in text or "bool | bytes" in text else [b"x"]


class Calls(SynchronousTestCase):
    """Each function of the ``calls`` modules."""

    def test_arity(self) -> None:
        """As many values as the header names, the fence left out."""
        for function, ask in calls():
            header = parse(read(ask.script.name))
            fence = 3 if ask.fenced else 0
            self.assertEqual(len(ask.values) + fence, len(header.args), f"{function.__module__}.{function.__name__}")

    def test_complete(self) -> None:
        """Every script has its call; messages and operations are sent by the queue itself."""
        called = {ask.script.name for _, ask in calls()}
        self.assertEqual(called | {"logs/send", "logs/operate"}, set(names()))

    def test_beside(self) -> None:
        """A call stands beside its script."""
        for function, ask in calls():
            self.assertEqual(function.__module__.split(".")[-2], ask.script.name.partition("/")[0])

    def test_refusals_are_raised(self) -> None:
        """A call raises a Refusal for each word with which its script may refuse."""
        for _, ask in calls():
            header = parse(read(ask.script.name))
            for word, with_value in header.refuses.items():
                bare = not header.reply.startswith("OK")
                reply = word.encode() if bare else [word.encode(), *([5] if with_value else [])]
                if word in ("LEASE", "EPOCH") or ask.script.name == "messages/history":
                    continue
                error = self.assertRaises(Refusal, ask.parse, reply)
                self.assertTrue(error.text)


class Batches(SynchronousTestCase):
    """The layout of a batch is in ``model/routing.py``."""

    def test_layout(self) -> None:
        """What the queue packs, and what the script says that it takes."""
        body = b"alice main -1 - hi"
        batch = Batch()
        asker: Any = None
        batch.sends = [Send(asker, None, b"alice+bob", b"alice/main", 3, b"-", b"hi", body, b"alice", b"bob")]
        values = batch.values(Fence(b"ms1", b"aaaa", 7), b"/sysctrl/send")
        self.assertEqual(parse(read("logs/send")).args, routing.BATCH)
        named = dict(zip(routing.BATCH, values, strict=True))
        self.assertEqual((named["server"], named["epoch"], named["stream"]), (b"ms1", b"7", b"/sysctrl/send"))
        self.assertEqual(set(named["accounts"]), {b"alice", b"bob"})
        self.assertEqual(named["marked"], [])
        message = dict(zip(routing.MESSAGE, named["messages"], strict=True))
        for name in routing.MESSAGE:
            self.assertEqual(message[name], getattr(batch.sends[0], name), name)


class Replies(SynchronousTestCase):
    """What all calls use."""

    def test_accepted(self) -> None:
        """What comes after OK, or the refusal with its limit."""
        self.assertEqual(accepted([b"OK", 1, b"x"]), [1, b"x"])
        error = self.assertRaises(Refusal, accepted, [b"FULL", 5])
        self.assertEqual((error.word, error.extra), ("FULL", {"limit": 5}))
        self.assertEqual(refusal_of(b"NOTFOUND").word, "NOTFOUND")
