"""The text that ``fishchat up`` prints once it runs: the listening addresses, and the first commands to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from fishchat.config import ports, roles
from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.net.addresses import advertised, parse_address
from fishchat.web import static_directory

TALK = """\
FishChat is running.{page}alk to it from two terminals:

    {first:<38}    {second}
    {bob:<38}    {alice}
                                              MSG bob hello

HELP shows what you can type, and HELP zh shows it in Chinese.

{more}Data     {data}
Log      {log}
Stop     Ctrl+C
"""

PAGE = """ Open it in a browser:

    {address}

{others}

Or t"""
OPEN = "Choose a name. Others open the same address and choose another one. In Chinese: 用浏览器打开，取个名字即可。"
CLOSED = (
    "You need an account: fishchat user invite{elsewhere} prints a link that makes one, for you or for others.\n"
    "In Chinese: 需要账号；上面的命令会给出注册账号的链接。"
)
FIRST = (
    "This link makes the first account: once, within ten minutes. For others, fishchat user invite{elsewhere}\n"
    "prints a link. In Chinese: 十分钟内用浏览器打开这个链接，即可注册第一个账号。"
)
SIGN_UP = "Anyone can make an account there. In Chinese: 在网页上即可注册。"
NOT_BUILT = " The pages for browsers are not built (make web). T"


def talk(config: Config, in_processes: bool, address_tls: str = "", invitation: str = "") -> str:
    """Return the text. Clients with TLS can connect to ``address_tls``; ``invitation`` is the code of the first one."""
    listened = ports.rows(config, config.up.msg_servers if in_processes else 1)
    servers = [address for address, key in listened if key == "msg_server.listen"]
    first, second = ("nc {} {}".format(*parse_address(address)) for address in (servers[0], servers[-1]))
    data = data_path(config)
    secret = "" if config.accounts.mode == "open" else " PASSWORD"
    return TALK.format(
        page=_page(config, data, invitation),
        first=first,
        second=second,
        bob=f"LOGIN bob{secret}",
        alice=f"LOGIN alice{secret}",
        more="".join(f"{name:<8} {text}\n" for name, text in (*_roles(config), *_more(config, data, address_tls))),
        data=data,
        log=data / ("*.log" if in_processes else "fishchat.log"),
    )


def page_address(config: Config) -> str:
    """Return the address of the pages for people; empty if there are none."""
    web = config.web
    if web.public_url or not (web.listen_tls or web.listen):
        return web.public_url
    if web.listen_tls:
        # Imported here: it loads OpenSSL.
        from fishchat.services.net.certificates import certificate_names

        return f"https://{advertised(web.listen_tls, '', certificate_names(config)) or web.listen_tls}/"
    return f"http://{web.listen}/"


def link(config: Config, account: str, code: str) -> str:
    """Return the address with which a browser redeems a code of an account; empty if there are no pages."""
    page = page_address(config)
    return page and f"{page}#account={account}&code={code}"


def _page(config: Config, data: Path, invitation: str) -> str:
    address = page_address(config)
    if not address:
        return " T"
    if static_directory() is None:
        return NOT_BUILT
    if invitation:
        others = FIRST.format(elsewhere=_elsewhere(config, data))
        return PAGE.format(address=f"{address}#invite={invitation}", others=others)
    others = {"open": OPEN, "signup": SIGN_UP, "closed": CLOSED}[config.accounts.mode]
    return PAGE.format(address=address, others=others.format(elsewhere=_elsewhere(config, data)))


def _elsewhere(config: Config, data: Path) -> str:
    # Without it a command would begin a store in the default directory.
    return f" --data {shlex.quote(str(data))}" if config.data else ""


def _roles(config: Config) -> Iterator[tuple[str, str]]:
    """Yield name and addresses of each role that has a banner."""
    for role in roles.ROLES:
        if role.banner:
            key = role.listeners[0]
            plain, secure = roles.address(config, key), roles.address(config, roles.tls_key(key))
            shown = [role.banner.format(s="", address=plain)] if plain else []
            shown += [role.banner.format(s="s", address=secure)] if secure else []
            yield role.name.capitalize(), ", with TLS ".join(shown)


def _more(config: Config, data: Path, address_tls: str) -> Iterator[tuple[str, str]]:
    if address_tls:
        authority = data / "tls" / "ca.pem"
        trusted = f" -CAfile {shlex.quote(str(authority))}" if authority.exists() else ""
        command = f"openssl s_client -quiet -crlf -alpn fishchat/1 -connect {address_tls}{trusted}"
        yield "TLS", f"{command} -verify_return_error"
    if config.accounts.mode != "open":
        elsewhere = _elsewhere(config, data)
        typed = "SIGNUP NAME PASSWORD, or " if config.accounts.mode == "signup" else ""
        yield "Accounts", f"{typed}fishchat user add NAME{elsewhere}"
