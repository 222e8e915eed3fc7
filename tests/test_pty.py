"""The program in a real terminal: the whole first contribution, and every way in which it ends."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest

from tests.support.newcomer import serving_practice
from tests.support.person_at_terminal import CTRL_S, DOWN, ENTER, PersonAtTerminal, person_at_terminal

EDITOR = """
import sys
from pathlib import Path
from tests.support.newcomer import note_the_change, say_hello
{"CONTRIBUTORS.md": say_hello, "CHANGELOG.md": note_the_change}[sys.argv[1]](Path.cwd())
"""
BROKEN = """
import sys
from pathlib import Path
import isexplore.tui.app as app
from isexplore.cli.main import main
from isexplore.cli.screens import open_screens
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.services import Services

class Broken(app.ExploringApp):
    CSS_PATH = Path(app.__file__).with_name("base.tcss")

    def action_help(self):
        token = "glpat-" + "abcdefghijklmnopqrst"
        raise RuntimeError(f"nobody expected {token}")

app.ExploringApp = Broken
config = Config(forges=(ForgeConfig(name="x", url="http://127.0.0.1:9"),))
paths = Paths.under(Path(sys.argv[1]))
sys.exit(open_screens(paths, Services(paths, config)))
"""


def issue_under_cursor(person: PersonAtTerminal) -> str:
    """Return the number of the issue that the cursor is on, where the keys go; empty when they go elsewhere."""
    for y, line in enumerate(person.screen.display):
        found = re.search(r"▌#(\d+)", line)
        if found and person.screen.buffer[y][found.start()].bold:
            return found[1]
    return ""


def leaves_issue(person: PersonAtTerminal, number: str) -> None:
    """Wait until the cursor is on another issue."""
    person.until(lambda: issue_under_cursor(person) not in (number, ""), "the next issue")


def go_to_issue(person: PersonAtTerminal, number: str) -> None:
    """Go down to an issue, looking at where each key leads."""
    while True:
        person.until(lambda: issue_under_cursor(person), "a cursor among the issues")
        if (here := issue_under_cursor(person)) == number:
            return
        person.send(DOWN)
        leaves_issue(person, here)


def take_step(person: PersonAtTerminal, name: str, *, asks: str = "") -> None:
    """Press enter on the step that is next, and accept what it asks."""
    person.sees(f"done · {name}")
    person.send(ENTER)
    if asks:
        person.sees(asks, "Run ctrl+s")
        person.send(CTRL_S)


def edit(person: PersonAtTerminal, name: str) -> None:
    """Open the file that is suggested in the editor."""
    person.sees("Which file?", name)
    person.send(ENTER)


def commit(person: PersonAtTerminal, message: str) -> None:
    """Commit with a message."""
    person.sees("done · commit")
    person.send(ENTER)
    person.sees("All of this goes into the commit:", "Commit message")
    person.send(message)
    person.sees(message)
    person.send(CTRL_S)


@pytest.mark.timeout(120)
def test_a_newcomer_contributes_in_a_terminal(isolated_environment: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(EDITOR)
    environment = {"EDITOR": f"{sys.executable} {editor}", "PYTHONPATH": str(Path.cwd())}
    with (
        serving_practice(),
        person_at_terminal("-m", "isexplore", "practice", environment=environment) as person,
    ):
        person.sees("1 Explore", "docs/welcome")
        person.send("/welcome" + ENTER)
        person.sees("1 of ", "Whom to ask")
        person.send("]]]")
        person.sees("#1 Add your name to the list of contributors")
        person.send(ENTER)
        go_to_issue(person, "1")
        person.send(ENTER)
        take_step(person, "claim", asks="How do you want to claim it?")
        take_step(person, "fork")
        person.sees("✓ fork", "✓ clone")
        take_step(person, "branch", asks="Name of the branch")
        take_step(person, "change")
        edit(person, "CONTRIBUTORS.md")
        person.sees("modified: CONTRIBUTORS.md", "done · commit")
        take_step(person, "commit", asks="Commit message")
        take_step(person, "push")
        take_step(person, "propose", asks="Title")
        person.sees("template are as they were", "Send it anyway")
        person.send(DOWN)
        person.send(ENTER)
        person.until(lambda: "Change it and push, or answer" in person.words, "the review")
        person.send(ENTER)
        person.sees("Change the files", "Answer in words")
        person.send(ENTER)
        edit(person, "CHANGELOG.md")
        commit(person, "Add a line to the change log")
        take_step(person, "push")
        person.sees("10 of 10 done", "is merged")
        person.send("q")
        assert person.end() == 0
        assert person.is_restored
    assert not list(isolated_environment.rglob("crash-*"))


def test_being_told_to_end_restores_the_terminal(isolated_environment: Path) -> None:
    with person_at_terminal("-m", "isexplore", "practice", size=(80, 24)) as person:
        person.sees("docs/welcome")
        person.process.send_signal(signal.SIGTERM)
        assert person.end() == 128 + signal.SIGTERM
        assert person.is_restored


def test_a_bug_shows_where_its_report_is_and_nothing_secret(tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text(BROKEN)
    with person_at_terminal(str(program), str(tmp_path / "world")) as person:
        person.sees("1 Explore", "? Help")
        person.send("?")
        assert person.end() == 3
        assert person.is_restored
        assert "isexplore has a bug" in person.words
        (report,) = (tmp_path / "world").rglob("crash-*.txt")
        assert report.name in person.words.replace(" ", "")
        for told in (person.output.decode("utf-8", "replace"), report.read_text()):
            assert "glpat-" not in told.replace("glpat-***", "")
            assert "abcdefghijklmnopqrst" not in told
        assert "RuntimeError" in report.read_text()
        assert "Traceback" not in person.text
