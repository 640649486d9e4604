"""Backups of a data directory: ``archive`` makes and checks the file, ``snapshot`` reads Redis' files, ``restore``."""
