"""Comments that are commands. https://docs.gitlab.com/user/project/quick_actions/"""

from __future__ import annotations

_COMMANDS = {
    "add_child", "approve", "assign", "assign_reviewer", "award", "blocked_by", "blocks", "cc",
    "clear_weight", "clone", "close", "confidential", "convert_to_ticket", "copy_metadata",
    "create_merge_request", "done", "draft", "due", "duplicate", "epic", "estimate",
    "estimate_time", "health_status", "iteration", "label", "labels", "link", "lock", "merge",
    "milestone", "move", "page", "parent", "promote_to", "publish", "react", "ready", "rebase",
    "reassign", "reassign_reviewer", "relabel", "relate", "remove_child", "remove_due_date",
    "remove_estimate", "remove_iteration", "remove_milestone", "remove_parent", "remove_time_spent",
    "remove_zoom", "reopen", "request_changes", "request_review", "severity", "shrug", "spend",
    "spend_time", "spent", "submit_review", "subscribe", "tableflip", "tag", "target_branch",
    "timeline", "title", "todo", "unapprove", "unassign", "unassign_reviewer", "unlabel", "unlink",
    "unlock", "unsubscribe", "weight", "zoom",
}  # fmt: skip


def commands(body: str) -> list[tuple[str, str]] | None:
    """Return the commands of a comment, each as (name, rest); None where it holds anything else.

    A line that begins with a slash is a command only where GitLab knows its name: `/etc/hosts` is a path.
    """
    found = []
    for line in filter(None, map(str.strip, body.splitlines())):
        name, _, rest = line[1:].partition(" ")
        if not line.startswith("/") or name.lower() not in _COMMANDS:
            return None
        found.append((name.lower(), rest.strip()))
    return found


def refused(name: str) -> str:
    """Return what GitLab says of a command that somebody may not give."""
    return f"Could not apply {name} command."
