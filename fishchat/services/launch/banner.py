"""The text that ``fishchat up`` prints once it runs: the listening addresses, and the first commands to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from fishchat.config import ports, roles
from fishchat.config.paths import data_path
from fishchat.config.schema import Config
from fishchat.net.addresses import parse_address

TALK = """\
FishChat is running. Talk to it from two terminals:

    {first:<38}    {second}
    {bob:<38}    {alice}
                                              MSG bob hello

HELP shows what you can type, and HELP zh shows it in Chinese.

{more}Data     {data}
Log      {log}
Stop     Ctrl+C
"""


def talk(config: Config, in_processes: bool, address_tls: str = "") -> str:
    """Return the text. Clients with TLS can connect to ``address_tls``."""
    listened = ports.rows(config, config.up.msg_servers if in_processes else 1)
    servers = [address for address, key in listened if key == "msg_server.listen"]
    first, second = ("nc {} {}".format(*parse_address(address)) for address in (servers[0], servers[-1]))
    data = data_path(config)
    secret = "" if config.accounts.mode == "open" else " PASSWORD"
    return TALK.format(
        first=first,
        second=second,
        bob=f"LOGIN bob{secret}",
        alice=f"LOGIN alice{secret}",
        more="".join(f"{name:<8} {text}\n" for name, text in (*_roles(config), *_more(config, data, address_tls))),
        data=data,
        log=data / ("*.log" if in_processes else "fishchat.log"),
    )


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
        # Without it the command would begin a store in the default directory.
        elsewhere = f" --data {shlex.quote(str(data))}" if config.data else ""
        typed = "SIGNUP NAME PASSWORD, or " if config.accounts.mode == "signup" else ""
        yield "Accounts", f"{typed}fishchat user add NAME{elsewhere}"
