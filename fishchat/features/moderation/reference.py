"""The tables on the page of this feature that are made from the code: rights, and settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from fishchat.features.moderation.settings import SETTINGS
from fishchat.storage.loader import read_include

ROLES = ("member", "admin", "owner")

#: Action of ``lib/rights.lua`` → what it is, for people.
MEANINGS = {
    "write": "write messages, and edit one's own",
    "list": "list the members and read the settings",
    "invite": "invite an account",
    "leave": "leave",
    "react": "react to messages",
    "mention_all": "mention all members at once",
    "pin": "pin messages",
    "recall": "recall messages of others",
    "mute": "mute and unmute",
    "kick": "kick",
    "ban": "ban, unban and list the bans",
    "link": "make and revoke links",
    "admit": "accept and refuse requests",
    "describe": "change the name, the texts, and who may write or react",
    "govern": "change who may become a member, invite or mention everybody",
    "appoint": "make admins, and end that",
    "transfer": "make another member the owner",
    "dismiss": "dismiss the topic",
}
#: Actions that the owner cannot do.
_NOT_OWNER = {"leave"}


@cache
def needs() -> dict[str, str]:
    """Return action → the least role that it needs, as ``lib/rights.lua`` has it."""
    return dict(re.findall(r"(\w+) = '(\w+)'", _table("rights", "NEEDS")))


@cache
def deciding() -> dict[str, str]:
    """Return action → the setting that decides about it instead."""
    return dict(re.findall(r"(\w+) = '(\w+)'", _table("rights", "SETTINGS")))


@cache
def changing() -> dict[str, tuple[str, str]]:
    """Return setting → its value where it was never set, and the action by which it is changed."""
    found = re.findall(r"\{'(\w+)', '(\w*)', '(\w+)'\}", _table("topic_settings", "TOPIC_SETTINGS"))
    return {name: (usual, action) for name, usual, action in found}


def may(role: str, action: str) -> bool:
    """Return whether a role may do something by itself, without a setting."""
    if role == "owner" and action in _NOT_OWNER:
        return False
    return ROLES.index(role) >= ROLES.index(needs()[action])


def rights() -> str:
    """Return the table of who may do what."""
    lines = ["| Action | member | admin | owner |", "| --- | --- | --- | --- |"]
    for action in needs():
        setting = deciding().get(action)
        cells = [
            f"by the setting `{setting}`" if setting and role == "member" else "yes" if may(role, action) else "no"
            for role in ROLES
        ]
        lines.append(f"| {MEANINGS[action]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def settings() -> str:
    """Return the table of settings."""
    lines = ["| Setting | Values | If never set | Changed by | Meaning |", "| --- | --- | --- | --- | --- |"]
    for name, setting in SETTINGS.items():
        usual, action = changing()[name.decode()]
        by = "owner and admins" if needs()[action] == "admin" else "owner"
        shown = f"`{usual}`" if usual else "none"
        lines.append(f"| `{name.decode()}` | {setting.values} | {shown} | {by} | {setting.help} |")
    return "\n".join(lines)


def _table(include: str, name: str) -> str:
    found = re.search(rf"^local {name} = (\{{.*?\}})$", read_include(include), re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"lib/{include}.lua has no table {name}")
    return found[1]


#: Mark on the page → the text between it and its end.
PARTS: Mapping[str, Callable[[], str]] = {"settings": settings, "rights": rights}
