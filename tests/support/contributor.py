"""A contributor's world: a forge with real repositories, git over loopback HTTP, a folder for clones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from isexplore.config.files import StateFile
from isexplore.config.schema import Config, ForgeConfig
from isexplore.git.client import Git
from isexplore.journey.runner import Journeys
from isexplore.journey.states import Answers, JourneyReport, Progress, StepName
from isexplore.journey.store import Journey
from isexplore.models import Issue, Project
from tests.support.fake_forge import Crash, FakeForge
from tests.support.git import GitServer, git_server, write_files
from tests.support.git import git as run_git

FILES = {"README.md": "# Retry queue\n", "src/retry.py": "DELAY = 1\n"}


class MortalState(StateFile):
    """A state file that a program cannot write any more once it was killed."""

    def __init__(self, path: Path, forge: FakeForge) -> None:
        super().__init__(path)
        self._forge = forge

    @contextmanager
    def edit(self, *, patience: float | None = None) -> Iterator[dict[str, Any]]:
        if self._forge.crashed:
            raise Crash("killed")
        with super().edit(patience=patience) as table:
            yield table


@dataclass
class Contributor:
    """One person with a forge, a state file and a folder for clones."""

    forge: FakeForge
    server: GitServer
    home: Path
    project: Project
    issue: Issue
    slept: list[float] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.home / "src"

    @property
    def state(self) -> Path:
        return self.home / "state" / "state.toml"

    @property
    def folder(self) -> Path:
        return self.root / self.project.path

    def journeys(
        self,
        *,
        clone_folder: Path | Literal["usual"] | None = "usual",
        git_client: Git | None = None,
        transport: Literal["https", "ssh"] = "https",
    ) -> Journeys:
        """Start the program: a new facade over the same state, forge and folders."""
        self.forge.crashed = False

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        config = Config(
            forges=(ForgeConfig(name="work", url=self.server.origin, git=transport),),
            clone_folder=self.root if clone_folder == "usual" else clone_folder,
        )
        return Journeys(
            forges={"work": self.forge},
            git=git_client or Git(environment=os.environ),
            state=MortalState(self.state, self.forge),
            credentials=lambda name: self.server.credential,
            config=config,
            clock=lambda: self.forge.now,
            sleep=sleep,
        )

    async def run(self, journey: Journey, step: StepName, answers: Answers | None = None) -> list[Progress]:
        """Run one step in a program of its own."""
        return [progress async for progress in self.journeys().run(journey, step, answers)]

    async def only_fork(self, journey: Journey, answers: Answers | None = None) -> list[Progress]:
        """Run the step “fork” before anybody said where clones go, so that nothing is cloned meanwhile."""
        journeys = self.journeys(clone_folder=None)
        return [progress async for progress in journeys.run(journey, "fork", answers)]

    async def run_until(self, journey: Journey, last: StepName) -> list[Progress]:
        """Run all steps up to `last`."""
        return [progress async for progress in self.journeys().run_until(journey, last)]

    async def probe(self, journey: Journey) -> JourneyReport:
        """Look at the world with a program of its own."""
        journeys = self.journeys()
        return await journeys.probe(journeys.get(journey.id))

    async def probe_all(self) -> list[JourneyReport]:
        """Look at all journeys as a list of them does, with a program of its own."""
        journeys = self.journeys()
        return [await journeys.probe(journey, thorough=False) for journey in journeys.list()]

    def edit(self, files: dict[str, str] | None = None) -> None:
        """Change files in the clone."""
        write_files(self.folder, files or {"README.md": "# Retry queue\n\nIt backs off.\n"})

    def git(self, *words: str) -> str:
        """Run git in the clone, by hand."""
        return run_git(*words, cwd=self.folder).strip()


@contextmanager
def contributor(home: Path) -> Iterator[Contributor]:
    """Make a world below `home`: one project with one good first issue."""
    repositories = home / "repositories"
    with git_server(repositories) as server:
        forge = FakeForge(repositories, server.origin)
        project = forge.add_project("payments/retry-queue", FILES)
        issue = forge.add_issue(project, "Explain the back-off in the README", labels=("good first issue",))
        yield Contributor(forge, server, home, project, issue)


COMMIT: dict[str, str] = {
    "message": "Explain the back-off",
    "sign_off": "no",
    "name": "Nia Example",
    "email": "nia@example.org",
}
"""Answers of the step “commit”."""


def states(report: JourneyReport) -> dict[str, str]:
    """Return state by step."""
    return {step.name: step.state for step in report.steps}
