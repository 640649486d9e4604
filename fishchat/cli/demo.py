"""``fishchat demo``: see what FishChat does, without setting anything up."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Coroutine
from typing import Any

import click

from fishchat.cli.extras import require


@click.command()
@click.option("--browser/--no-browser", default=None, help="Open the page; by default if this is a terminal.")
@click.option("--stay", is_flag=True, help="Continue until Ctrl+C, to write something yourself.")
@click.option("--quick", is_flag=True, help="Leave out the pauses that let you look.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default=None, help="The language; else the terminal's.")
def demo(browser: bool | None, stay: bool, quick: bool, lang: str | None) -> None:
    """Watch people talk while a server is killed.

    It runs a FishChat of its own for less than a minute, with two msg_servers, on free ports and with temporary data.
    It prints what to look at, here and in a browser. The exit status is 1 if a message was lost, doubled or out of
    order. Needs the extra `proof`.
    """
    require("psutil")
    from fishchat.chat.words import is_chinese
    from fishchat.proof.demo.show import Demo, Pace
    from fishchat.proof.demo.words import Words
    from fishchat.proof.reactor import with_reactor

    opens = sys.stdout.isatty() if browser is None else browser

    def opened(address: str) -> None:
        if opens:
            webbrowser.open(address)

    def show(reactor: Any) -> Coroutine[Any, Any, dict[str, Any]]:
        pace = Pace(0.0, 0.05) if quick else Pace()
        return Demo(reactor, Words(is_chinese(os.environ, lang)), click.echo, opened, pace, stay).run()

    try:
        figures = with_reactor(show)
    except KeyboardInterrupt:
        sys.exit(130)
    except (AssertionError, OSError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(0 if figures["kept"] else 1)
