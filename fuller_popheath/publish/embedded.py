"""Data inside a page: text that a browser reads as data and can never take for markup."""

from __future__ import annotations

import json


def as_json(value: object) -> str:
    """JSON that may stand inside a script element: no `<`, `>` or `&` is left that could end it or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
