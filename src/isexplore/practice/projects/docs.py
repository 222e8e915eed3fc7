"""The docs group: where a newcomer starts."""

from __future__ import annotations

from isexplore.practice.seed import (
    CheckSeed,
    CommitSeed,
    IssueSeed,
    MergeRequestSeed,
    NoteSeed,
    ProjectSeed,
    ReviewSeed,
    text,
)

_WELCOME_README = text("""
    # Say hello: your first contribution

    This project exists so that your first merge request is a small, friendly one. Nothing here runs in
    production, nothing can break, and everybody who reviews remembers their own first time.

    ## What you can do here

    - **Add your name** to the [list of contributors](CONTRIBUTORS.md). One line, five minutes.
    - **Fix a typo** in the [first steps](guide/first-steps.md).
    - **Explain a word** in the [glossary](guide/words.md) that puzzled you last week.

    Every issue with the label `good first issue` says which file to open, what to write and how you
    know that it is right. Take one that nobody is assigned to, write "I would like to work on this,
    please assign me", and start.

    ## Getting involved

    Chat with us in `#first-contribution`. No question is too small; most of us asked it too.

    ## Who we are

    ### Trusted Committers

    - @sofia (Sofia Brandt), who reviews most merge requests here
    - @mara (Mara Okafor), who started this project

    ## Contributing

    [CONTRIBUTING.md](CONTRIBUTING.md) is one page long. We promise a first review within 1 working day.
    """)

_WELCOME_CONTRIBUTING = text("""
    # How to contribute

    You cannot push to this project, and need not: a fork is your own copy. You push there and propose
    your change from there.

    1. Find an issue, and ask for it in a comment.
    2. Fork the project, clone your fork, and make a branch, e.g. `1-add-my-name`.
    3. Make the change. There is nothing to install and nothing to build.
    4. Commit with a message that says what the change does, e.g. `Add Nia to the contributors`.
    5. Push the branch to your fork and open a merge request. Write `Closes #1` in its description, so
       that the issue closes by itself when your change is merged.

    ## Checks

    A pipeline looks at every merge request. It has two jobs, and both tell you what to do when they fail:

    - `lint`: no line ends in a space, and links between files lead somewhere.
    - `list`: the names in `CONTRIBUTORS.md` are in alphabetical order.

    ## Review

    - We promise a first review within 1 working day.
    - A reviewer usually asks for one small change. That is not a mark; it is how we write together. Make
      the change on the same branch, commit, push: the merge request updates by itself.
    - Who reviews also merges. You have nothing to press.

    ## Style

    - One sentence per thought, no jargon without a line in `guide/words.md`.
    - Commit messages: imperative, at most 72 characters in the first line. No sign-off needed.

    ## How to become a Trusted Committer

    Review three merge requests of other newcomers. Then ask in `#first-contribution`.
    """)

_CONTRIBUTORS = text("""
    # People who said hello

    Add yourself with one line: your first name, and one thing that you like. Keep the alphabet.

    - Aoife, sea swimming at any temperature
    - Diego, bread that takes two days
    - Hana, trains that arrive on the minute
    - Jo, crosswords
    - Kofi, fixing old radios
    - Mara, maps of places that do not exist
    - Priya, chess in the lunch break
    - Sofia, mountain huts
    - Tom, birds before breakfast
    - Yusuf, strong coffee
    """)

_FIRST_STEPS = text("""
    # First steps

    You have found a project, and now you want to change something in it. This page tells what happens
    next, in the order in which it happens.

    ## Ask for the issue

    Write a comment that you would like to work on it. A maintainer assigns you, so that nobody else
    does teh same work at the same time. If nobody answers for two days, ask in the project's channel.

    ## Make a copy

    A fork is your own copy on the forge. A clone is your own copy on your computer. You need both: the
    clone to work in, the fork to push to.

    ## Make a branch

    A branch keeps your change apart from everything else. Name it after what you do in it.

    ## Propose it

    Push the branch to your fork, and open a merge request. It asks the owners to take your change. They
    recieve a notice and look at it; most write the first review on the same day.

    ## Answer the review

    Make the changes that are asked for on the same branch, and push again. Nothing else is needed.
    """)

_WORDS = text("""
    # Words

    **clone**: a copy of a repository on your computer.

    **commit**: a set of changes with a message that says what they are for.

    **fork**: your own copy of a project on the forge.

    **InnerSource**: open-source practice inside one organisation.

    **merge request**: a proposal to take a change, with a place to talk about it.

    **pipeline**: the checks that run by themselves on every proposed change.
    """)

_WELCOME = ProjectSeed(
    path="docs/welcome",
    description="Say hello: your first contribution. Small, friendly tasks for your very first merge request.",
    topics=("innersource", "first-contribution", "newcomers", "markdown"),
    licence="CC-BY-4.0",
    languages={"Markdown": 100.0},
    stars=87,
    forks=46,
    labels=("good first issue", "help wanted", "docs", "typo"),
    members={"sofia": 50, "mara": 40, "jo": 30},
    commits=(
        CommitSeed(
            "mara",
            "Start a place for first contributions\n\nPeople keep asking where a tiny change is welcome.",
            58,
            {
                "README.md": "# Say hello\n\nMake your first merge request here.\n",
                "CONTRIBUTORS.md": "# People who said hello\n\n- Mara, maps of places that do not exist\n",
            },
        ),
        CommitSeed(
            "sofia",
            "Add the contributing guide",
            55,
            {
                "CONTRIBUTING.md": _WELCOME_CONTRIBUTING,
                "CODEOWNERS": "# Whoever is first reviews.\n* @sofia @mara\n\n[Guides]\n/guide/ @sofia\n",
            },
        ),
        CommitSeed("jo", "Write down the first steps", 49, {"guide/first-steps.md": _FIRST_STEPS}),
        CommitSeed(
            "sofia",
            "Keep a change log",
            41,
            {
                "CHANGELOG.md": text("""
                    # Change log

                    Newest first, one line for each merge request: what changed, and who did it.

                    - Keep a change log (Sofia)
                    - Write down the first steps (Jo)
                    - Add the contributing guide (Sofia)
                    - Start a place for first contributions (Mara)
                    """)
            },
        ),
        CommitSeed(
            "kofi",
            "Explain the words that newcomers ask about",
            33,
            {"guide/words.md": _WORDS},
        ),
        CommitSeed(
            "sofia",
            "Say where and how we talk",
            26,
            {
                "COMMUNICATION.md": text("""
                    # How to reach us

                    ## Team communication

                    Chat: `#first-contribution`, weekdays from 9 to 17. Mail: first-contribution@agency.example.

                    ## How to contact us

                    | Action                | Contact                                          |
                    | --------------------- | ------------------------------------------------ |
                    | ask anything          | `#first-contribution`                            |
                    | report a problem      | open an issue                                    |
                    | merge request waiting | mention @sofia in it after 1 working day         |

                    ## Roles and responsibilities

                    Sofia and Mara are the Trusted Committers: they review, help, and merge.
                    """),
                ".gitlab/merge_request_templates/Default.md": text("""
                    ## What this changes

                    (one or two sentences)

                    ## Why

                    Closes #

                    ## Before you open it

                    - [ ] I looked at my change once more (`git diff`)
                    - [ ] I know that a reviewer may ask for one small change, and that this is normal
                    """),
                "innersource.json": text("""
                    {
                      "title": "Say hello",
                      "motivation": "Your first merge request should be a small, friendly one.",
                      "contributions": ["Documentation", "Typo fixes", "Your name"],
                      "skills": ["Markdown", "no programming needed"],
                      "docs": "CONTRIBUTING.md"
                    }
                    """),
            },
        ),
        CommitSeed(
            "sofia",
            "Tell newcomers what to pick first",
            21,
            {
                "README.md": _WELCOME_README,
                "CONTRIBUTORS.md": _CONTRIBUTORS.replace("- Diego, bread that takes two days\n", ""),
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Add your name to the list of contributors",
            author="sofia",
            days_ago=19,
            labels=("good first issue", "docs"),
            body=text("""
                The classic: your name on the list, and you have done the whole way once.

                **What to do.** Open `CONTRIBUTORS.md` and add one line for yourself, e.g.
                `- Nia, rainy Sundays`. Keep the alphabet: the line goes where your name belongs.

                **How you know it is right.** The jobs `lint` and `list` of the pipeline are green.

                **How long.** Five minutes for the line; half an hour when the fork, the branch and the
                merge request are new to you.

                Stuck? Ask here or in `#first-contribution`. @sofia is happy to help.
                """),
        ),
        IssueSeed(
            title='Typo in the first steps: "teh same work"',
            author="jo",
            days_ago=12,
            labels=("good first issue", "typo"),
            body=text("""
                Line 9 of `guide/first-steps.md` says "teh same work". It should say "the same work".

                **What to do.** Change that one word, nothing else.

                **How you know it is right.** `git diff` shows one changed line, and the pipeline is green.
                """),
        ),
        IssueSeed(
            title='Typo in the first steps: "recieve"',
            author="aoife",
            days_ago=11,
            labels=("good first issue", "typo"),
            body=text("""
                Line 23 of `guide/first-steps.md` says "recieve". It should say "receive".

                **What to do.** Change that one word. If you find another typo nearby, take it along and say so
                in the description.
                """),
            notes=(NoteSeed("kofi", "I'll take it, will be done tonight.", 2.2),),
        ),
        IssueSeed(
            title='Explain "trusted committer" in the glossary',
            author="sofia",
            days_ago=6,
            labels=("good first issue", "docs"),
            body=text("""
                The README speaks of Trusted Committers, but `guide/words.md` does not say what they are.

                **What to do.** Add a line `**trusted committer**: ...` at the end of `guide/words.md`. One or two
                sentences in your own words: somebody who reviews what others contribute, helps them, and decides
                what is merged.

                **How you know it is right.** Somebody who is new here understands it. There is no other test.
                """),
        ),
        IssueSeed(
            title='Explain "upstream" in the glossary',
            author="tom",
            days_ago=48,
            labels=("good first issue", "docs"),
            body="Add `**upstream**: ...` to `guide/words.md`: the original project that a fork was made from.",
            assignee="lena",
            notes=(
                NoteSeed("lena", "May I have this one?", 20),
                NoteSeed("sofia", "Of course, it is yours. Have fun!", 19.8),
            ),
        ),
        IssueSeed(
            title="Translate the README into Portuguese",
            author="mara",
            days_ago=330,
            labels=("help wanted", "docs"),
            body=text("""
                A file `README.pt.md` next to the README, and a link to it from the first paragraph.

                This one needs somebody who writes Portuguese well, so it is not for everybody's first day.
                """),
            notes=(NoteSeed("ines", "I could do that after the summer.", 290),),
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Add Diego to the contributors",
            body="My first one. Thank you for the patience!",
            author="diego",
            branch="add-diego",
            days_ago=17,
            files={
                "CONTRIBUTORS.md": _CONTRIBUTORS,
                "CHANGELOG.md": text("""
                    # Change log

                    Newest first, one line for each merge request: what changed, and who did it.

                    - Add Diego to the contributors (Diego)
                    - Keep a change log (Sofia)
                    - Write down the first steps (Jo)
                    - Add the contributing guide (Sofia)
                    - Start a place for first contributions (Mara)
                    """),
            },
            notes=(
                NoteSeed("sofia", "Welcome! Could you please also add a line to CHANGELOG.md?", 16.9),
                NoteSeed("diego", "Done.", 16.8),
            ),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="lint", kind="links"),
        CheckSeed(
            name="list",
            kind="sorted",
            path="CONTRIBUTORS.md",
            hint="The list is in alphabetical order of first names, so that nobody has to be last for long.",
        ),
    ),
    review=ReviewSeed(
        reviewer="sofia",
        request=(
            "Welcome, {author}, and thank you! This is a lovely change, and I want to take it.\n\n"
            "One small thing first: could you please also add a line to `CHANGELOG.md`? Newest first, so "
            "yours goes to the top of the list, for example `- Add Nia to the contributors (Nia)`. Commit it on "
            "the same branch and push; this merge request updates by itself.\n\n"
            "Reviewers ask for something small nearly every time. It does not mean that you did it wrong."
        ),
        satisfied_by="changelog",
        path="CHANGELOG.md",
        missing=(
            "Thank you for the new commit! I cannot see a new line in `CHANGELOG.md` yet. Is it committed "
            "(`git status` tells) and in the file of that name? Ask me if you are stuck."
        ),
        thanks=(
            "Thank you, {author}, that is exactly it. I merge it now. "
            "You have gone the whole way once; it is the same in every other project."
        ),
    ),
)

_HANDBOOK = ProjectSeed(
    path="docs/innersource-handbook",
    description="How we work across teams: roles, review promises, and what makes a project ready for strangers.",
    topics=("inner-source", "handbook", "markdown"),
    licence="CC-BY-4.0",
    languages={"Markdown": 96.0, "Shell": 4.0},
    stars=142,
    forks=31,
    labels=("Good First Issue", "help-wanted", "chapter::roles", "chapter::metrics"),
    members={"mara": 50, "lena": 40},
    commits=(
        CommitSeed(
            "mara",
            "Open the handbook",
            520,
            {
                "README.md": text("""
                    # InnerSource handbook

                    Mission: everybody here may find, use and improve any team's project.

                    ## Chapters

                    1. [Roles](docs/roles.md)
                    2. [The review promise](docs/review-promise.md)
                    3. [Is my project ready?](docs/ready.md)

                    ## Contributing

                    See [CONTRIBUTING.md](CONTRIBUTING.md). Questions: `#innersource`.
                    """),
                "docs/roles.md": text("""
                    # Roles

                    - **Explorer**: looks around, and leaves at the first unexplained obstacle.
                    - **Contributor**: has changed something in another team's project.
                    - **Trusted Committer**: reviews, mentors, and decides what is merged.
                    """),
            },
        ),
        CommitSeed(
            "lena",
            "Add the review promise",
            470,
            {
                "docs/review-promise.md": text("""
                    # The review promise

                    Owners promise a first review within a stated time. Most teams here promise 3 working days.

                    A promise that is kept is worth more than a short one. Measure it: the time from the opened
                    merge request to the first human comment.
                    """)
            },
        ),
        CommitSeed(
            "tom",
            "List what a project needs before strangers come",
            350,
            {
                "docs/ready.md": text("""
                    # Is my project ready?

                    | Question                                   | Where people look    |
                    | ------------------------------------------ | -------------------- |
                    | What is it for?                            | README, first lines  |
                    | How do I run its tests?                    | CONTRIBUTING         |
                    | Who reviews, and when?                     | CONTRIBUTING         |
                    | Where do I ask?                            | COMMUNICATION        |
                    | What may I change?                         | good first issues    |
                    """)
            },
        ),
        CommitSeed(
            "lena",
            "Explain how to contribute a chapter",
            211,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing to the handbook

                    ## Types of contributions

                    Corrections and stories from your team are welcome at any time. For a new chapter, open an
                    issue first.

                    ## Set-up

                    None. `make check` looks for dead links if you have `make`.

                    ## Commit messages

                    `docs: ` and then what changed, e.g. `docs: name the channel of the platform team`.

                    ## Turnaround

                    First review within 3 working days, by @lena or @mara.

                    ## How to nominate Trusted Committers

                    In `#innersource`, with two sentences why.
                    """),
                "Makefile": "check:\n\t./scripts/dead-links.sh docs/*.md README.md\n",
                "scripts/dead-links.sh": text("""
                    #!/bin/sh
                    # Prints every relative link that leads nowhere; ends with 1 if there is one.
                    status=0
                    for page in "$@"; do
                        folder=$(dirname "$page")
                        for target in $(grep -o '](\\([^):#]*\\.md\\)' "$page" | cut -c3-); do
                            [ -e "$folder/$target" ] || { echo "$page: $target"; status=1; }
                        done
                    done
                    exit $status
                    """),
            },
        ),
        CommitSeed(
            "priya",
            "docs: tell how the data team measures review time",
            58,
            {
                "docs/stories/data-team.md": text("""
                    # How the data team measures review time

                    We export opened and first-comment times once a week. The median went from 6 days to 1.4 after we
                    named one reviewer per week. Nothing else changed.
                    """),
                ".gitlab/CODEOWNERS": (
                    "* @mara\n\n[Roles]\n/docs/roles.md @lena\n\n^[Stories] @mara\n/docs/stories/\n"
                ),
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Link the story of the data team from the README",
            author="lena",
            days_ago=9,
            labels=("Good First Issue",),
            body=text("""
                `docs/stories/data-team.md` exists, but nobody finds it.

                **What to do.** Add a fourth chapter to the list in `README.md`:
                `4. [How the data team measures review time](docs/stories/data-team.md)`.

                **How you know it is right.** The job `links` is green. Please start the commit message with `docs: `.
                """),
        ),
        IssueSeed(
            title="Add the Starter to the roles",
            author="mara",
            days_ago=27,
            labels=("Good First Issue", "chapter::roles"),
            body=text("""
                `docs/roles.md` names three roles. The fourth is the **Starter**: who opens a project to the whole
                organisation and makes it ready for strangers.

                **What to do.** Add one item at the end of the list in `docs/roles.md`, in the same form as the others.
                """),
            notes=(NoteSeed("ravi", "I'd like to work on this.", 25), NoteSeed("mara", "Go ahead!", 24.6)),
        ),
        IssueSeed(
            title="A chapter about the 30-day warranty",
            author="tom",
            days_ago=140,
            labels=("help-wanted",),
            body="Who repairs what a guest contributed? We have an answer, but it is in nobody's handbook.",
        ),
    ),
    checks=(
        CheckSeed(name="links", kind="links"),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="commits",
            kind="message",
            pattern=r"^(docs|chore|fix): \S",
            hint="CONTRIBUTING.md, Commit messages: start with 'docs: ', e.g. 'docs: link the data team's story'.",
        ),
    ),
    review=ReviewSeed(
        reviewer="lena",
        request=(
            "Thank you, {author}! The content is right. Could you read `{file}` once more aloud and shorten one "
            "sentence? Readers skim. Any commit that makes it a little simpler is fine."
        ),
        thanks="Reads well now. Thank you for the care, {author}; merging.",
    ),
)

_STYLE_GUIDE = ProjectSeed(
    path="docs/style-guide",
    description="Plain words for letters, screens and error messages",
    topics=("Inner_Source", "writing", "plain-language"),
    languages={"reStructuredText": 88.0, "Python": 12.0},
    stars=23,
    forks=5,
    labels=("beginner", "question"),
    members={"aoife": 50},
    commits=(
        CommitSeed(
            "aoife",
            "Write down the rules that we keep repeating",
            290,
            {
                "README.rst": text("""
                    Style guide
                    ===========

                    Plain words for letters, screens and error messages.

                    Rules
                    -----

                    * Say what happened, why, and what to do next.
                    * One sentence, one thought.
                    * "You", not "the user".

                    Check a text with ``python tools/long_sentences.py FILE``.

                    Contributing
                    ------------

                    Open a merge request. @aoife looks at them on Fridays.
                    """)
            },
        ),
        CommitSeed(
            "wei",
            "Add a script that finds long sentences",
            120,
            {
                "tools/long_sentences.py": text('''
                    """Print the sentences of a text that have more than 25 words."""

                    import re
                    import sys

                    LIMIT = 25


                    def long_sentences(text: str) -> list[str]:
                        """Return the sentences with more than LIMIT words."""
                        sentences = re.split(r"(?<=[.!?])\\s+", text)
                        return [sentence for sentence in sentences if len(sentence.split()) > LIMIT]


                    if __name__ == "__main__":
                        for path in sys.argv[1:]:
                            with open(path, encoding="utf-8") as file:
                                for sentence in long_sentences(file.read()):
                                    print(f"{path}: {sentence}")
                    ''')
            },
        ),
        CommitSeed(
            "aoife",
            "Forbid 'simply'",
            37,
            {"rules/words-to-avoid.txt": "simply\njust\nobviously\nplease note that\nin order to\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title='Add "easily" to the words to avoid',
            author="aoife",
            days_ago=31,
            labels=("beginner",),
            body=text("""
                If it were easy, nobody would read the manual.

                **What to do.** Add a line `easily` to `rules/words-to-avoid.txt`.
                """),
        ),
        IssueSeed(
            title="Should we forbid exclamation marks?",
            author="kofi",
            days_ago=75,
            labels=("question",),
            body="I counted 14 on one form. Discuss!",
            notes=(NoteSeed("aoife", "One per year, at most.", 74),),
        ),
    ),
)

PROJECTS: tuple[ProjectSeed, ...] = (_WELCOME, _HANDBOOK, _STYLE_GUIDE)
