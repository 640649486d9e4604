"""What features ask of the engine around them: of a session, and of the parts of a msg_server.

A feature names in its constructor what it needs; ``Engine`` is only how the parts come to the features, each of which
takes its own (``make`` in its module ``handlers``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from fishchat.interfaces import IPeer
    from fishchat.model.device import Device, Reading
    from fishchat.model.names import Position
    from fishchat.model.secrets.passwords import Costs
    from fishchat.protocols.table import Command, Table
    from fishchat.storage.ask import Ask

T = TypeVar("T")


class IServed(Protocol):
    """A client of any server."""

    @property
    def commands(self) -> Table:
        """The verbs of this server."""

    def answer(self, line: bytes) -> None:
        """Answer a command, after all that were asked before it."""

    def quit(self, line: bytes) -> None:
        """Answer what was asked, then with ``line``, then close."""


class ISession(IServed, Protocol):
    """A client of the msg_server.

    :ivar capabilities: what it was granted at HELLO.
    """

    capabilities: frozenset[bytes]

    @property
    def peer(self) -> IPeer:
        """The other side of its connection."""

    @property
    def account(self) -> bytes:
        """The account that is logged in."""

    @property
    def device(self) -> Device | None:
        """The client as a logged-in device."""

    @property
    def by_secret(self) -> bool:
        """Whether the login was by password or SCRAM."""

    def ask(self, command: Command, ask: Ask[T], take: Callable[[T], bytes], *, alone: bool = False) -> None:
        """Call the store in the order of this session; ``take`` makes the line of the result, or raises Refusal.

        After a call that is ``alone`` nothing more is read until it is answered: its answer may be long.
        """

    def perform(self, command: Command, work: Coroutine[Any, Any, bytes]) -> None:
        """Answer with the line that ``work`` returns, or with its Refusal; nothing more is read until then."""

    def send_message(self, command: Command, conversation: bytes, form: bytes, peer: bytes) -> None:
        """Store the message of ``command``, then deliver it.

        ``form`` is its kind and attributes; ``peer`` is the other account, empty for a topic.
        """


class ILogins(Protocol):
    """The way in."""

    def log_in(self, session: Any, command: Command) -> None:
        """SEND_CLIENT_ID: log in by password or token."""

    def authenticate(self, session: Any, command: Command) -> None:
        """SEND_AUTH: log in by SCRAM."""


class IGuesses(Protocol):
    """The guess budget of accounts and addresses."""

    def attempt(self, account: bytes, source: bytes) -> Awaitable[Any]:
        """Take a guess; Refusal ``FLOOD`` when there is none left."""

    def hashed(self, account: bytes, source: bytes, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Make a slow hash after an attempt, whose guess is refunded when there was no time for the hash."""

    def ask(self, ask: Ask[T]) -> Awaitable[T]:
        """Call the store through the queue; fails with the Refusal."""


class ICall(Protocol):
    """Calls the store through the queue of the msg_server."""

    def __call__(self, ask: Ask[T]) -> Awaitable[T]:
        """Make the call in its turn; fails with the Refusal."""


class IRooms(Protocol):
    """The conversations that are read at this server."""

    def told(self, name: bytes, epoch: int, seq: int, body: bytes, version: int, time: int) -> None:
        """Deliver a message that is stored since ``time`` in ms."""

    def acknowledged(self, reading: Reading) -> None:
        """Go on after an acknowledgement."""


class IMembership(Protocol):
    """Which devices here read a topic."""

    def joined(self, account: bytes, name: bytes, version: int, after: Position) -> None:
        """Take note of a new member."""

    def left(self, account: bytes, name: bytes, version: int) -> None:
        """Take note that a membership ended."""

    def changed(self, name: bytes, accounts: Iterable[bytes] = ()) -> None:
        """Read a topic's membership again with the next message."""


class ITopicNews(Protocol):
    """News for the manager and the other msg_servers."""

    def changed(self, topic: bytes, event: str, account: bytes) -> None:
        """Publish that ``event`` happened to ``topic``, by ``account``."""


class ISignals(Protocol):
    """Pushes that are never stored."""

    def push(self, recipients: Iterable[bytes], line: bytes) -> None:
        """Push ``line``, without its ending, to accounts and devices (``account/device``) at this server."""


@dataclass(frozen=True)
class Settings:
    """What the configuration says of accounts and topics.

    :ivar mode: who may sign up: ``open``, ``closed`` or ``signup``.
    :ivar privacy: that of a new account, as the store has it.
    :ivar token_life: how long a token that is not used lives, in ms.
    """

    mode: str
    privacy: bytes
    costs: Costs
    token_life: int
    topic_members: int
    topics_per_account: int


@dataclass(frozen=True)
class Engine:
    """The parts of a msg_server that features may need.

    :ivar stream: where scripts put what other servers have to be told.
    :ivar source: by what name the guesses of an address are counted.
    :ivar address: where clients connect to this server, with TLS or without.
    """

    settings: Settings
    stream: bytes
    call: ICall
    logins: ILogins
    guesses: IGuesses
    source: Callable[[str], bytes]
    rooms: IRooms
    membership: IMembership
    topic_news: ITopicNews
    signals: ISignals
    address: Callable[[bool], bytes]


#: Verb → what does it; the first argument is an ``ISession``, or what more the engine gives.
Handlers = dict[bytes, Callable[[Any, "Command"], None]]
