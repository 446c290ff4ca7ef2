"""Tables of numbers that scroll sideways on a narrow page instead of breaking it."""

from collections.abc import Iterable, Sequence

from src.services.results.report.markup import Content, Markup, element


def table(head: Sequence[Content], rows: Iterable[Markup], class_: str) -> Markup:
    """A table with a head.

    Args:
        rows: `row` or elements like it.
        class_: `numbers` sets every column but the first to the right.
    """
    cells = [element("th", title, scope="col") for title in head]
    whole = element("table", element("thead", element("tr", cells)), element("tbody", rows), class_=class_)
    return element("div", whole, class_="wide", tabindex="0")


def row(first: Content, *others: Content) -> Markup:
    """A row whose first cell names it."""
    return element("tr", element("th", first, scope="row"), [element("td", other) for other in others])
