"""The whole configuration as one typed tree: every key with its type, default, bounds and description.

``load`` fills it from files and the environment; this module reads no files. A ``title`` names the values of a type in
refusals. A ``description`` is the text of a key in ``fishchat config``.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

Port = Annotated[str, Meta(title="host:port", pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$")]
MaybePort = Annotated[str, Meta(title="host:port", pattern=r"^((\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5})?$")]
Name = Annotated[str, Meta(title="a name", pattern=r"^[a-z0-9._-]{0,32}$")]
Url = Annotated[str, Meta(title="an address", pattern=r"^(https?://[^/\s@]+/?)?$")]
# The bounds are far beyond any use, and the scripts, the calendar and the timers still take them.
Count = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]
Rate = Annotated[float, Meta(ge=0.001, le=1_000_000_000)]
Days = Annotated[float, Meta(gt=0, le=365_000)]
TimeOfDay = Annotated[str, Meta(title="hh:mm or empty", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")]


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The base of all sections: unknown keys are errors, and values never change after the start."""


class Redis(Section, frozen=True, kw_only=True):
    """The store. Without ``url``, FishChat runs a Redis of its own in the data directory."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^((unix|rediss?)://.+)?$",
            description="The URL of the Redis to use. Empty: the embedded one of the data directory.",
        ),
    ] = ""
    authority: Annotated[
        str,
        Meta(description="For rediss://: a PEM file with the authorities that may sign the certificate of Redis."),
    ] = ""
    certificate: Annotated[str, Meta(description="A PEM file with the client certificate, if Redis asks for one.")] = ""
    key: Annotated[str, Meta(description="A PEM file with the key of `certificate`.")] = ""
    durability: Annotated[
        Literal["fsync", "everysec"],
        Meta(
            description='The crash that a confirmed message survives. "fsync": a crash of the machine. "everysec": the'
            " same, except for messages of the last second.",
        ),
    ] = "fsync"
    timeout: Annotated[
        float,
        Meta(
            ge=0.5, le=4, description="Seconds to wait for the reply to one batch. After that its outcome is unknown."
        ),
    ] = 3.0


class Accounts(Section, frozen=True, kw_only=True):
    """Accounts and their secrets."""

    mode: Annotated[
        Literal["open", "closed", "signup"],
        Meta(
            description='"open": any name, without a password, from this machine only. "closed": accounts created by'
            ' `fishchat user add` or by an invitation. "signup": clients may create accounts, too.'
        ),
    ] = "open"
    privacy: Annotated[
        Literal["everyone", "contacts"],
        Meta(description="The accounts that may start a conversation with an account that never sent SEND_PRIVACY."),
    ] = "everyone"
    token_days: Annotated[
        Days, Meta(description="Days from the last use of a token (a login or a request to the monitor) to its expiry.")
    ] = 30.0
    argon2_memory: Annotated[
        int,
        Meta(
            ge=8192,
            le=1_048_576,
            description="KiB of memory of one argon2id hash. A password that was hashed with other parameters is"
            " hashed again at its next login.",
        ),
    ] = 19456
    argon2_passes: Annotated[int, Meta(ge=1, le=20, description="Passes of one argon2id hash.")] = 2
    scram_rounds: Annotated[
        int, Meta(ge=4096, le=5_000_000, description="Rounds of PBKDF2 for the SCRAM verifier.")
    ] = 600_000


class Tls(Section, frozen=True, kw_only=True):
    """The certificate of all ``listen_tls`` addresses. ``fishchat cert server HOST`` makes one."""

    certificate: Annotated[
        str,
        Meta(
            description="A PEM file with the certificate and its chain, read again on SIGHUP. Empty: `tls/server.pem`"
            " in the data directory."
        ),
    ] = ""
    key: Annotated[
        str,
        Meta(description="A PEM file with its key. Empty: `tls/server.key` in the data directory."),
    ] = ""


class Risks(Section, frozen=True, kw_only=True):
    """Settings that FishChat refuses unless they are allowed here."""

    plain_text_on_the_network: Annotated[
        bool, Meta(description="Listen without TLS on addresses that other machines can reach.")
    ] = False
    anyone_may_log_in_as_anyone: Annotated[bool, Meta(description='Use accounts.mode = "open" on such addresses.')] = (
        False
    )


class Gateway(Section, frozen=True, kw_only=True):
    """The role that assigns a msg_server to each client."""

    listen: Annotated[Port, Meta(description="The address to listen on without TLS.")] = "127.0.0.1:17000"
    listen_tls: Annotated[
        MaybePort, Meta(description="A second address to listen on, with TLS. Empty: no such listener.")
    ] = ""
    servers: Annotated[
        list[Port], Meta(description="The msg_servers to offer before the first heartbeat of one is received.")
    ] = []
    servers_tls: Annotated[
        list[Port], Meta(description="The msg_servers to offer to clients with TLS before the first heartbeat.")
    ] = []


class MsgServer(Section, frozen=True, kw_only=True):
    """The role that holds clients."""

    id: Annotated[
        Name,
        Meta(
            description="A name that no other msg_server has. Empty: made from the port and, with `redis.url`, the name"
            " of the machine."
        ),
    ] = ""
    listen: Annotated[Port, Meta(description="The address to listen on without TLS.")] = "127.0.0.1:19000"
    listen_tls: Annotated[
        MaybePort, Meta(description="A second address to listen on, with TLS. Empty: no such listener.")
    ] = ""
    advertise: Annotated[
        MaybePort, Meta(description="The address that clients should connect to. Empty: `listen`.")
    ] = ""
    advertise_tls: Annotated[
        MaybePort,
        Meta(
            description="The address that clients with TLS should connect to. Empty: `listen_tls`, or the first name"
            " in the certificate if that is every address of the machine (0.0.0.0)."
        ),
    ] = ""
    listen_web: Annotated[
        MaybePort,
        Meta(
            description="The address to which pages connect if this role is a process of its own. With all roles in one"
            " process they connect to `web.listen`. Empty: pages cannot connect here."
        ),
    ] = "127.0.0.1:17081"
    listen_web_tls: Annotated[
        MaybePort, Meta(description="A second such address, with TLS. Empty: no such listener.")
    ] = ""
    advertise_web: Annotated[
        MaybePort, Meta(description="The address to which pages should connect. Empty: the one that is listened on.")
    ] = ""
    advertise_web_tls: Annotated[
        MaybePort,
        Meta(
            description="The address to which pages with TLS should connect. Empty: the one that is listened on, or the"
            " first name in the certificate if that is every address of the machine (0.0.0.0)."
        ),
    ] = ""
    capacity: Annotated[
        Count, Meta(description="The most connections. The gateway prefers servers with more room.")
    ] = 20000


class Web(Section, frozen=True, kw_only=True):
    """The pages for browsers. The gateway serves them; with all roles in one process they also connect there."""

    listen: Annotated[MaybePort, Meta(description="The address to listen on with HTTP. Empty: no such listener.")] = (
        "127.0.0.1:17080"
    )
    listen_tls: Annotated[
        MaybePort, Meta(description="A second address to listen on, with HTTPS. Empty: no such listener.")
    ] = ""
    public_url: Annotated[
        Url,
        Meta(
            description="The address of the pages for people, such as https://chat.example.org/, if it is another one"
            " than those of the listeners: a proxy is between. Pages then connect to this address only."
        ),
    ] = ""
    origins: Annotated[
        list[Url],
        Meta(description="Further addresses of pages that may connect, such as https://chat.example.org."),
    ] = []


class Router(Section, frozen=True, kw_only=True):
    """The role that carries stored messages from one msg_server to the others."""

    shards: Annotated[
        int,
        Meta(ge=1, le=64, description="The number of `/sysctrl/send` streams. Must be the same for every role."),
    ] = 1


class Keep(Section, frozen=True, kw_only=True):
    """The time and the number of messages that one kind of conversation keeps."""

    days: Annotated[Days, Meta(description="Days after which a message is removed.")] = 365.0
    count: Annotated[Count, Meta(description="The most messages that a conversation keeps.")] = 1_000_000


class KeepAudit(Section, frozen=True, kw_only=True):
    """The time and the number of events that the audit record keeps (`fishchat audit`)."""

    days: Annotated[Days, Meta(description="Days after which an event is removed.")] = 90.0
    count: Annotated[Count, Meta(description="The most events that are kept.")] = 100_000


class Messages(Section, frozen=True, kw_only=True):
    """How messages may be changed after they were sent."""

    edit_seconds: Annotated[
        int,
        Meta(
            ge=-1, le=3_000_000_000, description="Seconds in which an author may edit a message. 0: none. -1: no limit."
        ),
    ] = 86_400
    recall_seconds: Annotated[
        int,
        Meta(
            ge=-1,
            le=3_000_000_000,
            description="Seconds in which an author may recall a message. 0: none. -1: no limit.",
        ),
    ] = 86_400
    versions: Annotated[
        Literal["members", "author", "nobody"],
        Meta(
            description='Who may see the texts that an edit has replaced. "members": everybody who sees the message.'
            ' "author": only its author. "nobody": nobody, and the texts are erased.'
        ),
    ] = "members"


class KeepReports(Section, frozen=True, kw_only=True):
    """The time and the number of reports that are kept (`fishchat reports`)."""

    days: Annotated[Days, Meta(description="Days after which a report is removed, with its copy of a message.")] = 90.0
    count: Annotated[Count, Meta(description="The most reports that are kept.")] = 10_000


class Retention(Section, frozen=True, kw_only=True):
    """The limits by which the manager removes messages, for each kind of conversation, events, and reports."""

    p2p: Keep = Keep()
    topic: Keep = Keep(days=365.0, count=1_000_000)
    notice: Keep = Keep(days=90.0, count=10_000)
    audit: KeepAudit = KeepAudit()
    reports: KeepReports = KeepReports()
    every: Annotated[
        float, Meta(ge=1, le=31_536_000, description="Seconds between two rounds through all conversations.")
    ] = 600.0
    scrub: Annotated[
        TimeOfDay,
        Meta(
            description="The local time of day, such as 04:00, at which the manager scrubs what was erased from the"
            " memory and the files of Redis. Empty: only `fishchat scrub --now` does it."
        ),
    ] = "04:00"


class Monitor(Section, frozen=True, kw_only=True):
    """The role that shows the state of every server."""

    listen: Annotated[Port, Meta(description="The address to listen on with HTTP.")] = "127.0.0.1:30000"
    listen_tls: Annotated[
        MaybePort,
        Meta(
            description="A second address to listen on, with HTTPS, for `accounts` with their tokens"
            " (`fishchat user token`). Empty: no such listener."
        ),
    ] = ""
    accounts: Annotated[list[Name], Meta(description="The accounts that may use `listen_tls`.")] = []


class Limits(Section, frozen=True, kw_only=True):
    """Limits of clients. ``flood = false`` lifts rates and counts per address, but not sizes."""

    flood: Annotated[bool, Meta(description="Whether rates and counts per address are limited.")] = True
    rate: Annotated[
        Rate,
        Meta(description="Commands a second of one account on one msg_server; SEND_ACK is not counted."),
    ] = 20.0
    burst: Annotated[Count, Meta(description="Commands of one account on one msg_server at once.")] = 100
    per_address: Annotated[Count, Meta(description="Connections of one address (one /64 network of IPv6).")] = 200
    strangers_per_address: Annotated[
        Count, Meta(description="Connections of one address that have not logged in yet.")
    ] = 16
    before_login: Annotated[Count, Meta(description="Connections that have not logged in yet, in total.")] = 1024
    accepts: Annotated[Rate, Meta(description="New connections a second.")] = 500.0
    exempt: Annotated[
        list[str],
        Meta(description="Networks whose addresses are not counted, such as that of a proxy (192.0.2.0/24)."),
    ] = []
    guesses: Annotated[Count, Meta(description="Failed logins by password or SCRAM of one account.")] = 5
    guess_seconds: Annotated[
        Rate,
        Meta(
            description="Seconds until one more failed login of an account is allowed. An address has its failed"
            " logins again after the same time as an account."
        ),
    ] = 60.0
    guesses_per_address: Annotated[
        Count,
        Meta(
            description="Failed logins, by token as well, and invalid sign-ups of one address; at least as many as"
            " `guesses`."
        ),
    ] = 40
    signups: Annotated[Count, Meta(description="Accounts that one address creates at once.")] = 40
    signup_seconds: Annotated[Rate, Meta(description="Seconds until an address may create one more account.")] = 60.0
    login_seconds: Annotated[Rate, Meta(description="Seconds within which a connection must log in.")] = 60.0
    devices: Annotated[int, Meta(ge=1, le=100, description="Devices of one account.")] = 10
    device_days: Annotated[
        Days, Meta(description="Days of absence after which a new device may replace an old one.")
    ] = 365.0
    topic_members: Annotated[int, Meta(ge=1, le=100_000, description="Members of one topic.")] = 10_000
    topics_per_account: Annotated[Count, Meta(description="Topics that one account is a member of.")] = 1000
    join_notices: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="Members of a topic up to which they are notified of those who join and leave.",
        ),
    ] = 100
    lazy: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Missed messages of one conversation that are pushed to a client with the capability `lazy`.",
        ),
    ] = 50


class Log(Section, frozen=True, kw_only=True):
    """The log files of ``fishchat up``."""

    level: Annotated[
        Literal["debug", "info", "warn", "error"], Meta(description="The least important lines that are written.")
    ] = "info"


class Up(Section, frozen=True, kw_only=True):
    """The layout of ``fishchat up``."""

    msg_servers: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="The number of msg_servers of `fishchat up --processes`. The first uses `msg_server.listen`,"
            " each next one a port higher.",
        ),
    ] = 2


class Config(Section, frozen=True, kw_only=True):
    """The whole configuration."""

    data: Annotated[
        str, Meta(description="The data directory of the embedded Redis. Empty: `$XDG_DATA_HOME/fishchat`.")
    ] = ""
    redis: Redis = Redis()
    accounts: Accounts = Accounts()
    tls: Tls = Tls()
    gateway: Gateway = Gateway()
    web: Web = Web()
    msg_server: MsgServer = MsgServer()
    router: Router = Router()
    messages: Messages = Messages()
    retention: Retention = field(default_factory=Retention)
    monitor: Monitor = Monitor()
    limits: Limits = Limits()
    log: Log = Log()
    up: Up = Up()
    risks: Risks = Risks()
