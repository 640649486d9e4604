"""Every word a peer may see after ``ERR``: what it means, and what to do next.

``doc/protocol.md`` prints this table; a word is never renamed, only added.
"""

from __future__ import annotations

#: word → what it means and what to do. The sentence is the default text of the error line.
WORDS: dict[str, str] = {
    "BADUTF8": "the line is not valid UTF-8; send UTF-8",
    "NUL": "the line holds a NUL byte; leave it out",
    "TOOLONG": "the line is too long; it was skipped to its end",
    "UNKNOWN_VERB": "there is no such verb; HELP lists them",
    "SERVER_VERB": "this verb belongs to the servers, no client may say it",
    "FIELDS": "the number of fields is wrong",
    "BADTAG": "a tag is unknown here or its value is wrong",
    "BADESCAPE": "with @esc a backslash may be followed by n, r or another backslash only",
    "BADNAME": "a name is 1 to 32 of a-z 0-9 . _ -",
    "BADID": "a message id looks like alice+bob:7-42, a conversation like alice+bob or #fishing",
    "VERSION": "this server speaks fishchat/1",
    "STATE": "the command is not possible now",
    "AUTH": "the login was refused: the name or the secret is wrong",
    "PASSWORD": "a password has 8 to 256 letters, of those that can be typed",
    "INVITATION": "accounts are made by invitation here, and this one is not valid: @invite=<code> CREATE_CLIENT …",
    "DEVICES": "the account has too many devices",
    "TEXTTOOLONG": "the text is too long; split it",
    "NOTFOUND": "there is no such account, topic or conversation, or it is not yours to see",
    "NOTMEMBER": "you are not a member of this topic; JOIN_TOPIC first",
    "INVITEONLY": "this topic is by invitation; ask a member for one",
    "EXISTS": "the name is taken; choose another one, or JOIN_TOPIC the topic",
    "BLOCKED": "you have blocked this account; UNBLOCK_CLIENT first",
    "OWNER": "only the owner may do this, and the owner cannot leave: DISMISS_TOPIC ends the topic",
    "FULL": "the limit is reached",
    "GAP": "an earlier number is missing; go on with the expected one",
    "CONFLICT": "this number was used for another text; go on with the expected one",
    "OLD": "this number was used so long ago that its message cannot be looked up; it is stored",
    "AHEAD": "the id is above the last message that you were given",
    "FLOOD": "too fast; wait, then send it again",
    "TRYAGAIN": "the store is away, or has too much to do; nothing was stored, send it again later",
    "UNKNOWN": "the store did not answer; it may be stored: send it again with the same cseq",
    "BUSY": "this server has no room; ask the gateway for another one",
    "INTERNAL": "this is a defect of the server; nothing is known of the outcome",
}


class Refusal(Exception):
    """A command that cannot be carried out, in the words of the peer.

    :ivar word: one of :data:`WORDS`.
    :ivar extra: what the client's program needs to go on, e.g. ``expected=17``.
    """

    def __init__(self, word: str, text: str | None = None, **extra: object) -> None:
        super().__init__(word)
        self.word = word
        self.text = WORDS[word] if text is None else text
        self.extra = extra

    def line(self, verb: bytes) -> bytes:
        """The ``ERR`` line without its ending; ``verb`` is ``-`` when none could be read."""
        extra = "".join(f"{key}={value} " for key, value in self.extra.items())
        return b"ERR %s %s" % (verb, f"{self.word} {extra}{self.text}".encode())


class ProtocolError(Refusal):
    """Bytes that are no command. The parser raises nothing else."""
