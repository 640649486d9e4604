"""Names, conversation tokens and message ids: their form, and how they are composed.

An account, a topic and a device are called ``[a-z0-9._-]{1,32}``. A conversation is one token: ``alice+bob`` (two
accounts in order), ``#fishing`` (a topic), ``@alice`` (notices to one account). A message is
``<conversation>:<epoch>-<seq>``: ``seq`` has no holes, the epoch grows whenever the store may have lost its tail, so
that ids compare as ``(epoch, seq)`` and never name two messages.
"""

from __future__ import annotations

from unicodedata import normalize

from fishchat.model.secrets.tokens import INVITATION, TOKEN

#: The characters of a name, and its largest length.
NAME_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789._-"
NAME_LENGTH = 32
#: The most digits of an epoch or a number: Lua counts exactly to 2**53.
DIGITS = 15

#: The refusal of a new account with the name that notices have for the server and its operator.
SERVER_NAME_ADVICE = "the name - stands for the server in notices; choose another one"

#: A position in a conversation: epoch and number. And the parts of a message id.
Position = tuple[int, int]
MessageId = tuple[bytes, int, int]
START: Position = (0, 0)


def is_name(name: bytes) -> bool:
    """Return whether ``name`` is valid for an account, a topic or a device."""
    return 0 < len(name) <= NAME_LENGTH and not name.translate(None, NAME_BYTES)


def name_advice(name: bytes) -> str | None:
    """Return what is wrong with a name that is not valid, and what to do; None for no more than the rule."""
    text = name.decode("utf-8", "replace")
    near = normalize("NFKC", text).lower().encode()
    if is_name(near):
        return small_letters(near)
    if name[:1] in (b"#", b"@") and is_name(near[1:]):
        return f"names are typed without {text[0]}: try {near[1:].decode()}"
    if len(name) > NAME_LENGTH and is_name(near[:NAME_LENGTH]):
        return f"a name has at most {NAME_LENGTH} characters; choose a shorter one"
    if not name.isascii():
        return (
            "names have only a-z 0-9 . _ -, which everybody can type; "
            "a display name may be in any script: choose such a name, then set the other one with NAME"
        )
    return None


def small_letters(near: bytes) -> str | None:
    """Return the advice to type ``near`` instead; None if it holds a token or an invitation: never show one."""
    return None if TOKEN in near or INVITATION in near else f"names have small letters: try {near.decode()}"


def p2p(one: bytes, other: bytes) -> bytes:
    """Return the conversation of two accounts, in whichever order they are given."""
    return one + b"+" + other if one <= other else other + b"+" + one


def topic_conversation(topic: bytes) -> bytes:
    """Return the conversation of a topic."""
    return b"#" + topic


def notices(account: bytes) -> bytes:
    """Return the conversation that only ``account`` reads."""
    return b"@" + account


def kind(conversation: bytes) -> str:
    """Return ``p2p``, ``topic`` or ``notice``; the token must be one that this module made or checked."""
    return {b"#": "topic", b"@": "notice"}.get(conversation[:1], "p2p")


def is_conversation(token: bytes) -> bool:
    """Return whether ``token`` is a well-formed conversation."""
    if token[:1] in (b"#", b"@"):
        return is_name(token[1:])
    one, plus, other = token.partition(b"+")
    return bool(plus) and is_name(one) and is_name(other) and one <= other


def named_conversation(token: bytes) -> bytes | None:
    """Return the conversation that a person names, or None.

    The two accounts may be in any order. The name of an account remains a name: see ``conversation_with``.
    """
    if is_name(token) or is_conversation(token):
        return token
    one, plus, other = token.partition(b"+")
    return p2p(one, other) if plus and is_name(one) and is_name(other) else None


def conversation_with(named: bytes, account: bytes) -> bytes:
    """Return the conversation that ``account`` means: by the name of another account, the one with it."""
    return p2p(account, named) if is_name(named) else named


def accounts_of(conversation: bytes) -> tuple[bytes, ...]:
    """Return the accounts of a p2p or notice conversation; none for a topic, whose members are in the store."""
    if conversation[:1] == b"#":
        return ()
    if conversation[:1] == b"@":
        return (conversation[1:],)
    one, _, other = conversation.partition(b"+")
    return (one,) if one == other else (one, other)


def concerns(conversation: bytes, account: bytes) -> bool:
    """Return whether ``account`` is a party named by the token; always true for a topic, where membership decides."""
    return conversation[:1] == b"#" or account in accounts_of(conversation)


def message_id(conversation: bytes, epoch: int, seq: int) -> bytes:
    """Return the id of a message."""
    return b"%s:%d-%d" % (conversation, epoch, seq)


def parse_position(raw: bytes) -> Position:
    """Return ``(epoch, seq)`` of ``b"7-42"``. Raises ValueError on anything else."""
    epoch, _, seq = raw.partition(b"-")
    if not (epoch.isdigit() and seq.isdigit() and len(epoch) <= DIGITS and len(seq) <= DIGITS):
        raise ValueError(f"no position: {raw!r}")
    return int(epoch), int(seq)


def format_position(position: Position) -> bytes:
    """Return ``b"7-42"`` for ``(7, 42)``: also the id of the entry in the store's log."""
    return b"%d-%d" % position


def split_id(raw: bytes) -> MessageId:
    """Return ``(conversation, epoch, seq)`` of a message id. Raises ValueError on anything else."""
    conversation, _, position = raw.rpartition(b":")
    if not is_conversation(conversation):
        raise ValueError(f"no conversation: {conversation!r}")
    epoch, seq = parse_position(position)
    return conversation, epoch, seq
