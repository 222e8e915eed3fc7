"""Pure rules for the names that reach git: folders, branches and addresses.

Every one of them is an allow-list. Git's own option parser and GitPython check such names with
deny-lists, and each published hole in them was a name that nobody had thought of.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from isexplore.errors import GitError
from isexplore.text import clean_line

MAX_BRANCH = 200
"""Characters of a branch name; forges store 255 bytes at most, and part of it is `refs/heads/`."""
_MAX_SUGGESTION = 50
_MAX_URL = 2_000

_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+#=@-]*")
_OBJECT_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_URL_TEXT = re.compile(r"[A-Za-z0-9._~:/@+-]+|(?:[A-Za-z0-9._~:/@+-]*\[[0-9A-Fa-f:.]+\][A-Za-z0-9._~:/@+-]*)")
_URL_PATH = re.compile(r"(?:/[A-Za-z0-9_.~+-]+)+/?")
_SCP_LIKE = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):([A-Za-z0-9_][^:]*)")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SSH_HOST = re.compile(r"(?:ssh://(?:[^@/]+@)?|[^@/:]+@)([^/:]+(?::\d+)?)[:/]")
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)}
)
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22}


def clone_folder(root: Path, project_path: str) -> Path:
    """Return where a project is cloned: `root/group/sub/name`, always strictly below `root`.

    Raises:
        GitError: reason "bad-path", for a path with a part that is no plain folder name everywhere.
    """
    parts = project_path.split("/")
    for part in parts:
        if not _COMPONENT.fullmatch(part) or part.endswith(".") or part.split(".")[0].lower() in _DEVICES:
            raise GitError(
                f"The project's path cannot be a folder: {clean_line(project_path, 120)}",
                f"“{clean_line(part, 60)}” is not a folder name that works on every system",
                "Choose the folder yourself (--into DIR)",
                reason="bad-path",
            )
    return root.joinpath(*parts)


def _branch_objection(name: str) -> str | None:
    if not name:
        return "it is empty"
    if len(name) > MAX_BRANCH:
        return f"it is longer than {MAX_BRANCH} characters"
    if not _BRANCH.fullmatch(name):
        return "use letters, digits and . _ - / + # = @, and begin with a letter or digit"
    if ".." in name:
        return "it holds “..”"
    if name.endswith((".", "/")):
        return "it ends in a dot or a slash"
    parts = name.split("/")
    if "" in parts:
        return "it holds “//”"
    for part in parts:
        if part.startswith((".", "-")):
            return "a part of it begins with a dot or a dash"
        if part.lower().endswith(".lock"):
            return "a part of it ends in “.lock”"
    if parts[0].lower() == "refs":
        return "it begins with “refs/”"
    if name.upper() in ("HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD"):
        return "git uses this name itself"
    if _OBJECT_NAME.fullmatch(name):
        return "it looks like a commit"
    return None


def check_branch_name(name: str) -> str:
    """Return `name` if it is fit for a branch: git-check-ref-format(1), narrowed to ASCII without options.

    Raises:
        GitError: reason "bad-branch", with the rule that it breaks.
    """
    objection = _branch_objection(name)
    if objection is not None:
        raise GitError(
            f"“{clean_line(name, 80)}” cannot be a branch name",
            objection[0].upper() + objection[1:],
            "Choose another name, such as 41-explain-the-back-off",
            reason="bad-branch",
        )
    return name


def suggest_branch(issue_number: int | None, title: str) -> str:
    """Return a branch name for an issue or a change: `41-explain-the-back-off`."""
    folded = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode("ascii")
    words = re.findall(r"[a-z0-9]+", folded.replace("'", ""))
    chosen = ""
    for word in words:
        longer = f"{chosen}-{word}" if chosen else word[:_MAX_SUGGESTION]
        if len(longer) > _MAX_SUGGESTION:
            break
        chosen = longer
    name = (chosen or "my-change") if issue_number is None else f"{issue_number}-{chosen or 'change'}"
    return name if _branch_objection(name) is None else f"change-{name}"


def url_origin(url: str) -> str:
    """Return `scheme://host[:port]` of an address in lower case, the scheme's own port left out.

    Raises:
        GitError: reason "bad-url", for an address without a host.
    """
    parts = _split(url)
    return _origin(parts, url)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _bad_url(url, "It cannot be read as an address") from None
    return parts


def _origin(parts: SplitResult, url: str) -> str:
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    if not scheme or not host:
        raise _bad_url(url, "It has no host")
    if ":" in host:
        host = f"[{host}]"
    suffix = "" if port is None or port == _DEFAULT_PORTS.get(scheme) else f":{port}"
    return f"{scheme}://{host}{suffix}"


def is_ssh(url: str) -> bool:
    """Whether an address is for SSH: `ssh://git@host/path` or `git@host:path`."""
    return url.startswith("ssh://") or "://" not in url


def check_any_url(url: str, *, origin: str | None = None) -> str:
    """Return `url` if it is fit for git on any host: for addresses that the user or a remote gave.

    With `origin`, an HTTP(S) address must be on it.

    Raises:
        GitError: reason "bad-url".
    """
    if is_ssh(url):
        match = _SSH_HOST.match(url)
        return check_clone_url(url, origin="https://ssh.invalid", ssh_host=match.group(1) if match else None)
    return check_clone_url(url, origin=origin or url_origin(url))


def project_of(url: str) -> str:
    """Return the project's part of a clone address, for a title: `group/name`."""
    path = url.split("://", 1)[1].partition("/")[2] if "://" in url else url.rpartition(":")[2]
    return path.removesuffix("/").removesuffix(".git")


def _bad_url(url: str, why: str) -> GitError:
    return GitError(
        "The forge gave an address that isexplore will not clone from",
        f"{why}: {clean_line(url, 200)}",
        "Tell whoever runs the forge; its external address may be set wrongly",
        reason="bad-url",
    )


def check_clone_url(url: str, *, origin: str, ssh_host: str | None = None) -> str:
    """Return `url` if git may clone from it.

    It must be HTTP(S) with exactly the scheme, host and port of `origin`; or SSH
    (`ssh://git@host/path`, `git@host:path`) when `ssh_host` (`host[:port]`) is given and is its host. No
    user or password in an HTTP(S) address, no query, no `..`, no percent-escapes, no control characters.

    Raises:
        GitError: reason "bad-url".
    """
    if len(url) > _MAX_URL or not _URL_TEXT.fullmatch(url):
        raise _bad_url(url, "It holds characters that do not belong in a clone address")
    if "://" not in url:
        return _check_scp_like(url, ssh_host)
    parts = _split(url)
    if not _URL_PATH.fullmatch(parts.path) or {".", ".."} & set(parts.path.split("/")):
        raise _bad_url(url, "Its path is not a project's")
    scheme = parts.scheme.lower()
    if scheme == "ssh":
        if ssh_host is None or _origin(parts, url) != url_origin(f"ssh://{ssh_host}"):
            raise _bad_url(url, "SSH is not set up for this host")
        if parts.password is not None or not _SSH_USER.fullmatch(parts.username or ""):
            raise _bad_url(url, "Its user name is not an SSH account")
        return url
    if scheme not in ("https", "http"):
        raise _bad_url(url, "Only HTTPS (or SSH, when set up) is used")
    if "@" in parts.netloc:
        raise _bad_url(url, "It carries a user name or password")
    if _origin(parts, url) != url_origin(origin):
        raise _bad_url(url, f"It is not on {clean_line(origin, 100)}")
    return url


def _check_scp_like(url: str, ssh_host: str | None) -> str:
    match = _SCP_LIKE.fullmatch(url)
    if match is None:
        raise _bad_url(url, "It is no HTTPS address")
    _user, host, path = match.groups()
    if ssh_host is None or host.lower() != ssh_host.lower():
        raise _bad_url(url, "SSH is not set up for this host")
    if not _URL_PATH.fullmatch("/" + path) or {".", ".."} & set(path.split("/")):
        raise _bad_url(url, "Its path is not a project's")
    return url
