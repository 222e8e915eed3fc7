"""Make the pictures of README.md anew, from the screens themselves on the practice forge.

    make screenshots

The same pictures come out on every machine: ages count from now, and what differs between two starts
(port, names inside the SVG) is masked. Reviewers see in the diff what a change does to the screens.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "screenshots"
FOLDER = Path("/tmp/isexplore-screenshots")
"""Always the same one, because paths are on the pictures."""
WIDE, SMALL = (120, 34), (80, 24)

sys.path.insert(0, str(ROOT))


def lonely_environment() -> None:
    """Leave nothing of the developer's in the environment: no settings, no git identity, no colours."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    os.environ.clear()
    os.environ.update(
        kept,
        HOME=str(FOLDER),
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_SYSTEM=os.devnull,
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        TERM="xterm-256color",
        COLORTERM="truecolor",
    )


def masked(svg: str, name: str) -> str:
    """Return a picture without what differs between two starts."""
    svg = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:43210", svg)
    svg = re.sub(r"terminal-\d+", f"terminal-{name}", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


async def take_pictures() -> None:
    """Start a practice world and photograph its screens."""
    from msgspec import structs

    from isexplore.config.paths import Paths
    from isexplore.config.schema import Config
    from isexplore.models import ProjectRef
    from isexplore.practice.launch import start_child
    from isexplore.services import Services, open_practice
    from isexplore.updates import refresh
    from tests.support.tui import settle
    from tests.support.world import Person, at_the_screen

    async def keep(person: Person, name: str) -> None:
        # What is still being read or drawn would come out differently each time.
        await settle(person.pilot)
        svg = person.app.export_screenshot(title="isexplore")
        (PICTURES / f"{name}.svg").write_text(masked(svg, name), encoding="utf-8")

    paths = Paths.under(FOLDER / "practice")
    server = await asyncio.to_thread(start_child, paths.data_dir / "world")
    try:
        services = open_practice(paths, server)
        await refresh(services)
        services.reopen_catalog()
        # Whether the screens are refreshing at the moment of the picture must not depend on luck.
        services.config = structs.replace(services.config, refresh_after=86_400.0)
        for name, size in (("explore", WIDE), ("explore-80x24", SMALL)):
            async with at_the_screen(services, size=size) as person:
                await person.sees_words("docs/welcome")
                await person.press("slash", *"innersource", "enter")
                await person.sees_words(" of 34")
                if size == WIDE:
                    await person.sees_words("May I contribute?")
                await keep(person, name)
        async with at_the_screen(services, size=WIDE) as person:
            await person.sees_words("docs/welcome")
            await person.press("2")
            await person.sees_words("free")
            await person.press("slash", *"verdict:free lang:python", "enter")
            await person.sees_words("Take it", "by @")
            await keep(person, "first-issues")
        ref = ProjectRef("practice", "docs/welcome")
        journey = await services.begin(ref, 1)
        journeys = await services.journeys_for(journey)
        async for _ in journeys.run_until(journey, "claim"):
            pass
        await services.disconnect()
        for name, size in (("journey", WIDE), ("journey-80x24", SMALL)):
            async with at_the_screen(services, size=size) as person:
                await person.sees_words("docs/welcome")
                await person.press("3")
                await person.sees_words("docs/welcome")
                await person.press("enter")
                await person.sees_words("· fork", "git clone", "Dry run")
                await keep(person, name)
        nobody = Services(Paths.under(FOLDER / "new"), Config())
        async with at_the_screen(nobody, size=SMALL, first_run=True) as person:
            await person.sees_words("practi")
            await keep(person, "welcome")
    finally:
        server.stop()


def main() -> int:
    """Make all pictures."""
    lonely_environment()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    PICTURES.mkdir(exist_ok=True)
    try:
        asyncio.run(take_pictures())
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    print(*sorted(picture.name for picture in PICTURES.glob("*.svg")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
