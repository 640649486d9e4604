"""The scripts of links and requests, as tests call them."""

from __future__ import annotations

from typing import Any

from fishchat.model.secrets.tokens import fingerprint
from fishchat.storage.fence import Fence
from fishchat.storage.packing import unpack
from fishchat.test.support.script_runner import LONG, MS1, STREAM, ScriptCase, readable

TOPIC = "#fishing"


class LinksCase(ScriptCase):
    """Alice owns a topic; Bob, Carol and Dave have accounts."""

    kind = "invitation"

    def setUp(self) -> None:
        """Log all of them in."""
        super().setUp()
        for account in ("alice", "bob", "carol", "dave"):
            self.login(account)
        self.create("alice", "fishing", self.kind)

    def link(
        self,
        code: str = "code",
        *,
        account: str = "alice",
        topic: str = "fishing",
        life: int = LONG,
        uses: int | str = "",
        approval: bool = False,
        most: int = 100,
    ) -> Any:
        """Create a link."""
        name = fingerprint(code.encode())
        return self.fenced("links/create_link", account, topic, name, life, uses, approval, most)

    def enter(self, account: str, code: str = "code", *, text: str = "", members: int = 100, topics: int = 100) -> Any:
        """Join by a link. Returns the reply without the notices."""
        limits = members, topics, 0, 100
        name = fingerprint(code.encode())
        reply = self.fenced("links/join_link", STREAM, account, "main", name, text, *limits)
        return [*reply[:3], *reply[4:]]

    def revoke(self, which: str, account: str = "alice", topic: str = "fishing") -> Any:
        """Revoke links."""
        return self.fenced("links/revoke_link", account, topic, which)

    def links(self, account: str = "alice", topic: str = "fishing") -> Any:
        """Return fingerprint, creator, uses left, approval of each link, or the refusal."""
        reply = self.runner.script("links/list_links", account, topic)
        if reply[0] != b"OK":
            return readable(reply)
        flat = readable(unpack(reply[1]))
        return [(flat[at], flat[at + 1], flat[at + 2], flat[at + 4]) for at in range(0, len(flat), 5)]

    def accept(
        self, guest: str, account: str = "alice", *, members: int = 100, topics: int = 100, notified: int = 0
    ) -> Any:
        """Accept a request. Returns the whole reply."""
        body = f"{account} main -1 n ACCEPTED fishing"
        limits = members, topics, notified
        return self.fenced("links/accept", STREAM, account, "main", "fishing", guest, *limits, body)

    def refuse(self, guest: str, account: str = "alice") -> Any:
        """Refuse a request."""
        return self.fenced("links/refuse", STREAM, account, "fishing", guest, f"{account} main -1 n REFUSED fishing")

    def requests(self, account: str = "alice") -> Any:
        """Return account → text of the requests, or the refusal."""
        reply = self.runner.script("links/list_requests", account, "fishing")
        if reply[0] != b"OK":
            return readable(reply)
        flat = readable(unpack(reply[1]))
        return {who: said.partition(" ")[2] for who, said in zip(flat[::2], flat[1::2], strict=True)}

    def ban(self, account: str, until: int = 0) -> None:
        """Ban an account as ``moderation/ban`` stores it."""
        self.command("HSET", "banned:" + TOPIC, account, f"{until} alice spam")

    def members(self, topic: str = TOPIC) -> list[str]:
        """Return the members."""
        return sorted(self.command("HKEYS", "members:" + topic))

    def make_admin(self, account: str, fence: Fence = MS1) -> None:
        """Let an account join by the way of the topic, and appoint it."""
        self.command("SADD", "invited:" + TOPIC, account)
        self.join(account, "fishing", fence=fence)
        self.command("HSET", "admins:" + TOPIC, account, 1)

    def now(self) -> int:
        """Return the time of Redis in ms."""
        seconds, micros = self.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000
