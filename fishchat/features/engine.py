"""The interfaces of the engine that features use: of a session, and of the parts of a msg_server.

A feature names in its constructor the parts that it needs. ``make`` in its module ``handlers`` takes these parts from
``Engine``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from fishchat.interfaces import IPeer
    from fishchat.model.device import Device, Reading
    from fishchat.model.names import Position
    from fishchat.model.operations import Operation, Times
    from fishchat.model.secrets.passwords import Costs
    from fishchat.protocols.rows import State
    from fishchat.protocols.table import Command, Table
    from fishchat.storage.ask import Ask

T = TypeVar("T")


class IServed(Protocol):
    """A client of any server.

    :ivar said_hello: whether the client has said HELLO, as programs do.
    """

    said_hello: bool

    @property
    def commands(self) -> Table:
        """The verbs of this server."""

    def answer(self, line: bytes) -> None:
        """Answer a command, after all commands before it."""

    def quit(self, line: bytes) -> None:
        """Answer the commands received so far, then send ``line`` and close."""


class ISession(IServed, Protocol):
    """A client of the msg_server.

    :ivar capabilities: the capabilities that the client was granted at HELLO.
    :ivar state: where the connection stands.
    """

    capabilities: frozenset[bytes]
    state: State

    @property
    def peer(self) -> IPeer:
        """The other end of the connection."""

    @property
    def clock(self) -> IReactorTime:
        """The clock of the server."""

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
        """Call the store in the order of this session's commands.

        ``take`` makes the line of the result, or raises Refusal. After a call that is ``alone`` nothing more is read
        until it is answered, because its answer may be long.
        """

    def perform(self, command: Command, work: Coroutine[Any, Any, bytes], *, changes: bool = True) -> None:
        """Answer with the line that ``work`` returns, or with its Refusal; read nothing more until then.

        When the store does not answer work that changes nothing, the client is asked to try again.
        """

    def send_message(self, command: Command, conversation: bytes, form: bytes, peer: bytes) -> None:
        """Store the message of ``command``, then deliver it.

        ``form`` is the kind of the message with its attributes; ``peer`` is the other account, empty for a topic.
        """

    def send_operation(self, command: Command, operation: Operation) -> None:
        """Store an operation on a message, then deliver it."""


class ILogins(Protocol):
    """The two verbs that log clients in."""

    def log_in(self, session: Any, command: Command) -> None:
        """Carry out SEND_CLIENT_ID: log in by password or token."""

    def authenticate(self, session: Any, command: Command) -> None:
        """Carry out SEND_AUTH: log in by SCRAM."""


class Budget(NamedTuple):
    """How often something may be done: ``most`` times (0: any number), and once more every ``each`` ms."""

    most: int
    each: int


class IHashes(Protocol):
    """Slow hashes, each of which is first taken from a budget."""

    def begin(self, ask: Ask[T]) -> Awaitable[T]:
        """Take from a budget by this call; fail with its Refusal."""

    def hashed(self, refund: Ask[Any], function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Make a slow hash; make the call ``refund`` when there was no time for the hash."""

    def attempt(self, account: bytes, source: bytes) -> Awaitable[Any]:
        """Take a guess and return the verifiers of the account; fail with ``FLOOD`` after too many wrong ones."""

    def checked(self, account: bytes, source: bytes, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Make a slow hash after an attempt; refund its guess when there was no time for the hash."""

    def refund(self, account: bytes, source: bytes) -> None:
        """Refund a guess."""

    def ask(self, ask: Ask[T]) -> Awaitable[T]:
        """Call the store through the queue; fail with its Refusal."""


class IAudit(Protocol):
    """The audit record (``model/audit.py``)."""

    def note(self, kind: str, address: str = "", **fields: bytes) -> None:
        """Record an event of a client at this address, never a text or a secret."""


class ICall(Protocol):
    """A function that calls the store through the queue of the msg_server."""

    def __call__(self, ask: Ask[T]) -> Awaitable[T]:
        """Make the call in its turn; fail with its Refusal."""


class IRooms(Protocol):
    """The conversations that devices of this server read."""

    def told(self, name: bytes, epoch: int, seq: int, body: bytes, version: int, time: int) -> None:
        """Deliver a message that was stored at ``time`` (ms)."""

    def acknowledged(self, reading: Reading) -> None:
        """Continue the delivery after an acknowledgement."""

    @property
    def announced(self) -> Callable[[Reading], Position]:
        """Return up to where a device was told of messages: pushed, or in a range that is passed over."""


class IMembership(Protocol):
    """Which devices of this server read a topic."""

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

    def push(self, recipients: Iterable[bytes], line: bytes, but: Device | None = None) -> None:
        """Push ``line``, without its ending, to recipients at this server: accounts and devices (``account/device``).

        A conversation (``#fishing``) among them stands for the devices that watch it, except those of the account in
        the first field of the line. ``but`` is the device that caused it, which knows already.
        """


class IWatchers(Protocol):
    """The devices of this server that watch accounts and conversations, as long as they are connected."""

    def watch_account(self, device: Device, account: bytes, most: int) -> None:
        """Begin to watch whether an account is online. Raises Refusal (FULL) for more than ``most`` accounts."""

    def told_first(self, device: Device, account: bytes, is_online: bool) -> bool:
        """Take note of the store's first answer. Returns whether to push it to the device."""

    def unwatch_account(self, device: Device, account: bytes) -> None:
        """Stop watching an account; one that is not watched is no error."""

    def watch_conversation(self, device: Device, conversation: bytes, most: int) -> None:
        """Begin to watch a conversation. Raises Refusal (FULL) for more than ``most`` conversations."""

    def unwatch_conversation(self, device: Device, conversation: bytes) -> None:
        """Stop watching a conversation; one that is not watched is no error."""

    def of(self, conversation: bytes) -> Iterable[Device]:
        """Return the devices that watch a conversation and may still see it."""


@dataclass(frozen=True)
class Settings:
    """The settings of accounts and topics, from the configuration.

    :ivar mode: the mode of sign-up: ``open``, ``closed`` or ``signup``.
    :ivar privacy: the privacy of a new account, in its stored form.
    :ivar token_life: the ms after which an unused token ends.
    :ivar devices: the most devices of an account.
    :ivar sign_ups: the budget of new accounts of an address; ``guesses`` that of its wrong secrets.
    :ivar changes: the budget of password changes of an account.
    :ivar join_notices: the members of a topic up to which they are notified of each other.
    :ivar times: how long messages may be changed.
    :ivar versions: who may see replaced texts: ``members``, ``author`` or ``nobody``.
    """

    mode: str
    privacy: bytes
    costs: Costs
    token_life: int
    devices: int
    sign_ups: Budget
    guesses: Budget
    changes: Budget
    topic_members: int
    topics_per_account: int
    join_notices: int
    times: Times
    versions: str


@dataclass(frozen=True)
class Engine:
    """The parts of a msg_server that features may need.

    :ivar stream: the stream to which scripts add messages for other servers.
    :ivar source: returns the name under which the guesses of an address are counted.
    :ivar address: returns the address of this server for clients, with TLS or without.
    """

    settings: Settings
    stream: bytes
    call: ICall
    logins: ILogins
    hashes: IHashes
    audit: IAudit
    source: Callable[[str], bytes]
    rooms: IRooms
    membership: IMembership
    topic_news: ITopicNews
    signals: ISignals
    watchers: IWatchers
    address: Callable[[bool], bytes]


#: Verb → its handler. The first argument is the session: an ``ISession``, or the engine's larger class.
Handlers = dict[bytes, Callable[[Any, "Command"], None]]
