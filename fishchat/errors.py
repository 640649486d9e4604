"""Every word a peer may see after ``ERR``: what it means, and what to do next.

``doc/protocol.md`` prints this table; a word is never renamed, only added.
"""

from __future__ import annotations

#: Word → its meaning and the next step. The sentence is the default text of the error line.
WORDS: dict[str, str] = {
    "BADUTF8": "the line is not valid UTF-8; send it as UTF-8",
    "NUL": "the line contains a NUL byte; remove it",
    "TOOLONG": "the line is too long and was ignored; send a shorter one",
    "UNKNOWN_VERB": "unknown verb; HELP lists all verbs",
    "SERVER_VERB": "only servers use this verb; HELP lists the verbs of clients",
    "FIELDS": "wrong number of fields; HELP <verb> shows the syntax",
    "BADTAG": "unknown tag or invalid value; HELP <verb> lists the tags of a verb",
    "BADESCAPE": "invalid escape; with @esc only n, r or another backslash may follow a backslash",
    "BADNAME": "invalid name; use 1 to 32 of a-z 0-9 . _ - (lower case only)",
    "BADID": "invalid id; a message id is like alice+bob:7-42, a conversation like alice+bob (sorted) or #fishing",
    "VERSION": "unsupported version; this server speaks fishchat/1",
    "STATE": "the command is not possible in the current state of the connection",
    "AUTH": "login failed; check the name and the password or token",
    "PASSWORD": "a password must be 8 to 256 printable characters",
    "INVITATION": "a valid invitation is required here: @invite=<code> CREATE_CLIENT <account> <password>",
    "DEVICES": "the account has too many devices; revoke one from another device with REVOKE_DEVICE",
    "TEXTTOOLONG": "the text is too long; split it into several messages",
    "NOTFOUND": "no such account, topic or conversation, or you have no access to it; check the name",
    "NOTMEMBER": "you are not a member of this topic; join it with JOIN_TOPIC first",
    "INVITEONLY": "this topic is by invitation only; ask a member to invite you",
    "EXISTS": "the name is already taken; choose another one, or join the topic with JOIN_TOPIC",
    "BLOCKED": "you have blocked this account; unblock it with UNBLOCK_CLIENT first",
    "OWNER": "only the owner may do this; the owner cannot leave, but can end the topic with DISMISS_TOPIC",
    "FULL": "the limit is reached; remove something first",
    "GAP": "an earlier number is missing; continue with the expected one",
    "CONFLICT": "this number was already used for another text; continue with the expected one",
    "OLD": "this number was used too long ago to compare texts; a message is stored under it, do not resend it",
    "AHEAD": "the id is above the last message sent to you; use the id of a message that you have received",
    "FLOOD": "too many commands; wait, then send it again",
    "TRYAGAIN": "the store is unavailable or overloaded; nothing was stored, send it again later",
    "UNKNOWN": "the store did not answer, so the message may be stored; send it again with the same cseq",
    "BUSY": "this server is full; ask the gateway for another one",
    "INTERNAL": "internal server error; check whether the command took effect before you repeat it",
}


class Refusal(Exception):
    """A refused command, in the words of the protocol.

    :ivar word: one of :data:`WORDS`. :ivar extra: data that the client's program needs to continue, e.g.
    ``expected=17``.
    """

    def __init__(self, word: str, text: str | None = None, **extra: object) -> None:
        super().__init__(word)
        self.word = word
        self.text = WORDS[word] if text is None else text
        self.extra = extra

    def line(self, verb: bytes) -> bytes:
        """Return the ``ERR`` line without its ending; ``verb`` is ``-`` when none could be read."""
        extra = "".join(f"{key}={value} " for key, value in self.extra.items())
        return b"ERR %s %s" % (verb, f"{self.word} {extra}{self.text}".encode())


class ProtocolError(Refusal):
    """Bytes that are not a command. The parser raises nothing else."""


def tryagain(trouble: str = "") -> Refusal:
    """Return the refusal of a command that certainly stored nothing. ``trouble`` is a reason other than the store's."""
    return Refusal("TRYAGAIN", f"{trouble}; nothing was stored, ask the operator" if trouble else None, retry=1)


def unknown() -> Refusal:
    """Return the refusal of a message that may be stored."""
    return Refusal("UNKNOWN", retry=1)


def doubtful() -> Refusal:
    """Return the refusal of a command that may be done and has no number by which to find out."""
    return Refusal("UNKNOWN", "the store did not answer, so it may be done; check before you repeat it", retry=1)
