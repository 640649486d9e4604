"""The build backend: that of setuptools, which is given node only when the pages for browsers must be built."""

from __future__ import annotations

from typing import Any

import pages
from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403


def _with_node(required: list[str]) -> list[str]:
    return required if pages.is_current() else [*required, pages.NODE]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Return what is needed to build a wheel."""
    return _with_node(build_meta.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """Return what is needed to build a source distribution, which carries the built pages."""
    return _with_node(build_meta.get_requires_for_build_sdist(config_settings))


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """Return what is needed for an editable installation: ``make`` builds the pages by itself."""
    return build_meta.get_requires_for_build_editable(config_settings)
