"""The design system: what everything looks like, and how it is called."""

# ruff: noqa: E501  (the lines are those of the files that they become)

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

_TOKENS = ProjectSeed(
    path="design-system/tokens",
    description="Colours, spaces and type sizes as data, for web, Android and print",
    topics=("innersource", "design-tokens", "json"),
    licence="MIT",
    languages={"JSON": 90.0, "JavaScript": 10.0},
    stars=63,
    forks=20,
    labels=("Good First Issue", "needs design", "contrast"),
    members={"aoife": 50, "hana": 40},
    commits=(
        CommitSeed(
            "aoife",
            "Name the colours once",
            450,
            {
                "tokens/colour.json": text("""
                    {
                      "brand": {"value": "#0b5fa5", "use": "links and buttons"},
                      "danger": {"value": "#b3261e", "use": "errors, never alone: always with a word"},
                      "surface": {"value": "#ffffff", "use": "background"},
                      "text": {"value": "#1b1b1f", "use": "body text"}
                    }
                    """),
                "README.md": "# Design tokens\n\nOne file for each kind, in `tokens/`. Never write `#0b5fa5` by hand again.\n",
            },
        ),
        CommitSeed(
            "hana",
            "Add the spaces",
            380,
            {
                "tokens/space.json": text("""
                    {
                      "small": {"value": "4px"},
                      "medium": {"value": "8px", "use": "between fields"},
                      "large": {"value": "24px", "use": "between sections"}
                    }
                    """),
                "build.mjs": text("""
                    // Writes dist/<kind>.css from tokens/<kind>.json.
                    import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

                    mkdirSync("dist", { recursive: true });
                    for (const name of readdirSync("tokens")) {
                      const kind = name.replace(".json", "");
                      const tokens = JSON.parse(readFileSync(`tokens/${name}`, "utf8"));
                      const lines = Object.entries(tokens).map(([key, { value }]) => `  --${kind}-${key}: ${value};`);
                      writeFileSync(`dist/${kind}.css`, `:root {\\n${lines.join("\\n")}\\n}\\n`);
                    }
                    """),
            },
        ),
        CommitSeed(
            "aoife",
            "Contributing guide",
            222,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing to the tokens

                    You need no design skills to repair a token, and no programming either: it is JSON.

                    1. Change a file in `tokens/`.
                    2. `node build.mjs` must run through (or let the job `json` check the file).
                    3. Open a merge request and say *where you met the problem*; a screenshot helps.

                    **New** tokens need a designer: label the issue `needs design`.

                    ## Review

                    First review within 2 working days, by @aoife (words, contrast) or @hana (technique).

                    ## Chat

                    `#design-system`; open hour on Wednesdays at 14:00.
                    """),
                "CODEOWNERS": "[Design]\ntokens/ @aoife\n\n[Technique]\n*.mjs @hana\n",
            },
        ),
        CommitSeed(
            "hana",
            "Say what danger is for",
            73,
            {
                "docs/colour.md": "# Colours\n\nTen percent of all men cannot tell our red from our green. Always add a word or a shape.\n"
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="space.small does not say what it is for",
            author="hana",
            days_ago=17,
            labels=("Good First Issue",),
            body=text("""
                All tokens have a `use`, only `small` in `tokens/space.json` has none.

                **What to do.** Add `"use": "between an icon and its label"` to `small`, as in the lines below it.

                **How you know it is right.** The job `json` can read the file.
                """),
        ),
        IssueSeed(
            title="Link the page about colours from the README",
            author="aoife",
            days_ago=10,
            labels=("Good First Issue",),
            body="**What to do.** One sentence in `README.md` with a link to `docs/colour.md`. The job `docs` follows it.",
        ),
        IssueSeed(
            title="A second brand colour for dark backgrounds",
            author="ines",
            days_ago=133,
            labels=("needs design", "contrast"),
            body="`#0b5fa5` on black has a contrast of 3.1 only.",
            notes=(NoteSeed("aoife", "Yes. We have it on the list for the next quarter.", 130),),
        ),
    ),
    checks=(
        CheckSeed(name="json", kind="parses"),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="docs", kind="links"),
    ),
    review=ReviewSeed(
        reviewer="aoife",
        request=(
            "Lovely, {author}, thank you! Could you read your words once more as somebody who has never seen the design "
            "system, and make one of them simpler? Push whatever you find; there is no wrong answer."
        ),
        thanks="That is how I would say it to a friend. Merging, thank you!",
    ),
)

_COMPONENTS = ProjectSeed(
    path="design-system/web/components",
    description="Buttons, fields and tables as web components, tested with screen readers",
    topics=("inner_source", "web-components", "typescript", "a11y"),
    licence="MIT",
    languages={"TypeScript": 80.0, "CSS": 20.0},
    stars=128,
    forks=33,
    labels=("good first issue", "help wanted", "a11y"),
    members={"hana": 50, "diego": 40},
    commits=(
        CommitSeed(
            "hana",
            "A button that says that it is busy",
            333,
            {
                "src/button.ts": text("""
                    export class AgencyButton extends HTMLElement {
                      static observedAttributes = ["busy"];

                      attributeChangedCallback(): void {
                        this.setAttribute("aria-busy", String(this.hasAttribute("busy")));
                      }
                    }

                    customElements.define("agency-button", AgencyButton);
                    """),
                "README.md": "# Web components\n\n```html\n<agency-button busy>Save</agency-button>\n```\n",
            },
        ),
        CommitSeed(
            "diego",
            "A field that tells its mistake",
            290,
            {
                "src/field.ts": 'export class AgencyField extends HTMLElement {\n  set fault(words: string) {\n    this.setAttribute("aria-invalid", "true");\n    this.dataset.fault = words;\n  }\n}\n\ncustomElements.define("agency-field", AgencyField);\n'
            },
        ),
        CommitSeed(
            "hana",
            "Contributing guide, code of conduct",
            170,
            {
                "CONTRIBUTING.md": text("""
                # Contributing

                ## Set-up

                ```sh
                npm ci
                npm run storybook
                ```

                ## Rules

                - Branches: `feature/<issue>-<words>` or `fix/<issue>-<words>`. The job `branch` checks that.
                - Every component works with the keyboard alone. Try it before you ask for a review.

                ## Turnaround

                We promise a first answer within 4 working days.

                ## Maintainers

                @hana, @diego
                """),
                "CODE_OF_CONDUCT.md": "# Code of conduct\n\nBe kind. Assume good will. Talk to @hana when something is wrong.\n",
                ".gitlab/merge_request_templates/Default.md": "## What\n\n## Keyboard\n\n- [ ] works without a mouse\n\nCloses #\n",
            },
        ),
        CommitSeed(
            "diego",
            "Describe the field",
            6.3,
            {
                "docs/field.md": "# agency-field\n\nSet `fault` to a sentence, and screen readers read it out.\n"
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Describe the button like the field",
            author="diego",
            days_ago=6,
            labels=("good first issue",),
            body=text("""
                `docs/field.md` exists; the button has no page.

                **What to do.** A file `docs/button.md` with a heading and two sentences: what `busy` does
                (`src/button.ts` is ten lines long), and when to use it.

                The branch has to be called `feature/1-describe-the-button` or the like; see CONTRIBUTING.
                """),
        ),
        IssueSeed(
            title="Table: sort by keyboard",
            author="aoife",
            days_ago=58,
            labels=("help wanted", "a11y"),
            body="Enter on a heading should sort.",
            assignee="ravi",
            notes=(NoteSeed("ravi", "First steps done, see the branch.", 12),),
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Sort tables by keyboard",
            body="Closes #2. Works in Firefox; Safari next.",
            author="ravi",
            branch="feature/2-sort-by-keyboard",
            days_ago=11.5,
            state="opened",
            files={"src/table.ts": "export class AgencyTable extends HTMLElement {}\n"},
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="branch",
            kind="branch",
            pattern=r"^(feature|fix|docs)/[0-9]+-[a-z0-9-]+$",
            hint="CONTRIBUTING.md, Rules: feature/<issue>-<words>, e.g. feature/1-describe-the-button.",
        ),
    ),
)

_ICONS = ProjectSeed(
    path="design-system/icons",
    description="Icons with names that say what they mean, not what they look like",
    topics=("innersource", "svg", "icons"),
    licence="CC0-1.0",
    languages={"SVG": 100.0},
    stars=40,
    forks=11,
    labels=("easy", "icon wanted"),
    members={"aoife": 50},
    commits=(
        CommitSeed(
            "aoife",
            "The first icons",
            260,
            {
                "icons/attention.svg": '<svg viewBox="0 0 24 24"><title>Attention</title><path d="M12 2 22 21H2z"/></svg>\n',
                "icons/done.svg": '<svg viewBox="0 0 24 24"><title>Done</title><path d="m4 12 5 6L20 6"/></svg>\n',
                "README.md": "# Icons\n\nAll icons: [INDEX.md](INDEX.md). Send new ones as a merge request; 24 by 24, one path.\n",
                "INDEX.md": "# All icons\n\n- attention: something needs you\n- done: finished without a problem\n",
            },
        ),
        CommitSeed(
            "lena",
            "An icon for waiting",
            52,
            {
                "icons/waiting.svg": '<svg viewBox="0 0 24 24"><path d="M6 2h12L6 22h12z"/></svg>\n',
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="waiting is missing in the index",
            author="aoife",
            days_ago=50,
            labels=("easy",),
            body=text("""
                **What to do.** Add `- waiting: somebody else has to act` to `INDEX.md`. The list is sorted, and the job
                `list` looks after that.
                """),
        ),
        IssueSeed(
            title="waiting has no title",
            author="kofi",
            days_ago=41,
            labels=("easy",),
            body="Screen readers say nothing. `icons/waiting.svg` needs `<title>Waiting</title>` like the others.",
        ),
    ),
    checks=(
        CheckSeed(name="list", kind="sorted", path="INDEX.md"),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="docs", kind="links"),
    ),
)

PROJECTS: tuple[ProjectSeed, ...] = (_TOKENS, _COMPONENTS, _ICONS)
