"""From files, variables and options to one `Config`, with where each value came from.

Later ones win: default, organisation profile, user's `config.toml`, `ISEXPLORE_*` variables, options
of the command line. A wrong value is a problem with its file and line; the next lower source's value
takes its place, so that one slip does not lock anybody out. Nothing here writes or uses the network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from isexplore.config.files import parse, read_bytes
from isexplore.config.paths import Paths
from isexplore.config.positions import Positions
from isexplore.config.schema import PERSONAL_ONLY, Config, ForgeConfig, NetworkConfig
from isexplore.config.values import (
    FORGE_NAME,
    Field,
    WrongValueError,
    address,
    fields_of,
    is_address,
    is_loopback,
    nearest,
)
from isexplore.errors import ConfigError

GENERAL = fields_of(Config)
"""Settings at the top level."""
NETWORK = fields_of(NetworkConfig, "network.")
"""Settings of the `[network]` table, by their own name."""
FORGE = fields_of(ForgeConfig, "forge.")
"""Settings of each `[forge.NAME]` table, by their own name."""

OF_THE_ADDRESS = ("kind", "api_url", "ssh_host", "former_urls", "client_id")
"""Settings of a forge that hold for its address only."""

SPECIAL_VARIABLES = {
    "ISEXPLORE_URL": "Use the forge at this address, whether it is configured or not.",
    "ISEXPLORE_FORGE": "Which configured forge `ISEXPLORE_TOKEN` is for; needed when there are several.",
    "ISEXPLORE_KIND": "Which API the forge at `ISEXPLORE_URL` speaks.",
    "ISEXPLORE_TOKEN": "Token for that forge, and for no other.",
    "ISEXPLORE_CONFIG_DIR": "Folder of `config.toml`.",
    "ISEXPLORE_STATE_DIR": "Folder of `state.toml` and the log.",
    "ISEXPLORE_CACHE_DIR": "Folder of the catalog.",
    "ISEXPLORE_DATA_DIR": "Folder of the practice forge, and of tokens kept in a file.",
}
"""Variables that are no setting of their own."""

DEFAULT = "default"
_COMMON_PARTS = {"www", "git", "gitlab", "github", "gitea", "forgejo", "code", "src"}
_COMMON_PARTS |= {"co", "com", "org", "net", "ac", "edu", "gov"}
"""Parts of host names that tell nothing about whose forge it is."""


class Problem(NamedTuple):
    """Something wrong in a configuration."""

    file: str
    """The file, or the variable or option that holds it."""
    line: int | None
    key: str
    """Full name of the setting: `forge.work.url`; empty for the file as a whole."""
    what: str
    nearest: str | None = None
    """What was probably meant."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key} " if self.key and self.key != self.file else ""
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{place}: {key}{self.what}{hint}"


class Loaded(Struct, frozen=True, kw_only=True):
    """A configuration, and how it came about."""

    config: Config
    origins: dict[str, str]
    """Where each value came from, by full key (`network.timeout`, `forge.work.url`): "default",
    "FILE:LINE", a variable's name or an option."""
    problems: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()
    """The files that were read, user's first."""

    def checked(self) -> Config:
        """Return the configuration if nothing is wrong with it.

        Raises:
            ConfigError: names every problem.
        """
        if self.problems:
            lines = [str(problem) for problem in self.problems]
            several = len(lines) > 1
            raise ConfigError(
                f"{len(lines)} things are wrong in the configuration" if several else lines[0],
                "\n".join(lines) if several else "",
                "Correct it, then run `isexplore config check`.",
            )
        return self.config


class _Value(NamedTuple):
    value: Any
    origin: str
    file: str
    line: int | None


class _Layer:
    """The settings of one source, converted; by full key."""

    def __init__(self) -> None:
        self.values: dict[str, _Value] = {}
        self.forges: dict[str, tuple[str, int | None]] = {}


def load(
    paths: Paths,
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
) -> Loaded:
    """Return the configuration in force.

    Args:
        paths: where `config.toml` and the cached organisation profile are.
        environment: instead of the process's.
        options: values of the command line by full key (`network.ca_file`); None values are left out.
    """
    env = os.environ if environment is None else environment
    problems: list[Problem] = []
    files: list[Path] = []
    user = _read_layer(paths.config_file, problems, files, folder=paths.config_dir, profile=False)
    variables = _environment_layer(env, paths, problems)
    flags = _options_layer(options or {}, problems)
    chosen = next(
        (layer.values["profile"] for layer in (flags, variables, user) if "profile" in layer.values), None
    )
    layers = [user, variables, flags]
    if chosen is not None:
        layers.insert(0, _profile_layer(chosen, paths, problems, files))
    config, origins = _merge(layers, problems)
    config = _with_environment_forge(config, env, origins, problems)
    return Loaded(config=config, origins=origins, problems=tuple(problems), files=tuple(files))


def check(
    paths: Paths,
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
    key_ids: Collection[str] = (),
) -> list[Problem]:
    """Return everything that is wrong, files that settings name but that are missing included.

    Args:
        paths: where the files are.
        environment: variables; the process's own by default.
        options: of the command line.
        key_ids: what `[keys]` may name; nothing of it is looked at without them.
    """
    loaded = load(paths, environment=environment, options=options)
    problems = list(loaded.problems)
    for name in loaded.config.keys if key_ids else ():
        if name not in key_ids:
            file, line = _place(loaded.origins["keys"])
            problems.append(
                Problem(file, line, f"keys.{name}", "names no key", nearest(name, tuple(key_ids)))
            )
    network = loaded.config.network
    for key in ("ca_file", "client_cert", "client_key"):
        path: Path | None = getattr(network, key)
        if path is not None and not path.is_file():
            file, line = _place(loaded.origins[f"network.{key}"])
            problems.append(
                Problem(file, line, f"network.{key}", f"names a file that does not exist: {path}")
            )
    if network.client_key is not None and network.client_cert is None:
        file, line = _place(loaded.origins["network.client_key"])
        problems.append(Problem(file, line, "network.client_key", "needs network.client_cert"))
    return problems


def profile_cache(paths: Paths, url: str) -> Path:
    """Return where the organisation profile fetched from `url` is kept."""
    # Loading it takes the cryptographic library, and the first frame has no use for it.
    from hashlib import sha256

    return paths.cache_dir / f"profile-{sha256(url.encode()).hexdigest()[:16]}.toml"


def check_profile(data: bytes, name: str) -> list[Problem]:
    """Return what is wrong with the text of an organisation profile; `name` is put into the answers."""
    problems: list[Problem] = []
    _text_layer(data, name, Path.home(), problems, profile=True)
    return problems


def token_forge(config: Config, environment: Mapping[str, str]) -> ForgeConfig | None:
    """Return the only forge that `ISEXPLORE_TOKEN` may be sent to; None when that is not clear."""
    url = environment.get("ISEXPLORE_URL", "").rstrip("/")
    if url:
        return next((forge for forge in config.forges if forge.url == url), None)
    name = environment.get("ISEXPLORE_FORGE", "")
    if name:
        return config.forge(name)
    return config.forges[0] if len(config.forges) == 1 else None


def _read_layer(
    path: Path, problems: list[Problem], files: list[Path], *, folder: Path, profile: bool
) -> _Layer:
    try:
        data = read_bytes(path)
    except (OSError, ValueError) as error:
        reason = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
        problems.append(Problem(str(path), None, "", f"cannot be read: {reason}"))
        return _Layer()
    if data is None:
        return _Layer()
    files.append(path)
    return _text_layer(data, str(path), folder, problems, profile=profile)


def _text_layer(data: bytes, file: str, folder: Path, problems: list[Problem], *, profile: bool) -> _Layer:
    try:
        table = parse(data)
    except ValueError as error:
        problems.append(Problem(file, _error_line(str(error), data), "", f"is not valid TOML: {error}"))
        return _Layer()
    return _Reader(table, file, Positions(data.decode("utf-8")), folder, problems, profile=profile).read()


def _error_line(message: str, data: bytes) -> int | None:
    found = re.search(r"at line (\d+)", message)
    if found:
        return int(found[1])
    return data.rstrip().count(b"\n") + 1 if "end of document" in message else None


class _Reader:
    """Checks one file's tables against the schema."""

    def __init__(
        self,
        table: dict[str, Any],
        file: str,
        positions: Positions,
        folder: Path,
        problems: list[Problem],
        *,
        profile: bool,
    ) -> None:
        self._table = table
        self._file = file
        self._positions = positions
        self._folder = folder
        self._problems = problems
        self._profile = profile
        self._layer = _Layer()

    def read(self) -> _Layer:
        for key, value in self._table.items():
            if key == "forge":
                self._forges(value)
            elif key == "network":
                self._fields((key,), value, NETWORK, "network.")
            elif key in GENERAL:
                self._field((key,), value, GENERAL[key], key)
            else:
                self._unknown((key,), (*GENERAL, "network", "forge"))
        return self._layer

    def _forges(self, tables: object) -> None:
        if not isinstance(tables, dict):
            self._wrong(("forge",), "must be written as [forge.NAME]")
            return
        for name, table in tables.items():
            path = ("forge", name)
            if not FORGE_NAME.fullmatch(name):
                self._wrong(path, "must be named with letters, digits, `-`, `_` and `.` only")
                continue
            if not isinstance(table, dict):
                self._wrong(path, f"must be written as [forge.NAME]; {name} is a value here")
                continue
            self._layer.forges[name] = (self._file, self._positions.line(path))
            self._fields(path, table, FORGE, f"forge.{name}.")

    def _fields(self, path: tuple[str, ...], table: object, fields: Mapping[str, Field], prefix: str) -> None:
        if not isinstance(table, dict):
            self._wrong(path, f"must be written as [{'.'.join(path)}]")
            return
        for key, value in table.items():
            if key in fields:
                self._field((*path, key), value, fields[key], prefix + key)
            else:
                self._unknown((*path, key), tuple(fields))

    def _field(self, path: tuple[str, ...], value: object, field: Field, key: str) -> None:
        if self._profile and field.key in PERSONAL_ONLY:
            self._wrong(path, "may not be set by an organisation profile")
            return
        try:
            converted = field.convert(value, self._folder)
        except WrongValueError as error:
            self._wrong(path, error.what, error.nearest)
            return
        line = self._positions.line(path)
        origin = f"{self._file}:{line}" if line else self._file
        self._layer.values[key] = _Value(converted, origin, self._file, line)

    def _unknown(self, path: tuple[str, ...], known: tuple[str, ...]) -> None:
        self._wrong(path, "is not a setting", nearest(path[-1], known))

    def _wrong(self, path: tuple[str, ...], what: str, near: str | None = None) -> None:
        line = self._positions.line(path)
        self._problems.append(Problem(self._file, line, ".".join(path), what, near))


def variables() -> Iterator[tuple[str, str, Field]]:
    """Yield (variable, full key, field) of every setting that a variable can make."""
    for fields, prefix in ((GENERAL, ""), (NETWORK, "network.")):
        for name, field in fields.items():
            if not field.is_table:
                yield f"ISEXPLORE_{name.upper()}", prefix + name, field


def _environment_layer(env: Mapping[str, str], paths: Paths, problems: list[Problem]) -> _Layer:
    layer = _Layer()
    known = {variable: (key, field) for variable, key, field in variables()}
    for variable, text in sorted(env.items()):
        if not variable.startswith("ISEXPLORE_") or variable in SPECIAL_VARIABLES or not text.strip():
            continue
        if variable in known:
            key, field = known[variable]
            _convert(layer, key, field, text, variable, problems)
            continue
        near = nearest(variable[10:], tuple(name[10:].lower() for name in (*known, *SPECIAL_VARIABLES)))
        if near:
            # Others may use the prefix for things of their own; only what looks like a slip is told.
            problems.append(
                Problem(variable, None, variable, "is not a setting", f"ISEXPLORE_{near.upper()}")
            )
    return layer


def _options_layer(options: Mapping[str, object], problems: list[Problem]) -> _Layer:
    layer = _Layer()
    fields = GENERAL | {f"network.{name}": field for name, field in NETWORK.items()}
    for key, value in options.items():
        if value is not None:
            option = "--" + key.rpartition(".")[2].replace("_", "-")
            _convert(layer, key, fields[key], value, option, problems)
    return layer


def _convert(
    layer: _Layer, key: str, field: Field, value: object, origin: str, problems: list[Problem]
) -> None:
    try:
        raw = field.parse(value) if isinstance(value, str) else value
        raw = str(raw) if isinstance(raw, Path) else raw
        layer.values[key] = _Value(field.convert(raw, Path.cwd()), origin, origin, None)
    except WrongValueError as error:
        problems.append(Problem(origin, None, key, error.what, error.nearest))


def _profile_layer(chosen: _Value, paths: Paths, problems: list[Problem], files: list[Path]) -> _Layer:
    place: str = chosen.value
    path = profile_cache(paths, place) if "://" in place else Path(place)
    if not path.exists():
        what = (
            f"has not been fetched yet: run `isexplore login --profile {place}`"
            if "://" in place
            else f"names a file that does not exist: {place}"
        )
        problems.append(Problem(chosen.file, chosen.line, "profile", what))
        return _Layer()
    # What a fetched profile names relatively cannot be meant to lie in the cache.
    folder = Path.home() if "://" in place else path.parent
    return _read_layer(path, problems, files, folder=folder, profile=True)


def _merge(layers: list[_Layer], problems: list[Problem]) -> tuple[Config, dict[str, str]]:
    """Put the layers, lowest first, on top of one another."""
    merged: dict[str, _Value] = {}
    places: dict[str, tuple[str, int | None]] = {}
    for layer in layers:
        places |= {name: place for name, place in layer.forges.items() if name not in places}
        _drop_other_addresses(layer, merged)
        for key, value in layer.values.items():
            below = merged.get(key)
            if below is not None and isinstance(value.value, dict):
                value = value._replace(value=below.value | value.value)
            merged[key] = value
    origins = {key: merged[key].origin if key in merged else DEFAULT for key in GENERAL}
    origins |= {
        f"network.{key}": merged[f"network.{key}"].origin if f"network.{key}" in merged else DEFAULT
        for key in NETWORK
    }
    forges = tuple(_forges(places, merged, origins, problems))
    general = {key: merged[key].value for key in GENERAL if key in merged}
    network = {key: merged[f"network.{key}"].value for key in NETWORK if f"network.{key}" in merged}
    return Config(forges=forges, network=NetworkConfig(**network), **general), origins


def _drop_other_addresses(layer: _Layer, merged: dict[str, _Value]) -> None:
    """Forget what a lower layer says of a forge at another address than this layer's.

    The token is kept for the forge's own address: an API address from somewhere else would get it.
    """
    for name in layer.forges:
        prefix = f"forge.{name}."
        own, below = layer.values.get(prefix + "url"), merged.get(prefix + "url")
        if own is not None and (below is None or below.value != own.value):
            for key in OF_THE_ADDRESS:
                merged.pop(prefix + key, None)


def _forges(
    places: Mapping[str, tuple[str, int | None]],
    merged: Mapping[str, _Value],
    origins: dict[str, str],
    problems: list[Problem],
) -> Iterator[ForgeConfig]:
    """Yield the forges that can be used; the others are problems."""
    seen: dict[str, str] = {}
    for name, (file, line) in places.items():
        prefix = f"forge.{name}."
        found = {key: merged[prefix + key] for key in FORGE if prefix + key in merged}
        if "url" not in found:
            if not any(problem.key == prefix + "url" for problem in problems):
                problems.append(Problem(file, line, f"forge.{name}", "has no url"))
            continue
        allowed = "allow_http" in found and found["allow_http"].value
        insecure = [
            key for key in ("url", "api_url") if key in found and not _safe(found[key].value, allowed)
        ]
        for key in insecure:
            problems.append(
                Problem(
                    found[key].file,
                    found[key].line,
                    prefix + key,
                    "must begin with https://: over http everyone on the way can read the token",
                )
            )
        if insecure:
            continue
        url = found["url"].value
        if url in seen:
            problems.append(
                Problem(
                    found["url"].file, found["url"].line, prefix + "url", f"is that of forge.{seen[url]} too"
                )
            )
            continue
        seen[url] = name
        origins |= {prefix + key: found[key].origin if key in found else DEFAULT for key in FORGE}
        yield ForgeConfig(name=name, **{key: value.value for key, value in found.items()})


def _safe(url: str, allow_http: bool) -> bool:
    if url.startswith("https:") or allow_http:
        return True
    return is_loopback(urlsplit(url).hostname or "")


def _with_environment_forge(
    config: Config, env: Mapping[str, str], origins: dict[str, str], problems: list[Problem]
) -> Config:
    """Add the forge at `ISEXPLORE_URL`; check that `ISEXPLORE_FORGE` names one."""
    text, name = env.get("ISEXPLORE_URL", "").strip(), env.get("ISEXPLORE_FORGE", "").strip()
    if name and not text and config.forge(name) is None:
        known = tuple(forge.name for forge in config.forges)
        problems.append(
            Problem("ISEXPLORE_FORGE", None, "", f"names no forge: {name!r}", nearest(name, known))
        )
    if not text:
        return config
    variable, kind = "ISEXPLORE_URL", None
    try:
        url = address(text)
        variable = "ISEXPLORE_KIND"
        if env.get(variable):
            kind = FORGE["kind"].convert(env[variable], Path())
    except WrongValueError as error:
        problems.append(Problem(variable, None, "", error.what, error.nearest))
        return config
    if any(forge.url == url for forge in config.forges):
        return config
    forge = ForgeConfig(name=free_name(config, url), url=url, kind=kind)
    prefix = f"forge.{forge.name}."
    origins |= {prefix + key: DEFAULT for key in FORGE} | {prefix + "url": "ISEXPLORE_URL"}
    return replace(config, forges=(*config.forges, forge))


def free_name(config: Config, url: str) -> str:
    """Return a short name for a new forge: "gitlab.example.com" becomes "example", or "example-2"."""
    host = urlsplit(url).hostname or ""
    parts = host.split(".")
    telling = [part for part in parts[:-1] if part not in _COMMON_PARTS]
    base = host if is_address(host) else telling[-1] if telling else parts[0]
    base = base if FORGE_NAME.fullmatch(base) else "forge"
    name, number = base, 1
    while config.forge(name) is not None:
        number += 1
        name = f"{base}-{number}"
    return name


def _place(origin: str) -> tuple[str, int | None]:
    file, colon, line = origin.rpartition(":")
    return (file, int(line)) if colon and line.isdigit() else (origin, None)
