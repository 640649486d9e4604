"""Running a topic: its settings, the roles of its members, and members who are kicked, banned or muted."""

from fishchat.features.feature import Feature

FEATURE = Feature("moderation", "Running a topic", order=35, zh="管理话题")
