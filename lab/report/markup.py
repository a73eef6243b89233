"""HTML and SVG from values: every text is escaped, because there is no other way to put one in.

tag("p", "a < b", cls="note")  ->  <p class="note">a &lt; b</p>
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"meta", "br", "hr", "line", "rect", "circle", "path"})
"""Elements without an end tag; those of SVG close themselves."""


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Content: TypeAlias = "str | int | float | Iterable[Content] | None"


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """An element. ``cls`` is class, and - stands as _; an attribute that is None is left out."""
    shown = "".join(
        f' {"class" if key == "cls" else key.replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = join(content)
    if name in VOID and not inner:
        return Markup(f"<{name}{shown}/>")
    return Markup(f"<{name}{shown}>{inner}</{name}>")


def join(content: Content) -> Markup:
    """Several pieces one after the other."""
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, (str, int, float)):
        return Markup(escape(_text(content)))
    return Markup("".join(join(piece) for piece in content))


def _text(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
