from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.config.load import (
    Loaded,
    check,
    check_profile,
    free_name,
    load,
    profile_cache,
    token_forge,
)
from isexplore.config.paths import Paths
from isexplore.config.schema import DEFAULT_TAGS, Config, ForgeConfig, origin_of
from isexplore.errors import ConfigError
from isexplore.models import ForgeKind

FULL = """\
tags = ["innersource", "shared"]
clone_folder = "~/code"
refresh_after = "15m"
communication_url = "http://chat/channels/"
theme = "nord"

[keys]
"explore.search" = "ctrl+f"

[searches]
mine = "lang:python"

[network]
ca_file = "certs/root.pem"   # beside this file
timeout = "90s"
concurrency = 4

[forge.work]
url = "https://git.example.com/gitlab/"
kind = "gitlab"
groups = ["platform"]
former_urls = ["https://old.example.com"]

[forge.local]
url = "http://127.0.0.1:3000"
git = "ssh"
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.under(tmp_path)
    paths.config_dir.mkdir()
    return paths


def read(paths: Paths, text: str | bytes, environment: dict[str, str] | None = None) -> Loaded:
    paths.config_file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(paths, environment=environment or {})


def test_no_file_means_defaults(paths: Paths) -> None:
    loaded = load(paths, environment={})
    assert loaded.config == Config()
    assert loaded.problems == ()
    assert loaded.files == ()
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.checked() is loaded.config


def test_every_kind_of_value_is_read(paths: Paths) -> None:
    loaded = read(paths, FULL)
    config = loaded.checked()
    assert config.tags == ("innersource", "shared")
    assert config.clone_folder == Path.home() / "code"
    assert config.refresh_after == 900
    assert config.communication_url == "http://chat/channels/"
    assert config.keys == {"explore.search": "ctrl+f"}
    assert config.searches == {"mine": "lang:python"}
    assert config.network.ca_file == paths.config_dir / "certs/root.pem"
    assert (config.network.timeout, config.network.concurrency) == (90.0, 4)
    assert config.forges == (
        ForgeConfig(
            name="work",
            url="https://git.example.com/gitlab",
            kind=ForgeKind.GITLAB,
            groups=("platform",),
            former_urls=("https://old.example.com",),
        ),
        ForgeConfig(name="local", url="http://127.0.0.1:3000", git="ssh"),
    )
    file = paths.config_file
    assert loaded.origins["tags"] == f"{file}:1"
    assert loaded.origins["network.timeout"] == f"{file}:15"
    assert loaded.origins["forge.local.git"] == f"{file}:26"
    assert loaded.origins["forge.local.kind"] == "default"
    assert loaded.files == (file,)


def test_byte_order_mark_and_windows_line_ends_are_fine(paths: Paths) -> None:
    loaded = read(paths, b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert len(loaded.checked().forges) == 2
    assert loaded.origins["forge.local.git"].endswith(":26")


MISTAKES = [
    # text, line, key, words of the message, nearest
    ("\nx = [\n\n", 2, "", "not valid TOML", None),
    ("theme = nord\n", 1, "", "not valid TOML", None),
    ("a = 1\n\nb = 1\nb = 2\n", 4, "", "not valid TOML", None),
    (b'# ok\ntheme = "caf\xe9"\n', 2, "", "not UTF-8", None),
    ("x = " + "[" * 50_000, None, "", "nested too deeply", None),
    ("refresh_after = " + "9" * 5_000, None, "", "not valid TOML", None),
    ("# " + "x" * 5_000_000, None, "", "larger than 4 MiB", None),
    ("\ntgas = []\n", 2, "tgas", "is not a setting", "tags"),
    ("zzzzzz = 1\n", 1, "zzzzzz", "is not a setting", None),
    ('tags = "innersource"\n', 1, "tags", "must be a list, not text", None),
    ("tags = []\n", 1, "tags", "at least 1 entry", None),
    ('tags = ["a",\n  7]\n', 1, "tags", "entry 2 must be text", None),
    ('tags = [" "]\n', 1, "tags", "must not be empty", None),
    ('theme = "a\\u001b[31m"\n', 1, "theme", "control or invisible", None),
    ('theme = "n\\u202eo"\n', 1, "theme", "control or invisible", None),
    ("clone_folder = 3\n", 1, "clone_folder", "must be a path", None),
    ('clone_folder = "~nobody-here/x"\n', 1, "clone_folder", "home folder that does not exist", None),
    ('refresh_after = "soon"\n', 1, "refresh_after", "must be a duration", None),
    ("refresh_after = nan\n", 1, "refresh_after", "counted to", None),
    ("refresh_after = true\n", 1, "refresh_after", "must be a number", None),
    ('token_store = "keyrng"\n', 1, "token_store", "must be keyring or file or session", "keyring"),
    ("network = 3\n", 1, "network", "must be written as [network]", None),
    ("[network]\ntimeout = 0\n", 2, "network.timeout", "must be more than 0", None),
    ("[network]\ntimeout = 1e9\n", 2, "network.timeout", "must be at most 600", None),
    ("[network]\nconcurrency = 100\n", 2, "network.concurrency", "must be at most 64", None),
    ("[network]\nconcurrency = 2.5\n", 2, "network.concurrency", "must be a whole number", None),
    ("[network]\nverify = false\n", 2, "network.verify", "is not a setting", None),
    ('[network]\ncafile = "x"\n', 2, "network.cafile", "is not a setting", "ca_file"),
    ("[keys]\nsearch = 3\n", 1, "keys", "each value must be text", None),
    ('keys = "x"\n', 1, "keys", "must be a table", None),
    ('[[forge]]\nurl = "https://x"\n', 1, "forge", "must be written as [forge.NAME]", None),
    ('[forge]\nurl = "https://x"\n', 2, "forge.url", "must be written as [forge.NAME]", None),
    ('[forge."a b"]\nurl = "https://x"\n', 1, "forge.a b", "must be named with", None),
    ('[forge.work]\nkind = "gitlab"\n', 1, "forge.work", "has no url", None),
    ('[forge.w]\nurl = "git.example.com"\n', 2, "forge.w.url", "https://", "https://git.example.com"),
    ('[forge.w]\nurl = "http://git.example.com"\n', 2, "forge.w.url", "over http everyone", None),
    ('[forge.w]\nurl = "https://u:p@git.example.com"\n', 2, "forge.w.url", "user name or password", None),
    ('[forge.w]\nurl = "https://x/?private_token=1"\n', 2, "forge.w.url", "before `?`", None),
    ('[forge.w]\nurl = "https://x:70000"\n', 2, "forge.w.url", "is not an address", None),
    ('[forge.w]\nurl = "https://[::1"\n', 2, "forge.w.url", "is not an address", None),
    ('[forge.w]\nurl = "ssh://git@x"\n', 2, "forge.w.url", "must begin with https://", None),
    ('[forge.w]\nurl = "https://"\n', 2, "forge.w.url", "has no host", None),
    ('[forge.w]\nurl = "https://a b"\n', 2, "forge.w.url", "no address can have", None),
    ('[forge.w]\nurl = "https://x"\nkind = "gitlub"\n', 3, "forge.w.kind", "must be gitlab", "gitlab"),
    ('[forge.w]\nurl = "https://x"\ntoken = "glpat-x"\n', 3, "forge.w.token", "is not a setting", None),
    ('[forge.w]\nurl = "https://x"\nallow_http = "yes"\n', 3, "forge.w.allow_http", "true or false", None),
    ('[forge.w]\nurl = "https://x"\nget = "ssh"\n', 3, "forge.w.get", "is not a setting", "git"),
    ('[forge.a]\nurl = "https://x"\n[forge.b]\nurl = "https://x/"\n', 4, "forge.b.url", "forge.a too", None),
    ('sources = ["http://portal.example.com/repos.json"]\n', 1, "sources", "https", None),
    ('profile = "ftp://x/y.toml"\n', 1, "profile", "https", None),
    ('profile = "gone.toml"\n', 1, "profile", "does not exist", None),
    ('profile = "https://x/y.toml"\n', 1, "profile", "not been fetched yet", None),
]


@pytest.mark.parametrize(("text", "line", "key", "words", "near"), MISTAKES)
def test_mistakes_are_told_with_their_place(
    paths: Paths, text: str | bytes, line: int | None, key: str, words: str, near: str | None
) -> None:
    loaded = read(paths, text)
    assert len(loaded.problems) == 1, loaded.problems
    problem = loaded.problems[0]
    assert (problem.file, problem.line, problem.key) == (str(paths.config_file), line, key)
    assert words in problem.what
    if near is not None:
        assert problem.nearest == near
        assert f"did you mean {near}?" in str(problem)
    with pytest.raises(ConfigError) as caught:
        loaded.checked()
    assert caught.value.title == str(problem)
    assert caught.value.exit_code == 2


def test_no_token_reaches_a_message(paths: Paths) -> None:
    text = '[forge.w]\nurl = "https://oauth2:glpat-canary@x"\ntoken = "glpat-canary"\nkind = 3\n'
    for problem in read(paths, text).problems:
        assert "canary" not in str(problem)


def test_all_mistakes_are_told_at_once_and_the_rest_holds(paths: Paths) -> None:
    text = 'tags = 3\ntheme = "nord"\n[network]\ntimeout = "x"\nconcurrency = 2\n' + (
        '[forge.a]\nurl = "nope"\n[forge.b]\nurl = "https://b"\nkind = "x"\n'
    )
    loaded = read(paths, text, {"ISEXPLORE_CONCURRENCY": "many"})
    assert [(problem.line, problem.key) for problem in loaded.problems] == [
        (1, "tags"),
        (4, "network.timeout"),
        (7, "forge.a.url"),
        (10, "forge.b.kind"),
        (None, "network.concurrency"),
    ]
    config = loaded.config
    assert config.tags == DEFAULT_TAGS
    assert config.theme == "nord"
    assert config.network.concurrency == 2
    assert [(forge.name, forge.kind) for forge in config.forges] == [("b", None)]
    with pytest.raises(ConfigError) as caught:
        loaded.checked()
    assert caught.value.title == "5 things are wrong in the configuration"
    assert len(caught.value.detail.splitlines()) == 5


def test_http_is_for_this_machine_or_on_request(paths: Paths) -> None:
    text = "".join(
        f'[forge.f{number}]\nurl = "{url}"\n{more}'
        for number, (url, more) in enumerate(
            [
                ("http://localhost:3000", ""),
                ("http://127.0.0.1", ""),
                ("http://[::1]:80/x", ""),
                ("http://LOCALHOST:1", ""),
                ("http://forge.example.com", "allow_http = true\n"),
                ("http://localhost.example.com", ""),
                ("https://ok.example.com", 'api_url = "http://api.example.com"\n'),
            ]
        )
    )
    loaded = read(paths, text)
    assert [forge.name for forge in loaded.config.forges] == ["f0", "f1", "f2", "f3", "f4"]
    assert [problem.key for problem in loaded.problems] == ["forge.f5.url", "forge.f6.api_url"]


def test_unreadable_file_is_a_problem(paths: Paths) -> None:
    paths.config_file.mkdir()
    loaded = load(paths, environment={})
    assert "cannot be read" in loaded.problems[0].what


# Layers


def test_variables_come_before_the_file_and_options_before_both(paths: Paths) -> None:
    paths.config_file.write_text('tags = ["file"]\ntheme = "file"\n[network]\ntimeout = 5\n')
    environment = {
        "ISEXPLORE_TAGS": "one, two",
        "ISEXPLORE_THEME": "variable",
        "ISEXPLORE_CA_FILE": "~/root.pem",
        "ISEXPLORE_CONCURRENCY": "3",
        "ISEXPLORE_REFRESH_AFTER": "2h",
        "ISEXPLORE_EDITOR": "",
        "OTHER": "x",
    }
    loaded = load(paths, environment=environment, options={"theme": "option", "network.ca_file": None})
    config = loaded.checked()
    assert (config.tags, config.theme) == (("one", "two"), "option")
    assert config.network.ca_file == Path.home() / "root.pem"
    assert (config.network.concurrency, config.network.timeout) == (3, 5.0)
    assert config.refresh_after == 7_200
    assert config.editor is None
    assert loaded.origins["tags"] == "ISEXPLORE_TAGS"
    assert loaded.origins["theme"] == "--theme"
    assert loaded.origins["network.timeout"] == f"{paths.config_file}:4"


def test_wrong_variables_are_told_and_the_file_holds(paths: Paths) -> None:
    paths.config_file.write_text("[network]\nconcurrency = 2\n")
    environment = {"ISEXPLORE_CONCURRENCY": "0", "ISEXPLORE_CLONE_FOLDERS": "x", "ISEXPLORE_LIVE_THING": "1"}
    loaded = load(paths, environment=environment)
    assert [str(problem) for problem in loaded.problems] == [
        "ISEXPLORE_CLONE_FOLDERS: is not a setting; did you mean ISEXPLORE_CLONE_FOLDER?",
        "ISEXPLORE_CONCURRENCY: network.concurrency must be at least 1",
    ]
    assert loaded.config.network.concurrency == 2


PROFILE = """\
tags = ["org"]
communication_url = "https://chat.example.com/"
[searches]
ours = "group:platform"
[network]
ca_file = "/etc/ssl/org.pem"
[forge.org]
url = "https://git.example.com"
kind = "gitlab"
client_id = "abc"
"""


def test_organisation_profile_lies_below_the_users_file(paths: Paths) -> None:
    profile = paths.config_dir / "org.toml"
    profile.write_text(PROFILE)
    loaded = read(
        paths,
        'profile = "org.toml"\ntags = ["mine"]\n[searches]\nmine = "x"\n[forge.org]\nusername = "ada"\n',
    )
    config = loaded.checked()
    assert config.tags == ("mine",)
    assert config.communication_url == "https://chat.example.com/"
    assert config.searches == {"ours": "group:platform", "mine": "x"}
    assert config.forges == (
        ForgeConfig(
            name="org", url="https://git.example.com", kind=ForgeKind.GITLAB, client_id="abc", username="ada"
        ),
    )
    assert loaded.origins["forge.org.url"] == f"{profile}:8"
    assert loaded.origins["forge.org.username"] == f"{paths.config_file}:6"
    assert loaded.files == (paths.config_file, profile)


@pytest.mark.parametrize("profiles_url", ['url = "https://git.other.example"\n', ""])
def test_profile_does_not_lead_a_forges_token_elsewhere(paths: Paths, profiles_url: str) -> None:
    (paths.config_dir / "org.toml").write_text(
        f'[forge.work]\n{profiles_url}api_url = "https://api.other.example/v4"\nssh_host = "ssh.other.example"\n'
        'former_urls = ["https://old.other.example"]\nclient_id = "abc"\nkind = "gitea"\ntags = ["inner"]\n'
    )
    config = read(paths, 'profile = "org.toml"\n[forge.work]\nurl = "https://git.example"\n').config
    assert config.forges == (ForgeConfig(name="work", url="https://git.example", tags=("inner",)),)


def test_fetched_profile_is_read_from_the_cache(paths: Paths) -> None:
    url = "https://innersource.example.com/isexplore.toml"
    cached = profile_cache(paths, url)
    cached.parent.mkdir()
    cached.write_text(PROFILE + 'groups = ["x"]\n')
    config = load(paths, environment={"ISEXPLORE_PROFILE": url}).checked()
    assert config.forges[0].groups == ("x",)
    assert config.network.ca_file == Path("/etc/ssl/org.pem")
    assert profile_cache(paths, url + "2") != cached


def test_profile_may_not_run_commands_or_weaken_anything(paths: Paths) -> None:
    text = (
        'profile = "https://elsewhere/x.toml"\neditor = "rm -rf /"\ntoken_store = "file"\n[forge.x]\n'
        'url = "http://git.example.com"\nallow_http = true\ntoken_command = "curl x"\nusername = "root"\n'
    )
    (paths.config_dir / "org.toml").write_text(text)
    loaded = read(paths, 'profile = "org.toml"\n')
    refused = [problem.key for problem in loaded.problems if "organisation profile" in problem.what]
    assert refused == [
        "profile",
        "editor",
        "token_store",
        "forge.x.allow_http",
        "forge.x.token_command",
        "forge.x.username",
    ]
    assert loaded.config.forges == ()
    assert loaded.config.editor is None
    assert len(check_profile(text.encode(), "x.toml")) == len(refused)
    assert check_profile(PROFILE.encode(), "x.toml") == []
    assert "not valid TOML" in check_profile(b"<html>", "x.toml")[0].what


# Forges from variables


def test_address_in_a_variable_is_a_forge(paths: Paths) -> None:
    loaded = load(
        paths, environment={"ISEXPLORE_URL": "https://gitlab.example.com/", "ISEXPLORE_KIND": "gitlab"}
    )
    assert loaded.checked().forges == (
        ForgeConfig(name="example", url="https://gitlab.example.com", kind=ForgeKind.GITLAB),
    )
    assert loaded.origins["forge.example.url"] == "ISEXPLORE_URL"
    assert loaded.origins["forge.example.git"] == "default"


def test_address_of_a_configured_forge_adds_none(paths: Paths) -> None:
    loaded = read(paths, FULL, {"ISEXPLORE_URL": "https://git.example.com/gitlab"})
    assert [forge.name for forge in loaded.checked().forges] == ["work", "local"]


@pytest.mark.parametrize(
    ("environment", "file"),
    [
        ({"ISEXPLORE_URL": "http://git.example.com"}, "ISEXPLORE_URL"),
        ({"ISEXPLORE_URL": "https://x", "ISEXPLORE_KIND": "gitlub"}, "ISEXPLORE_KIND"),
        ({"ISEXPLORE_FORGE": "wrok"}, "ISEXPLORE_FORGE"),
    ],
)
def test_wrong_forge_variables_are_told(paths: Paths, environment: dict[str, str], file: str) -> None:
    loaded = read(paths, FULL, environment)
    assert [problem.file for problem in loaded.problems] == [file]
    assert len(loaded.config.forges) == 2


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, None),
        ({"ISEXPLORE_FORGE": "local"}, "local"),
        ({"ISEXPLORE_FORGE": "other"}, None),
        ({"ISEXPLORE_URL": "https://git.example.com/gitlab/"}, "work"),
        ({"ISEXPLORE_URL": "https://evil.example.com", "ISEXPLORE_FORGE": "work"}, "example"),
    ],
)
def test_token_variable_is_for_one_forge(paths: Paths, environment: dict[str, str], name: str | None) -> None:
    config = read(paths, FULL, environment).config
    found = token_forge(config, environment)
    assert (found.name if found else None) == name
    if name == "example":
        assert found is not None
        assert found.origin == "https://evil.example.com"


def test_token_variable_is_for_the_only_forge() -> None:
    forge = ForgeConfig(name="x", url="https://x")
    assert token_forge(Config(forges=(forge,)), {}) == forge


def test_check_finds_missing_files(paths: Paths) -> None:
    text = '[network]\nca_file = "gone.pem"\nclient_key = "gone.key"\n'
    paths.config_file.write_text(text)
    problems = check(paths, environment={})
    assert [(problem.line, problem.key) for problem in problems] == [
        (2, "network.ca_file"),
        (3, "network.client_key"),
        (3, "network.client_key"),
    ]
    assert check(paths, environment={"ISEXPLORE_CA_FILE": "/gone.pem"})[0].file == "ISEXPLORE_CA_FILE"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com", "github"),
        ("https://git.acme.co.uk", "acme"),
        ("https://gitlab.example.com:8443/x", "example"),
        ("http://127.0.0.1:9", "127.0.0.1"),
        ("https://[::1]/", "forge"),
        ("http://localhost:3000", "localhost"),
        ("https://git.taken.org", "taken-2"),
    ],
)
def test_new_forges_get_a_telling_name(url: str, name: str) -> None:
    assert free_name(Config(forges=(ForgeConfig(name="taken", url="https://x"),)), url) == name


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Git.Example.com/x", "https://git.example.com"),
        ("https://x:443/", "https://x"),
        ("http://x:443/", "http://x:443"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://x./", "https://x"),
    ],
)
def test_origins_compare(url: str, origin: str) -> None:
    assert origin_of(url) == origin
