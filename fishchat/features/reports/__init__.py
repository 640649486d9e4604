"""Reports: messages of which the operators get a copy, because an account has reported them."""

from fishchat.features.feature import Feature

FEATURE = Feature("reports", "Reports", order=60, zh="举报")
