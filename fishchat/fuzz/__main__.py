"""``python -m fishchat.fuzz``: see ``fishchat.fuzz.run``."""

from __future__ import annotations

import sys

from fishchat.fuzz.run import main

if __name__ == "__main__":
    sys.exit(main())
