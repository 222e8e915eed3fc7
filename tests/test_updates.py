"""How a refresh ended, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.catalog.reports import ForgeReport, ScopeFailure, SyncReport
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.forge.base import Forge
from isexplore.models import ForgeKind
from isexplore.services import Services
from isexplore.updates import ASKED_PROJECTS, ask_forges, in_words
from tests.support.catalog import project
from tests.support.listing_forge import ListingForge

AWAY = ScopeFailure(scope="innersource", kind="unavailable", reason="work refused the connection")
OTHER = ScopeFailure(scope="docs", kind="forbidden", reason="work forbids it")
DENIED = ScopeFailure(scope="changes", kind="auth", reason="work does not accept the token: 401")


@pytest.mark.parametrize(
    ("forges", "words"),
    [
        ((ForgeReport(forge="work"),), "Nothing new"),
        ((ForgeReport(forge="work", changed=2, removed=1),), "2 projects new or changed, 1 gone"),
        (
            (ForgeReport(forge="work", failures=(DENIED,)),),
            "work does not accept the token. L signs in again",
        ),
        (
            (ForgeReport(forge="work", failures=(AWAY, AWAY)),),
            "work: work refused the connection. r tries again",
        ),
        (
            (ForgeReport(forge="work", changed=1, failures=(AWAY, OTHER)),),
            "1 project new or changed. work: innersource: work refused the connection. "
            "work: docs: work forbids it. r tries again",
        ),
        (
            (ForgeReport(forge="lab"), ForgeReport(forge="work", failures=(DENIED,))),
            "Nothing new. work does not accept the token. L signs in again",
        ),
        ((ForgeReport(forge="work", busy=True),), "work: another isexplore is refreshing it"),
    ],
)
def test_what_a_refresh_found_and_what_failed(forges: tuple[ForgeReport, ...], words: str) -> None:
    assert in_words(SyncReport(forges=forges, seconds=1.0)).words == words


async def test_what_a_sync_leaves_out_is_not_put_in_by_a_search_on_the_forge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = ListingForge()
    listing.projects["innersource"] = [
        *(project(f"me/copy{number}", forked_from="a/b") for number in range(2 * ASKED_PROJECTS)),
        project("me/hidden", forked_from_id="77"),
        project("a/old", archived=True),
        project("a/b"),
    ]
    config = Config(forges=(ForgeConfig(name="work", url="https://git.example.com", kind=ForgeKind.GITLAB),))
    services = Services(Paths.under(tmp_path), config)

    async def forge(name: str) -> Forge:
        return listing.as_forge()

    monkeypatch.setattr(services, "forge", forge)
    assert (await ask_forges(services, "b")).words == "The forge found 1 project for 'b'"
    assert [row.path for row in services.search("").rows] == ["a/b"]
