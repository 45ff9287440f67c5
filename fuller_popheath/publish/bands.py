"""The eight bands of Core20 in colour, readable with any colour vision and on a grey printer, and the few other colours of pictures and pages.

What does not belong here: labels and edges of the bands and which band a share falls in, which are `place/bands.py`.
"""

from __future__ import annotations

from fuller_popheath.place.bands import BAND_LABELS

BANDS = BAND_LABELS

# Even steps of lightness in OKLCH from 0.265 to 0.965 with the hue turning from navy to pale yellow: neighbours differ by at least 7 (CIEDE2000) in
# normal sight and in simulated deuteranopia, protanopia and tritanopia, and by 10 or more in lightness alone (a grey print).
COLOURS = ("#191c54", "#193b78", "#005e99", "#007f9b", "#3aa7a0", "#85c39e", "#c3dcae", "#f6f5db")

INK = "#212b32"
PAPER = "#ffffff"
OUTLINE = "#4c6272"
QUIET = "#4c6272"
GRID = "#d8dde0"


def colour(band: str) -> str:
    """The fill of a band, `#rrggbb`; darkest for the most deprived. A label that is no band is a KeyError of the caller's making."""
    return dict(zip(BANDS, COLOURS, strict=True))[band]


def band_number(band: str) -> int:
    """0 for the top band ("Above 70.0%") to 7 for the lowest."""
    return BANDS.index(band)


def luminance(hex_colour: str) -> float:
    """Relative luminance of a `#rrggbb` colour, 0 to 1. Source: WCAG 2.2, definition of relative luminance."""
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(hex_colour: str) -> str:
    """The readable one of ink and paper on a fill."""
    return max((INK, PAPER), key=lambda ink: contrast(ink, hex_colour))
