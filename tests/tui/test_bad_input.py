"""What goes wrong is told where the result would have been, with the next thing to do; what is there stays."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from isexplore.catalog.database import Database
from isexplore.catalog.shelf import Failure, Scopes
from isexplore.practice.seed import IssueSeed, ProjectSeed
from isexplore.practice.server import Fault, Grant
from isexplore.services import Services
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.first_issues import FirstIssuesScreen
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.tui.widgets.rows import RowList
from tests.support.practice import ALPHA
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, forbidden, frame
from tests.support.world import FORGE, LONG, Person, at_the_screen, fill_catalog, practice_world, services_for

pytestmark = pytest.mark.usefixtures("hurried")

GONE = Fault(status=404, body=b'{"message":"404 Project Not Found"}')
HTML = Fault(status=200, body=b"<html><body>Sign in to the proxy</body></html>", media_type="text/html")


async def begin(person: Person) -> JourneyScreen:
    """Begin a contribution to tools/alpha, without an issue."""
    await person.sees_words("tools/alpha")
    await person.press("slash", *"alpha", "enter", "c")
    await person.sees_words("do you want to solve?")
    await person.press(*"without", "enter")
    await person.until(lambda: isinstance(person.app.screen, JourneyScreen) and person.app.screen.report)
    assert isinstance(person.app.screen, JourneyScreen)
    return person.app.screen


async def kept_catalog(tmp_path: Path) -> tuple[Services, str]:
    """Return services with a full catalog, whose forge has gone since."""
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        await world.services.disconnect()
        return world.services, world.forge.url


async def test_a_stopped_forge_leaves_the_list_and_says_so(tmp_path: Path) -> None:
    services, _ = await kept_catalog(tmp_path)
    async with at_the_screen(services) as person:
        await person.sees_words("tools/alpha", "tools/deep/beta")
        await person.press("r")
        await person.sees_words("r tries again", "tools/alpha")
        await person.press("c")
        await person.sees_words("do you want to solve?")
        await person.press("enter")
        await person.sees_words("practice forge has stopped", "start again", "tools/alpha")


async def test_a_search_on_a_stopped_forge_names_the_key_that_searches_again(tmp_path: Path) -> None:
    services, _ = await kept_catalog(tmp_path)
    async with at_the_screen(services) as person:
        await person.sees_words("tools/alpha")
        await person.press("slash", *"zeppelin", "enter", "f")
        await person.sees_words("practice forge has stopped", "f asks again")
        assert "r tries again" not in person.words


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (None, ("does not accept the token", "L signs in again")),
        (Grant(username="nia", scopes=("read_user",)), ("may not do that", "r tries again")),
        (
            Grant(username="nia", problem="Token is expired."),
            ("does not accept the token", "L signs in again"),
        ),
    ],
    ids=["wrong token", "missing scope", "expired token"],
)
async def test_a_token_that_is_refused_is_named_inline(
    tmp_path: Path, grant: Grant | None, words: tuple[str, ...]
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        await world.services.disconnect()
        token = "no-such-token"
        if grant is not None:
            token = "token-with-less"
            world.forge.forge.tokens[token] = grant
        services = services_for(tmp_path, world.forge.url, token)
        async with at_the_screen(services) as person:
            await person.sees_words("tools/alpha")
            await person.press("r")
            await person.sees_words(*words, "tools/alpha")
            assert "Nothing new" not in person.words
            assert token not in person.sees


async def test_a_refused_token_is_told_in_lists_that_stay_empty(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        services = services_for(tmp_path, world.forge.url, "no-such-token")
        async with at_the_screen(services, size=(80, 24)) as person:
            await person.sees_words("does not accept the token. L signs in again.")
            assert "Nothing new" not in person.words
            assert "r tries again" not in person.words
            rows = person.app.screen.query_one("#results", RowList)
            assert "does not accept the token.\n" in rows.empty
            assert rows.empty.endswith("L signs in again.")
            await person.press("2", "r")
            issues = person.app.screen.query_one("#issues", RowList)
            await person.until(lambda: issues.empty.endswith("L signs in again."))


async def test_a_refresh_that_failed_leaves_the_age_of_what_is_there(tmp_path: Path) -> None:
    services, _ = await kept_catalog(tmp_path)
    async with at_the_screen(services) as person:
        await person.sees_words("tools/alpha", "just now")
        with Database(services.accounts()[0], str(services.paths.catalog_dir)) as database:
            database.set_facts(as_of=int(time.time()) - 7_200)
        await person.press("r")
        await person.sees_words("r tries again", "2 hours ago")


async def test_a_web_page_instead_of_an_answer_is_told(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.sees_words("tools/alpha", "Whom to ask")
            world.forge.knobs.faults += [HTML] * 20
            await person.press("slash", *"alpha", "enter", "c")
            await person.sees_words("do you want to solve?")
            await person.press("enter")
            await person.sees_words("web page", "tools/alpha")
            world.forge.knobs.faults.clear()


async def test_a_project_that_vanished_is_told_in_the_preview(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.forge.knobs.faults += [GONE] * 40
        async with at_the_screen(world.services) as person:
            await person.press("slash", *"alpha", "enter")
            await person.sees_words("tools/alpha", "That does not exist")
            await person.press("c")
            await person.sees_words("do you want to solve?")
            await person.press("enter")
            await person.sees_words("404 Project Not Found")
            assert not isinstance(person.app.screen, JourneyScreen)
            world.forge.knobs.faults.clear()


async def test_a_folder_in_the_way_is_answered_with_another(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        (tmp_path / "src" / "tools" / "alpha").mkdir(parents=True)
        (tmp_path / "src" / "tools" / "alpha" / "mine.txt").write_text("mine")
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            screen = await begin(person)
            await person.sees_words("· fork")
            await person.press("enter")
            await person.sees_words("· clone", "in the way: it is not empty")
            await person.press("enter")
            await person.sees_words("Clone into")
            assert person.app.screen.query_one(Input).value.endswith("alpha-2")
            await person.press("ctrl+s")
            await person.sees_words("· branch")
            assert screen.journey.folder.endswith("alpha-2")
            assert (tmp_path / "src" / "tools" / "alpha" / "mine.txt").read_text() == "mine"


async def test_without_git_the_check_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        await world.services.disconnect()
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        services = services_for(tmp_path, world.forge.url, world.forge.token)
        async with at_the_screen(services) as person:
            await begin(person)
            await person.sees_words("✗ check", "git")


async def test_a_broken_state_file_is_told_and_kept(tmp_path: Path) -> None:
    services = services_for(tmp_path, "http://127.0.0.1:9", "t")
    services.paths.state_dir.mkdir(parents=True)
    services.paths.state_file.write_text("bookmarks = [[[")
    async with at_the_screen(services) as person:
        for key, rows in (("3", "#contributions"), ("4", "#bookmarks")):
            await person.press(key)
            await person.until(lambda: services.state.notice)
            await person.sees_words("state.toml", "give it its name back")
            empty = person.app.screen.query_one(rows, RowList).empty
            assert empty == "What was kept here is not known; the words below say why."
        kept = [file for file in services.paths.state_dir.iterdir() if file.read_text() == "bookmarks = [[["]
        assert kept


async def test_quitting_during_a_clone_is_instant_and_leaves_nothing(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            screen = await begin(person)
            await person.sees_words("· fork")
            world.forge.knobs.latency = 0.4
            await person.press("enter")
            await person.until(lambda: screen.running == "fork")
            world.forge.knobs.latency = LONG / 2
            loop = asyncio.get_running_loop()
            before = loop.time()
            await person.press("q")
            await person.sees_words("Quit while something runs?", "step “fork”")
            await person.press("q")
            await person.until(lambda: person.app._exit)
        assert loop.time() - before < LONG / 3, "the answer was waited for"
        world.forge.knobs.latency = 0.0
        assert not [path for path in (tmp_path / "src").rglob("*") if path.is_file()]


def hostile_projects() -> tuple[ProjectSeed, ...]:
    """Return projects whose every word is somebody's attempt."""
    payloads = [text for text in TERMINAL_PAYLOADS if "\x00" not in text and "\ud800" not in text]
    # A row shows several payloads whole; what crashes markup stands alone, as one could heal another.
    texts = [*CRASH_STRINGS, *("|".join(payloads[start : start + 4]) for start in range(0, len(payloads), 4))]
    return tuple(
        ProjectSeed(
            path=f"tools/hostile-{number}",
            description=text,
            topics=("innersource",),
            members={"mara": 40},
            commits=(ALPHA.commits[0],),
            issues=(
                IssueSeed(title=text, body=text, author="mara", days_ago=3, labels=("good first issue",)),
            ),
        )
        for number, text in enumerate(texts)
    )


@pytest.mark.timeout(90)
async def test_strangers_words_break_no_screen(tmp_path: Path) -> None:
    with practice_world(tmp_path, seeds=hostile_projects()) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.sees_words("tools/hostile-")
            rows = person.app.screen.query_one("#results", RowList)
            for _ in range(len(rows.source)):
                await person.press("down")
                assert not forbidden(frame(person.app))
            await person.has_read()
            await person.press(*["right_square_bracket"] * 3)
            assert not forbidden(frame(person.app))
            await person.press("2")
            issues = person.app.screen.query_one("#issues", RowList)
            for _ in range(len(issues.source)):
                await person.press("down")
                assert not forbidden(frame(person.app))
            await person.press("c")
            await person.until(
                lambda: isinstance(person.app.screen, JourneyScreen) and person.app.screen.report
            )
            assert not forbidden(frame(person.app))


async def test_what_failed_before_is_told_in_lists_that_are_empty_since(tmp_path: Path) -> None:
    services = services_for(tmp_path, "http://127.0.0.1:9", "token", refresh_after=1e12)
    with Database(services.accounts()[0], str(services.paths.catalog_dir)) as database:
        Scopes(database).put("innersource", run="1", failure=Failure("forbidden", "It said no. Ask Ada"))
        database.set_facts(as_of=int(time.time()))
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        told = f"{FORGE}: innersource: It said no.\nAsk Ada.\nr tries again."
        assert person.app.screen.query_one("#results", RowList).empty == told
        await person.press("2")
        await person.until(lambda: isinstance(person.app.screen, FirstIssuesScreen))
        assert person.app.screen.query_one("#issues", RowList).empty == told
