"""Requests about reports, for the client library."""

from __future__ import annotations

from fishchat.features.reports import rows
from fishchat.features.requests import Events, Request, id_of, line_text, nothing, request

EVENTS: Events = {}


def report_message(message: str, reason: str = "") -> Request[None]:
    """Report the message with this id to the operators."""
    text = line_text(reason, "CONTROL") if reason else b""
    return request(rows.REPORT_MESSAGE, id_of(message), text=text, result=nothing)
