"""Prints how `DocumentView` compares with Textual's Markdown widget on one document in one run.

    python tests/benchmarks/document_view.py [--size KB ...] [--rounds N] [--file README.md]

For each size: milliseconds until the first screenful has been drawn, until everything is there, and
the longest time for which the event loop did not answer (a heartbeat of 2 ms). Ratios compare
within one round only, and their median is printed; absolute figures depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from textual.app import App, ComposeResult
from textual.widgets import Markdown

from isexplore.tui.markdown import load_parser
from isexplore.tui.widgets.document import DocumentView

_SECTION = """\
## Section {n}: what happens to a message that fails

Some *text* with `code` and a [link](docs/page-{n}.md) that goes on for a while, with **bold parts**, a
[reference][ref] and an address such as https://example.org/{n}/page?x=1. Then more plain words follow, so
that the paragraph is wrapped over a few lines as paragraphs of real documents are.

- an item with `code {n}` and a [link](https://example.org/{n})
- another one, *emphasised*, and longer than the first one by some words
  - nested, with **strong** words

```python
def attempt_{n}(message):
    return queue.put(message, delay=2 ** message.attempts)
```

| option | default | what it does |
|--------|--------:|--------------|
| `retries` | {n} | how often a message is tried again |
| `delay` | 2 s | how long it waits before the *first* time |

"""


class Figures(NamedTuple):
    """One showing of one document, in milliseconds."""

    first: float
    complete: float
    stall: float


class _Host(App[None]):
    def __init__(self, ours: bool) -> None:
        super().__init__()
        self.ours = ours
        self.loaded = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield DocumentView() if self.ours else Markdown()

    def on_document_view_loaded(self) -> None:
        self.loaded.set()


def make_document(characters: int) -> str:
    """Return a Markdown document of about that size, with everything that READMEs have."""
    parts = ["# A document\n\n"]
    size = number = 0
    while size < characters:
        number += 1
        parts.append(_SECTION.format(n=number))
        size += len(parts[-1])
    return "".join(parts)[:characters] + "\n\n[ref]: https://example.org/reference\n"


async def _heartbeat(gaps: list[float]) -> None:
    last = perf_counter()
    while True:
        await asyncio.sleep(0.002)
        now = perf_counter()
        gaps.append(now - last - 0.002)
        last = now


async def measure(text: str, ours: bool) -> Figures:
    """Show the document once, in an application of its own, and return what it took."""
    app = _Host(ours)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        gc.collect()
        gaps: list[float] = []
        beat = asyncio.create_task(_heartbeat(gaps))
        await asyncio.sleep(0.02)
        gaps.clear()
        start = perf_counter()
        if ours:
            view = app.query_one(DocumentView)
            app.loaded.clear()
            view.show(text)
            for y in range(view.size.height):
                view.render_line(y)
            first = perf_counter() - start
            await app.loaded.wait()
        else:
            await app.query_one(Markdown).update(text)
            first = perf_counter() - start
        complete = perf_counter() - start
        await pilot.pause()
        await asyncio.sleep(0.01)
        beat.cancel()
    return Figures(first * 1000, complete * 1000, max(gaps) * 1000)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--size", type=int, nargs="*", default=[10, 23, 97], help="KB of generated text")
    options.add_argument("--file", type=Path, help="measure this document instead")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--ours-only", action="store_true", help="leave Textual's widget out")
    chosen = options.parse_args()
    documents = (
        {chosen.file.name: chosen.file.read_text(encoding="utf-8")}
        if chosen.file
        else {f"{size} KB": make_document(size * 1000) for size in chosen.size}
    )
    load_parser()
    print(f"{'document':>12}  {'':8} {'first':>8} {'complete':>9} {'stall':>7}   ratio first, complete")
    for name, text in documents.items():
        rounds = []
        for _ in range(chosen.rounds):
            ours = asyncio.run(measure(text, ours=True))
            theirs = None if chosen.ours_only else asyncio.run(measure(text, ours=False))
            rounds.append((ours, theirs))
        own = [ours for ours, _ in rounds]
        print(f"{name:>12}  {'ours':8} {_columns(own)}")
        other = [theirs for _, theirs in rounds if theirs is not None]
        if other:
            first = median(ours.first / theirs.first for ours, theirs in zip(own, other, strict=True))
            complete = median(
                ours.complete / theirs.complete for ours, theirs in zip(own, other, strict=True)
            )
            print(f"{'':>12}  {'Markdown':8} {_columns(other)}   {first:.3f}, {complete:.3f}")


def _columns(rounds: list[Figures]) -> str:
    first, complete, stall = (median(column) for column in zip(*rounds, strict=True))
    return f"{first:8.1f} {complete:9.1f} {stall:7.1f}"


if __name__ == "__main__":
    main()
