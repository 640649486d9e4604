"""Reads messages in every way that there is at the end of a run, so that the checkers can compare what they show."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from twisted.internet.threads import deferToThread

from fishchat.client import Client, RefusedError
from fishchat.proof.lab.minimal import Refused
from fishchat.proof.lab.minimal_wire import unescape
from fishchat.proof.lab.participants import Participants
from fishchat.proof.lab.rig import Rig
from fishchat.proof.lab.talkers import Scene, tell
from fishchat.proof.processes import COMMAND
from fishchat.proof.site import Place

#: The place of the body among the fields of an entry.
_BODY = 3
#: Seconds for the export of an account.
EXPORT = 30.0


class Inspector:
    """Reads a FishChat whose clients have become silent."""

    def __init__(self, reactor: Any, rig: Rig, scene: Scene, participants: Participants) -> None:
        self._reactor = reactor
        self._rig = rig
        self._scene = scene
        self._participants = participants
        self._recorder = scene.recorder

    async def inspect(self) -> None:
        """Record what every way of reading shows."""
        await self._read_numbers()
        if not self._rig.shape.secure:
            readers = [
                self._read_anew(server, address, account, conversations)
                for server, address in enumerate(self._addresses(), 1)
                for account, conversations in self._readers().items()
            ]
            await self._participants.together(readers)
        await self._participants.together([self._ask(account) for account in self._readers()])
        if not self._rig.shape.prefix:
            await self._export(self._recorder.recallers.most_common(1))

    def _addresses(self) -> list[str]:
        place: Place = self._rig.place
        return place.addresses

    def _readers(self) -> dict[str, list[str]]:
        """Return the conversations that each of some accounts can read; all of them together."""
        found: dict[str, list[str]] = defaultdict(list)
        for conversation, members in self._participants.conversations.items():
            found[members[0]].append(conversation)
        return found

    async def _read_anew(self, server: int, address: str, account: str, conversations: list[str]) -> None:
        """Read as a fresh device of an account at one server."""
        device = f"fresh-{server}"
        login, began = f"{account}/{device}", self._recorder.now()
        client = Client(account, device=device, servers=[address], reactor=self._reactor, operations=True)
        client.on_message = lambda message: self._recorder.hand(login, message)
        client.on_operation = lambda operation: tell(self._recorder, login, operation)
        self._recorder.begun(login)
        await client.start()
        for conversation in conversations:
            before = None
            while page := await client.history(conversation, before=before, limit=100):
                self._show(f"the history of ms{server}", conversation, page, began)
                before = page[0].id
        await client.stop()

    async def _ask(self, account: str) -> None:
        """Ask as an old device for unread messages, and for single messages and their versions."""
        client, recorder = self._participants.devices(account)[0].client, self._recorder
        for one in await client.conversations():
            recorder.standing(account, one.conversation, one.read, one.unread)
        mine = self._readers()[account]
        for message_id in [*recorder.recalled, *recorder.edited]:
            conversation = message_id.rpartition(":")[0]
            if conversation not in mine:
                continue
            began = recorder.now()
            try:
                self._show("REQ_MESSAGE", conversation, [await client.message(message_id)], began)
                self._show("REQ_VERSIONS", conversation, await client.versions(message_id), began, whole=False)
            except (RefusedError, Refused):
                # The id belonged to a message that a fault took from the store, or to a recalled one without versions.
                pass

    def _show(self, reader: str, conversation: str, items: Iterable[Any], began: float, whole: bool = True) -> None:
        for item in items:
            if not item.notice:
                self._recorder.shown(reader, conversation, item, began, whole)

    async def _read_numbers(self) -> None:
        """Record the numbers of all conversations in the store."""
        for conversation in self._participants.conversations:
            last, log, operations, amended = await self._rig.redis(
                ("HGET", f"meta:{conversation}", "n"),
                ("XRANGE", f"log:{conversation}", "-", "+"),
                ("XRANGE", f"ops:{conversation}", "-", "+"),
                ("HGETALL", f"amended:{conversation}"),
            )
            tombstones = [int(number) for number, state in _pairs(amended) if state.startswith(b"x ")]
            self._show_remains(conversation, operations, set(tombstones))
            numbers = [[int(entry[0].partition(b"-")[2]) for entry in stream] for stream in (log, operations)]
            self._recorder.numbers(conversation, int(last or 0), *numbers, tombstones)

    def _show_remains(self, conversation: str, operations: list[Any], tombstones: set[int]) -> None:
        """Record the edits that the store still has of recalled messages."""
        for position, fields in operations:
            account, _, _, form, text = fields[_BODY].decode().split(" ", 4)
            kind, *tags = form.split(";")
            of = next(tag.removeprefix("of=") for tag in tags if tag.startswith("of="))
            if kind == "edit" and int(of.partition("-")[2]) in tombstones:
                text = unescape("esc" if "esc" in tags else "", text)
                self._recorder.raw("the store", f"{conversation}:{position.decode()}", account, text)

    async def _export(self, accounts: Iterable[tuple[str, int]]) -> None:
        """Record what `fishchat user export` writes of these accounts."""
        for account, _ in accounts:
            began = self._recorder.now()
            words = [*COMMAND, "user", "export", account, "--data", str(self._rig.data)]
            environment = self._rig.place.environment(PYTHONPATH=self._rig.shape.source)
            done = await deferToThread(
                subprocess.run, words, check=True, capture_output=True, env=environment, cwd="/", timeout=EXPORT
            )
            for line in map(json.loads, done.stdout.splitlines()):
                if line["type"] == "message":
                    self._recorder.raw("export", line["id"], account, line["text"], began)


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
