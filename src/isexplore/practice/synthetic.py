"""Believable projects by the thousand, for the practice forge's `--projects N`: rows only, no repositories.

Every one carries an InnerSource topic in one of its spellings and none is archived, so that N is what
a catalog finds (the hand-made projects have the exceptions).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from isexplore.practice.rows import LightProject

_GROUPS = [
    "billing",
    "claims",
    "logistics",
    "warehouse",
    "retail",
    "travel",
    "insurance",
    "energy",
    "telemetry",
    "robotics",
    "identity",
    "search",
    "messaging",
    "maps",
    "media",
    "learning",
    "health",
    "permits",
    "customs",
    "archives",
    "fleet",
    "procurement",
    "accounting",
    "treasury",
    "marketing",
    "support",
    "workplace",
    "facilities",
    "compliance",
    "research",
    "simulation",
    "networks",
    "embedded",
    "firmware",
    "storage",
    "compute",
    "geodata",
    "statistics",
    "translation",
    "accessibility",
]
_SUBGROUPS = ("", "", "core", "web", "mobile", "backend", "tools", "infra", "shared", "labs", "apis", "batch")

_THINGS: dict[str, str] = {
    "address": "postal addresses",
    "audit": "audit trails",
    "barcode": "bar codes",
    "booking": "bookings",
    "cache": "cached answers",
    "calendar": "calendars and opening hours",
    "contract": "contracts",
    "currency": "currencies and rates",
    "customer": "customer records",
    "device": "devices in the field",
    "document": "scanned documents",
    "email": "outgoing mail",
    "event": "domain events",
    "export": "nightly exports",
    "feature": "feature switches",
    "file": "uploaded files",
    "form": "web forms",
    "graph": "dependency graphs",
    "image": "images and thumbnails",
    "invoice": "invoices",
    "job": "background jobs",
    "key": "keys and certificates",
    "label": "shipping labels",
    "ledger": "ledger entries",
    "letter": "letters to citizens",
    "log": "structured logs",
    "map": "map tiles",
    "meter": "meter readings",
    "metric": "metrics",
    "order": "orders",
    "parcel": "parcels on their way",
    "payment": "payments",
    "permission": "roles and permissions",
    "price": "prices and discounts",
    "queue": "message queues",
    "receipt": "receipts",
    "refund": "refunds",
    "report": "monthly reports",
    "request": "HTTP requests",
    "route": "delivery routes",
    "schema": "data schemas",
    "secret": "secrets",
    "sensor": "sensor data",
    "session": "sessions",
    "shift": "shift plans",
    "survey": "surveys",
    "tax": "taxes and duties",
    "template": "page templates",
    "test": "test data",
    "ticket": "support tickets",
    "timetable": "timetables",
    "token": "access tokens",
    "translation": "translations",
    "user": "user accounts",
    "vehicle": "vehicles",
    "voucher": "vouchers",
    "webhook": "webhooks",
    "workflow": "approval workflows",
}
_KINDS: dict[str, tuple[str, ...]] = {
    "api": ("REST interface for {0}", "Reads and writes {0} over HTTP"),
    "archive": ("Keeps {0} for as long as the law wants", "Long-term storage of {0}"),
    "bot": ("Chat bot that answers questions about {0}", "Reminds people of {0} in chat"),
    "bridge": ("Carries {0} from the old system to the new one", "Adapter between two worlds of {0}"),
    "checker": ("Checks {0} before they go out", "Finds mistakes in {0} early"),
    "cli": ("{0} from the command line", "Small command-line tool around {0}"),
    "client": ("Client library for {0}", "Talks to the service for {0}, with retries and time-outs"),
    "collector": ("Collects {0} from many places", "Gathers {0} and removes duplicates"),
    "dashboard": ("Shows {0} at a glance", "Dashboard for {0}"),
    "docs": ("How we work with {0}", "Guides and decisions about {0}"),
    "exporter": ("Exports {0} as CSV and Parquet", "Prometheus exporter for {0}"),
    "gateway": ("One door to all {0}", "Routes and limits calls for {0}"),
    "generator": ("Generates {0} from templates", "Makes realistic {0} for tests"),
    "importer": ("Imports {0} from suppliers", "Loads {0} in bulk"),
    "kit": ("Building blocks for {0}", "Everything a team needs to start with {0}"),
    "lib": ("Library for {0}", "Shared code for {0}, without dependencies"),
    "linter": ("Lints definitions of {0}", "Style rules for {0}"),
    "mock": ("Stand-in for {0} in tests", "Fake service for {0}"),
    "monitor": ("Watches {0} and tells when something is odd", "Alerts for {0}"),
    "parser": ("Reads {0} in every format we have met", "Fast parser for {0}"),
    "planner": ("Plans {0} a week ahead", "Finds good plans for {0}"),
    "proxy": ("Caching proxy for {0}", "Hides the quirks of the upstream for {0}"),
    "renderer": ("Renders {0} as PDF and HTML", "Turns {0} into pages"),
    "scheduler": ("Schedules {0}", "Runs work on {0} at the right moment"),
    "service": ("The service behind {0}", "Owns {0}, from creation to deletion"),
    "simulator": ("Simulates {0} under load", "What would happen to {0} if ..."),
    "store": ("Durable storage for {0}", "Keeps {0}, with history"),
    "sync": ("Keeps {0} in step between systems", "Two-way synchronisation of {0}"),
    "toolbox": ("Scripts around {0}", "Odds and ends for {0}"),
    "ui": ("Web front end for {0}", "Screens for {0}"),
    "validator": ("Validates {0} against the rules of the year", "Tells what is wrong with {0}, in words"),
    "worker": ("Works through {0} in the background", "Queue worker for {0}"),
}
_SUFFIXES = ("", "", "", "", "", "", "-next", "-lite", "-v2", "-core", "-plus")
_LANGUAGES = (
    ("Python", 24),
    ("TypeScript", 17),
    ("Java", 16),
    ("Go", 11),
    ("JavaScript", 8),
    ("C#", 6),
    ("Kotlin", 4),
    ("Shell", 4),
    ("Rust", 3),
    ("C++", 3),
    ("HCL", 2),
    ("Ruby", 1),
    ("PHP", 1),
    (None, 2),
)
_TOPICS = (
    "innersource",
    "innersource",
    "innersource",
    "inner-source",
    "inner-source",
    "InnerSource",
    "inner_source",
)


def rows(n: int, seed: int = 1) -> Iterator[LightProject]:
    """Yield `n` projects with different paths; the same for the same `seed`, whatever `n` is."""
    random = Random(seed)
    choice, chance = random.choice, random.random
    things, kinds = tuple(_THINGS), tuple(_KINDS)
    languages = tuple(name for name, weight in _LANGUAGES for _ in range(weight))
    seen: set[str] = set()
    while len(seen) < n:
        thing, kind, group = choice(things), choice(kinds), choice(_GROUPS)
        subgroup = choice(_SUBGROUPS)
        path = f"{group}/{subgroup}/" if subgroup else f"{group}/"
        path += f"{thing}-{kind}{choice(_SUFFIXES)}"
        if path in seen:
            path = f"{path}-{len(seen)}"
        seen.add(path)
        words = choice(_KINDS[kind]).format(_THINGS[thing])
        stars = min(2400, int(random.paretovariate(0.9)) - 1)
        active = min(1500.0, random.expovariate(1 / 120))
        yield LightProject(
            path=path,
            description=words[0].upper() + words[1:] if chance() < 0.95 else "",
            topics=(choice(_TOPICS), thing, kind) if chance() < 0.6 else (choice(_TOPICS),),
            language=choice(languages),
            visibility="public" if chance() < 0.03 else "internal",
            stars=stars,
            forks=int(stars * chance() * 0.4),
            open_issues=min(900, int(random.paretovariate(0.8)) - 1) if chance() < 0.7 else 0,
            created_days_ago=active + 20 + chance() * 2000,
            active_days_ago=active,
        )
