"""How a refresh ended, in words."""

from __future__ import annotations

import pytest

from isexplore.catalog.reports import ForgeReport, ScopeFailure, SyncReport
from isexplore.updates import in_words

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
