"""A journal in which nothing is wrong, from which tests of the checkers make others."""

from __future__ import annotations

from fishchat.proof.lab.journal import Journal, Seen, Sent, Stay

TALK = "alice+bob"


def sent(account: str, conversation: str, text: str, message_id: str, at: float = 1.0) -> Sent:
    """A message of an account's only device that got its OK."""
    return Sent(f"{account}/main", conversation, text, at, at, message_id)


def good() -> Journal:
    """Two accounts in one conversation and in one topic, across an epoch, with nothing wrong."""
    alice = [sent("alice", TALK, "a1", f"{TALK}:1-1"), sent("alice", TALK, "a2", f"{TALK}:2-3")]
    bob = [sent("bob", TALK, "b1", f"{TALK}:1-2"), sent("bob", "#fish", "b2", "#fish:1-1")]
    all_sent = [alice[0], bob[0], bob[1], alice[1]]
    seen = {one.text: Seen(one.sender, one.conversation, one.text, one.id or "") for one in all_sent}
    members = {TALK: ["alice", "bob"], "#fish": ["alice", "bob", "carol"]}
    return Journal(
        devices={f"{name}/main": 0.0 for name in ("alice", "bob", "carol")},
        devices_of={name: [f"{name}/main"] for name in ("alice", "bob", "carol")},
        stays={talk: {name: [Stay(0.0, 0.0)] for name in names} for talk, names in members.items()},
        sent=all_sent,
        handed={
            "alice/main": [seen["b2"], seen["b1"]],
            "bob/main": [seen["a1"], seen["a2"]],
            "carol/main": [seen["b2"]],
        },
        logs={TALK: [seen["a1"], seen["b1"], seen["a2"]], "#fish": [seen["b2"]]},
    )
