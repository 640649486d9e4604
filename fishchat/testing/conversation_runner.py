"""Plays a written conversation against servers: those of a test's cluster, or real ones behind host and port.

The form of a conversation is described in ``doc/testing.md``; in short::

    # a comment
    with limits.devices = 2              a setting, before everything else
    alice> SEND_CLIENT_ID alice          alice says; her first line connects her to ms1
    alice< OK SEND_CLIENT_ID alice       the next line that alice hears
    alice<* RESP_…                       lines marked so may come in any order among each other
    alice hears nothing                  a ping is answered before anything else is heard
    bob connects to ms2                  also: the gateway
    bob closes / bob is closed           the client ends the connection / the server does
    bob sends the bytes MSG caf\\xe9      no line, just bytes, with Python's escapes
    bob sends 9000 times x
    the store hangs                      whatever stands behind "the" is done by the cluster

In what is heard ``…`` stands for anything and ``$name`` for one word or part of a word, which has to be the same
wherever the name stands again; in what is said it is put in. Nothing here knows of a cluster or of a port.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: Where the conversations are.
CONVERSATIONS = Path(__file__).parent / "conversations"
#: Seconds within which every line has to come.
PATIENCE = 10.0

Captures = dict[str, str]
_PIECE = re.compile(r"…|\$[a-z][a-z0-9]*")
_STEP = re.compile(r"(?P<who>[a-z][a-z0-9_-]*)(?P<how>>|<\*|<| )(?: ?(?P<what>.*))?")
_SETTING = re.compile(r"with ([a-z0-9_.]+) = (.+)")
_TIMES = re.compile(r"sends (\d+) times (.+)")


class Talker(Protocol):
    """One connection of a conversation. Lines carry no ending; bytes are what was written, so that it can be wrong."""

    def send(self, data: bytes) -> None:
        """Write these bytes."""

    async def hear(self, seconds: float) -> bytes | None:
        """The next line; None when the connection is closed. AssertionError when nothing comes in time."""

    def drop(self) -> None:
        """Close the connection from this side."""


#: Connects to ``ms1``, ``ms2`` or ``gateway``.
Connect = Callable[[str], Awaitable[Talker]]
#: Does what a sentence says that begins with ``the``.
Act = Callable[[str], Awaitable[None]]


class Failed(AssertionError):
    """A conversation went another way; the text names the file, the line and what was heard."""


def matches(pattern: str, line: str, captures: Captures) -> Captures | None:
    """``captures`` and what ``line`` adds to them, or None when it does not fit ``pattern``."""
    parts, at, names = [], 0, set()
    for found in _PIECE.finditer(pattern):
        parts.append(re.escape(pattern[at : found.start()]))
        at = found.end()
        name = found[0][1:]
        if found[0] == "…":
            parts.append(".*?")
        elif name in captures:
            parts.append(re.escape(captures[name]))
        elif name in names:
            parts.append(f"(?P={name})")
        else:
            names.add(name)
            parts.append(rf"(?P<{name}>\S+?)")
    parts.append(re.escape(pattern[at:]))
    match = re.fullmatch("".join(parts), line, re.DOTALL)
    return None if match is None else {**captures, **match.groupdict()}


def put_in(text: str, captures: Captures) -> str:
    """``text`` with the captured names replaced. KeyError for one that was never captured."""
    return re.sub(r"\$([a-z][a-z0-9]*)", lambda found: captures[found[1]], text)


@dataclass
class Step:
    """One line of a file: who, how (``>``, ``<``, ``<*`` or a space for a sentence), what."""

    number: int
    who: str
    how: str
    what: str


def settings(path: Path) -> dict[str, str]:
    """The settings that a conversation asks for, by key; a real server that has others cannot play it."""
    found = (_SETTING.fullmatch(line.strip()) for line in path.read_text().splitlines())
    return {match[1]: match[2] for match in found if match}


def steps(path: Path) -> list[Step]:
    """The steps of a file. Failed for a line that is none."""
    result = []
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#") or _SETTING.fullmatch(line):
            continue
        match = _STEP.fullmatch(line)
        if match is None:
            raise Failed(f"{path.name}:{number}: not understood: {line}")
        result.append(Step(number, match["who"], match["how"], match["what"] or ""))
    return result


def needs_faults(path: Path) -> bool:
    """Whether a conversation asks for more than talking: only a cluster can play it then."""
    return any(step.who == "the" for step in steps(path))


class _Play:
    def __init__(self, path: Path, connect: Connect, act: Act | None) -> None:
        self.path = path
        self._connect = connect
        self._act = act
        self._talkers: dict[str, Talker] = {}
        self._fresh: set[str] = set()
        self._captures: Captures = {}

    async def run(self) -> None:
        for group in _grouped(steps(self.path)):
            step = group[0]
            try:
                if step.how == "<*":
                    await self._any_order(group)
                elif step.how == "<":
                    await self._expect(step.who, [step.what])
                elif step.how == ">":
                    talker = await self._talker(step.who)
                    talker.send(put_in(step.what, self._captures).encode() + b"\r\n")
                else:
                    await self._sentence(step.who, step.what)
            except (AssertionError, KeyError) as error:
                raise Failed(f"{self.path.name}:{step.number}: {step.who}{step.how}{step.what}: {error}") from None

    def end(self) -> None:
        for talker in self._talkers.values():
            talker.drop()

    async def _talker(self, who: str, server: str = "ms1") -> Talker:
        if who not in self._talkers:
            self._talkers[who] = await self._connect(server)
            self._fresh.add(who)
        return self._talkers[who]

    async def _hear(self, who: str, wanted: str) -> str | None:
        talker = await self._talker(who)
        line = await talker.hear(PATIENCE)
        # Every connection begins with a greeting; only a conversation about it has to show it.
        if who in self._fresh and line is not None and line.startswith(b"HELLO ") and not wanted.startswith("HELLO "):
            line = await talker.hear(PATIENCE)
        self._fresh.discard(who)
        return None if line is None else line.decode()

    async def _expect(self, who: str, patterns: list[str]) -> str:
        """The next line fits one of the patterns, which is given back."""
        line = await self._hear(who, patterns[0])
        assert line is not None, "the connection is closed"
        for pattern in patterns:
            captures = matches(pattern, line, self._captures)
            if captures is not None:
                self._captures = captures
                return pattern
        raise AssertionError(f"heard: {line}")

    async def _any_order(self, group: list[Step]) -> None:
        left = [step.what for step in group]
        while left:
            left.remove(await self._expect(group[0].who, left))

    async def _sentence(self, who: str, what: str) -> None:
        if who == "the":
            assert self._act is not None, "this needs a cluster"
            await self._act(what)
        elif what.startswith("connects"):
            assert who not in self._talkers, "is connected"
            await self._talker(who, what.removeprefix("connects").removeprefix(" to ").strip() or "ms1")
        elif what == "closes":
            self._talkers.pop(who).drop()
        elif what == "is closed":
            line = await self._hear(who, "")
            assert line is None, f"heard: {line}"
            del self._talkers[who]
        elif what == "hears nothing":
            self._talkers[who].send(b"@id=nothing SEND_PING\r\n")
            await self._expect(who, ["@id=nothing OK SEND_PING"])
        elif what.startswith("sends the bytes "):
            talker = await self._talker(who)
            literal = ast.literal_eval("b'" + what.removeprefix("sends the bytes ").replace("'", r"\'") + "'")
            talker.send(literal)
        elif (times := _TIMES.fullmatch(what)) is not None:
            talker = await self._talker(who)
            talker.send(times[2].encode() * int(times[1]))
        else:
            raise AssertionError("no such sentence")


def _grouped(all_steps: list[Step]) -> Iterator[list[Step]]:
    """Each step by itself, but neighbouring ``<*`` of one client together."""
    group: list[Step] = []
    for step in all_steps:
        if group and (step.how != "<*" or step.who != group[0].who):
            yield group
            group = []
        group.append(step)
        if step.how != "<*":
            yield group
            group = []
    if group:
        yield group


async def play(path: Path, connect: Connect, act: Act | None = None) -> None:
    """Play one file on an empty store; Failed (an AssertionError) says where it went another way.

    ``connect(server)`` gives a new connection to ``ms1``, ``ms2`` or ``gateway``. Without ``act``, files for which
    ``needs_faults`` is true fail; those with ``settings`` need servers that have them. All connections are closed
    at the end.
    """
    conversation = _Play(path, connect, act)
    try:
        await conversation.run()
    finally:
        conversation.end()
