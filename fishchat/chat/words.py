"""The sentences of the chat, in English and Chinese."""

# ruff: noqa: E501 -- Chinese letters count twice

from __future__ import annotations

from collections.abc import Mapping

#: Name → the sentence in English, and in Chinese.
TEXTS: dict[str, tuple[str, str]] = {
    # The line.
    "connected": ("Connected", "已连接"),
    "offline": ("Offline", "已断开"),
    "connecting": ("Connecting to {} …", "正在连接 {} …"),
    "behind": ("Connected, loading …", "已连接，正在载入…"),
    "ended-stopped": ("The chat has ended.", "聊天已结束。"),
    "ended-replaced": (
        "This device logged in elsewhere: {}. Use --device for another name.",
        "设备 {} 已在别处登录。请用 --device 换一个设备名。",
    ),
    "ended-refused": ("The login was refused. {}", "登录被拒绝。{}"),
    "ended-revoked": ("The login of this device was revoked. {}", "这台设备的登录已被撤销。{}"),
    "ended-state": ("The state of the chat cannot be saved. {}", "无法保存聊天的状态。{}"),
    "locked": (
        "{} is open in another chat (process {}). Close it, or use --device for another name.",
        "{} 已在另一个聊天程序里打开（进程 {}）。请关闭它，或用 --device 换一个设备名。",
    ),
    "no-server": ("no connection to {} within {} seconds; {}", "{} 在 {} 秒内无法连接；{}"),
    "check-server": ("check the address, and whether the server runs", "请检查地址，并确认服务器正在运行"),
    "bad-address": (
        "{}: an address is account@host or account@host:port",
        "{}：地址应写成 帐号@主机 或 帐号@主机:端口",
    ),
    "account?": ("Account", "帐号"),
    "password?": ("Password of {}", "{} 的密码"),
    # Rooms.
    "notices": ("Notices", "通知"),
    "no-room": (
        "No conversation is open. Type /win and a name, or press Ctrl+K.",
        "没有打开会话。输入 /win 和名字，或按 Ctrl+K。",
    ),
    "empty": ("Nothing was said here yet.", "这里还没有消息。"),
    "no-rooms": (
        "No conversations yet. /msg <account> <text> writes to somebody, /join <topic> joins a topic, /help lists all.",
        "还没有会话。/msg <帐号> <文字> 给人发消息，/join <话题> 加入话题，/help 列出全部命令。",
    ),
    "beginning": ("The beginning of the conversation", "会话的开头"),
    "unread-line": ("unread", "未读"),
    "members": ("Members", "成员"),
    "conversations": ("Conversations", "会话"),
    "online": ("online", "在线"),
    "last-seen": ("last online {}", "最后在线 {}"),
    "never-seen": ("not online", "不在线"),
    "typing": ("{} is typing …", "{} 正在输入…"),
    "typing-many": ("{} are typing …", "{} 正在输入…"),
    "unread-count": ("{} unread", "{} 条未读"),
    "mention-count": ("{} mention you", "{} 条提到你"),
    "more-below": ("{} new below (End)", "下面有 {} 条新消息（End）"),
    "gap": ("Messages {} to {} can no longer be delivered.", "第 {} 到 {} 条消息已无法送达。"),
    "me": ("me", "我"),
    # Messages.
    "waiting": ("waiting", "等待中"),
    "stored": ("stored", "已存储"),
    "read": ("read", "已读"),
    "failed": ("not sent: {}", "未发送：{}"),
    "edited": ("edited", "已编辑"),
    "pinned": ("pinned", "置顶"),
    "recalled": ("{} recalled this message", "{} 撤回了这条消息"),
    "recalled-why": ("{} recalled this message: {}", "{} 撤回了这条消息：{}"),
    "reply-to": ("reply to {}: {}", "回复 {}：{}"),
    "reply-far": ("reply to message {}", "回复第 {} 条消息"),
    "joins": ("joined: {}", "加入：{}"),
    "leaves": ("left: {}", "离开：{}"),
    "today": ("Today", "今天"),
    "yesterday": ("Yesterday", "昨天"),
    # Notices.
    "JOINED": ("{1} joined", "{1} 加入了"),
    "LEFT": ("{1} left", "{1} 离开了"),
    "ROLE": ("{0} made {1} {2}", "{0} 把 {1} 设为 {2}"),
    "OWNER": ("{1} is the owner now", "{1} 成为所有者"),
    "SET": ("{0} set {1} to {2}", "{0} 把 {1} 设为 {2}"),
    "KICKED": ("{0} removed {1} {2}", "{0} 移出了 {1} {2}"),
    "BANNED": ("{0} banned {1} {3}", "{0} 封禁了 {1} {3}"),
    "UNBANNED": ("{0} ended the ban of {1}", "{0} 解除了对 {1} 的封禁"),
    "MUTED": ("{0} muted {1} {3}", "{0} 禁言了 {1} {3}"),
    "UNMUTED": ("{0} lets {1} write again", "{0} 解除了 {1} 的禁言"),
    "DISMISSED": ("The topic {1} has ended", "话题 {1} 已解散"),
    "INVITED": ("{0} invites you to #{1}: /join {1}", "{0} 邀请你加入 #{1}：/join {1}"),
    "REQUESTED": (
        "{2} asks to join #{1}: {3} (/accept #{1} {2}, /refuse #{1} {2})",
        "{2} 请求加入 #{1}：{3}（/accept #{1} {2}，/refuse #{1} {2}）",
    ),
    "ACCEPTED": ("Your request to join #{1} was accepted", "你加入 #{1} 的请求已通过"),
    "REFUSED": ("Your request to join #{1} was refused {2}", "你加入 #{1} 的请求被拒绝 {2}"),
    "ASKED": ("{1} asks to become your contact: {2} (/contact {1})", "{1} 想加你为联系人：{2}（/contact {1}）"),
    "CONTACT": ("{1} is your contact now", "{1} 已成为你的联系人"),
    "SET-own": ("Another of your devices changed {1}: {2}", "你的另一台设备修改了 {1}：{2}"),
    "the-server": ("The server", "服务器"),
    # Commands.
    "done": ("{}: done", "{}：完成"),
    "nothing": ("{}: the list is empty", "{}：列表为空"),
    "unknown-command": ("There is no command /{}.{} /help lists all.", "没有命令 /{}。{}/help 列出全部命令。"),
    "near-command": (" Did you mean /{}?", "你是不是想输入 /{}？"),
    "not-here": ("/{} is for programs, or done by the chat itself.", "/{} 供程序使用，或由聊天程序自己完成。"),
    "usage": ("usage: /{}", "用法：/{}"),
    "no-message": ("There is no message {} in this conversation.", "这个会话里没有第 {} 条消息。"),
    "pending": ("The admins of #{} were asked.", "已向 #{} 的管理员提出请求。"),
    "unknown-room": ("You have no conversation {}.", "你没有会话 {}。"),
    "found": ("{} found for {}", "找到 {} 条：{}"),
    "found-none": ("Nothing found for {} among the {} messages looked at.", "在查看过的 {1} 条消息里没有找到 {0}。"),
    "filter-on": ("Joins and leaves are folded.", "加入和离开已折叠。"),
    "filter-off": ("Joins and leaves are shown one by one.", "逐条显示加入和离开。"),
    "refused": ("{}: {}", "{}：{}"),
    "comforts": ("The chat's own commands:", "聊天程序自己的命令："),
    "server-commands": (
        "The commands of the protocol, typed with / and in any case. In a conversation, its topic or account may be left "
        "out; a message is named by its number, or is the selected or last one.",
        "协议的命令，以 / 开头，不分大小写。在会话里可以省略它的话题或帐号；消息用它的序号指明，不写则是选中的或最后一条。",
    ),
    "help-win": ("opens a conversation by its place, name or beginning", "按位置、名字或开头打开会话"),
    "help-reply": ("answers a message", "回复一条消息"),
    "help-search": ("looks for words in this conversation", "在这个会话里搜索"),
    "help-next": ("opens the next conversation with news", "打开下一个有新消息的会话"),
    "help-filter": ("folds joins and leaves, or shows them", "折叠或显示加入和离开"),
    "help-me": ("shows who and where you are", "显示你的帐号和服务器"),
    "help-quit": ("ends the chat", "结束聊天"),
    "paste": (
        "Send {} lines as one message? Enter sends, Esc returns to the text.",
        "把 {} 行作为一条消息发送？回车发送，Esc 返回编辑。",
    ),
    "composer": ("Message", "消息"),
    "composer-hint": ("Message to {}   (F1: keys)", "发给 {} 的消息（F1：按键）"),
    "goto": ("Go to: part of a name", "前往：名字的一部分"),
    "keys-title": ("Keys (any key closes)", "按键（按任意键关闭）"),
    "bare-hint": ("Bare view for copying: any key returns", "便于复制的视图：按任意键返回"),
}

#: The keys, in the order in which they are shown.
KEYS: tuple[tuple[str, str, str], ...] = (
    ("Enter", "sends", "发送"),
    ("Alt+Enter, Ctrl+J", "breaks the line", "换行"),
    ("Ctrl+G, Ctrl+K on an empty line", "goes to a conversation", "前往会话（Ctrl+K 须在空行）"),
    ("Alt+A", "next conversation with news", "下一个有新消息的会话"),
    ("Alt+1 … Alt+9", "conversation by its place", "按位置打开会话"),
    ("Alt+J and two digits", "conversation by its place", "按两位数的位置打开会话"),
    ("Alt+Up, Alt+Down", "select a message for /reply, /edit, /react …", "选中消息，供 /reply、/edit、/react 等使用"),
    ("Alt+U", "to the first unread message", "到第一条未读消息"),
    ("Alt+P, Alt+N", "previous, next mention", "上一条、下一条提到你的消息"),
    ("PgUp, PgDn, End", "scroll, back to the newest", "滚动，回到最新"),
    ("Tab", "completes names and commands", "补全名字和命令"),
    ("Up, Down", "what you sent before", "之前发过的内容"),
    ("Ctrl+R", "what you sent before with this text in it", "之前发过的、含有这段文字的内容"),
    ("Ctrl+A E W U K Y, Alt+B F D", "edit as in a shell", "像在 shell 里一样编辑"),
    ("F7", "members pane", "成员栏"),
    ("Alt+L", "bare view for copying", "便于复制的视图"),
    ("F1", "this list (? on an empty line, too)", "本列表（空行上按 ? 也可）"),
    ("Ctrl+Q", "ends the chat", "结束聊天"),
)


class Words:
    """The sentences in one language.

    :ivar chinese: whether that is Chinese; otherwise English.
    """

    def __init__(self, chinese: bool = False) -> None:
        self.chinese = chinese

    def __call__(self, name: str, *values: object) -> str:
        """Return a sentence with these values in its places."""
        return TEXTS[name][self.chinese].format(*values)

    def has(self, name: str) -> bool:
        """Return whether there is a sentence of this name."""
        return name in TEXTS


def is_chinese(environment: Mapping[str, str], chosen: str | None = None) -> bool:
    """Return whether a person wants Chinese: as ``chosen`` says (``zh`` or ``en``), else the locale."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return (chosen or locale).lower().startswith("zh")
