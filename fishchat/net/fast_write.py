"""Bytes to the kernel at once.

Twisted's ``write`` alone registers the socket, is called by the next turn, and takes it off again: for a short line
that is more work than the sending itself.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp


def socket_of(transport: Any) -> Any:
    """The socket that what is written to ``transport`` reaches as it is; None where something is between.

    Not for a transport on which ``startTLS`` is called later.
    """
    return transport.socket if isinstance(transport, tcp.Connection) and not transport.TLS else None


def send_now(transport: Any, socket: Any, data: bytes) -> None:
    """Write ``data``, to ``socket`` itself if it is there and nothing waits before it.

    What is not taken goes Twisted's way, which also finds out when the connection is gone.
    """
    if socket is not None and not transport._tempDataBuffer and not transport.dataBuffer:
        try:
            sent = socket.send(data)
        except OSError:
            sent = 0
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)
