"""Links and requests: ways into a topic that its admins open, and the directory of topics."""

from fishchat.features.feature import Feature

FEATURE = Feature("links", "Links and requests", order=37, zh="链接与申请")
