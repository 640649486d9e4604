"""Run one of FishChat's programs in a new process: ``python entry.py MODULE:FUNCTION ARGUMENT…``.

Run by path, because ``python -c`` and ``python -m`` look for every module in the current directory first: a file
``token.py`` there would be executed in place of Python's own.
"""

import sys


def main() -> None:
    """Call the function; ``sys.argv`` is then that of the program."""
    # Python puts the directory of this file first, unless PYTHONSAFEPATH is set. Its modules are no top-level modules.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    from importlib import import_module

    module, _, function = sys.argv[1].partition(":")
    del sys.argv[1]
    getattr(import_module(module), function)()


if __name__ == "__main__":
    main()
