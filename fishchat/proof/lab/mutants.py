"""Defects that are put into a copy of FishChat, one at a time, to see whether the lab finds each of them.

A checker that has never failed proves nothing. Each edit names text that must stand in its file exactly once, so that a
mutant that the code has outgrown is an error, and no success.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from fishchat.proof.lab.processes import HERE


@dataclass(frozen=True)
class Edit:
    """In ``file``, ``new`` in place of ``old``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A defect.

    :ivar faults: the runs that may find it, the likeliest first.
    """

    name: str
    sentence: str
    faults: tuple[str, ...]
    edits: tuple[Edit, ...]


MUTANTS = (
    Mutant(
        "unsynced",
        "OK is said before the message is fsynced.",
        ("power",),
        (Edit("storage/settings.py", '"always" if durability == "fsync" else "everysec"', '"everysec"'),),
    ),
    Mutant(
        "read-when-written",
        "A cursor moves when a message is written, and not when it is acknowledged.",
        ("torn", "storm"),
        (Edit("services/msg_server/sessions/registry.py", "connection.acks, server", "False, server"),),
    ),
    Mutant(
        "no-fencing",
        "A msg_server that lost its lease may still store.",
        ("lease-lost",),
        (
            Edit("storage/logs/send.lua", "if found[1] ~= incarnation then return {'LEASE'} end", ""),
            Edit("storage/lib/fence.lua", "if found[1] ~= incarnation then return {'LEASE'} end", ""),
        ),
    ),
    Mutant(
        "no-gap-check",
        "A message ahead of the next number is delivered as if it were the next.",
        ("hints",),
        (Edit("model/conversation.py", "seq == self.seq + 1 and", "seq > self.seq and"),),
    ),
    Mutant(
        "numbers-not-compared",
        "The numbers of hints are not compared with what came, nor with the store's.",
        ("hints",),
        (
            Edit("model/hints.py", "fits = number == self._number + 1", "fits = True"),
            Edit("model/hints.py", "        fits = number <= self._number\n", "        fits = True\n"),
        ),
    ),
    Mutant(
        "no-dedupe",
        "A number that was seen before is stored once more.",
        ("redis-unheard", "kill"),
        (Edit("storage/logs/send.lua", "if cseq > 0 and cseq < expected then", "if false then"),),
    ),
    Mutant(
        "no-catching-up",
        "Nobody reads the log after something may have been missed.",
        ("hints", "redis-reset"),
        (
            Edit(
                "services/msg_server/delivery/rooms.py",
                "        self._deserted.clear()\n        for",
                "        return\n        for",
            ),
        ),
    ),
    Mutant(
        "behind-forgotten",
        "A device whose window was full is not fed from the log.",
        ("dripping",),
        (
            Edit(
                "model/conversation.py",
                "False, False, at\n        reading.device.lagging[reading] = None",
                "False, False, at",
            ),
        ),
    ),
    Mutant(
        "membership-ignored",
        "Messages go to whom this server knows as a member, whatever the store says.",
        ("members-unheard", "members"),
        (
            Edit(
                "services/msg_server/delivery/rooms.py",
                "conversation.version == version and result != 1",
                "result != 1",
            ),
            Edit("services/msg_server/delivery/rooms.py", "conversation.version == version and seq != 1", "seq != 1"),
            Edit("services/msg_server/delivery/rooms.py", "page.version != conversation.version", "False"),
        ),
    ),
    Mutant(
        "epoch-stays",
        "The epoch does not grow when Redis is started anew.",
        ("put-back", "cut"),
        (Edit("storage/servers/epoch.lua", "math.max(stored + 1, remembered + 1, floor)", "math.max(stored, 1)"),),
    ),
    Mutant(
        "torn-transaction",
        "Redis' log is used as it is after it was cut.",
        ("cut",),
        (Edit("services/redis/service.py", "elif program.is_torn(self.directory, self._log_size):", "elif False:"),),
    ),
    Mutant(
        "one-too-far",
        "At its login a device is given what stands behind its cursor, but for the first.",
        ("storm", "torn"),
        (
            Edit(
                "model/device.py",
                "    at = parse_position(cursor) if cursor else START\n",
                "    at = parse_position(cursor) if cursor else START\n    at = (at[0], at[1] + 1) if cursor else at\n",
            ),
        ),
    ),
    Mutant(
        "replaced-by-the-past",
        "A store that was put back replaces the devices that it knows elsewhere.",
        ("put-back",),
        (
            Edit(
                "services/msg_server/delivery/rooms.py", "not same and device.epoch == self._epoch.current", "not same"
            ),
        ),
    ),
    Mutant(
        "unknown-unanswered",
        "When nobody knows what became of a batch, its senders get no answer.",
        ("redis-unheard",),
        (
            Edit(
                "services/msg_server/queue/commits.py",
                "            self._guarded(operation.fail, refusal)\n        self._landed(unit)",
                "            pass\n        self._landed(unit)",
            ),
        ),
    ),
    Mutant(
        "called-stored",
        "When nobody knows what became of a batch, its senders are told that it was refused.",
        ("redis-unheard",),
        (
            Edit(
                "services/msg_server/queue/commits.py",
                "refusal = unknown() if isinstance(unit, Batch) else doubtful()",
                'refusal = Refusal("FULL")',
            ),
        ),
    ),
    Mutant(
        "peers-not-told",
        "Other msg_servers are not told of what one of them has stored.",
        ("kill",),
        (Edit("storage/logs/send.lua", "      if targets then\n", "      if false then\n"),),
    ),
    Mutant(
        "place-forgotten",
        "A router that takes over starts at what comes next, and says nothing.",
        ("takeover", "no-router"),
        (
            Edit(
                "services/router/service.py",
                "parse_position(at) if at else START",
                "(parse_position(at)[0], parse_position(at)[1] + 1000) if at else START",
            ),
            Edit(
                "services/router/service.py",
                "            self._order_sweep()\n        self._at = at",
                "            pass\n        self._at = at",
            ),
        ),
    ),
    Mutant(
        "old-twin",
        "Two programs of one device are both left in their places.",
        ("replaced",),
        (
            Edit(
                "services/msg_server/sessions/connection.py",
                '        self.say_goodbye(b"RESP_REPLACED\\r\\n")',
                "        pass",
            ),
        ),
    ),
)


def mutate(mutant: Mutant, directory: Path) -> None:
    """Put a copy of the package with this defect into ``directory``. ValueError when the code has outgrown an edit."""
    for name in ("fishchat", "twisted"):
        shutil.copytree(Path(HERE, name), directory / name, ignore=shutil.ignore_patterns("__pycache__", "test"))
    for edit in mutant.edits:
        path = directory / "fishchat" / edit.file
        text = path.read_text("utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(f"{mutant.name}: {edit.old!r} stands {text.count(edit.old)} times in {edit.file}")
        path.write_text(text.replace(edit.old, edit.new), "utf-8")
