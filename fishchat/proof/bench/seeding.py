"""Fill a store with messages, faster than clients can: by the product's own scripts, in larger batches.

It writes the same values as a msg_server does for its clients, and the scripts check them in the same way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from fishchat.bus import channels
from fishchat.features.accounts.calls import create
from fishchat.features.session.calls import OPEN, login
from fishchat.model.message import PLAIN, pack_body
from fishchat.model.names import p2p
from fishchat.proof.bench.crowd import BenchError
from fishchat.proof.bench.store import Store
from fishchat.storage.ask import Ask, T_co
from fishchat.storage.fence import Fence
from fishchat.storage.packing import pack
from fishchat.storage.script import Script, every_script, script
from fishchat.storage.servers.calls import register, retire

#: Messages of one conversation, which are one batch; accounts that send them; batches in flight.
EACH, SENDERS, FLIGHTS = 1000, 50, 2
#: Messages between two reports of progress.
TELL_EVERY = 500_000
#: Milliseconds of the lease: longer than filling takes.
LEASE = 1_800_000

_SERVER, _DEVICE = b"seed", b"main"

SEND = script("logs/send")


class Seeder:
    """Stores messages as a msg_server without clients, which is registered only meanwhile.

    :ivar stored: the number of messages so far.
    """

    def __init__(self, store: Store, size: int = 100) -> None:
        self._store = store
        # Texts that Redis cannot compress when it rewrites its file: the texts of people are not all alike either.
        self._texts = [secrets.token_urlsafe(size)[:size].encode() for _ in range(EACH)]
        self.stored = 0

    def fill(self, messages: int, say: Callable[[str], object]) -> None:
        """Add so many messages, in whole conversations. BenchError when the store refuses one of them."""
        wanted, under_way = self.stored + messages, 0
        fence = self._register()
        while self.stored < wanted or under_way:
            if self.stored < wanted and under_way < FLIGHTS:
                self._say_conversation(fence, self.stored // EACH)
                self.stored += EACH
                under_way += 1
                if self.stored % TELL_EVERY == 0:
                    say(f"{self.stored:,} messages")
            else:
                _check(self._store.hear())
                _check_each(self._store.hear())
                under_way -= 1
        self._ask(retire(_SERVER, fence.incarnation), fence)

    def _register(self) -> Fence:
        """Register the server, and log the senders in there, which also makes their accounts."""
        for each in every_script():
            self._store.ask("SCRIPT", "LOAD", each.source)
        # A new incarnation each time: the manager may be about to clean up after an earlier one.
        incarnation, epoch = secrets.token_hex(4).encode(), int(self._store.ask("GET", "epoch"))
        fence = Fence(_SERVER, incarnation, epoch, 1)
        # That of a seeding that was killed is replaced.
        held = self._store.ask("GET", b"lease:" + _SERVER)
        self._ask(register(fence.server, fence.token, LEASE, held or True, b""), fence)
        for number in range(SENDERS):
            self._ask(login(_sender(number), _DEVICE, 1, 1, True, 0, OPEN), fence)
        return fence

    def _say_conversation(self, fence: Fence, number: int) -> None:
        """Send a whole conversation; there will be two replies."""
        account, peer = _sender(number % SENDERS), b"seed.to.%d" % number
        self._say_call(create(peer, b"", b"", b"", b"", b"", False), fence)
        conversation, sender = p2p(account, peer), account + b"/" + _DEVICE
        flat: list[Any] = []
        for cseq, text in enumerate(self._texts, 1):
            flat += (conversation, sender, cseq, pack_body(account, _DEVICE, cseq, PLAIN, text), account, peer)
        self._say(SEND, *fence.args, channels.SEND, [account, peer], flat, [])

    def _say(self, script: Script, *args: Any) -> None:
        self._store.say("EVALSHA", script.sha, 0, pack(*args))

    def _say_call(self, ask: Ask[Any], fence: Fence) -> None:
        self._say(ask.script, *(fence.args if ask.fenced else ()), *ask.values)

    def _ask(self, ask: Ask[T_co], fence: Fence) -> T_co:
        self._say_call(ask, fence)
        return ask.parse(self._store.hear())


def _sender(number: int) -> bytes:
    return b"seed.from.%d" % number


def _check(reply: Any) -> None:
    if reply[0] != b"OK":
        raise BenchError(f"the store cannot be filled: {reply!r}")


def _check_each(reply: Any) -> None:
    _check(reply)
    refused = [result for result in reply[1] if not isinstance(result, int)]
    if refused:
        raise BenchError(f"the store refuses {len(refused)} messages: {refused[0]!r}")
