"""Every word a peer may see after ``ERR``: what it means, and what to do next.

``doc/protocol.md`` prints this table; a word is never renamed, only added.
"""

from __future__ import annotations

from time import localtime, strftime

#: Word → its meaning and the next step. The sentence is the default text of the error line.
WORDS: dict[str, str] = {
    "BADUTF8": "the line is not valid UTF-8; send it as UTF-8",
    "NUL": "the line contains a NUL byte; remove it",
    "CONTROL": "the line contains a key such as Backspace or an arrow; type the line again",
    "MALFORMED": "the connection was closed in the middle of this line, so it was ignored; end each line with LF",
    "TOOLONG": "the line is too long and was ignored; send a shorter one",
    "UNKNOWN_VERB": "unknown verb; HELP lists all verbs",
    "SERVER_VERB": "only servers use this verb; HELP lists the verbs of clients",
    "FIELDS": "wrong number of fields; HELP <verb> shows the syntax",
    "BADTAG": "unknown tag or invalid value; HELP <verb> lists the tags of a verb",
    "BADESCAPE": "invalid escape; with @esc only n, r or another backslash may follow a backslash",
    "BADNAME": "invalid name; use 1 to 32 of a-z 0-9 . _ - (lower case only)",
    "BADID": "invalid id; a message id is like alice+bob:7-42, a conversation like bob, alice+bob or #fishing",
    "VERSION": "unsupported version; this server speaks fishchat/1",
    "STATE": "the command is not possible in the current state of the connection",
    "AUTH": "login failed; check the name and the password or token",
    "PASSWORD": "a password must be 8 to 256 printable characters",
    "INVITATION": "a valid invitation is required here: @invite=<code> SIGNUP <account> <password>",
    "SIGNUPS": "too many accounts were created from your address; wait, then sign up again",
    "DEVICES": "the account has too many devices; revoke one from another device with REVOKE",
    "TEXTTOOLONG": "the text is too long; split it into several messages",
    "NOTFOUND": "no such account, topic or conversation, or you have no access to it; check the name",
    "NOTMEMBER": "you are not a member of this topic; join it with JOIN first",
    "INVITEONLY": "this topic is by invitation only; ask a member to invite you",
    "EXISTS": "the name is already taken; choose another one, or if it is a topic, JOIN it",
    "BLOCKED": "you have blocked this account; unblock it with UNBLOCK first",
    "RIGHTS": "you may not do this; needs= says who may",
    "MUTED": "you are muted in this topic until the time in until=, in ms since 1970; wait, or ask an admin",
    "SLOW": "this topic is in slow mode; write again after the time in until=, in ms since 1970",
    "BANNED": "you are banned from this topic; ask an admin of it",
    "GONE": "this message was recalled, or is not kept any more; read the conversation again with HISTORY",
    "TOOLATE": "this message is too old to be changed; write a new one",
    "CHANGED": "the text was changed meanwhile; look at the one that current= names, then decide again",
    "OWNER": "only the owner may do this; to leave, an owner first makes another member the owner with TRANSFER",
    "FULL": "the limit is reached; remove something first",
    "GAP": "an earlier number is missing; continue with the expected one",
    "CONFLICT": "this number was already used for another text; continue with the expected one",
    "OLD": "this number was used too long ago to compare texts; a message is stored under it, do not resend it",
    "AHEAD": "the id is above the last message sent to you; use the id of a message that you have received",
    "FLOOD": "too many commands or failed logins; wait, then send it again",
    "TRYAGAIN": "the store is unavailable or overloaded; nothing was stored, send it again later",
    "UNKNOWN": "the store did not answer, so the message may be stored; send it again with the same cseq",
    "BUSY": "this server is full; ask the gateway for another one",
    "INTERNAL": "internal server error; check whether the command took effect before you repeat it",
}

#: The same in Chinese, for ``HELP zh WORD``.
CHINESE: dict[str, str] = {
    "BADUTF8": "这一行不是合法的 UTF-8；请用 UTF-8 发送",
    "NUL": "这一行含有 NUL 字节；请去掉它",
    "CONTROL": "这一行含有退格键、方向键一类的按键；请重新输入这一行",
    "MALFORMED": "连接在这一行中间断开，这一行已被忽略；请用 LF 结束每一行",
    "TOOLONG": "这一行太长，已被忽略；请发短一些",
    "UNKNOWN_VERB": "没有这个命令；HELP zh 列出可用的命令",
    "SERVER_VERB": "这个命令只供服务器之间使用；HELP zh 列出客户端的命令",
    "FIELDS": "字段的个数不对；HELP zh <命令> 说明写法",
    "BADTAG": "没有这个标签，或它的值不对；HELP zh <命令> 列出命令的标签",
    "BADESCAPE": "转义不对；有 @esc 时，反斜杠之后只能是 n、r 或另一个反斜杠",
    "BADNAME": "名称不对；请用 1 到 32 个小写字母、数字或 . _ -",
    "BADID": "编号不对；消息编号形如 alice+bob:7-42，会话形如 bob、alice+bob 或 #fishing",
    "VERSION": "不支持这个版本；本服务器使用 fishchat/1",
    "STATE": "连接处于当前状态时不能使用这个命令",
    "AUTH": "登录失败；请检查帐号名，以及密码或令牌",
    "PASSWORD": "密码须为 8 到 256 个可显示的字符",
    "INVITATION": "这里需要有效的邀请码：@invite=<邀请码> SIGNUP <帐号> <密码>",
    "SIGNUPS": "从你的地址注册的帐号太多了；请稍后再注册",
    "DEVICES": "帐号的设备太多；请在另一台设备上用 REVOKE 吊销一台",
    "TEXTTOOLONG": "文字太长；请分成几条消息发送",
    "NOTFOUND": "没有这个帐号、话题或会话，或你无权访问；请检查名称",
    "NOTMEMBER": "你不是这个话题的成员；请先用 JOIN 加入",
    "INVITEONLY": "这个话题只有受邀请才能加入；请成员邀请你",
    "EXISTS": "名称已被占用；请换一个；如果是话题，可以用 JOIN 加入",
    "BLOCKED": "你屏蔽了这个帐号；请先用 UNBLOCK 取消屏蔽",
    "RIGHTS": "你不能这样做；needs= 说明谁可以",
    "MUTED": "你在这个话题里被禁言，直到 until= 的时间（1970 年起的毫秒数）；请等待，或请管理员解除",
    "SLOW": "这个话题限制了发言间隔；请在 until= 的时间（1970 年起的毫秒数）之后再发",
    "BANNED": "你被禁止加入这个话题；请联系它的管理员",
    "GONE": "这条消息已撤回，或已不再保存；请用 HISTORY 重新读取会话",
    "TOOLATE": "这条消息太旧，不能再改动；请另发一条",
    "CHANGED": "文字已被改动；请先看 current= 所指的那一条，再决定",
    "OWNER": "只有所有者可以这样做；所有者要退出，请先用 TRANSFER 把话题转交给另一个成员",
    "FULL": "已达上限；请先删除一些",
    "GAP": "缺少前面的序号；请从回复给出的序号继续",
    "CONFLICT": "这个序号已用于另一段文字；请从回复给出的序号继续",
    "OLD": "这个序号是很久以前用的，无法再比较文字；这个序号下已保存了一条消息，请勿重发",
    "AHEAD": "这个编号在发给你的最后一条消息之后；请用你收到过的消息的编号",
    "FLOOD": "命令太多，或登录失败次数太多；请稍等，然后重发",
    "TRYAGAIN": "存储不可用或过载；什么也没有保存，请稍后重发",
    "UNKNOWN": "存储没有回答，消息可能已保存；请用同一个 cseq 重发",
    "BUSY": "这台服务器已满；请向网关询问另一台",
    "INTERNAL": "服务器内部错误；重复命令之前，请先查看它是否已经生效",
}

#: Who may do what was refused with ``RIGHTS needs=…`` → the sentence for it.
NEEDS: dict[str, str] = {
    "author": "only the author of the message may do this",
    "member": "only members of the topic may do this",
    "admin": "only the owner and admins of the topic may do this; ask one of them",
    "owner": "only the owner of the topic may do this; ask the owner",
    "nobody": "nobody may do this",
    "unbanned": "the account is banned; end the ban with UNBAN first",
    "unmuted": "the account is muted; end the mute with UNMUTE first",
}

#: Word → its sentence with the time of ``until=``, as people write it on this machine.
UNTIL: dict[str, str] = {
    "MUTED": "you are muted in this topic until {}; wait, or ask an admin",
    "SLOW": "this topic is in slow mode; write again after {}",
}

#: Sentences of verbs that name a message, or a conversation.
NO_MESSAGE = {"NOTFOUND": "you see no message with this id; HISTORY shows the ids"}
NO_CONVERSATION = {"NOTFOUND": "you have no such conversation; a topic is named with its #, like #fishing"}


class Refusal(Exception):
    """A refused command, in the words of the protocol.

    :ivar word: one of :data:`WORDS`. :ivar extra: data that the client's program needs to continue, e.g.
    ``expected=17``.
    """

    def __init__(self, word: str, text: str | None = None, **extra: object) -> None:
        super().__init__(word)
        self.word = word
        self.is_usual = text is None
        self.text = self._usual(word, extra) if text is None else text
        self.extra = extra

    @staticmethod
    def _usual(word: str, extra: dict[str, object]) -> str:
        if word == "RIGHTS":
            return NEEDS.get(str(extra.get("needs")), WORDS[word])
        if word in UNTIL and "until" in extra:
            at = localtime(int(str(extra["until"])) / 1000)
            return UNTIL[word].format(strftime("%Y-%m-%d %H:%M:%S %z", at))
        return WORDS[word]

    def line(self, verb: bytes, text: str = "") -> bytes:
        """Return the ``ERR`` line without its ending; ``verb`` is ``-`` when none could be read.

        ``text`` is the sentence in place of the usual one of the word.
        """
        extra = "".join(f"{key}={value} " for key, value in self.extra.items())
        said = text if text and self.is_usual else self.text
        return b"ERR %s %s" % (verb, f"{self.word} {extra}{said}".encode())


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
