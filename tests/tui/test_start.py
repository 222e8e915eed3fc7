"""What the first frame may cost: nothing that is not needed for it has been loaded."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

LATE = ("httpx", "git", "keyring", "pydantic", "rich.markdown", "markdown_it", "pygments", "urllib.request")
FIRST_FRAME = """
import asyncio, sys
from pathlib import Path
from tests.support.tui import frame
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.services import Services
from isexplore.tui.app import IsexploreApp

async def main():
    config = Config(forges=(ForgeConfig(name="practice", url=sys.argv[2], username="nia"),), refresh_after=1e9)
    services = Services(Paths.under(Path(sys.argv[1])), config)
    loaded = []
    class Watched(IsexploreApp):
        CSS_PATH = Path(sys.modules["isexplore.tui.app"].__file__).with_name("base.tcss")
    app = Watched(services)
    async with app.run_test(size=(120, 40)) as pilot:
        while "tools/alpha" not in frame(app):
            await asyncio.sleep(0)
        loaded = [name for name in sys.argv[3:] if name in sys.modules]
    print("loaded:", *loaded)

asyncio.run(main())
"""


async def test_the_first_frame_with_rows_needs_neither_http_nor_git(tmp_path: Path) -> None:
    from tests.support.world import fill_catalog, practice_world

    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        url = world.forge.url
        await world.services.disconnect()
    program = tmp_path / "first_frame.py"
    program.write_text(FIRST_FRAME)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        str(tmp_path / "isexplore"),
        url,
        *LATE,
        env={"PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 30)
    assert told.decode().strip() == "loaded:", told.decode()
