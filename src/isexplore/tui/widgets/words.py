"""`Words`: the label of this program. Reads no markup and shows no control character, whoever wrote it."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static

from isexplore.text import clean
from isexplore.tui.text import clean_content


class Words(Static):
    """A piece of text. The only label widget used: `Static` and `Label` read markup from plain strings.

    `Words("any text")` shows the text as it is; styled text is built with `isexplore.tui.text.content`.
    `say` takes the same.
    """

    def __init__(
        self,
        words: str | Content = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(_checked(words), markup=False, name=name, id=id, classes=classes)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show other words: a plain string or `Content`, nothing else."""
        if not isinstance(content, str | Content):
            raise TypeError(f"Words shows text, not {type(content).__name__}")
        checked = _checked(content)
        if not isinstance(self.content, Content) or not self.content.is_same(checked):
            super().update(checked, layout=layout)

    def say(self, words: str | Content) -> None:
        """Show other words; does nothing when they are the same."""
        self.update(words)

    @property
    def words(self) -> str:
        """The words shown, without their styles."""
        return str(self.content)


def _checked(words: str | Content) -> Content:
    return clean_content(words) if isinstance(words, Content) else Content(clean(words))
