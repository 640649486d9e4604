"""The connection itself: greeting, login, pings, help, the end, and the server's pushes about the connection."""

from fishchat.features.feature import Feature

FEATURE = Feature("session", "Session", order=10, zh="连接")
