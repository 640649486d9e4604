"""Display names of accounts, for lists of several features."""
