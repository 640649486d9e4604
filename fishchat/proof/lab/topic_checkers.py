"""Whether topics were run as promised: pure functions over the journal, used by ``checkers``."""

from __future__ import annotations

from collections.abc import Iterator

from fishchat.proof.lab.change_checkers import mutes
from fishchat.proof.lab.changes import Change, Sight
from fishchat.proof.lab.journal import Journal, Sent

#: What a client tries against the rules, and the word with which it must be refused.
FORBIDDEN = {"join": "BANNED", "kick": "RIGHTS", "mute": "RIGHTS", "ban": "RIGHTS", "set_role": "RIGHTS"}
#: These take something away: a mute does not stop them.
TAKING = ("recall", "unreact")


def owned(journal: Journal) -> Iterator[str]:
    """A topic has exactly one owner at every moment: a member, and the account that has it after the transfers."""
    for one in journal.sights:
        if one.owner not in one.members or one.owner in one.admins:
            yield f"{one.conversation} was owned by {one.owner!r}, its members were {sorted(one.members)}"
        elif one.owner not in (possible := _owners(journal, one)) and not journal.gone:
            yield f"{one.conversation} was owned by {one.owner}, and not by {' or '.join(sorted(possible))}"


def _owners(journal: Journal, sight: Sight) -> set[str]:
    """Return the accounts that may have owned a topic when this was seen."""
    tenures = journal.owners.get(sight.conversation, [])
    found = set()
    for number, tenure in enumerate(tenures):
        is_over = number + 1 < len(tenures) and tenures[number + 1].begun < sight.began
        if tenure.asked <= sight.at and not is_over:
            found.add(tenure.account)
    return found


def banned(journal: Journal) -> Iterator[str]:
    """No banned account is a member, in the store at any moment and as the journal knows it."""
    for one in journal.sights:
        if both := one.banned & one.members:
            yield f"{', '.join(sorted(both))} were banned from {one.conversation}, and its members"
        for account, stays in journal.sanctions.get(("ban", one.conversation), {}).items():
            is_banned = any(stay.begun <= one.began and one.at <= stay.leaving for stay in stays)
            if is_banned and account in one.members and not journal.gone:
                yield f"{account} was banned from {one.conversation}, but was a member"


def muted(journal: Journal) -> Iterator[str]:
    """Nothing is stored of a muted account."""
    if journal.gone:
        # A fault may have taken the mute, too.
        return
    said: list[Sent | Change] = [*journal.sent, *journal.changes]
    for one in said:
        is_taking = isinstance(one, Change) and one.kind in TAKING
        if (
            not is_taking
            and one.id is not None
            and any(stay.begun <= one.at and one.answered_at <= stay.leaving for stay in mutes(journal, one))
        ):
            yield f"{one.device} is muted in {one.conversation}, but its message or operation {one.id} was stored"


def permitted(journal: Journal) -> Iterator[str]:
    """What is forbidden is refused, with the word for that."""
    for one in journal.attempts:
        if one.word != FORBIDDEN[one.method]:
            yield f"{one.account} must not {one.method} in {one.conversation}, but the answer was {one.word}"
