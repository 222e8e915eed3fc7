"""Explore: narrowing, saved searches, what is new, why a project is there, signing in again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from isexplore import updates
from isexplore.catalog.database import Database
from isexplore.catalog.reports import SyncProgress
from isexplore.catalog.store import Account
from isexplore.config.bookmarks import EXPLORE, Visits
from isexplore.config.files import StateFile
from isexplore.journey.store import Journey
from isexplore.models import Project, ProjectRef
from isexplore.reading.facts import Reading
from isexplore.services import Services
from isexplore.tui.messages import CatalogProgressed, CatalogRefreshed
from isexplore.tui.screens import explore
from isexplore.tui.screens.dialogs import MessageDialog, PickDialog
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.sign_in import SignInScreen
from isexplore.tui.widgets.preview import Preview
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar
from isexplore.updates import Refreshed
from tests.support.catalog import NOW, fill, made_up
from tests.support.world import Person, at_the_screen, services_for

DEAD = "http://127.0.0.1:9"
ACCOUNT = Account("practice", "practice", "nia")


def full(folder: Path, size: int = 300, **settings: Any) -> Services:
    """Return services with a catalog of made-up projects, whose forge is not there."""
    services = services_for(folder, DEAD, "token", **{"refresh_after": 1e12, **settings})
    fill(services.paths.catalog_dir, made_up(size), account=ACCOUNT)
    return services


def search_of(person: Person) -> str:
    """Return what stands in the search line."""
    return person.app.screen.query_one(SearchBar).value


async def test_a_language_is_chosen_from_the_counts_of_what_was_found(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("F")
        await person.until(lambda: isinstance(person.app.screen, PickDialog))
        await person.sees_words("lang:python", "projects")
        await person.press(*"lang:python", "enter")
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        assert search_of(person) == "lang:python"
        await person.press("F")
        await person.sees_words("✓ lang:python")
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        assert search_of(person) == ""


async def test_a_misspelt_value_is_told_in_the_list_that_stays_empty(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        rows = person.app.screen.query_one("#results", RowList)
        await person.press("slash", *"lang:pyhton")
        await person.until(lambda: "did you mean lang:python?" in rows.empty)
        assert rows.empty.startswith("No project has lang:pyhton\n")
        assert rows.empty.endswith(explore.NO_HIT_YET)
        await person.press("enter")
        await person.until(lambda: rows.empty.endswith(explore.NO_HIT))


async def test_a_saved_search_is_chosen_by_name(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path, searches={"mine": "lang:go"})) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("S")
        await person.sees_words("@mine", "lang:go")
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        assert search_of(person) == "@mine"
        await person.sees_words("go ·")


async def test_what_turned_up_since_the_last_visit_is_marked_until_one_leaves(tmp_path: Path) -> None:
    services = full(tmp_path)
    yesterday = NOW - timedelta(days=1)
    visits = Visits(StateFile(services.paths.state_file), now=lambda: yesterday)
    visits.mark(EXPLORE)
    fill(services.paths.catalog_dir, made_up(303), account=ACCOUNT)
    async with at_the_screen(services) as person:
        await person.sees_words("3 new projects since your last visit")
        [found] = services.news().projects[:1]
        await person.press("slash", *found.path.rpartition("/")[2], "enter")
        await person.sees_words("new " + found.path[:8])
    assert visits.last_second(EXPLORE) != int(yesterday.timestamp())


async def test_why_a_project_is_there_is_told_in_words(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("w")
        await person.until(lambda: isinstance(person.app.screen, MessageDialog))
        await person.sees_words("Why is", "here?", "points", "·")


async def test_news_leave_the_cursor_on_its_project_in_a_search_too(tmp_path: Path) -> None:
    services = full(tmp_path)
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        await person.press("slash", *"lang:go", "enter", *"jjjj")
        row = screen.current()
        assert row is not None
        screen.post_message(CatalogRefreshed(Refreshed(words="All is new")))
        await person.sees_words("All is new")
        after = screen.current()
        assert after is not None
        assert after.path == row.path


async def test_a_saved_search_is_expanded_also_where_its_answer_comes_late(tmp_path: Path) -> None:
    services = full(tmp_path, searches={"mine": "lang:go"})
    found = services.search_to_the_end("@mine")
    assert found.total == services.search("lang:go").total > 0


async def test_the_preview_waits_until_the_keys_rest(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        preview = screen.query_one(Preview)
        await person.until(lambda: preview.ref is not None)
        # On a busy machine the list may have been filled after that: this makes the next key one after a rest.
        screen._resting.now()
        # Longer than any machine takes for one key, then shorter than any person takes for the next.
        screen._resting._seconds = 3600
        await person.press("j")
        row = screen.current()
        assert row is not None
        before = (row.forge, row.path)
        await person.until(lambda: preview.ref == before)
        await person.press("j")
        row = screen.current()
        assert row is not None
        assert preview.ref == before != (row.forge, row.path)
        screen._resting._seconds = 0.01
        await person.press("j")
        row = screen.current()
        assert row is not None
        await person.until(lambda: preview.ref == (row.forge, row.path))


async def test_signing_in_again_is_one_key_away(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("L")
        await person.until(lambda: isinstance(person.app.screen, SignInScreen))
        await person.sees_words("Sign in again to practice")
        await person.press("escape")
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))


async def test_a_first_listing_is_shown_as_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "FILL_EVERY", 0.0)
    services = services_for(tmp_path, DEAD, "token", refresh_after=1e12)
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen

        def shown() -> int:
            return len(screen.query_one("#results", RowList).source)

        async def come(size: int) -> None:
            fill(services.paths.catalog_dir, made_up(size), account=ACCOUNT, whole=False)
            progress = SyncProgress(forge="practice", phase="listing", projects=size)
            screen.post_message(CatalogProgressed(progress))
            await person.until(lambda: shown() == size)

        await come(20)
        await come(45)


async def test_a_bookmark_with_a_note_goes_only_when_that_is_wanted(tmp_path: Path) -> None:
    services = full(tmp_path)
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        await person.until(lambda: screen.current() is not None)
        row = screen.current()
        assert row is not None
        ref = ProjectRef(row.forge, row.path)
        services.bookmarks.add(ref, note="ask Mara first")
        await person.press("b")
        await person.sees_words("and its note?", "ask Mara first")
        await person.press("n")
        await person.until(lambda: person.app.screen is screen)
        kept = services.bookmarks.get(ref)
        assert kept is not None
        assert kept.note == "ask Mara first"
        await person.press("b", "y")
        await person.until(lambda: services.bookmarks.get(ref) is None)
        services.bookmarks.add(ref, note="")
        await person.press("b")
        await person.until(lambda: services.bookmarks.get(ref) is None)


class Forges:
    """In the place of the forges: they answer when a test lets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refreshes = 0
        self.answer = asyncio.Event()
        monkeypatch.setattr(updates, "refresh_beside", self.refresh_beside)
        monkeypatch.setattr(updates, "ask_forges", self.ask_forges)

    async def refresh_beside(self, services: Services, on_progress: updates.OnProgress) -> Refreshed:
        self.refreshes += 1
        await self.answer.wait()
        return Refreshed(words="All is new")

    async def ask_forges(self, services: Services, text: str) -> Refreshed:
        return Refreshed(words=f"The forge found {text}")


async def test_a_refresh_goes_on_whatever_is_asked_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        forges = Forges(monkeypatch)
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("r")
        await person.until(lambda: forges.refreshes)
        await person.press("r")
        await person.sees_words("being asked already")
        await person.press("slash", *"lang:go", "enter", "f")
        await person.sees_words("The forge found lang:go")
        assert person.app.refreshing
        forges.answer.set()
        await person.sees_words("All is new")
        assert forges.refreshes == 1
        assert not person.app.refreshing


async def test_a_refresh_that_ends_in_another_mode_is_shown_on_coming_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_the_screen(full(tmp_path)) as person:
        forges = Forges(monkeypatch)
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        await person.press("slash", *"service", "enter", *"jjjj", "r")
        before = screen.current()
        assert before is not None
        await person.press("3")
        await person.until(lambda: person.app.screen is not screen)
        forges.answer.set()
        await person.until(lambda: not person.app.refreshing)
        await person.press("1")
        await person.until(lambda: person.app.screen is screen)
        after = screen.current()
        assert after is not None
        assert after.path == before.path
        assert search_of(person) == "service"
        await person.press("G")
        assert screen.current() is not None


async def test_signing_in_again_opens_the_catalog_below_anew(tmp_path: Path) -> None:
    services = full(tmp_path)
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        await person.press("L")
        await person.until(lambda: isinstance(person.app.screen, SignInScreen))
        # What taking in the new token does.
        services.catalog.close()
        services.__dict__.pop("catalog")
        await person.press("escape")
        await person.until(lambda: person.app.screen is screen)
        await person.press("G")
        assert screen.current() is not None


async def test_projects_that_leave_while_the_list_is_scrolled_are_blank_lines(tmp_path: Path) -> None:
    services = full(tmp_path)
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        with Database(ACCOUNT, str(services.paths.catalog_dir)) as database:
            database.ask("DELETE FROM project")
        await person.press("G")
        assert screen.current() is None
        await person.press("k", "enter", "o", "w", "b", "g")
        row = screen.current()
        assert row is not None
        await person.sees_words(row.path)


async def test_the_project_is_read_anew_after_a_contribution_to_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[ProjectRef | None] = []
    services = full(tmp_path)
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        screen = person.app.screen
        assert isinstance(screen, ExploreScreen)
        monkeypatch.setattr(Preview, "read_again", lambda preview: asked.append(preview.ref))
        preview = screen.query_one(Preview)
        await person.until(lambda: preview.ref is not None)
        assert preview.ref is not None
        ref = preview.ref
        journey = services.journey_store.start(
            Journey(id="", forge=ref.forge, project=ref.path), lambda one: False
        )
        project = Project(id="1", forge=ref.forge, path=ref.path, name="x", url="")
        earlier = datetime.now(UTC) - timedelta(minutes=1)
        preview.reading = Reading(ref=ref, project=project, overview="", people="", as_of=earlier)
        screen.on_screen_resume()
        assert not asked, "it has not ended"
        services.journey_store.update(journey.id, {"outcome": "merged"})
        screen.on_screen_resume()
        assert asked == [ref]


async def test_the_ways_on_from_the_preview_are_named_first(tmp_path: Path) -> None:
    async with at_the_screen(full(tmp_path), size=(80, 24)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        assert "esc Back" not in person.sees.splitlines()[-1]
        await person.press("enter")
        await person.until(lambda: person.sees.splitlines()[-1].startswith("esc Back ] Next tab"))
        await person.press("escape")
        await person.until(lambda: "esc Back" not in person.sees.splitlines()[-1])


async def test_the_age_says_that_a_refresh_reached_a_part_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [
        Refreshed(words="work: it refused the connection", failures=("work",)),
        Refreshed(words="All is new"),
    ]

    async def refresh_beside(services: Services, on_progress: updates.OnProgress) -> Refreshed:
        return outcomes.pop(0)

    monkeypatch.setattr(updates, "refresh_beside", refresh_beside)
    async with at_the_screen(full(tmp_path)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("r")
        await person.sees_words(", in part", "it refused the connection")
        await person.press("r")
        await person.sees_words("All is new")
        assert ", in part" not in person.words
