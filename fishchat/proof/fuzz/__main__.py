"""``python -m fishchat.proof.fuzz``: see ``fishchat.proof.fuzz.run``."""

from __future__ import annotations

import sys

from fishchat.proof.fuzz.run import main

if __name__ == "__main__":
    sys.exit(main())
