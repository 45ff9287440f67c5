"""A drawing as a list of simple marks, painted as SVG or as PNG: one picture, two file formats, the same bytes for the same input.

Distances are pixels of a sheet of `width` x `height`, y downwards. What does not belong here: what the marks mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

SVG_FONTS = "Arial, 'Helvetica Neue', 'Liberation Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Area:
    """A polygon or multipolygon of shapely; `title` is read out and shown on hover in SVG. Its coordinates are moved by `dx`, `dy`."""

    shape: Any
    fill: str
    stroke: str
    stroke_width: float
    title: str = ""
    dx: float = 0.0
    dy: float = 0.0


@dataclass(frozen=True)
class Box:
    """A rectangle from its top left corner."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    stroke_width: float = 0.0


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    stroke_width: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A disc."""

    x: float
    y: float
    radius: float
    fill: str
    stroke: str = "none"
    stroke_width: float = 0.0
    title: str = ""


@dataclass(frozen=True)
class Words:
    """One line of text on its baseline."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


Mark = Area | Box | Line | Dot | Words


@dataclass
class Scene:
    """A sheet and what is drawn on it, first mark undermost. `title` and `description` are for people who cannot see it."""

    width: float
    height: float
    title: str
    description: str
    marks: list[Mark] = field(default_factory=list)


def svg(scene: Scene) -> str:
    """The scene as a standalone SVG document, UTF-8 text, without date or software mark."""
    width, height = _number(scene.width), _number(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title desc" font-family="{SVG_FONTS}">\n'
        f'<title id="title">{escape(scene.title)}</title>\n<desc id="desc">{escape(scene.description)}</desc>\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
    )
    return head + svg_marks(scene) + "\n</svg>\n"


def svg_marks(scene: Scene) -> str:
    """The marks alone, for an SVG element that stands in a page; texts are escaped."""
    return "\n".join(_svg_mark(mark) for mark in scene.marks)


def path_data(shape: Any, dx: float = 0.0, dy: float = 0.0, places: int = 1) -> str:
    """The `d` of an SVG path for a polygon or multipolygon: absolute starts, relative steps, rounded so that steps never drift."""
    import numpy as np
    import shapely

    pieces = []
    scale = 10**places
    for polygon in shapely.get_parts(shape):
        for ring in shapely.get_rings(polygon):
            at = np.rint((shapely.get_coordinates(ring)[:-1] + np.array([dx, dy])) * scale).astype(int)
            at = at[np.r_[True, (np.diff(at, axis=0) != 0).any(axis=1)]]
            if len(at) < 3:
                continue
            steps = np.diff(at, axis=0)
            start = f"M{_scaled(at[0, 0], scale)} {_scaled(at[0, 1], scale)}l"
            pieces.append(start + " ".join(f"{_scaled(x, scale)} {_scaled(y, scale)}" for x, y in steps.tolist()).replace(" -", "-") + "z")
    return "".join(pieces)


def _scaled(value: int, scale: int) -> str:
    return _number(value / scale)


def _number(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def _svg_mark(mark: Mark) -> str:
    title = getattr(mark, "title", "")
    inner = f"<title>{escape(title)}</title>" if title else ""
    match mark:
        case Area():
            stroke = f'stroke="{mark.stroke}" stroke-width="{_number(mark.stroke_width)}" stroke-linejoin="round"'
            return f'<path d="{path_data(mark.shape, mark.dx, mark.dy)}" fill="{mark.fill}" fill-rule="evenodd" {stroke}>{inner}</path>'
        case Box():
            box = f'x="{_number(mark.x)}" y="{_number(mark.y)}" width="{_number(mark.width)}" height="{_number(mark.height)}"'
            return f'<rect {box} fill="{mark.fill}" stroke="{mark.stroke}" stroke-width="{_number(mark.stroke_width)}"/>'
        case Line():
            ends = f'x1="{_number(mark.x1)}" y1="{_number(mark.y1)}" x2="{_number(mark.x2)}" y2="{_number(mark.y2)}"'
            return f'<line {ends} stroke="{mark.stroke}" stroke-width="{_number(mark.stroke_width)}"/>'
        case Dot():
            disc = f'cx="{_number(mark.x)}" cy="{_number(mark.y)}" r="{_number(mark.radius)}"'
            return f'<circle {disc} fill="{mark.fill}" stroke="{mark.stroke}" stroke-width="{_number(mark.stroke_width)}">{inner}</circle>'
        case Words():
            style = f'font-size="{_number(mark.size)}" fill="{mark.fill}" text-anchor="{mark.anchor}"'
            style += ' font-weight="700"' if mark.bold else ""
            return f'<text x="{_number(mark.x)}" y="{_number(mark.y)}" {style}>{escape(mark.text)}</text>'


def png(scene: Scene, scale: float = 1.0, small: bool = False) -> bytes:
    """The scene as PNG bytes, `scale` picture pixels a scene pixel; no date or software mark, so equal scenes give equal bytes.

    `small` keeps 256 colours, those of the marks exactly: a third of the size, for pictures that are stored with every run.
    """
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # a Figure of its own, not pyplot: nothing global is touched, so threads may draw at the same time
    figure = Figure(figsize=(scene.width / 100, scene.height / 100), dpi=100 * scale, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    _paint(figure, scene)
    out = io.BytesIO()
    if small:
        canvas.draw()
        _few_colours(canvas, scene).save(out, "PNG", optimize=True)
    else:
        canvas.print_png(out, metadata={"Software": None})
    return out.getvalue()


def _few_colours(canvas: Any, scene: Scene) -> Any:
    """The drawn picture with a palette: every flat colour of the marks as it is, the rest of the 256 for the blends at edges."""
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    flat = sorted({str(mark.fill) for mark in scene.marks if not isinstance(mark, Line)} - {"none"} | {"#ffffff"})
    exact = [int(c[i : i + 2], 16) for c in flat for i in (1, 3, 5)]
    blends = picture.quantize(256 - len(flat), method=Image.Quantize.MEDIANCUT).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette((exact + blends)[: 256 * 3])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _paint(figure: Figure, scene: Scene) -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.lines import Line2D
    from matplotlib.patches import Circle, PathPatch, Rectangle
    from matplotlib.text import Text

    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, scene.width), ylim=(scene.height, 0))
    axes.axis("off")
    point = 0.72  # points a scene pixel at 100 dots an inch
    aligned = {"start": "left", "middle": "center", "end": "right"}
    for order, mark in enumerate(scene.marks):
        artist: Artist
        match mark:
            case Area():
                artist = PathPatch(
                    _mpl_path(mark), facecolor=mark.fill, edgecolor=mark.stroke, linewidth=mark.stroke_width * point, joinstyle="round"
                )
            case Box():
                edge = mark.stroke_width * point
                artist = Rectangle((mark.x, mark.y), mark.width, mark.height, facecolor=mark.fill, edgecolor=mark.stroke, linewidth=edge)
            case Line():
                artist = Line2D((mark.x1, mark.x2), (mark.y1, mark.y2), color=mark.stroke, linewidth=mark.stroke_width * point)
            case Dot():
                artist = Circle((mark.x, mark.y), mark.radius, facecolor=mark.fill, edgecolor=mark.stroke, linewidth=mark.stroke_width * point)
            case Words():
                weight = "bold" if mark.bold else "normal"
                font = FontProperties(family="DejaVu Sans", size=mark.size * point, weight=weight)
                artist = Text(
                    mark.x, mark.y, mark.text, color=mark.fill, ha=aligned[mark.anchor], va="baseline", parse_math=False, fontproperties=font
                )
        artist.set_zorder(order)
        axes.add_artist(artist)


def _mpl_path(mark: Area) -> Any:
    import numpy as np
    import shapely
    from matplotlib.path import Path

    moved = np.array([mark.dx, mark.dy])
    parts = shapely.orient_polygons(shapely.get_parts(mark.shape))
    rings = [shapely.get_coordinates(ring) + moved for part in parts for ring in shapely.get_rings(part)]
    codes = [np.r_[Path.MOVETO, np.full(len(ring) - 2, Path.LINETO), Path.CLOSEPOLY] for ring in rings]
    return Path(np.concatenate(rings), np.concatenate(codes))
