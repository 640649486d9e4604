"""Write bytes to the kernel at once.

Twisted's ``write`` alone registers the socket, is called in the next turn, and removes it again: for a short line that
costs more than the write itself.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp


def socket_of(transport: Any) -> Any:
    """Return the socket below ``transport`` if bytes reach it unchanged; None if a layer changes them.

    Not for a transport on which ``startTLS`` is called later.
    """
    return transport.socket if isinstance(transport, tcp.Connection) and not transport.TLS else None


def send_now(transport: Any, socket: Any, data: bytes) -> None:
    """Write ``data``, directly to ``socket`` if it exists and no output is pending.

    The rest is written by Twisted, which also detects the end of the connection.
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
