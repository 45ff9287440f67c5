"""How pages are made of templates: the environment, our own style and script files, and the hash that a page allows them by.

What does not belong here: any page.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE, TEMPLATES = "fuller_popheath.publish", "templates"


def environment() -> Environment:
    """Templates in which every value is escaped and a name that is not given is an error; with the filters of `wording`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from fuller_popheath.publish import wording

    made = Environment(loader=PackageLoader(PACKAGE, TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"count": wording.count, "day": wording.day, "decimals": wording.decimals, "calm": wording.calm}
    made.globals |= {"plural": wording.plural}
    return made


def asset(name: str) -> str:
    """The text of one of our own files beside the templates."""
    from importlib.resources import files

    return files(PACKAGE).joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def content_hash(text: str) -> str:
    """What a Content-Security-Policy names an inline script or style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
