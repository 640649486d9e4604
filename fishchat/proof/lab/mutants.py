"""Defects that are put into a copy of FishChat, one at a time, to see whether the lab finds each of them.

A checker that has never failed proves nothing. Each edit names text that must be in its file exactly once, so that a
mutant that no longer fits the code is an error and no success.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from fishchat.proof.lab.change_mutants import CHANGE_MUTANTS
from fishchat.proof.lab.defects import Edit, Mutant
from fishchat.proof.processes import HERE

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "unsynced",
        "`OK` is sent before the message is fsynced.",
        ("power",),
        ("lost",),
        (Edit("storage/settings.py", '"always" if durability == "fsync" else "everysec"', '"everysec"'),),
    ),
    Mutant(
        "read-when-written",
        "A cursor moves when a message is written, and not when it is acknowledged.",
        ("torn", "storm"),
        ("lost",),
        (Edit("model/device.py", 'acks = b"ack" in capabilities', "acks = False"),),
    ),
    Mutant(
        "no-fencing",
        "A msg_server that lost its lease may still store.",
        ("lease-lost",),
        ("unfenced",),
        (
            Edit("storage/logs/send.lua", "if found[1] ~= incarnation then return {'LEASE'} end", ""),
            Edit("storage/lib/fence.lua", "if found[1] ~= incarnation then return {'LEASE'} end", ""),
        ),
    ),
    Mutant(
        "no-gap-check",
        "A message ahead of the next number is delivered as if it were the next.",
        ("hints",),
        ("lost",),
        (Edit("model/conversation.py", "seq == self.seq + 1 and", "seq > self.seq and"),),
    ),
    Mutant(
        "numbers-not-compared",
        "The numbers of hints are not compared with what came, nor with the store's.",
        ("hints",),
        ("lost",),
        (
            Edit("model/hints.py", "fits = number == self._number + 1", "fits = True"),
            Edit("model/hints.py", "        fits = number <= self._number\n", "        fits = True\n"),
        ),
    ),
    Mutant(
        "no-dedupe",
        "A message with a repeated number is stored again.",
        ("redis-unheard", "kill"),
        ("doubled",),
        (Edit("storage/logs/send.lua", "if cseq > 0 and cseq < expected then", "if false then"),),
    ),
    Mutant(
        "no-catching-up",
        "The log is not read after something may have been missed.",
        ("hints", "redis-reset"),
        ("lost",),
        (
            Edit(
                "services/msg_server/delivery/catching_up.py",
                "        self._rooms.sweep()\n        for",
                "        return\n        for",
            ),
        ),
    ),
    Mutant(
        "behind-forgotten",
        "A device whose window was full gets nothing from the log.",
        ("dripping",),
        ("lost",),
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
        "Messages go to the members that this server knows, whatever the store says.",
        ("members-unheard", "members"),
        ("invented", "lost"),
        (
            Edit(
                "services/msg_server/delivery/outcomes.py",
                "conversation.version == version and result != 1",
                "result != 1",
            ),
            Edit(
                "services/msg_server/delivery/rooms.py",
                "conversation.version == version and message.seq != 1",
                "message.seq != 1",
            ),
            Edit("services/msg_server/delivery/catching_up.py", "page.version != conversation.version", "False"),
        ),
    ),
    Mutant(
        "epoch-stays",
        "The epoch does not grow when Redis is started anew.",
        ("put-back", "cut"),
        ("renamed",),
        (Edit("storage/servers/epoch.lua", "math.max(stored + 1, remembered + 1, floor)", "math.max(stored, 1)"),),
    ),
    Mutant(
        "torn-transaction",
        "Redis' log is used as it is after it was cut.",
        ("cut",),
        ("doubled", "disordered"),
        (Edit("services/redis/service.py", "elif program.is_torn(self.directory, self._log_size):", "elif False:"),),
    ),
    Mutant(
        "one-too-far",
        "At its login a device gets what follows its cursor, without the first message.",
        ("storm", "torn"),
        ("lost",),
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
        "A store that was put back replaces the devices that it has at other servers.",
        ("put-back",),
        ("closed",),
        (
            Edit(
                "services/msg_server/delivery/catching_up.py",
                "not same and device.epoch == self._epoch.current",
                "not same",
            ),
        ),
    ),
    Mutant(
        "unknown-unanswered",
        "When the outcome of a batch is unknown, its senders get no answer.",
        ("redis-unheard",),
        ("slow", "client"),
        (
            Edit(
                "services/msg_server/queue/commits.py",
                "self._refuse(unit.sends if isinstance(unit, Batch) else [unit], refusal)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "called-stored",
        "When the outcome of a batch is unknown, its senders get a refusal.",
        ("redis-unheard",),
        ("refused",),
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
        "Other msg_servers are not notified of what one of them has stored.",
        ("kill",),
        ("lost",),
        (Edit("storage/logs/send.lua", "      if targets then\n", "      if false then\n"),),
    ),
    Mutant(
        "place-forgotten",
        "A router that takes over skips what the last one left, without notice.",
        ("takeover", "no-router"),
        ("lost",),
        (
            Edit(
                "services/router/service.py",
                "self._at = taken.position",
                "at = taken.position\n        self._at = at if at == START else (at[0], at[1] + 1000)",
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
        "Two programs of one device both stay logged in.",
        ("replaced",),
        ("replaced",),
        (
            Edit(
                "services/msg_server/sessions/session.py",
                '        self.say_goodbye(RESP_REPLACED.line() + b"\\r\\n")',
                "        pass",
            ),
        ),
    ),
    *CHANGE_MUTANTS,
)


def edited(mutant: Mutant) -> dict[str, str]:
    """Return the new text of each file that this mutant edits. ValueError when an edit does not fit the code."""
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        text = texts.get(edit.file) or Path(HERE, "fishchat", edit.file).read_text("utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(f"{mutant.name}: {edit.old!r} is {text.count(edit.old)} times in {edit.file}")
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


def mutate(mutant: Mutant, directory: Path) -> None:
    """Write a copy of the package with this defect to ``directory``. ValueError when an edit does not fit the code."""
    texts = edited(mutant)
    for name in ("fishchat", "twisted"):
        shutil.copytree(Path(HERE, name), directory / name, ignore=shutil.ignore_patterns("__pycache__", "test"))
    for file, text in texts.items():
        (directory / "fishchat" / file).write_text(text, "utf-8")
