"""The accounts of a run: their names, their conversations, and the content of these in the store at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, FirstError, ensureDeferred

from fishchat.client import ClosedError
from fishchat.model.names import p2p
from fishchat.proof.accounts import make_devices
from fishchat.proof.lab.minimal import Closed
from fishchat.proof.lab.probe import Probe
from fishchat.proof.lab.talkers import Scene, Talker

#: The number of accounts, and of members of each topic; each account also talks with one other.
ACCOUNTS, TOPIC = 24, 6
#: Every fourth account has a second device, every third one uses the lab's own client.
SECOND_DEVICE, INDEPENDENT = 4, 3
#: The devices that know nothing of operations.
PLAIN = ("user00/main", "user01/main", "user12/main")
#: The topic whose members are kicked, muted and banned.
GOVERNED = "#governed"
#: The number of devices.
DEVICES = ACCOUNTS + ACCOUNTS // SECOND_DEVICE
#: Seconds for an action of all clients together; and the least messages of the store that are read in a second.
TOGETHER, READ = 60.0, 1000


class Participants:
    """All clients of a run.

    :ivar talkers: by ``account/device``.
    :ivar conversations: the members of each conversation, the owner of a topic first.
    """

    def __init__(self, reactor: Any, scene: Scene) -> None:
        self._reactor = reactor
        self._scene = scene
        self.talkers = {talker.name: talker for talker in _talkers(scene)}
        self.conversations: dict[str, list[str]] = {}

    def devices(self, account: str) -> list[Talker]:
        """Return the devices of an account."""
        return [talker for talker in self.talkers.values() if talker.account == account]

    def loud(self) -> list[Talker]:
        """Return those of whose conversations none is silent."""
        return [talker for talker in self.talkers.values() if talker.is_loud]

    @property
    def pending(self) -> bool:
        """Whether a message has no answer yet."""
        return any(talker.pending for talker in self.talkers.values())

    def have_answers_since(self, when: float) -> bool:
        """Return whether every device has an ``OK`` of what it sent since then."""
        heard = self._scene.recorder.heard
        return all(talker.is_silent or heard.get(name, 0.0) >= when for name, talker in self.talkers.items())

    async def enrol(self, url: str, probes: list[Probe]) -> None:
        """Make the accounts, and give each device and each probe a token."""
        names = sorted(self.talkers, key=lambda name: not name.endswith("/main"))
        devices = [*names, *(f"{probe.account}/main" for probe in probes)]
        pairs = [(account.encode(), device.encode()) for account, _, device in (one.partition("/") for one in devices)]
        tokens = await make_devices(self._reactor, url, pairs)
        secrets = dict(zip(devices, (token.decode() for token in tokens), strict=True))
        self._scene.secrets.update(secrets)
        for probe in probes:
            probe.secret = secrets[f"{probe.account}/main"]

    async def meet(self, random: Random) -> None:
        """Log in all clients, and form pairs and topics."""
        await self.together([talker.start() for talker in self.talkers.values()])
        accounts = sorted({talker.account for talker in self.talkers.values()})
        random.shuffle(accounts)
        for one, other in zip(accounts[::2], accounts[1::2], strict=True):
            self._form(p2p(one.encode(), other.encode()).decode(), {one: other, other: one})
        random.shuffle(accounts)
        for number in range(len(accounts) // TOPIC):
            members = accounts[number * TOPIC : (number + 1) * TOPIC]
            topic = f"topic{number}"
            await self.devices(members[0])[0].client.create_topic(topic)
            await self.together([self.devices(account)[0].client.join(topic) for account in members[1:]])
            self._form(f"#{topic}", dict.fromkeys(members, f"#{topic}"))
            self._scene.owners[f"#{topic}"] = members[0]

    async def assemble(self, members: list[str]) -> None:
        """Form the topic that is governed. Nobody sends there yet."""
        topic = GOVERNED.removeprefix("#")
        await self.devices(members[0])[0].client.create_topic(topic)
        await self.together([self.devices(account)[0].client.join(topic) for account in members[1:]])
        self._form(GOVERNED, dict.fromkeys(members, GOVERNED))
        self._scene.recorder.receivers(GOVERNED, ())

    def _form(self, conversation: str, addresses: dict[str, str]) -> None:
        recorder = self._scene.recorder
        self.conversations[conversation] = list(addresses)
        devices = []
        for account, to in addresses.items():
            recorder.membership(account, conversation, "asks-in")
            recorder.membership(account, conversation, "in")
            for talker in self.devices(account):
                devices.append(talker.name)
                if conversation != GOVERNED:
                    talker.places.append((to, conversation))
        recorder.receivers(conversation, devices)

    async def read_logs(self) -> None:
        """Record all conversations as the store has them."""
        reading = [self._read_log(*item) for item in self.conversations.items()]
        await self.together(reading, TOGETHER + self._scene.recorder.sent / READ)

    async def _read_log(self, conversation: str, members: list[str]) -> None:
        for account in members:
            try:
                return await self._read_as(self.devices(account)[0].client, conversation)
            except (ClosedError, Closed) as error:
                self._scene.recorder.complain("failed", f"{account} cannot read {conversation}: {error}")

    async def _read_as(self, client: Any, conversation: str) -> None:
        pages: list[list[Any]] = []
        while page := await client.history(conversation, before=pages[-1][0].id if pages else None, limit=100):
            pages.append(page)
        for page in reversed(pages):
            for item in page:
                if not item.notice:
                    self._scene.recorder.log(conversation, item)

    async def stop(self) -> None:
        """Stop all clients."""
        await self.together([talker.client.stop() for talker in self.talkers.values()])

    async def together(self, waiting: Sequence[Awaitable[Any]], seconds: float = TOGETHER) -> None:
        """Wait for all of them. Raises the first failure of one, and TimeoutError when it takes longer."""
        deferreds: list[Deferred[Any]] = [ensureDeferred(one) for one in waiting]  # type: ignore[arg-type]
        everything = DeferredList(deferreds, fireOnOneErrback=True, consumeErrors=True)
        try:
            await everything.addTimeout(seconds, self._reactor)
        except FirstError as first:
            first.subFailure.raiseException()


def _talkers(scene: Scene) -> list[Talker]:
    found = []
    for number in range(ACCOUNTS):
        name = f"user{number:02}"
        found.append(Talker(f"{name}/main", scene, number % INDEPENDENT == 0, f"{name}/main" in PLAIN))
        if number % SECOND_DEVICE == 0:
            found.append(Talker(f"{name}/phone", scene))
    return found
