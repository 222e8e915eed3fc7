"""The hand-made world of the practice forge: people and projects, one module for each group."""

from __future__ import annotations

from isexplore.practice.projects import (
    accounts,
    data,
    design_system,
    docs,
    lab,
    mobile,
    payments,
    people,
    platform,
    security,
    tools,
)
from isexplore.practice.seed import PersonSeed, ProjectSeed

PEOPLE: tuple[PersonSeed, ...] = accounts.PEOPLE

PROJECTS: tuple[ProjectSeed, ...] = (
    *docs.PROJECTS,
    *platform.PROJECTS,
    *payments.PROJECTS,
    *data.PROJECTS,
    *design_system.PROJECTS,
    *mobile.PROJECTS,
    *tools.PROJECTS,
    *security.PROJECTS,
    *people.PROJECTS,
    *lab.PROJECTS,
)
