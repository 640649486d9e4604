"""What ``fishchat up`` tells a person when everything is up: where it listens, and what to type first."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from fishchat.config.schema import Config
from fishchat.net.addresses import parse_address
from fishchat.services.launch import processes
from fishchat.services.redis.service import data_path

TALK = """\
FishChat is running. Talk to it from two terminals:

    {first:<38}    {second}
    {bob:<38}    {alice}
                                              SEND_MESSAGE_P2P bob hello

Gateway  {gateway}
Monitor  {monitor}
{more}Data     {data}
Log      {log}
Stop     Ctrl+C
"""


def talk(config: Config, in_processes: bool, address_tls: str = "") -> str:
    """What to tell a person when everything is up; ``address_tls``: where a client with TLS can connect to."""
    ports = processes.listeners(config, config.up.msg_servers if in_processes else 1)
    servers = [address for address, key in ports if key == "msg_server.listen"]
    first, second = ("nc {} {}".format(*parse_address(address)) for address in (servers[0], servers[-1]))
    data = data_path(config)
    monitor_tls = config.monitor.listen_tls
    secret = "" if config.accounts.mode == "open" else " PASSWORD"
    return TALK.format(
        first=first,
        second=second,
        bob=f"SEND_CLIENT_ID bob{secret}",
        alice=f"SEND_CLIENT_ID alice{secret}",
        gateway=_both(config.gateway.listen, config.gateway.listen_tls),
        monitor=_both(f"http://{config.monitor.listen}/", monitor_tls and f"https://{monitor_tls}/"),
        more="".join(f"{name:<8} {text}\n" for name, text in _more(config, data, address_tls)),
        data=data,
        log=data / ("*.log" if in_processes else "fishchat.log"),
    )


def _both(plain: str, secure: str) -> str:
    return f"{plain}, with TLS {secure}" if secure else plain


def _more(config: Config, data: Path, address_tls: str) -> Iterator[tuple[str, str]]:
    if address_tls:
        authority = data / "tls" / "ca.pem"
        trusted = f" -CAfile {shlex.quote(str(authority))}" if authority.exists() else ""
        command = f"openssl s_client -quiet -crlf -alpn fishchat/1 -connect {address_tls}{trusted}"
        yield "TLS", f"{command} -verify_return_error"
    if config.accounts.mode != "open":
        yield "Accounts", "fishchat user add NAME"
