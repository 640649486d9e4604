"""The connection itself: greeting, login, pings, help, leaving, and what the server says about the connection."""

from fishchat.features.feature import Feature

FEATURE = Feature("session", "Session", order=10)
