"""Defects of operations on messages and of running a topic."""

from __future__ import annotations

from fishchat.proof.lab.defects import Edit, Mutant

CHANGE_MUTANTS = (
    Mutant(
        "recall-keeps-text",
        "A recall leaves the message in the log.",
        ("members",),
        ("exposed",),
        (Edit("storage/lib/recall.lua", "  call('XDEL', 'log:' .. op.conversation, op.of)\n", ""),),
    ),
    Mutant(
        "recall-keeps-edits",
        "A recall leaves the earlier and later texts of the message in the store.",
        ("members",),
        ("exposed",),
        (Edit("storage/lib/erased_edits.lua", "    call('XDEL', 'ops:' .. conversation, edit[1])\n", ""),),
    ),
    Mutant(
        "edits-out-of-order",
        "Of two edits of a message the earlier one counts.",
        ("members",),
        ("differing",),
        (
            Edit(
                "storage/lib/edit.lua",
                "op.state.edit, op.state.edits = position,",
                "op.state.edit, op.state.edits = op.state.edit == '-' and position or op.state.edit,",
            ),
        ),
    ),
    Mutant(
        "quiet-counted",
        "Operations, recalled messages and quiet notices count as unread.",
        ("members",),
        ("miscounted",),
        (
            Edit(
                "storage/lib/standing.lua",
                "if meta[3] then unread = unread -",
                "if false then unread = unread -",
            ),
        ),
    ),
    Mutant(
        "mute-forgotten",
        "A muted account that leaves and joins again may write.",
        ("members",),
        ("muted",),
        (
            Edit(
                "storage/lib/admit.lua",
                "  call('HSET', 'members:' .. conversation, account, after)\n",
                "  call('HSET', 'members:' .. conversation, account, after)\n"
                "  call('HDEL', 'muted:' .. conversation, account)\n",
            ),
        ),
    ),
    Mutant(
        "rights-unchecked",
        "The store kicks a member for anybody: its script does not check the right.",
        ("members",),
        ("permitted",),
        (
            Edit(
                "features/moderation/kick.lua",
                "refused = refused_on(account, device, conversation, 'kick', other)\n",
                "refused = nil\n",
            ),
        ),
    ),
    Mutant(
        "banned-stays",
        "A ban does not end the membership.",
        ("members",),
        ("banned",),
        (
            Edit(
                "features/moderation/ban.lua",
                "role_of(other, conversation) and expel(other, conversation) or 0",
                "0",
            ),
        ),
    ),
    Mutant(
        "operations-for-all",
        "A device that knows no operations is sent them, and has to acknowledge them.",
        ("members",),
        ("unasked",),
        (
            Edit(
                "model/device.py",
                "        if message.needs not in self.device.given:\n            return False\n",
                "",
            ),
        ),
    ),
    Mutant(
        "target-unseen",
        "A member is sent operations on messages from before it joined.",
        ("members",),
        ("unasked",),
        (Edit("model/device.py", "return message.of is None or self.sees(message.of)", "return True"),),
    ),
    Mutant(
        "reacted-twice",
        "A reaction with a repeated number is stored and counted again.",
        ("redis-unheard", "kill"),
        ("differing",),
        (
            Edit(
                "storage/logs/operate.lua",
                "local is_again = op.cseq > 0 and op.cseq < expected",
                "local is_again = false",
            ),
            Edit("storage/lib/reactions.lua", "  if earlier then return nil, earlier end\n", ""),
        ),
    ),
    Mutant(
        "two-owners",
        "After a transfer the new owner is an admin as well.",
        ("members",),
        ("owned",),
        (
            Edit(
                "features/moderation/transfer.lua",
                "call('HDEL', 'admins:' .. conversation, heir)\n",
                "",
            ),
        ),
    ),
    Mutant(
        "edit-numberless",
        "An edit replaces the one before it in the store, so that its number is nothing.",
        ("members",),
        ("holes",),
        (
            Edit(
                "storage/lib/edit.lua",
                "  if not limits[3] then\n    -- More than one",
                "  if true then\n    -- More than one",
            ),
        ),
    ),
)
