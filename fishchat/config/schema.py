"""The whole configuration as one typed tree: every key, its type, its default, its bounds.

``load`` reads files and the environment into it; nothing here touches a file.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

Port = Annotated[str, Meta(description="host:port", pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$")]
MaybePort = Annotated[str, Meta(description="host:port", pattern=r"^((\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5})?$")]
Name = Annotated[str, Meta(description="a name", pattern=r"^[a-z0-9._-]{0,32}$")]
Count = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(gt=0)]
Days = Annotated[float, Meta(gt=0)]


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What all sections share: unknown keys are errors, values never change after the start."""


class Redis(Section, frozen=True, kw_only=True):
    """Where the store is. Without ``url`` an embedded Redis runs in the data directory."""

    url: Annotated[str, Meta(pattern=r"^((unix|rediss?)://.+)?$")] = ""
    #: For `rediss://`, PEM files: the authority that the server's certificate is checked by (the system's when empty).
    authority: str = ""
    #: The certificate and the key that this side shows, if the server asks for one.
    certificate: str = ""
    key: str = ""
    durability: Literal["fsync", "everysec"] = "fsync"
    #: How long one batch may take before its outcome counts as unknown.
    timeout: Annotated[float, Meta(ge=0.5, le=4)] = 3.0


class Accounts(Section, frozen=True, kw_only=True):
    """Who may log in. ``open``: anyone as anyone, without a secret, and only where nobody but this machine can connect.

    ``closed``: accounts made by ``fishchat user add`` or by an invitation. ``signup``: by whoever comes.
    """

    mode: Literal["open", "closed", "signup"] = "open"
    #: Who may begin a conversation with an account that has not chosen by SEND_PRIVACY.
    privacy: Literal["everyone", "contacts"] = "everyone"
    #: Days after its last use (a login, or a look at the monitor) that a device's token ends.
    token_days: Days = 30.0
    #: What a hash of a password costs: KiB and passes of argon2id, rounds of SCRAM's PBKDF2 (OWASP's figures). One that
    #: was made with others is made anew at its next login by password.
    argon2_memory: Annotated[int, Meta(ge=8192, le=1_048_576)] = 19456
    argon2_passes: Annotated[int, Meta(ge=1, le=20)] = 2
    scram_rounds: Annotated[int, Meta(ge=4096, le=5_000_000)] = 600_000


class Tls(Section, frozen=True, kw_only=True):
    """The certificate that the ``listen_tls`` addresses show; ``fishchat cert server HOST`` makes one."""

    #: PEM files, read again on SIGHUP: the certificate with its chain behind it, and its key. When empty,
    #: ``tls/server.pem`` and ``tls/server.key`` of the data directory.
    certificate: str = ""
    key: str = ""


class Risks(Section, frozen=True, kw_only=True):
    """What is refused unless it is said here in so many words."""

    #: Listeners without TLS on addresses that other machines can reach.
    plain_text_on_the_network: bool = False
    #: `accounts.mode = "open"` on such addresses.
    anyone_may_log_in_as_anyone: bool = False


class Gateway(Section, frozen=True, kw_only=True):
    """The role that tells a client which msg_server to use."""

    listen: Port = "127.0.0.1:17000"
    #: The same with TLS, beside it; none when empty.
    listen_tls: MaybePort = ""
    #: Offered when no live msg_server is known; to clients with TLS the second list.
    servers: list[Port] = []
    servers_tls: list[Port] = []


class MsgServer(Section, frozen=True, kw_only=True):
    """The role that holds clients."""

    #: Unique among all msg_servers; from the port when empty.
    id: Name = ""
    listen: Port = "127.0.0.1:19000"
    #: The same with TLS, beside it; none when empty.
    listen_tls: MaybePort = ""
    #: What clients are told to connect to, when it is not ``listen``.
    advertise: MaybePort = ""
    #: The same for clients with TLS. When ``listen_tls`` is every address of the machine (0.0.0.0), the default is the
    #: first name in the certificate.
    advertise_tls: MaybePort = ""
    #: Clients at most; the gateway weighs by what is free.
    capacity: Count = 20000


class Router(Section, frozen=True, kw_only=True):
    """The role that carries stored messages from one msg_server to the others."""

    #: Number of ``/sysctrl/send`` streams; the same for every role.
    shards: Annotated[int, Meta(ge=1, le=64)] = 1


class Keep(Section, frozen=True, kw_only=True):
    """How long messages of one kind of conversation are kept: age first, then count."""

    days: Days = 365.0
    count: Count = 1_000_000


class Retention(Section, frozen=True, kw_only=True):
    """What the manager trims, by kind of conversation."""

    p2p: Keep = Keep()
    topic: Keep = Keep(days=365.0, count=1_000_000)
    notice: Keep = Keep(days=90.0, count=10_000)
    #: Seconds between two rounds.
    every: Annotated[float, Meta(ge=1)] = 600.0


class Monitor(Section, frozen=True, kw_only=True):
    """The role that shows every server's state."""

    listen: Port = "127.0.0.1:30000"
    #: The same with TLS, beside it, for the accounts named here with their tokens (``fishchat user token``).
    listen_tls: MaybePort = ""
    accounts: list[Name] = []


class Limits(Section, frozen=True, kw_only=True):
    """Sizes and rates. ``flood = false`` lifts the rates and the counts per address, never a size."""

    flood: bool = True
    #: Commands a second of one connection, and how many at once; acknowledgements are free.
    rate: Rate = 20.0
    burst: Count = 100
    #: Connections of one address (one /64 of IPv6), and how many of these may not have logged in yet.
    per_address: Count = 200
    strangers_per_address: Count = 16
    #: Connections that have not logged in, in all, and new connections a second.
    before_login: Count = 1024
    accepts: Rate = 500.0
    #: Networks (192.0.2.0/24) whose addresses are not counted: those of a proxy, say.
    exempt: list[str] = []
    #: Logins by password or SCRAM that may fail, of one account and of one address, and seconds until one more may.
    guesses: Count = 5
    guess_seconds: Rate = 60.0
    #: Seconds a connection may take to log in.
    login_seconds: Rate = 60.0
    #: Devices of an account; a further one takes the place of one that was away for so many days.
    devices: Annotated[int, Meta(ge=1, le=100)] = 10
    device_days: Days = 365.0
    topic_members: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    topics_per_account: Count = 1000


class Up(Section, frozen=True, kw_only=True):
    """What ``fishchat up`` starts."""

    #: msg_servers of ``fishchat up --processes``; the first on ``msg_server.listen``, each further one a port higher.
    msg_servers: Annotated[int, Meta(ge=1, le=64)] = 2


class Config(Section, frozen=True, kw_only=True):
    """The root."""

    #: The data directory of the embedded Redis; ``$XDG_DATA_HOME/fishchat`` when empty.
    data: str = ""
    redis: Redis = Redis()
    accounts: Accounts = Accounts()
    tls: Tls = Tls()
    gateway: Gateway = Gateway()
    msg_server: MsgServer = MsgServer()
    router: Router = Router()
    retention: Retention = field(default_factory=Retention)
    monitor: Monitor = Monitor()
    limits: Limits = Limits()
    up: Up = Up()
    risks: Risks = Risks()
