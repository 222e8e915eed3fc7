"""What is inside a repository over REST: trees, files, branches, commits, comparisons, templates.

https://docs.gitlab.com/api/repositories/, https://docs.gitlab.com/api/repository_files/
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import PurePosixPath
from urllib.parse import quote

from isexplore.practice import shapes_merge_requests as shapes
from isexplore.practice.api import (
    FORBIDDEN,
    Answer,
    Call,
    Json,
    Refusal,
    Route,
    answer,
    missing,
    next_link,
    page_headers,
    paged,
    refuse,
    wanted_page,
)
from isexplore.practice.repository import ZERO, CommitFacts, Repository, TreeEntry
from isexplore.practice.rows import ProjectRow
from isexplore.practice.store_people import DEVELOPER, MAINTAINER

_READ = ("api", "read_api", "read_repository")
_TEMPLATES = {
    "merge_requests": ".gitlab/merge_request_templates",
    "issues": ".gitlab/issue_templates",
}
FORBIDDEN_IN_REF = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|^[-/.]|/$|\.$|\.lock(/|$)|/\.")


def repository_of(call: Call, project: ProjectRow) -> Repository | None:
    """Return the repository to read, or None while there is nothing in it yet."""
    if project.empty_repo:
        return None
    if project.import_started_at is not None and call.store.import_status(project) != "finished":
        return None
    return call.store.repository(project.id)


async def find_commit(call: Call, project: ProjectRow, ref: str) -> tuple[Repository, str] | None:
    """Return the repository and the commit that a branch, a tag or an id names, or None."""
    repository = repository_of(call, project)
    if repository is None:
        return None
    name = project.default_branch if ref == "HEAD" else ref
    sha = await repository.commit_id(f"refs/heads/{name}") or await repository.commit_id(name)
    return None if sha is None else (repository, sha)


async def tree(call: Call) -> Answer:
    """GET /projects/:id/repository/tree."""
    project = call.project()
    found = await find_commit(call, project, call.text("ref") or "HEAD")
    folder = (call.text("path") or "").strip("/")
    if found is None:
        raise missing("Tree")
    entries = await found[0].entries(found[1], folder, recursive=bool(call.flag("recursive")))
    if entries is None or (folder and not entries):
        raise missing("Tree")
    if call.choice("pagination", ("legacy", "keyset", "none")) == "keyset":
        return _tree_by_keyset(call, entries)
    return paged(call, entries, lambda rows: [_entry(row) for row in rows])


def _tree_by_keyset(call: Call, entries: list[TreeEntry]) -> Answer:
    """Answer with what comes after `page_token`, without totals; the last page has no link."""
    size, token = wanted_page(call).size, call.text("page_token")
    known = [_page_token(row) for row in entries]
    if token and token not in known:
        raise refuse(422, "invalid page token")
    begin = known.index(token) + 1 if token else 0
    rows = entries[begin : begin + size]
    headers = {"X-Per-Page": str(size)}
    if begin + size < len(entries):
        headers["Link"] = next_link(call, "page_token", _page_token(rows[-1]))
    return answer(call, [_entry(row) for row in rows], headers=headers)


def _page_token(row: TreeEntry) -> str:
    return base64.urlsafe_b64encode(row.path.encode()).decode().rstrip("=")


def _entry(row: TreeEntry) -> Json:
    name = PurePosixPath(row.path).name
    return {"id": row.sha, "name": name, "type": row.type, "path": row.path, "mode": row.mode}


class _File:
    """A file at a commit, with the facts that GitLab tells of it."""

    def __init__(self, path: str, ref: str, commit: str, last: str, entry: TreeEntry, content: bytes) -> None:
        self.path = path
        self.ref = ref
        self.commit = commit
        self.last = last
        self.entry = entry
        self.content = content

    def facts(self) -> dict[str, str]:
        return {
            "file_name": PurePosixPath(self.path).name,
            "file_path": self.path,
            "size": str(len(self.content)),
            "encoding": "base64",
            "content_sha256": hashlib.sha256(self.content).hexdigest(),
            "ref": self.ref,
            "blob_id": self.entry.sha,
            "commit_id": self.commit,
            "last_commit_id": self.last,
            "execute_filemode": "true" if self.entry.mode == "100755" else "false",
        }

    def headers(self) -> dict[str, str]:
        # Header values must be ASCII; paths may be anything.
        named = {"-".join(word.capitalize() for word in key.split("_")): value for key, value in
                 self.facts().items()}  # fmt: skip
        return {f"X-Gitlab-{key}": quote(value, safe="/ .-_:,") for key, value in named.items()}


async def _file(call: Call, ref: str) -> _File:
    project = call.project()
    path = call.place["path"].strip("/")
    found = await find_commit(call, project, ref)
    if found is None:
        raise missing("Commit")
    repository, sha = found
    entry = await repository.entry(sha, path)
    if entry is None or entry.type != "blob":
        raise missing("File")
    content = await repository.blob(entry.sha)
    last = await repository.commits(sha, limit=1, path=path)
    return _File(path, ref, sha, last[0].sha if last else sha, entry, content)


async def get_file(call: Call) -> Answer:
    """GET and HEAD /projects/:id/repository/files/:path."""
    found = await _file(call, call.required("ref"))
    facts = found.facts()
    document: Json = {
        **facts,
        "size": len(found.content),
        "execute_filemode": facts["execute_filemode"] == "true",
        "content": base64.b64encode(found.content).decode(),
    }
    return answer(call, document, headers=found.headers())


async def get_raw_file(call: Call) -> Answer:
    """GET and HEAD /projects/:id/repository/files/:path/raw."""
    found = await _file(call, call.text("ref") or "HEAD")
    headers = {
        **found.headers(),
        "Cache-Control": "max-age=0, private, must-revalidate, no-store, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(PurePosixPath(found.path).name)}",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(body=found.content, media_type="text/plain", headers=headers)


async def get_raw_blob(call: Call) -> Answer:
    """GET /projects/:id/repository/blobs/:sha/raw."""
    repository = repository_of(call, call.project())
    sha = call.place["sha"]
    if repository is None or not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise missing("Blob")
    code, content = await repository.git("cat-file", "blob", sha, ok=(0, 128))
    if code:
        raise missing("Blob")
    return Answer(body=content, media_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


def _is_named(name: str, wanted: str) -> bool:
    """Whether a branch is found by a word: `^word` begins with it, `word$` ends in it."""
    if wanted.startswith("^"):
        return name.startswith(wanted[1:])
    return name.endswith(wanted[:-1]) if wanted.endswith("$") else wanted in name


async def list_branches(call: Call) -> Answer:
    """GET /projects/:id/repository/branches."""
    project = call.project()
    repository = repository_of(call, project)
    wanted = (call.text("search") or "").lower()
    found = await repository.branches() if repository else {}
    names = sorted(name for name in found if _is_named(name.lower(), wanted))
    page = wanted_page(call)
    chosen = names[page.offset : page.offset + page.size]
    shapes_of = [await _branch(call, project, repository, name) for name in chosen if repository]
    more = page.offset + page.size < len(names)
    return answer(call, shapes_of, headers=page_headers(call, page, more=more, total=len(names)))


async def _branch(call: Call, project: ProjectRow, repository: Repository, name: str) -> Json:
    commits = await repository.commits(f"refs/heads/{name}", limit=1)
    level = call.level(project)
    default = name == project.default_branch
    return {
        "name": name,
        "commit": shapes.commit(call, commits[0], project.full_path) if commits else None,
        "merged": False,
        "protected": default,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": level >= (MAINTAINER if default else DEVELOPER) and not project.archived,
        "default": default,
        "web_url": f"{call.origin}/{project.full_path}/-/tree/{quote(name)}",
    }


async def get_branch(call: Call) -> Answer:
    """GET and HEAD /projects/:id/repository/branches/:branch."""
    project = call.project()
    repository = repository_of(call, project)
    name = call.place["branch"]
    if repository is None or await repository.commit_id(f"refs/heads/{name}") is None:
        raise missing("Branch")
    return answer(call, await _branch(call, project, repository, name))


def _writable(call: Call, project: ProjectRow) -> None:
    call.signed_in()
    if project.archived or call.level(project) < DEVELOPER:
        raise refuse(403, FORBIDDEN)


async def create_branch(call: Call) -> Answer:
    """POST /projects/:id/repository/branches."""
    project = call.project()
    _writable(call, project)
    name, ref = call.required("branch"), call.required("ref")
    if FORBIDDEN_IN_REF.search(name):
        raise refuse(400, f"Branch name is invalid: {name}")
    found = await find_commit(call, project, ref)
    if found is None:
        raise refuse(400, f"Invalid reference name: {ref}")
    repository, sha = found
    if await repository.commit_id(f"refs/heads/{name}"):
        raise refuse(400, "Branch already exists")
    repository = await call.store.own_repository(project.id)
    await repository.set_branch(name, sha, ZERO)
    await call.store.after_push(project.id, {name: sha}, by=call.username)
    return answer(call, await _branch(call, project, repository, name), 201)


async def delete_branch(call: Call) -> Answer:
    """DELETE /projects/:id/repository/branches/:branch."""
    project = call.project()
    _writable(call, project)
    name = call.place["branch"]
    repository = await call.store.own_repository(project.id)
    sha = await repository.commit_id(f"refs/heads/{name}")
    if sha is None:
        raise missing("Branch")
    if name == project.default_branch:
        raise refuse(405, "Protected branch cannot be deleted")
    await repository.delete_branch(name)
    await call.store.after_push(project.id, {name: None}, by=call.username, before={name: sha})
    return Answer(status=204)


async def list_commits(call: Call) -> Answer:
    """GET /projects/:id/repository/commits: no totals, as git does not count ahead."""
    project = call.project()
    page = wanted_page(call)
    ref = call.text("ref_name") or "HEAD"
    found = await find_commit(call, project, ref)
    if found is None:
        if project.empty_repo and ref == "HEAD":
            return answer(call, [], headers=page_headers(call, page, more=False, total=None))
        raise missing("Repository" if project.empty_repo else "Commit")
    since, until = call.moment("since"), call.moment("until")
    commits = await found[0].commits(
        found[1],
        limit=page.size + 1,
        skip=page.offset,
        since=since.isoformat() if since else None,
        until=until.isoformat() if until else None,
        path=call.text("path"),
    )
    shown = [shapes.commit(call, commit, project.full_path) for commit in commits[: page.size]]
    return answer(call, shown, headers=page_headers(call, page, more=len(commits) > page.size, total=None))


async def get_commit(call: Call) -> Answer:
    """GET /projects/:id/repository/commits/:sha."""
    project = call.project()
    found = await find_commit(call, project, call.place["sha"])
    if found is None:
        raise missing("Commit")
    [facts] = await found[0].commits(found[1], limit=1)
    return answer(call, await commit_detail(call, project, found[0], facts))


async def commit_detail(call: Call, project: ProjectRow, repository: Repository, row: CommitFacts) -> Json:
    """Return what GitLab tells of one commit: with how many lines it changed, unless `stats` is false."""
    shape = shapes.commit(call, row, project.full_path)
    if call.flag("stats") is not False:
        added, removed = await repository.line_counts(row.parents[0] if row.parents else None, row.sha)
        shape["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
    return {**shape, "status": None, "project_id": project.id, "last_pipeline": None}


async def contributors(call: Call) -> Answer:
    """GET /projects/:id/repository/contributors."""
    project = call.project()
    found = await find_commit(call, project, call.text("ref") or "HEAD")
    if found is None:
        raise missing("Repository")
    people = await found[0].contributors(found[1])
    order = call.text("order_by") or "commits"
    people.sort(
        key=lambda who: (who[2], who[0]) if order == "commits" else (0, who[0 if order == "name" else 1])
    )
    if call.text("sort") == "desc":
        people.reverse()
    return paged(
        call,
        people,
        lambda rows: [
            {"name": name, "email": email, "commits": count, "additions": 0, "deletions": 0}
            for name, email, count in rows
        ],
    )


async def compare(call: Call) -> Answer:
    """GET /projects/:id/repository/compare; `from` is looked up in `from_project_id` where given."""
    project = call.project()
    base_project = project
    other = call.text("from_project_id")
    if other is not None:
        found_project = call.find_project(other)
        if found_project is None:
            raise missing("Project")
        base_project = found_project
    to = await find_commit(call, project, call.required("to"))
    start = await find_commit(call, base_project, call.required("from"))
    if to is None or start is None:
        raise missing("Ref")
    repository = Repository(to[0].path, borrowed=(start[0].path,))
    base = start[1] if call.flag("straight") else await repository.merge_base(start[1], to[1])
    commits = await repository.commits(f"{start[1]}..{to[1]}")
    changed = await repository.changed_files(base, to[1]) if base else []
    diffs = [
        shapes.change(change, await repository.diff(base or start[1], to[1], change.path))
        for change in changed
    ]
    shown = [shapes.commit(call, commit, project.full_path) for commit in reversed(commits)]
    return answer(
        call,
        {
            "commit": shown[-1] if shown else None,
            "commits": shown,
            "diffs": diffs,
            "compare_timeout": False,
            "compare_same_ref": start[1] == to[1],
            "web_url": f"{call.origin}/{project.full_path}/-/compare",
        },
    )


async def list_templates(call: Call) -> Answer:
    """GET /projects/:id/templates/:type."""
    templates = await _templates(call)
    return paged(call, sorted(templates), lambda names: [{"key": name, "name": name} for name in names])


async def get_template(call: Call) -> Answer:
    """GET /projects/:id/templates/:type/:name; the name is case-sensitive."""
    templates = await _templates(call)
    name = call.place["name"]
    if name not in templates:
        raise missing("Template")
    repository, entry = templates[name]
    content = await repository.blob(entry.sha)
    return answer(call, {"name": name, "content": content.decode(errors="replace")})


async def _templates(call: Call) -> dict[str, tuple[Repository, TreeEntry]]:
    project = call.project()
    kind = call.place["type"]
    if kind not in _TEMPLATES:
        raise Refusal(400, {"error": "type does not have a valid value"})
    found = await find_commit(call, project, "HEAD")
    entries = await found[0].entries(found[1], _TEMPLATES[kind]) if found else None
    if found is None or entries is None:
        return {}
    names = [(PurePosixPath(entry.path), entry) for entry in entries if entry.type == "blob"]
    return {path.stem: (found[0], entry) for path, entry in names if path.suffix == ".md"}


ROUTES = (
    Route("GET", "/projects/:id/repository/tree", tree, _READ),
    Route("GET", "/projects/:id/repository/files/:path", get_file, _READ),
    Route("GET", "/projects/:id/repository/files/:path/raw", get_raw_file, _READ),
    Route("GET", "/projects/:id/repository/blobs/:sha/raw", get_raw_blob, _READ),
    Route("GET", "/projects/:id/repository/branches", list_branches),
    Route("POST", "/projects/:id/repository/branches", create_branch),
    Route("GET", "/projects/:id/repository/branches/:branch", get_branch),
    Route("DELETE", "/projects/:id/repository/branches/:branch", delete_branch),
    Route("GET", "/projects/:id/repository/commits", list_commits),
    Route("GET", "/projects/:id/repository/commits/:sha", get_commit),
    Route("GET", "/projects/:id/repository/contributors", contributors),
    Route("GET", "/projects/:id/repository/compare", compare),
    Route("GET", "/projects/:id/templates/:type", list_templates),
    Route("GET", "/projects/:id/templates/:type/:name", get_template),
)
