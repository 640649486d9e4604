"""Runner for tests of the scripts by which a topic is run."""

from __future__ import annotations

from typing import Any

from fishchat.features.moderation.calls import ADMINS, BANS, MUTES, OPERATOR
from fishchat.features.registry import FEATURES
from fishchat.storage.fence import Fence
from fishchat.storage.packing import unpack
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS1, MS2, STREAM, readable, rows

TOPIC = "#fishing"
#: Account → its role in the topic.
ROLES = {"alice": "owner", "bob": "admin", "carol": "member", "dave": ""}
#: The operator as the scripts know it: account and device.
BY_OPERATOR = (OPERATOR.account.decode(), OPERATOR.device.decode())


class GovernCase(AccountCase):
    """A topic with an owner, an admin, a member, and an account that is no member: see ``ROLES``."""

    def setUp(self) -> None:
        """Create it by the scripts themselves."""
        super().setUp()
        self.announce()
        for account in ROLES:
            self.login(account)
        self.create("alice", "fishing")
        for account in ("bob", "carol"):
            self.join(account, "fishing")
        self.assertEqual(self.role("alice", "bob", "admin")[0], "OK")

    def announce(self) -> None:
        """Let both msg_servers announce all features, as they do."""
        every = " ".join(sorted(feature.name for feature in FEATURES))
        for fence in (MS1, MS2):
            self.command("HSET", "features", fence.server, every)

    def govern(self, script: str, by: str, *values: Any, topic: str = "fishing", fence: Fence = MS1) -> Any:
        """Run a script of the feature for an account, or for the operator (``*``)."""
        actor = BY_OPERATOR if by == "*" else (by, "main")
        return self.fenced(f"moderation/{script}", STREAM, *actor, topic, *values, fence=fence)

    def set(self, by: str, setting: str, value: str) -> Any:
        """Change a setting."""
        return self.govern("set", by, setting, value)

    def role(self, by: str, other: str, role: str, most: int = ADMINS) -> Any:
        """Change a role."""
        return self.govern("set_role", by, other, role, most)

    def transfer(self, by: str, heir: str) -> Any:
        """Make another member the owner."""
        return self.govern("transfer", by, heir)

    def kick(self, by: str, other: str, reason: str = "") -> Any:
        """End a membership."""
        return self.govern("kick", by, other, reason)

    def ban(self, by: str, other: str, seconds: int = 0, reason: str = "", most: int = BANS) -> Any:
        """Ban an account."""
        return self.govern("ban", by, other, seconds, reason, most)

    def unban(self, by: str, other: str) -> Any:
        """End a ban."""
        return self.govern("unban", by, other)

    def mute(self, by: str, other: str, seconds: int = 60, reason: str = "", most: int = MUTES) -> Any:
        """Mute a member."""
        return self.govern("mute", by, other, seconds, reason, most)

    def unmute(self, by: str, other: str) -> Any:
        """End a mute."""
        return self.govern("unmute", by, other)

    def describe(self, by: str, topic: str = "fishing") -> Any:
        """Return setting → value, or the refusal."""
        actor = BY_OPERATOR if by == "*" else (by, "main")
        reply = self.runner.script("moderation/describe", *actor, topic)
        if reply[0] != b"OK":
            return readable(reply)
        return {name: value for name, [value] in rows(readable(unpack(reply[1])), 2).items()}

    def banned(self, by: str) -> Any:
        """Return account → until, by, reason of all bans, or the refusal."""
        reply = self.runner.script("moderation/list_banned", by, "main", "fishing", "0", 500)
        return rows(readable(unpack(reply[2])), 4) if reply[0] == b"OK" else readable(reply)

    def members(self) -> dict[str, list[Any]]:
        """Return account → role, read number, display name, and until when it is muted, of all members."""
        names = self.command("HKEYS", "members:" + TOPIC)
        reply = self.runner.script("topics/members", self.owner(), "fishing", names)
        return rows(readable(unpack(reply[1])), 5)

    def roles(self) -> dict[str, str]:
        """Return account → role of all members."""
        return {name: row[0] for name, row in self.members().items()}

    def owner(self) -> str:
        """Return the owner."""
        found: str = self.command("HGET", "topic:" + TOPIC, "owner")
        return found

    def texts(self) -> list[str]:
        """Return the texts of all messages of the topic."""
        return [text for _, text in self.log(TOPIC)]

    def lapse(self, key: str, account: str) -> None:
        """Let a ban (``banned:``) or a mute (``muted:``) have ended a second ago."""
        value = self.command("HGET", key + TOPIC, account)
        self.command("HSET", key + TOPIC, account, f"{self.now() - 1000} {value.split(' ', 1)[1]}")

    def register_old(self) -> None:
        """Let the second msg_server be one of a version that does not know this feature."""
        self.command("HSET", "features", MS2.server, "topics")
