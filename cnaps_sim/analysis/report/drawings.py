"""The plots of a report: which, how large, how to read each, and how a figure becomes SVG inside a page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnaps_sim.analysis import plots
from cnaps_sim.analysis.drawing import INK, LINES, Margins, new_axes
from cnaps_sim.analysis.metrics.columns import has_table
from cnaps_sim.analysis.pages import drawing_for_a_page


class Drawing(NamedTuple):
    """A plot of the report: what draws it, its size in inches, the table it needs ("" for none), how to read it."""

    draw: Callable[..., Axes]
    height: float
    margins: Margins
    table: str
    reading: str


_PLAIN: Final = Margins(0.72, 0.3, 0.62)
DRAWINGS: Final = (
    Drawing(
        plots.queue, 3.1, Margins(0.72, 0.72, 0.62), "payments",
        "The blue area is the value that waits for funds at each instant, the orange line the number of payments; "
        "a plateau that only falls when the window closes is a gridlock or a lack of money.",
    ),
    Drawing(
        plots.throughput, 2.9, _PLAIN, "payments",
        "Each mark is the share of the day's accepted value submitted or settled by that hour; the gap between the "
        "two curves is the value that waits.",
    ),
    Drawing(
        plots.delay_distribution, 2.7, Margins(0.72, 0.15, 0.3), "payments",
        "Each pair of bars is one class of delay; value bars above number bars towards the right mean that the "
        "large payments wait longest.",
    ),
    Drawing(
        plots.balances, 3.5, Margins(0.72, 0.3, 1.08), "series",
        "The area is how far all accounts together stand below their opening balances, account by account; its "
        "highest point is the liquidity that the day needed at one time.",
    ),
    Drawing(
        plots.liquidity_by_account, 4.2, Margins(1.95, 0.2, 0.85), "payments",
        "A bar that passes its orange diamond paid out before money that it counted on arrived; a bar short of the "
        "orange stroke had less than even one full netting would have taken, so some of its payments never settled.",
    ),
    Drawing(
        plots.outcomes, 2.6, Margins(1.8, 0.25, 0.8), "payments",
        "Each bar is all payments of a system; by value the few large ones count for more than by number.",
    ),
    Drawing(
        plots.levels, 2.4, Margins(2.0, 0.15, 0.5), "payments",
        "Levels stand in the order of the settlement queue: value that waits at the bottom has let everything above "
        "it go first.",
    ),
    Drawing(
        plots.payments_per_minute, 2.7, _PLAIN, "payments",
        "Where the blue line leaves the edge of the orange area, payments arrive faster than they settle, or a "
        "release lets many settle at once.",
    ),
)  # fmt: skip
MATCHING_DRAWINGS: Final = (
    Drawing(
        plots.matching, 3.2, Margins(0.72, 0.3, 1.08), "matchings",
        "Each stem is one matching, as high as the value that it let settle together; its colour and mark tell what "
        "started it. A mark on the axis is a matching that found nothing it could settle.",
    ),
    Drawing(
        plots.matching_gap, 3.0, Margins(0.72, 0.3, 1.08), "matchings",
        "Each mark is one matching with a bound: at 0 % nobody could have released more value, in whatever order; "
        "what lies above is the price of the queues' order, of a heuristic, or of payments that cannot be split. A "
        "matching at 100 % settled nothing, often because no whole payment could settle; the mean leaves it out.",
    ),
)  # fmt: skip
MESSAGE_DRAWINGS: Final = (
    Drawing(
        plots.messages, 3.2, Margins(0.85, 0.3, 1.08), "",
        "Each bar is one hour, divided by the form of the messages sent in it; receipts, statuses and notices follow "
        "the payments, and what is high without them is told to everybody: phases of the day, statements.",
    ),
)  # fmt: skip
RETAIL_DRAWINGS: Final = (
    Drawing(
        plots.retail_volume, 3.1, Margins(0.9, 0.72, 1.08), "series",
        "Each bar is what BEPS and IBPS netted in that time, one above the other; the line is its value.",
    ),
    Drawing(
        plots.positions, 3.5, Margins(0.72, 0.3, 1.08), "series",
        "Above the axis what participants are owed, below it what they owe, with the nets that SAPS has not posted "
        "yet; each posted round brings both back to zero.",
    ),
    Drawing(
        plots.headroom, 3.5, Margins(0.85, 0.3, 1.28), "series",
        "The participants whom their caps hindered most, each as a share of its largest cap. At zero nothing more can "
        "be netted for a payer: what may wait queues, the rest is refused. A thin line of the same colour is a cap "
        "that was changed; above 100 % a participant is owed money.",
    ),
    Drawing(
        plots.cap_queue, 3.2, Margins(0.72, 0.72, 0.62), "series",
        "The blue area is the value that waits for headroom; a fall to zero at 16:00 is the date switch, which cancels "
        "what is left. The bars are items refused for whatever reason: the table above divides them.",
    ),
)  # fmt: skip
ROUND_DRAWINGS: Final = (
    Drawing(
        plots.rounds, 3.8, Margins(0.72, 0.3, 1.25), "rounds",
        "Each bar is one round: above the axis what classes of participants receive, below what they pay; both halves "
        "are equally long. The first round of a day clears the evening and the night.",
    ),
)  # fmt: skip
JOURNEY_DRAWINGS: Final = (
    Drawing(
        plots.nets_journey, 4.2, Margins(1.15, 0.3, 1.1), "rounds",
        "Rounds whose nets were not posted at once. A square is how long the netting server held the nets, since SAPS "
        "does not take them at that time; a dot is how long the last payer without funds then waited at level 4 of its "
        "settlement queue. Each step of the scale is many times the one before.",
    ),
)  # fmt: skip
HOLDING_DRAWINGS: Final = (
    Drawing(
        plots.held_nets, 3.4, Margins(0.72, 0.3, 1.08), "rounds",
        "What is owed while SAPS is closed: the area adds up round after round, the dashed line is what would be left "
        "if they were netted as one; the other lines are the participants that owe most.",
    ),
)  # fmt: skip
TOOL_DRAWINGS: Final = (
    Drawing(
        plots.tools, 4.0, Margins(1.7, 0.15, 1.15), "",
        "Each row is the same day with one set of tools. Left: the value debited, by where the payer's money came "
        "from, and in dots what was not settled. Right: in blue the share of the opening balances that is enough for "
        "payments to wait no longer than without any tool; the empty part of the frame is what the tool saves.",
    ),
)  # fmt: skip


def drawn(view: Any, drawings: Sequence[Drawing] = DRAWINGS) -> list[dict[str, Any]]:
    """Name, SVG and reading of each drawing whose table the run recorded."""
    shown = []
    with drawing_for_a_page():
        for drawing in drawings:
            if not drawing.table or has_table(view, drawing.table):
                ax = drawing.draw(view, new_axes(height=drawing.height, margins=drawing.margins))
                name = drawing.draw.__name__
                shown.append({"name": name, "svg": Markup(svg(ax, name)), "reading": drawing.reading})
    return shown


def svg(ax: Axes, name: str) -> str:
    """The figure of these axes as SVG to stand inside HTML: no header, no references, ids of its own."""
    figure = cast(Figure, ax.figure)
    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_alpha(0)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for part in ("style", "metadata"):
        text = re.sub(rf"<{part}.*?</{part}>", "", text, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", lambda tag: _tag(tag[0], name), text)


def _tag(tag: str, name: str) -> str:
    """One tag of a plot, as the page wants it: two decimals, its ink, lines and fonts, ids that name the plot."""
    if tag.startswith("<svg"):
        box = re.search(r'viewBox="[^"]*"', tag)
        return f'<svg {box[0] if box else ""} role="img" aria-label="{name.replace("_", " ")}">'
    tag = re.sub(r' id="(?![hmp][0-9a-f]{10}")[^"]*"', "", tag)
    tag = re.sub(r'( id="|url\(#|xlink:href="#)', lambda found: f"{found[1].replace('xlink:', '')}{name}-", tag)
    tag = tag.replace("'DejaVu Sans'", "var(--plot)").replace(INK, "currentColor").replace(LINES, "var(--line)")
    return re.sub(r"(\d\.\d\d)\d+", r"\1", tag).replace(" \n", "\n")
