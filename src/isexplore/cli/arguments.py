"""The command line: every subcommand, option, default and example, and nothing that runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, NoReturn

from isexplore.errors import UsageError


class Argument(NamedTuple):
    """One option or positional of a subcommand, as `argparse` takes it."""

    names: tuple[str, ...]
    options: dict[str, object]


class Command(NamedTuple):
    """One subcommand."""

    name: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    examples: str = ""
    details: str = ""
    settings: tuple[str, ...] = ()
    """Beginnings of the settings that belong to it: the help lists them."""


def _arg(*names: str, **options: object) -> Argument:
    return Argument(names, options)


_ALL = 1 << 53
"""More rows than there can be: Python and SQLite count no further than some number above."""


def _rows(word: str) -> int:
    """Return a number of rows to show.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: {word!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} shows nothing; give a number from 1 on")
    return min(number, _ALL)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds; it raises `argparse.ArgumentTypeError` for all else."""

    def read(word: str) -> int:
        try:
            number = int(word)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{word[:40]!r} is not a whole number from {least} to {most:,}")
        return number

    return read


PROJECTS, LATENCY, PORT = whole(0, 1_000_000), whole(0, 60_000), whole(0, 65_535)
"""Readers of how many synthetic projects, how many milliseconds of delay, which port (0: any)."""


_JSON = _arg("--json", action="store_true", help="print one JSON document and nothing else")
_VERBOSE = _arg(
    "--verbose",
    action="store_true",
    default=argparse.SUPPRESS,
    help="tell on stderr what is asked and run, without secrets",
)
_DRY_RUN = _arg("--dry-run", action="store_true", help="show every API call and git command, and run none")

COMMANDS: tuple[Command, ...] = (
    Command(
        "practice",
        "the same program on the built-in practice forge: no account, no network",
        (
            _arg("--fresh", action="store_true", help="start the practice world over; clones are kept aside"),
            _arg("--projects", type=PROJECTS, metavar="N", help="add N synthetic projects"),
            _arg("--latency", type=LATENCY, metavar="MS", help="delay every answer by MS milliseconds"),
            _arg(
                "rest", nargs=argparse.REMAINDER, metavar="COMMAND", help="`serve`, or any other subcommand"
            ),
        ),
        """  isexplore practice                          the screens
  isexplore practice contribute docs/welcome  any subcommand, in the practice world
  isexplore practice serve --port 8080        the practice forge alone""",
        "Practising has its own configuration, bookmarks, catalog and clone folder; it never touches your "
        "real ones.",
    ),
    Command(
        "login",
        "connect to a forge: which token is needed, test it, keep it",
        (
            _arg("url", nargs="?", metavar="URL", help="address of the forge, or of any page on it"),
            _arg("--kind", choices=("gitlab", "gitea", "github"), help="do not guess which forge it is"),
            _arg("--name", help="what to call it; its host name by default"),
            _arg("--token-stdin", action="store_true", help="read the token from standard input"),
            _arg("--plain-file", action="store_true", help="keep the token in a file that only you can read"),
            _arg("--session", action="store_true", help="test the token and forget it"),
            _arg(
                "--allow-http",
                action="store_true",
                help="send the token without encryption, in a network that is yours",
            ),
            _arg("--profile", metavar="URL", help="path or https address of your organisation's profile"),
            _JSON,
        ),
        """  isexplore login https://git.agency.example
  pass show forge | isexplore login git.agency.example --token-stdin
  isexplore login --profile https://intranet.example/isexplore.toml""",
        settings=("profile", "token_store", "network.", "forge."),
    ),
    Command(
        "logout",
        "forget the token of a forge",
        (
            _arg(
                "forge",
                nargs="?",
                metavar="FORGE",
                help="its name or address; may be left out when there is one",
            ),
        ),
        "  isexplore logout git.agency.example",
    ),
    Command(
        "doctor",
        "check everything between here and a merge request",
        (_arg("dir", nargs="?", metavar="DIR", help="also check this clone"), _JSON),
        "  isexplore doctor\n  isexplore doctor ~/src/docs/welcome",
        "Paste-ready: secrets are masked. Exit code 1 when something blocks.",
    ),
    Command(
        "sync",
        "refresh the catalog",
        (
            _arg("--full", action="store_true", help="list everything again, not only what changed"),
            _arg("--lines", action="store_true", help=argparse.SUPPRESS),
            _JSON,
        ),
        "  isexplore sync",
    ),
    Command(
        "search",
        "find projects in the catalog, without network",
        (
            _arg("query", nargs="*", metavar="QUERY", help="words and filters; nothing lists all"),
            _arg("--limit", type=_rows, default=20, metavar="N", help="show at most N (default 20)"),
            _JSON,
        ),
        """  isexplore search retry lang:python has:gfi
  isexplore search 'topic:payments active:90d sort:stars' --json""",
        "Filters: lang: topic: group: forge: has: active: sort:, quotes for phrases, -word to exclude.",
    ),
    Command(
        "show",
        "read a project: what it is, how to contribute, whom to ask, its first issues",
        (
            _arg("project", metavar="PROJECT", help="group/name, a URL, or an unambiguous end of one"),
            _arg("--issue", type=int, metavar="N", help="read this issue instead, with its comments"),
            _JSON,
        ),
        "  isexplore show payments/retry-queue\n  isexplore show payments/retry-queue --issue 41",
    ),
    Command(
        "issues",
        "list good first issues across projects",
        (
            _arg("query", nargs="*", metavar="QUERY", help="words and filters; nothing lists all"),
            _arg("--limit", type=_rows, default=50, metavar="N", help="show at most N (default 50)"),
            _JSON,
        ),
        "  isexplore issues lang:python verdict:free",
    ),
    Command(
        "contribute",
        "check, claim, fork, clone and branch; prints where the clone is",
        (
            _arg("project", metavar="PROJECT", help="group/name, a URL, or an unambiguous end of one"),
            _arg("--issue", type=int, metavar="N", help="the issue that you want to solve"),
            _arg("--into", metavar="DIR", help="the folder that the clone goes to"),
            _arg("--branch", metavar="NAME", help="name of the branch to work on"),
            _arg(
                "--fork-name", metavar="NAME", help="what your fork is called, where the usual name is taken"
            ),
            _arg(
                "--claim",
                choices=("assign", "comment", "skip"),
                help="how to tell others that you are on the issue (default: assign where you may, else comment)",
            ),
            _arg(
                "--yes", action="store_true", help="go on also with an issue that is closed or probably taken"
            ),
            _DRY_RUN,
            _JSON,
        ),
        """  isexplore contribute payments/retry-queue --issue 41
  isexplore contribute docs/welcome --dry-run""",
    ),
    Command(
        "propose",
        "push and open the merge request",
        (
            _arg("dir", nargs="?", metavar="DIR", help="the clone (default: this folder)"),
            _arg("--title", metavar="T", help="title of the merge request"),
            _arg("--body-file", metavar="F", help="file with its description; - for standard input"),
            _arg("--draft", action="store_true", help="open it as a draft"),
            _arg("--ready", action="store_true", help="mark it as ready, where it is a draft"),
            _arg("--reply", metavar="TEXT", help="answer the reviewer as well"),
            _arg(
                "--yes",
                action="store_true",
                help="do not ask about parts of the project's template that are as they were",
            ),
            _DRY_RUN,
            _JSON,
        ),
        "  isexplore propose\n  isexplore propose ~/src/docs/welcome --title 'Greet Nia'",
    ),
    Command(
        "status",
        "my contributions, as the forge and git see them now",
        (
            _arg("--forget", metavar="ID", help="take one off the list; fork, clone and merge request stay"),
            _JSON,
        ),
        "  isexplore status\n  isexplore status --forget docs/welcome",
    ),
    Command(
        "bookmark",
        "projects to find again",
        (
            _arg("action", choices=("add", "remove", "list"), help="what to do"),
            _arg("project", nargs="?", metavar="PROJECT", help="for add and remove"),
            _arg("--note", metavar="TEXT", help="why you want to find it again"),
            _arg("--tag", action="append", metavar="TAG", help="may be given several times"),
            _JSON,
        ),
        "  isexplore bookmark add docs/welcome --note 'ask Mara'\n  isexplore bookmark list",
    ),
    Command(
        "export",
        "write the catalog as a file for a portal or a spreadsheet",
        (
            _arg("file", metavar="FILE", help="- for standard output"),
            _arg("--format", choices=("repos-json", "csv"), help="by the file's ending when left out"),
        ),
        "  isexplore export repos.json\n  isexplore export projects.csv",
    ),
    Command(
        "config",
        "where the configuration is, whether it is right, and where each value came from",
        (_arg("action", choices=("path", "check", "show"), help="what to do"), _JSON),
        "  isexplore config check\n  isexplore config show",
        settings=("",),
    ),
    Command(
        "completion",
        "print a script that completes isexplore's words in a shell",
        (_arg("shell", choices=("bash", "zsh", "fish"), help="which shell"),),
        "  isexplore completion bash > ~/.local/share/bash-completion/completions/isexplore",
    ),
)

DESCRIPTION = "Find InnerSource projects on your organisation's forge, and get a first merge request in."

EPILOG = """\
Without a command, isexplore opens its screens.

exit codes: 0 done, 1 the world said no (with a reason), 2 bad usage or configuration,
            3 a bug in isexplore, 130 interrupted, 143 or 129 stopped by TERM or HUP

first steps:
  isexplore practice                 try everything on this machine, with no account
  isexplore login https://HOST       connect to your organisation's forge
"""


class Manual(argparse.RawDescriptionHelpFormatter):
    """Leaves the examples as they are, and gives every name a line that also holds its words."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24)
        # argparse forgets that the subcommands are indented once more when it measures them.
        self._action_max_length = 16


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are isexplore's own, and whose help lists settings."""

    settings: tuple[str, ...] = ()
    """Beginnings of the settings that the help lists."""

    def format_help(self) -> str:
        """Return the manual; the settings are read only when somebody looks for them."""
        text = super().format_help()
        if not self.settings:
            return text
        from isexplore.config.reference import manual

        return f"{text}\n{manual(self.settings)}"

    def error(self, message: str) -> NoReturn:
        """Raise what `argparse` would print.

        Raises:
            UsageError: always.
        """
        raise UsageError(message[:1].upper() + message[1:], "", f"See: {self.prog} --help")


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    from textwrap import fill

    from isexplore import __version__

    parser = Parser(
        prog="isexplore",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=Manual,
    )
    parser.add_argument("--version", action="version", version=f"isexplore {__version__}")
    parser.add_argument("--verbose", action="store_true", help=_VERBOSE.options["help"])  # type: ignore[arg-type]
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        details = command.summary[:1].upper() + command.summary[1:] + "."
        if command.details:
            details += "\n\n" + fill(command.details, 79)
        child = commands.add_parser(
            command.name,
            help=command.summary,
            description=details,
            epilog=f"examples:\n{command.examples}" if command.examples else None,
            formatter_class=Manual,
        )
        child.settings = command.settings
        for argument in (*command.arguments, _VERBOSE):
            child.add_argument(*argument.names, **argument.options)  # type: ignore[arg-type]
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line.

    Raises:
        UsageError: it is wrong.
    """
    first = next((word for word in arguments if not word.startswith("-")), None)
    if first is not None and first not in (command.name for command in COMMANDS):
        raise UsageError(
            f"There is no command {first!r}",
            _nearest(first, (command.name for command in COMMANDS)),
            f"isexplore --help lists them; isexplore search {first} looks for projects.",
        )
    options, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        command = next((each for each in COMMANDS if each.name == options.command), None)
        known = [name for each in (command.arguments if command else ()) for name in each.names]
        options_of = f" {options.command}" if options.command else ""
        raise UsageError(
            f"isexplore{options_of} does not take {' '.join(unknown)}",
            _nearest(unknown[0].partition("=")[0], (name for name in known if name.startswith("-"))),
            f"See: isexplore{options_of} --help",
        )
    return options


def _nearest(word: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...?", or nothing where no known word is close."""
    from difflib import get_close_matches

    matches = get_close_matches(word, list(known), n=1)
    return f"Did you mean {matches[0]}?" if matches else ""
