"""What the demo explains, in English and Chinese."""

# ruff: noqa: E501 -- Chinese letters count twice

from __future__ import annotations

from collections.abc import Mapping

#: Name → the sentence in English, and in Chinese.
TEXTS: Mapping[str, tuple[str, str]] = {
    "starting": ("Starting a FishChat with two msg_servers …", "正在启动带两台 msg_server 的鱼传…"),
    "page": ("Open {} and press Enter: you are in the conversation.", "请打开 {}，按回车键进入对话。"),
    "no-page": ("The pages for browsers are not built here (make web).", "这里没有构建网页（make web）。"),
    "terminal": ("Or, in another terminal: {}", "或者在另一个终端里运行：{}"),
    "wait": ("The conversation begins in {} seconds, and is printed below as well.", "对话在 {} 秒后开始，下面也会显示。"),
    "begin": ("alice and carol are on ms1, bob and you are on ms2. Look at how the clients of two servers share one conversation.", "alice 和 carol 在 ms1 上，bob 和你在 ms2 上。请看两台服务器上的人怎样在同一个对话里聊天。"),
    "change": ("Look at the first message: alice corrects it, and bob reacts to it.", "请看第一条消息：alice 改正了它，bob 给了回应。"),
    "kill": ("Now ms1 is killed (kill -9). alice and carol lose their connection while they write.", "现在强行结束 ms1（kill -9）。alice 和 carol 正在写消息，连接断了。"),
    "look": ("Look at bob's message, which arrives at once, and at theirs, which arrive when they are on ms2.", "请看：bob 的消息立刻到达；她们的消息在连上 ms2 后到达。"),
    "moved": ("alice and carol were offline for {:.1f} s. Both are on ms2 now.", "alice 和 carol 离线了 {:.1f} 秒，现在都在 ms2 上。"),
    "back": ("ms1 runs again.", "ms1 已经重新运行。"),
    "kept": ("{} messages were written. Each stands once, in the same order for everyone, and none was lost.", "一共写了 {} 条消息。每条都只出现一次，所有人看到的顺序相同，没有丢失。"),
    "broken": ("A promise was not kept: {}", "有承诺没有兑现：{}"),
    "stay": ("Write something yourself. Press Ctrl+C to end.", "请自己写几句。按 Ctrl+C 结束。"),
    "end": ("The demo ends, and its data are removed. `fishchat up` starts a FishChat of your own.", "演示结束，数据已删除。用 fishchat up 启动你自己的鱼传。"),
}  # fmt: skip


class Words:
    """The sentences in one language."""

    def __init__(self, is_chinese: bool) -> None:
        self._language = int(is_chinese)

    def __call__(self, name: str, *values: object) -> str:
        return TEXTS[name][self._language].format(*values)
