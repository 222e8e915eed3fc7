"""`login`, `logout`, `doctor`, `config` and `completion`: the way to a forge, and what is wrong with it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from isexplore.cli.asking import interruptible, yes
from isexplore.cli.output import print_json, say, take_back, tell, wait_for
from isexplore.errors import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, AuthError, ConfigError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from isexplore.config.paths import Paths
    from isexplore.config.secrets import Secret
    from isexplore.login.device import DeviceFlow, Signed
    from isexplore.login.sign_in import Candidate, SignIn, Store

TRIES = 3
"""How often a wrong token may be typed."""


def login(options: argparse.Namespace, paths: Paths) -> int:
    """Connect to a forge: recognise it, ask for a token, try it, keep it, fetch the catalog.

    Raises:
        UsageError: no address, or no terminal to type a token on.
        ConfigError, ForgeError, StateError: as told.
    """
    if not options.url and not options.profile:
        raise UsageError("Which forge?", "", "isexplore login https://git.agency.example")
    from isexplore.cli.world import run_to_end

    return run_to_end(_login(options, paths))


async def _login(options: argparse.Namespace, paths: Paths) -> int:
    from isexplore.login.sign_in import SignIn
    from isexplore.models import ForgeKind

    url = await _take_profile(options, paths) if options.profile else options.url
    if url is None:
        return EXIT_OK
    store: Store | None = "file" if options.plain_file else "session" if options.session else None
    signing = SignIn(paths, store=store)
    kind = ForgeKind(options.kind) if options.kind else None
    wait_for(f"Looking what {url} is...", quiet=options.json)
    candidate = await signing.recognise(url, kind=kind, name=options.name, allow_http=options.allow_http)
    quiet = bool(options.json)
    if not quiet:
        version = f" {candidate.version}" if candidate.version else ""
        say(f"{candidate.forge.url} is {candidate.product}{version}.")
    signed = await _obtain(signing, candidate, options)
    for attempt in range(1, TRIES + 1):
        wait_for("Trying the token: who you are, what it may do, git...", quiet=quiet)
        try:
            verified = await signing.verify(
                candidate, signed if not hasattr(signed, "token") else signed.token
            )
            break
        except AuthError as error:
            if options.token_stdin or attempt == TRIES or not sys.stdin.isatty():
                raise
            tell(f"isexplore: {error.title}. It may be mistyped, expired or revoked: paste another one.")
            signed = _ask_token()
    kept = await signing.keep(candidate, signed, verified)
    if not (kept.kept.lasting or options.session or options.token_stdin or quiet) and sys.stdin.isatty():
        tell(f"No keyring can keep the token: {kept.kept.note}.")
        if yes(f"Keep it in {signing.tokens.file}, which only you can read? [y/N] ", otherwise=False):
            kept = await signing.keep_in_file(kept, signed, verified)
    if quiet:
        print_json(
            {
                "forge": kept.forge.name,
                "url": kept.forge.url,
                "kind": candidate.kind.value,
                "user": verified.person.username,
                "scopes": list(verified.facts.scopes) if verified.facts.scopes is not None else None,
                "expires_on": verified.facts.expires_on.isoformat() if verified.facts.expires_on else None,
                "missing": list(verified.missing),
                "kept": kept.kept.place if kept.kept.lasting else None,
            }
        )
    else:
        lasting = kept.kept.lasting or options.session
        name = f" ({verified.person.name})" if verified.person.name else ""
        say(
            f"{'Signed in as' if lasting else 'The token is good, it is of'} @{verified.person.username}{name}."
        )
        for warning in verified.warnings:
            say(f"  ! {warning}")
        if verified.git.ok is not None:
            say(f"  {'✓' if verified.git.ok else '!'} git: {verified.git.detail}")
        if verified.git.hint:
            say(f"    {verified.git.hint}")
        if kept.kept.lasting:
            say(f"The token is kept in {kept.kept.place}.", *([kept.kept.note] if kept.kept.note else []))
        elif options.session:
            say("The token is good. It is forgotten when this command ends.")
    if options.session or kept.kept.lasting:
        await _fill(paths, signing, quiet)
        return EXIT_OK
    # Before the catalog is filled, which looks as if all had gone well.
    tell(
        f"isexplore: The token is not kept, so you are not signed in when this command ends: {kept.kept.note}",
        "  Keep it in a file that only you can read: the same command with --plain-file.",
        "  Or set ISEXPLORE_TOKEN, or token_command in the configuration (isexplore config path).",
    )
    await _fill(paths, signing, quiet, ready=False)
    return EXIT_REFUSED


async def _take_profile(options: argparse.Namespace, paths: Paths) -> str | None:
    """Put an organisation profile into force; return the forge to sign in to, None where that is open."""
    from isexplore.config.load import load
    from isexplore.config.network import ssl_context
    from isexplore.login.profile import add_profile

    wait_for(f"Reading the profile {options.profile}...", quiet=options.json)
    added = await add_profile(options.profile, paths, tls=lambda: ssl_context(load(paths).checked().network))
    names = [forge.name for forge in added.loaded.config.forges]
    if not options.json:
        say(f"The profile {added.place} is in force.")
    if options.url:
        return str(options.url)
    if len(names) == 1:
        return names[0]
    if options.json:
        print_json({"profile": added.place, "forges": names})
    else:
        say(
            "It brings these forges: " + (", ".join(names) or "none"),
            "isexplore login NAME signs in to one.",
        )
    return None


async def _fill(paths: Paths, signing: SignIn, quiet: bool, *, ready: bool = True) -> None:
    """Fetch the catalog, so that the first search finds something.

    Args:
        paths: where the files are.
        signing: knows the token.
        quiet: print nothing on standard output.
        ready: whether the next command knows the token, too.
    """
    from isexplore.errors import IsexploreError
    from isexplore.services import Services
    from isexplore.updates import refresh

    services = Services.open(paths)
    services.tokens = signing.tokens
    try:
        outcome = await refresh(
            services,
            on_progress=lambda progress: wait_for(f"Reading the catalog: {progress.text}", quiet=quiet),
        )
    except IsexploreError as error:
        tell(f"isexplore: the catalog is not filled yet: {error.title}", "  isexplore sync tries again.")
        return
    finally:
        await services.disconnect()
    if not quiet:
        for forge in outcome.report.forges:
            say(forge.text)
        say(
            "Now: isexplore, or isexplore search WORDS" if ready else "isexplore search WORDS needs no token."
        )


async def _obtain(signing: SignIn, candidate: Candidate, options: argparse.Namespace) -> Signed | Secret:
    """Return a token: from standard input, from a code in the browser, from another program, or typed."""
    from isexplore.config.secrets import check_token

    if options.token_stdin:
        text = sys.stdin.readline()
        if not text.strip():
            raise UsageError(
                "Standard input holds no token", "", "pass show forge | isexplore login URL --token-stdin"
            )
        return check_token(text)
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to type a token on",
            "",
            "Pipe it in: pass show forge | isexplore login URL --token-stdin",
        )
    # With --json, standard output is for the document.
    speak = tell if options.json else say
    if candidate.offers_code:
        return await _by_code(signing.device_flow(candidate), speak)
    for found in await signing.existing_logins(candidate):
        who = f" for @{found.username}" if found.username else ""
        if yes(f"{found.source} holds a token{who}. Use it? [Y/n] "):
            return found.secret
    needs = candidate.needs
    speak("", f"You need a {needs.noun} with these permissions:")
    speak(*(f"  {scope.name}: needed to {scope.why}" for scope in needs.scopes))
    speak(
        "",
        "Make one here" + (" (name and scopes are filled in):" if needs.prefilled else ":"),
        f"  {needs.page}",
    )
    if not needs.prefilled:
        for number, step in enumerate(needs.steps, 1):
            speak(f"  {number}. {step}")
    speak("")
    return _ask_token()


async def _by_code(flow: DeviceFlow, speak: Callable[..., None]) -> Signed:
    try:
        code = await flow.start()
        speak(
            f"Open {code.filled_page or code.page} and enter the code {code.user_code}",
            "Waiting for you there...",
        )
        return await flow.wait(code)
    finally:
        await flow.close()


def _ask_token() -> Secret:
    from getpass import getpass

    from isexplore.config.secrets import check_token

    take_back()
    try:
        with interruptible():
            return check_token(getpass("Paste the token (it is not shown): "))
    except EOFError:
        raise UsageError("No token was given", "", "Run the same command again.") from None


def logout(options: argparse.Namespace, paths: Paths) -> int:
    """Forget the token of a forge.

    Raises:
        ConfigError: there is no such forge.
        UsageError: there are several, and none was named.
    """
    from isexplore.config.load import load
    from isexplore.config.tokens import Tokens

    config = load(paths).checked()
    if options.forge:
        forge = config.forge(options.forge) or next(
            (one for one in config.forges if one.url == options.forge.rstrip("/")), None
        )
        if forge is None:
            names = ", ".join(one.name for one in config.forges) or "none"
            raise ConfigError(f"No forge is called {options.forge}", f"Configured are: {names}.", "")
    elif len(config.forges) == 1:
        forge = config.forges[0]
    else:
        raise UsageError(
            "Which forge?" if config.forges else "No forge is connected",
            "",
            "isexplore logout " + "|".join(one.name for one in config.forges) if config.forges else "",
        )
    removed = asyncio.run(Tokens(config, paths).forget(forge))
    if removed:
        say(f"The token of {forge.name} is gone from {', '.join(removed)}.")
    else:
        say(f"isexplore kept no token of {forge.name}.")
    say("It stays valid until you revoke it on the forge.")
    return EXIT_OK


def doctor(options: argparse.Namespace, paths: Paths) -> int:
    """Check everything between here and a merge request; 1 when something blocks."""
    from pathlib import Path

    from isexplore.cli.world import practice_services, run_to_end
    from isexplore.doctor.examine import examine

    services = practice_services()
    wait_for("Checking everything between here and a merge request...", quiet=options.json)
    report = run_to_end(
        examine(
            paths,
            directory=Path(options.dir).expanduser().absolute() if options.dir else None,
            config=services.config if services else None,
            tokens=services.tokens if services else None,
        )
    )
    if options.json:
        print_json(report.as_json())
    else:
        take_back()
        sys.stdout.write(report.as_text())
    return report.exit_code


def config(options: argparse.Namespace, paths: Paths) -> int:
    """Say where the configuration is, whether it is right, and where each value came from."""
    from isexplore.config.load import check, load
    from isexplore.config.reference import as_json, show

    if options.action == "path":
        if options.json:
            print_json({"config": str(paths.config_file), "state": str(paths.state_file)})
        else:
            say(str(paths.config_file))
        return EXIT_OK
    if options.action == "check":
        from isexplore.tui.keys import known_ids

        problems = check(paths, key_ids=known_ids())
        if options.json:
            print_json(
                {
                    "problems": [
                        {
                            "file": str(each.file),
                            "line": each.line,
                            "key": each.key,
                            "what": each.what,
                            "nearest": each.nearest,
                        }
                        for each in problems
                    ]
                }
            )
        elif problems:
            tell(*(str(problem) for problem in problems))
        elif paths.config_file.exists():
            say(f"{paths.config_file} is fine.")
        else:
            say(f"There is no {paths.config_file}; the defaults apply.")
        return EXIT_USAGE if problems else EXIT_OK
    loaded = load(paths)
    if options.json:
        print_json(as_json(loaded))
    else:
        say(show(loaded).rstrip("\n"))
        tell(*(str(problem) for problem in loaded.problems))
    return EXIT_REFUSED if loaded.problems else EXIT_OK


def completion(options: argparse.Namespace, paths: Paths) -> int:
    """Print a script that completes subcommands and options."""
    from isexplore.cli.arguments import build_parser
    from isexplore.cli.fish import fish_script

    parser = build_parser()
    if options.shell == "fish":
        print(fish_script(), end="")
    else:
        import shtab

        print(shtab.complete(parser, shell=options.shell))
    return EXIT_OK
