"""Git's messages, translated: what happened, why, and what to do next.

Git runs with `LC_ALL=C.UTF-8`, so its own words are stable; the servers' words vary and are quoted.
"""

from __future__ import annotations

import re
import signal
from typing import Literal, NamedTuple

from isexplore.errors import GitError
from isexplore.text import clean_line, shorten

Operation = Literal["clone", "fetch", "push", "ls-remote", "commit", "switch", "local"]

_MAX_DETAIL = 1_500
_CHECKOUT_FAILED = re.compile(r"clone succeeded, but checkout failed", re.IGNORECASE)


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    reason: str
    title: str
    hint: str
    operations: frozenset[str] = frozenset()


def _rule(pattern: str, reason: str, title: str, hint: str, *operations: str) -> _Rule:
    return _Rule(
        re.compile(pattern, re.IGNORECASE | re.MULTILINE), reason, title, hint, frozenset(operations)
    )


# The first rule that matches wins: causes stand before the consequences that git reports with them.
_RULES = (
    _rule(
        r"no space left on device|disk quota exceeded|file too large|\bwrite error\b",
        "disk-full",
        "The disk is full",
        "Make room, then try again",
    ),
    _rule(
        r"detected dubious ownership",
        "dubious-ownership",
        "The clone belongs to another user account, so git refuses to use it",
        "Clone it again as yourself, or (if you trust it) run the `git config --global --add safe.directory` "
        "line that git names",
    ),
    _rule(
        r"(?:unable to create|cannot lock|could not lock).*\.lock'?: file exists"
        r"|another git process seems to be",
        "index-locked",
        "Another git command is at work in this clone",
        "Wait for it to end. If none is running, a crashed one left the .lock file named above: delete it",
    ),
    _rule(
        r"author identity unknown|committer identity unknown|please tell me who you are|empty ident name"
        r"|unable to auto-detect email|no email was given|no name was given",
        "no-identity",
        "Git does not know your name and e-mail address",
        'Set them: git config user.name "Your Name" and git config user.email you@example.org',
    ),
    _rule(
        r"gpg failed to sign|failed to sign the data|failed to write commit object.*sign|could not sign"
        r"|couldn't load public key|ssh-keygen.*failed",
        "signing-failed",
        "Your commit could not be signed",
        "Commit in a shell, where the signing program can ask for your passphrase; isexplore sees it is done",
        "commit",
    ),
    _rule(
        r"nothing to commit|nothing added to commit|no changes added to commit",
        "nothing-to-commit",
        "There is nothing to commit",
        "Change a file in the clone and save it, then try again",
        "commit",
    ),
    _rule(
        r"protected branch|branch .*is protected|gh006|not allowed to (?:force )?push code to protected"
        r"|\[remote rejected\].*protected",
        "protected",
        "The branch is protected: nobody may push to it directly",
        "Push a branch of your own and open a merge request from it",
        "push",
    ),
    _rule(
        r"! \[rejected\].*\((?:non-fast-forward|fetch first|stale info|needs force)\)",
        "rejected",
        "The branch on the forge has commits that your clone has not",
        "Fetch and look at them first (git fetch, then git log ..@{push}); isexplore never forces a push",
        "push",
    ),
    _rule(
        r"! \[remote rejected\]|pre-receive hook declined|remote unpack failed",
        "declined",
        "The forge did not take the push",
        "Read its reason above: many projects check the commit message, the author's e-mail or file sizes",
        "push",
    ),
    _rule(
        r"src refspec .* does not match any",
        "not-found",
        "There is no such branch in the clone",
        "Create the branch first",
        "push",
    ),
    _rule(
        r"returned error: 403|you are not allowed to push|permission to .* denied|not authorized"
        r"|access denied or|\b403 forbidden\b|deploy key"
        r"|write access to repository not granted|you need permission",
        "forbidden",
        "You cannot push here",
        "Push to your fork instead, and open the merge request from there",
        "push",
    ),
    _rule(
        r"returned error: 403|\b403 forbidden\b",
        "forbidden",
        "The forge knows you, but you may not read this project with git",
        "Ask the owners for access, or check that the token may read repositories",
    ),
    _rule(
        r"authentication failed|invalid username or (?:password|token)|http basic: access denied"
        r"|returned error: 401|could not read (?:username|password)|terminal prompts disabled"
        r"|permission denied \(publickey|host key verification failed",
        "auth",
        "The forge did not accept the sign-in for git",
        "Sign in again (isexplore login); for SSH, check that your key is loaded and the host is known",
    ),
    _rule(
        r"transport '?ssh'? not allowed",
        "bad-url",
        "Your git configuration turns the forge's HTTPS address into SSH (url.*.insteadOf)",
        'Set git = "ssh" for this forge in config.toml, or remove that rule',
    ),
    _rule(
        r"transport '?\S+'? not allowed|protocol .* is not supported|unable to find remote helper",
        "bad-url",
        "The address uses a transport that isexplore does not allow",
        "Only HTTPS is used (SSH when it is set up); check the remote's address with git remote -v",
    ),
    _rule(
        r"unable to update url base from redirection|redirected to|returned error: 30\d",
        "moved",
        "The forge sent git to another address, which isexplore does not follow with your token",
        "The project or the forge has moved: search for it again, or sign in at the new address",
    ),
    _rule(
        r"ssl certificate|certificate (?:verify|verification) failed|server certificate|schannel|gnutls"
        r"|unable to get local issuer|self[- ]signed certificate|ssl_error|tls",
        "tls",
        "The forge's certificate is not trusted on this machine",
        "Ask for your organisation's CA file and set ca_file under [network] in config.toml",
    ),
    _rule(
        r"operation too slow|low speed|timed out|timeout",
        "stalled",
        "The connection to the forge stalled",
        "Check the network or VPN, then try again; nothing is lost",
    ),
    _rule(
        r"connect tunnel failed|from proxy after connect|could not resolve proxy|returned error: 407",
        "network",
        "The proxy does not let git through to the forge",
        "Check HTTPS_PROXY and NO_PROXY: isexplore doctor shows the ones in use",
    ),
    _rule(
        r"could not resolve host|name or service not known|temporary failure in name resolution",
        "network",
        "The forge's name could not be found on the network",
        "Are you on the right network or VPN?",
    ),
    _rule(
        r"failed to connect|couldn't connect|connection (?:refused|reset|closed)|network is unreachable"
        r"|no route to host|empty reply from server"
        r"|rpc failed|early eof|unexpected disconnect|the remote end hung up"
        r"|recv failure|transfer closed with|proxy connect|returned error: 5\d\d",
        "network",
        "The connection to the forge broke",
        "Try again; if it keeps failing, check the network, VPN or proxy",
    ),
    _rule(
        r"repository .* not found|project you were looking for could not be found|returned error: 404"
        r"|does not appear to be a git repository|couldn't find remote ref|no such remote"
        r"|remote branch .* not found",
        "not-found",
        "Git found no such project or branch, or it is hidden from you",
        "Check that you are signed in with the right account and that it still exists",
    ),
    _rule(
        r"would be overwritten by (?:checkout|switch|merge)|please commit your changes or stash them",
        "changes-in-the-way",
        "Changes in the clone are in the way of switching the branch",
        "Commit them, or put them aside with git stash, then try again",
    ),
    _rule(
        r"a branch named .* already exists|remote \S+ already exists",
        "exists",
        "It exists already",
        "Choose another name, or go on with the one that exists",
    ),
    _rule(
        r"invalid reference|not a commit|unknown revision|bad revision|did not match any file"
        r"|is not a valid (?:object|branch)|ambiguous argument|no merge base",
        "not-found",
        "Git does not know this branch, commit or file",
        "Fetch first, then try again",
    ),
    _rule(
        r"not a git repository|cannot use bare repository|cannot change to",
        "not-a-clone",
        "The folder is not a git clone",
        "Choose the folder of the clone itself, or clone the project again",
    ),
    _rule(
        r"unresolved conflict|unmerged files|you have not concluded|committing is not possible",
        "in-progress",
        "A merge or rebase in this clone is not finished",
        "Resolve the conflicts in a shell and finish it, or abort it (git merge --abort, git rebase --abort)",
    ),
    _rule(
        r"could not create (?:work tree dir|leading director)",
        "not-writable",
        "The folder of the clone cannot be written",
        "Choose a folder that you may write to",
    ),
    _rule(
        r"permission denied|read-only file system",
        "not-writable",
        "A file or folder cannot be written",
        "Check who owns the folder, or choose another one",
    ),
)

_NOISE = re.compile(
    r"hint:|cloning into|remote: (?:counting|compressing|enumerating|total)|receiving objects"
    r"|resolving deltas|updating files|filtering content|to https?://|unpacking objects"
    r"|fatal: could not read from remote repository|please make sure you have|and the repository exists",
    re.IGNORECASE,
)


def quote(lines: tuple[str, ...] | list[str]) -> str:
    """Return git's lines without progress, hints and repetition, short enough to show."""
    chosen: list[str] = []
    for line in lines:
        if line and not _NOISE.match(line) and line not in chosen:
            chosen.append(line)
    text = "\n".join(chosen[-20:])
    return text if len(text) <= _MAX_DETAIL else "..." + text[-_MAX_DETAIL:]


def _silent_end(returncode: int) -> str:
    """Return how something ended that said nothing of it."""
    if returncode >= 0:
        return f"It ended with exit code {returncode} and said nothing"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    return f"It was ended from outside ({name}), by the system or by somebody"


def explain(
    operation: Operation, lines: tuple[str, ...] | list[str], returncode: int, *, subject: str = ""
) -> GitError:
    """Return the error that git's last words amount to; reason "failed" when they are unknown.

    Args:
        operation: what was done, for rules that hold for one kind only.
        lines: git's messages, clean.
        returncode: git's exit code; negative when a signal ended it.
        subject: what it was done to (a branch, a project), named in the title of refusals.
    """
    text = "\n".join(lines)
    for rule in _RULES:
        if rule.operations and operation not in rule.operations:
            continue
        if rule.pattern.search(text):
            title = rule.title
            if rule.reason == "forbidden" and operation == "push" and subject:
                title = f"You cannot push to {shorten(clean_line(subject), 120)}"
            return GitError(title, quote(lines), rule.hint, reason=rule.reason, returncode=returncode)
    return GitError(
        f"git {operation if operation != 'local' else ''} failed".replace("  ", " "),
        quote(lines) or _silent_end(returncode),
        "Run the command in a shell to see more; isexplore sees what you did there",
        reason="failed",
        returncode=returncode,
    )


def hook_failed(hook: str, lines: tuple[str, ...] | list[str], returncode: int) -> GitError:
    """Return the error for a hook of the user or the project that said no."""
    return GitError(
        f"The {hook} hook said no",
        quote(lines) or _silent_end(returncode),
        "Fix what it names, then try again; isexplore never skips hooks",
        reason="hook-failed",
        returncode=returncode,
    )


def incomplete_clone(lines: tuple[str, ...] | list[str], returncode: int, *, subject: str) -> GitError:
    """Return the failure that leaves a whole repository without all of its files; raise any other."""
    error = explain("clone", lines, returncode, subject=subject)
    if error.reason == "disk-full" or not any(_CHECKOUT_FAILED.search(line) for line in lines):
        raise error
    return GitError(
        "The project was cloned, but not all of its files could be written",
        error.detail,
        "Fix what git names (often a missing filter program), then try this step again",
        reason="checkout-failed",
        returncode=returncode,
    )
