"""A small company on a Gitea or Forgejo: what a newcomer finds there."""

from __future__ import annotations

from tests.support.gitea_server import GiteaServer
from tests.support.gitea_state import Repo

TOKEN = "gitea-canary-73b1f0c2"
SCOPES = "read:user read:organization write:repository write:issue"
TEMPLATE = "## What\n\n## Why\n\n- [ ] Tests\n"
FILES = {
    "README.md": "# Retry queue\n\nDelivers later what could not be delivered now.\n",
    "CONTRIBUTING.md": "# Contributing\n\nWelcome. Run `make test` before you propose a change.\n",
    "src/retry.py": "DELAY = 1\n",
    "CODEOWNERS": "* @mara\n",
}


def settle(server: GiteaServer, *, template: str = ".gitea/pull_request_template.md") -> Repo:
    """Make the accounts, the newcomer's token and a few repositories; return the one to contribute to."""
    state = server.state
    state.account("nia", full_name="Nia Newcomer")
    state.account("mara", full_name="Mara Maintainer")
    state.account("rob", full_name="Rob Robinson")
    state.account(
        "Platform",
        full_name="Platform Team",
        organisation=True,
        members={"mara": "owner"},
        labels=["beginner"],
    )
    state.token(TOKEN, "nia", SCOPES if server.flavour.scoped else None)
    repo = state.repo("Platform", "Retry.Queue", {**FILES, template: TEMPLATE}, branch="trunk")
    repo.description = "Delivers later what could not be delivered now"
    repo.topics = ["innersource", "python"]
    repo.labels = ["good first issue", "bug"]
    repo.protected = {"trunk": 1}
    state.issue(repo, "mara", "Say how long the delay is", "good first issue", body="In the README.")
    rob = state.fork(repo, "rob")
    rob.git("update-ref", "refs/heads/typo", "refs/heads/trunk")
    state.pull(repo, "rob", "Mend a typo", rob, "typo", "trunk").labels.append("good first issue")
    state.issue(repo, "rob", "It is slow", "bug")
    state.issue(repo, "mara", "Explain jitter", "beginner")
    notes = state.repo("mara", "notes", {"README.md": "# Notes\n"}, branch="master")
    notes.topics = ["innersource"]
    state.repo("mara", "hollow").topics = ["innersource"]
    return repo
