from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isexplore.config.edit import append_forge, insert_setting
from isexplore.config.files import Disk, parse
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.positions import Positions, statements
from isexplore.config.schema import ForgeConfig
from isexplore.errors import ConfigError, StateError
from isexplore.models import ForgeKind

WORK = ForgeConfig(name="work", url="https://git.example.com", kind=ForgeKind.GITLAB, groups=("a",))
ADDED = '[forge.work]\nurl = "https://git.example.com"\nkind = "gitlab"\ngroups = [\n    "a",\n]\n'

KEPT = {
    "empty": b"",
    "comment": b"# mine\n",
    "no line end": b'theme = "x"  # why',
    "windows": b'# mine\r\ntheme = "x"\r\n',
    "mark": b'\xef\xbb\xbftheme = "x"\n',
    "tables": b'# a\n[forge.other]   # b\nurl = "https://x"\n\n\n# end\n',
    "odd spacing": b'  tags=[ "a",\n# why\n "b" ]\n\t[ network ]\n  timeout   =3\n',
}


@pytest.mark.parametrize("name", KEPT)
def test_what_a_person_wrote_stays_byte_for_byte(tmp_path: Path, name: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(KEPT[name])
    append_forge(file, WORK)
    made = file.read_bytes()
    assert made.startswith(KEPT[name])
    added = made[len(KEPT[name]) :].decode()
    assert ("\r\n" in added) == (name == "windows")
    assert added.replace("\r\n", "\n").strip("\n") == ADDED.strip("\n")
    before = parse(KEPT[name].removeprefix(b"\xef\xbb\xbf"))
    after = parse(made.removeprefix(b"\xef\xbb\xbf"))
    assert after.pop("forge") == before.pop("forge", {}) | parse(ADDED.encode())["forge"]
    assert after == before


def test_file_is_made_for_the_owner_only(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    append_forge(paths.config_file, WORK)
    assert load(paths, environment={}).checked().forges == (WORK,)
    assert stat.S_IMODE(paths.config_file.stat().st_mode) == 0o600


def test_link_and_permissions_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    real.chmod(0o644)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    append_forge(link, WORK)
    assert link.is_symlink()
    assert real.read_text().startswith("# mine\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "content",
    [
        b"tags = [",
        b'theme = "caf\xe9"',
        b'[forge.work]\nurl = "https://other"\n',
        b'forge = "x"\n',
        b'[[forge]]\nurl = "https://x"\n',
        b'forge = { other = { url = "https://x" } }\n',
    ],
)
def test_what_cannot_be_added_to_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        append_forge(file, WORK)
    assert file.read_bytes() == content
    assert ADDED in caught.value.hint


class FullDisk(Disk):
    def flush(self, descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_leaves_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n")
    with pytest.raises(StateError, match=r"config\.toml"):
        append_forge(file, WORK, disk=FullDisk())
    assert file.read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'profile = "p"\n'),
        ("# mine\n", 'profile = "p"\n\n# mine\n'),
        (
            'tags = ["a",\n "b"] # c\n\n# work\n[forge.x]\n',
            'tags = ["a",\n "b"] # c\nprofile = "p"\n\n# work\n[forge.x]\n',
        ),
        ("[network]\ntimeout = 1", 'profile = "p"\n\n[network]\ntimeout = 1'),
        ('theme = "x"', 'theme = "x"\nprofile = "p"\n'),
        ('theme = "x"\r\n[keys]\r\n', 'theme = "x"\r\nprofile = "p"\r\n[keys]\r\n'),
        ('profile="p"#', 'profile="p"#'),
    ],
)
def test_setting_is_put_among_its_like(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(before.encode())
    insert_setting(file, "profile", "p")
    assert file.read_bytes() == after.encode()


def test_setting_that_differs_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('profile = "other"\n')
    with pytest.raises(ConfigError, match="sets profile already"):
        insert_setting(file, "profile", "p")
    assert file.read_text() == 'profile = "other"\n'


def test_statements_are_found_through_quotes_and_brackets() -> None:
    text = (
        'a = 1\n"b c".d = [\n 1, # ] x = 2\n "]" ]\n[forge."x.y"]\nurl = """\nk = 2\n[z]\n"""\n'
        "lit = '[\"'\n[[z]]\nq = {r = {s = 1}}\n"
    )
    parse(text.encode())
    positions = Positions(text)
    assert positions.line(("a",)) == 1
    assert positions.line(("b c", "d")) == 2
    assert positions.line(("forge", "x.y")) == 5
    assert positions.line(("forge", "x.y", "url")) == 6
    assert positions.line(("forge", "x.y", "lit")) == 10
    assert positions.line(("z", "q", "r", "s")) == 12
    assert positions.line(("z", "other")) == 11
    assert positions.line(("k",)) is None
    assert statements(text)[-1].end == len(text)


def test_a_long_file_is_read_in_one_pass() -> None:
    text = "x = [\n" + "  'y',\n" * 100_000 + "]\nlast = 1\n"
    assert Positions(text).line(("last",)) == 100_003


@given(st.text(max_size=200))
def test_any_text_has_statements(text: str) -> None:
    for statement in statements(text):
        assert 0 < statement.end <= len(text)
