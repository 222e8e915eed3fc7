"""The mobile groups: two platforms and what they share."""

# ruff: noqa: E501  (the lines are those of the files that they become)

from __future__ import annotations

from isexplore.practice.seed import CheckSeed, CommitSeed, IssueSeed, NoteSeed, ProjectSeed, ReviewSeed, text

_LOGIN = ProjectSeed(
    path="mobile/android/login-screen",
    description="The sign-in screen of all our Android apps",
    topics=("innersource", "kotlin", "android"),
    licence="Apache-2.0",
    languages={"Kotlin": 95.0, "XML": 5.0},
    stars=48,
    forks=13,
    labels=("good first issue", "strings", "device::tablet"),
    members={"yusuf": 50, "ines": 40},
    commits=(
        CommitSeed(
            "yusuf",
            "Sign in with e-mail and password",
            420,
            {
                "app/src/main/kotlin/login/Fault.kt": text("""
                    package login

                    /** What can go wrong, in words for people. */
                    enum class Fault(val key: String) {
                        WRONG_PASSWORD("fault_wrong_password"),
                        NO_NETWORK("fault_no_network"),
                        LOCKED("fault_locked"),
                    }
                    """),
                "app/src/main/res/values/strings.xml": text("""
                    <resources>
                        <string name="fault_wrong_password">This password does not fit the address.</string>
                        <string name="fault_no_network">Error -2</string>
                        <string name="fault_locked">Your account is locked until tomorrow.</string>
                    </resources>
                    """),
                "README.md": "# Sign-in screen\n\n`./gradlew test` runs the tests; no device is needed.\n",
            },
        ),
        CommitSeed(
            "ines",
            "German texts",
            310,
            {
                "app/src/main/res/values-de/strings.xml": text("""
                <resources>
                    <string name="fault_wrong_password">Passwort und Adresse passen nicht zusammen.</string>
                    <string name="fault_no_network">Keine Verbindung. Sind Sie im Flugmodus?</string>
                    <string name="fault_locked">Ihr Konto ist bis morgen gesperrt.</string>
                </resources>
                """)
            },
        ),
        CommitSeed(
            "yusuf",
            "Tell how to contribute",
            180,
            {
                "CONTRIBUTING.md": text("""
                # Contributing

                Android Studio is **not** needed for texts: edit `strings.xml`, push, and the pipeline builds it.

                - Texts: any speaker of the language may change them.
                - Code: `./gradlew lint test` must pass. One topic for each merge request.

                Review: first answer within 3 working days. `#mobile-android`, or @yusuf directly.
                """),
                "CODEOWNERS": "* @yusuf\nstrings.xml @ines\n",
            },
        ),
        CommitSeed(
            "yusuf",
            "Tell when an account is locked",
            26,
            {"CHANGELOG.md": "# Changes\n\n- The screen tells until when an account is locked.\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title='"Error -2" is not a text for people',
            author="aoife",
            days_ago=22,
            labels=("good first issue", "strings"),
            body=text("""
                Without a network, the English screen says "Error -2".

                **What to do.** In `app/src/main/res/values/strings.xml`, replace the text of `fault_no_network` by
                `No connection. Are you in flight mode?`.

                **How you know it is right.** The job `lint` is green. You need no Android Studio.
                """),
        ),
        IssueSeed(
            title="The button is too small on tablets",
            author="kofi",
            days_ago=65,
            labels=("device::tablet",),
            body="See the screenshot (in the chat).",
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="texts",
            kind="file-matches",
            path="app/src/main/res/values/strings.xml",
            pattern="</resources>",
            hint="The file has to stay complete: <resources>, the texts, </resources>.",
        ),
    ),
)

_DEEP_LINKS = ProjectSeed(
    path="mobile/ios/deep-links",
    description="Opens the right screen from a link",
    topics=("inner-source", "swift", "ios"),
    languages={"Swift": 100.0},
    stars=17,
    forks=2,
    labels=("starter",),
    members={"diego": 50},
    default_branch="trunk",
    commits=(
        CommitSeed(
            "diego",
            "Parse links",
            200,
            {
                "Sources/DeepLinks/Link.swift": text("""
                /// A link into the app: agency://orders/42
                public struct Link {
                    public let screen: String
                    public let id: String?

                    public init?(_ text: String) {
                        guard text.hasPrefix("agency://") else { return nil }
                        let parts = text.dropFirst(9).split(separator: "/")
                        guard let first = parts.first else { return nil }
                        screen = String(first)
                        id = parts.dropFirst().first.map(String.init)
                    }
                }
                """),
                "README.md": "# Deep links\n\nThe default branch is called `trunk` here. Build: `swift build`; test: `swift test`.\n",
            },
        ),
        CommitSeed("diego", "List the screens", 88, {"SCREENS.md": "# Screens\n\n- orders\n- profile\n"}),
    ),
    issues=(
        IssueSeed(
            title="Add the screen 'help' to the list",
            author="diego",
            days_ago=80,
            labels=("starter",),
            body="**What to do.** `- help` in `SCREENS.md`, between nothing and orders: the list is in alphabetical order.",
            notes=(NoteSeed("wei", "can i work on this?", 79), NoteSeed("diego", "Yes please", 78)),
        ),
    ),
    checks=(
        CheckSeed(name="list", kind="sorted", path="SCREENS.md"),
        CheckSeed(name="lint", kind="no-trailing-space"),
    ),
)

_RELEASE_NOTES = ProjectSeed(
    path="mobile/release-notes",
    description="What is new in our apps, in words for the people who use them",
    topics=("innersource", "markdown", "release-notes"),
    languages={"Markdown": 92.0, "Shell": 8.0},
    stars=9,
    forks=8,
    labels=("good first issue",),
    members={"ines": 50, "yusuf": 30},
    commits=(
        CommitSeed(
            "ines",
            "Notes of the spring release",
            245,
            {
                "notes/spring.md": "# Spring\n\n- You can pay with your face.\n- We repaired the map.\n",
                "README.md": "# Release notes\n\nOne file for each release in `notes/`. Written by people who use the app, not by those who built it.\n",
            },
        ),
        CommitSeed(
            "jo",
            "Notes of the autumn release",
            71,
            {
                "notes/autumn.md": "# Autumn\n\n- Perfomance improvements.\n- Tickets can be printed.\n",
            },
        ),
        CommitSeed(
            "ines",
            "Ask for 60 characters in a line",
            70,
            {
                "CONTRIBUTING.md": "# Contributing\n\nLines of at most 60 characters: stores cut the rest off. No jargon. @ines answers within a day.\n",
                "lint.sh": "#!/bin/sh\n# Lines that stores would cut off.\ngrep -nE '.{61,}' notes/*.md && exit 1\nexit 0\n",
            },
        ),
    ),
    issues=(
        IssueSeed(
            title='Autumn: "Perfomance improvements" says nothing, and has a typo',
            author="ines",
            days_ago=69,
            labels=("good first issue",),
            body=text("""
                Line 3 of `notes/autumn.md` says "Perfomance improvements". What we really did: the app starts in half the
                time.

                **What to do.** Write that instead, in at most 60 characters.
                """),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="max-line", limit=60, hint="Stores cut longer lines off."),
        CheckSeed(name="lint", kind="no-trailing-space"),
    ),
    review=ReviewSeed(
        reviewer="ines",
        request=(
            'Thank you, {author}! Much better. Could you try it with *you* in it, as in "You can print your tickets"? '
            "One more commit on the same branch."
        ),
        satisfied_by="file-matches",
        path="notes/autumn.md",
        pattern=r"(?i)^- .*\byour?\b",
        missing='I look for a "you" or "your" in your line of `notes/autumn.md`, {author}. It is nearly there!',
        thanks="I can hear somebody say that. Merging; thank you, {author}!",
    ),
)

PROJECTS: tuple[ProjectSeed, ...] = (_LOGIN, _DEEP_LINKS, _RELEASE_NOTES)
