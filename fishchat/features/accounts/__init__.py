"""Accounts: creating one, its password, display name, privacy and devices, and whether it is online."""

from fishchat.features.feature import Feature

FEATURE = Feature("accounts", "Accounts", order=50, zh="帐号")
