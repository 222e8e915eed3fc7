from __future__ import annotations

import asyncio
import http.client
import time
from datetime import date, datetime
from pathlib import Path

import pytest

from isexplore.practice.server import Fault, Grant, Knobs, PracticeForge
from isexplore.practice.store import Store
from isexplore.practice.throttle import ADDRESS_LIMIT, Throttle
from tests.support.practice import RunningPractice, fetch, quoted, running_practice

ALPHA = f"/projects/{quoted('tools/alpha')}"


class TestSigningIn:
    def test_works_by_either_header(self, practice: RunningPractice) -> None:
        assert practice.ask("/user").json["username"] == "nia"
        bearer = {"Authorization": f"Bearer {practice.token}"}
        assert practice.ask("/user", token=None, headers=bearer).json["username"] == "nia"

    @pytest.mark.parametrize("name", ["private_token", "access_token", "bearer_token"])
    def test_works_by_the_address(self, practice: RunningPractice, name: str) -> None:
        assert practice.ask("/user", params={name: practice.token}, token=None).status == 200
        assert practice.ask("/user", params={name: "wrong"}, token=None).status == 401

    def test_works_by_the_first_token_that_does(self, practice: RunningPractice) -> None:
        bearer = {"Authorization": "Bearer wrong"}
        assert practice.ask("/user", headers=bearer).status == 200
        assert practice.ask("/user", params={"private_token": "wrong"}).status == 200

    def test_takes_an_empty_token_for_none(self, practice: RunningPractice) -> None:
        empty = {"PRIVATE-TOKEN": "", "Authorization": "Bearer "}
        assert practice.ask("/projects", token=None, headers=empty).status == 200
        assert practice.ask("/user", token=None, headers=empty).status == 401

    def test_refuses_a_wrong_token_even_where_none_is_needed(self, practice: RunningPractice) -> None:
        for path in ("/user", "/projects"):
            reply = practice.ask(path, token="wrong")
            assert (reply.status, reply.json) == (401, {"message": "401 Unauthorized"})

    @pytest.mark.parametrize("path", ["/user", "/version", "/metadata", "/namespaces", "/merge_requests"])
    def test_is_needed(self, practice: RunningPractice, path: str) -> None:
        assert practice.ask(path, token=None).status == 401

    def test_tells_of_a_revoked_token(self, fresh: RunningPractice) -> None:
        words = "Token was revoked. You have to re-authorize from the user."
        fresh.forge.tokens["old"] = Grant(username="nia", problem=words)
        reply = fresh.ask("/user", token="old")
        assert reply.status == 401
        assert reply.json == {"error": "invalid_token", "error_description": words}

    def test_tells_which_scope_is_missing(self, fresh: RunningPractice) -> None:
        fresh.forge.tokens["reader"] = Grant(username="nia", scopes=("read_api",))
        assert fresh.ask(ALPHA, token="reader").status == 200
        reply = fresh.ask(f"{ALPHA}/fork", method="POST", token="reader")
        assert reply.status == 403
        assert reply.json["error"] == "insufficient_scope"
        assert reply.json["scope"] == "api"

    def test_describes_the_token_in_use(self, tmp_path: Path) -> None:
        grant = Grant(username="nia", scopes=("read_api", "read_repository"), expires_on=date(2031, 2, 3))
        with running_practice(tmp_path, grant=grant) as practice:
            token = practice.ask("/personal_access_tokens/self").json
            assert token["scopes"] == ["read_api", "read_repository"]
            assert token["expires_at"] == "2031-02-03"
            [listed] = practice.ask("/personal_access_tokens").json
            assert (listed["id"], listed["scopes"]) == (token["id"], token["scopes"])


class TestHeaders:
    def test_save_a_second_transfer(self, practice: RunningPractice) -> None:
        first = practice.ask(ALPHA)
        tag = first.headers["Etag"]
        again = practice.ask(ALPHA, headers={"If-None-Match": tag})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["Etag"] == tag
        assert practice.ask(ALPHA, headers={"If-None-Match": 'W/"other"'}).status == 200

    def test_tell_the_limits(self, practice: RunningPractice) -> None:
        headers = practice.ask("/user").headers
        left = int(headers["RateLimit-Limit"]) - int(headers["RateLimit-Observed"])
        assert int(headers["RateLimit-Remaining"]) == left
        assert abs(int(headers["RateLimit-Reset"]) - time.time()) <= 60
        assert headers["RateLimit-Name"] == "throttle_authenticated_api"
        assert headers["X-Request-Id"] in headers["X-Gitlab-Meta"]
        assert headers["X-Request-Id"] != practice.ask("/user").headers["X-Request-Id"]

    def test_tell_a_head_the_length_of_the_body(self, practice: RunningPractice) -> None:
        head, get = practice.ask(ALPHA, method="HEAD"), practice.ask(ALPHA)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
        assert head.headers["Etag"] == get.headers["Etag"]

    def test_count_a_wrong_token_with_its_address(self, fresh: RunningPractice) -> None:
        fresh.forge.tokens["old"] = Grant(username="nia", problem="Token was revoked.")
        before = fresh.ask("/user").headers
        for token in ("wrong", "old", None):
            told = fresh.ask("/user", token=token).headers
            assert told["RateLimit-Name"] == "throttle_unauthenticated_api"
        after = fresh.ask("/user").headers
        if before["RateLimit-Reset"] == after["RateLimit-Reset"]:
            assert int(after["RateLimit-Observed"]) == int(before["RateLimit-Observed"]) + 1


class TestThrottle:
    def test_refuses_what_is_too_much(self) -> None:
        now = 120_000.0
        throttle = Throttle(lambda: now)
        for _ in range(ADDRESS_LIMIT):
            assert not throttle.count(username=None, address="127.0.0.1").exceeded
        refused = throttle.count(username=None, address="127.0.0.1")
        assert refused.exceeded
        assert refused.headers()["Retry-After"] == "60"
        assert refused.headers()["RateLimit-Remaining"] == "0"
        assert refused.headers()["RateLimit-ResetTime"] == "Fri, 02 Jan 1970 09:21:00 GMT"
        assert not throttle.count(username=None, address="127.0.0.2").exceeded
        assert throttle.count(username="nia", address="127.0.0.1").observed == 1
        now += 60
        assert throttle.count(username=None, address="127.0.0.1").observed == 1

    def test_answers_in_plain_text(self, fresh: RunningPractice, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("isexplore.practice.throttle.ADDRESS_LIMIT", 0)
        reply = fresh.ask("/user", token="wrong")
        assert (reply.status, reply.body) == (429, b"Retry later\n")
        assert 0 < int(reply.headers["Retry-After"]) <= 60
        assert fresh.ask("/user").status == 200


class TestWrongRequests:
    def test_are_told_in_json(self, practice: RunningPractice) -> None:
        assert practice.ask("/nowhere").json == {"error": "404 Not Found"}

    def test_by_method_are_told_which_there_are(self, practice: RunningPractice) -> None:
        reply = practice.ask("/user", method="DELETE")
        assert (reply.status, reply.json) == (405, {"error": "405 Not Allowed"})
        assert reply.headers["Allow"] == "OPTIONS, GET, HEAD"
        asked = practice.ask(f"{ALPHA}/issues", method="OPTIONS")
        assert (asked.status, asked.headers["Allow"]) == (204, "OPTIONS, GET, HEAD, POST")

    def test_to_other_versions_are_told_in_json(self, practice: RunningPractice) -> None:
        elsewhere = fetch(f"{practice.url}/api/v5/projects", method="POST", body=b"{}")
        assert (elsewhere.status, elsewhere.json) == (404, {"error": "404 Not Found"})

    def test_with_a_broken_body_are_refused(self, practice: RunningPractice) -> None:
        headers = {"PRIVATE-TOKEN": practice.token, "Content-Type": "application/json"}
        for body in (b"{", b"[1]"):
            target = f"{practice.url}/api/v4{ALPHA}/issues"
            assert fetch(target, method="POST", headers=headers, body=body).status == 400

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/projects?search=%FF", None),
            ("/projects?search=%00", None),
            ("/projects/a%2F%FF", None),
            (f"{ALPHA}/issues", b'{"title": "\\ud800"}'),
            (f"{ALPHA}/issues", b'{"title": "x", "labels": ["\\u0000"]}'),
            (f"{ALPHA}/issues", b'{"\\ud800": 1}'),
            pytest.param(f"{ALPHA}/issues", b'{"title": ' + b"[" * 100_000, id="deep"),
            (f"{ALPHA}/issues", b'{"title": "\xff"}'),
        ],
    )
    def test_with_what_is_no_text_are_refused(
        self, practice: RunningPractice, path: str, body: bytes | None
    ) -> None:
        headers = {"PRIVATE-TOKEN": practice.token, "Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        reply = fetch(f"{practice.url}/api/v4{path}", method=method, headers=headers, body=body)
        assert reply.status == 400
        assert b"\xff" in (body or b"") or reply.body == b"Bad Request"

    def test_may_come_as_a_form(self, fresh: RunningPractice) -> None:
        target = f"{fresh.url}/api/v4{ALPHA}/issues/1/notes"
        headers = {"PRIVATE-TOKEN": fresh.token}
        reply = fetch(target, method="POST", headers=headers, body=b"body=Hello+there")
        assert reply.json["body"] == "Hello there"

    def test_may_come_as_a_multipart_form(self, fresh: RunningPractice) -> None:
        target = f"{fresh.url}/api/v4{ALPHA}/issues/1/notes"
        fields = '--x\r\nContent-Disposition: form-data; name="body"\r\n\r\nGrüße,\r\n\r\nNia\r\n--x--\r\n'
        headers = {"PRIVATE-TOKEN": fresh.token, "Content-Type": "multipart/form-data; boundary=x"}
        reply = fetch(target, method="POST", headers=headers, body=fields.encode())
        assert (reply.status, reply.json["body"]) == (201, "Grüße,\r\n\r\nNia")
        for broken in (b"", b"--x\r\n", b"no parts"):
            assert fetch(target, method="POST", headers=headers, body=broken).status == 400

    def test_with_an_object_for_a_word_are_refused(self, practice: RunningPractice) -> None:
        reply = practice.ask(f"{ALPHA}/issues", method="POST", data={"title": {"a": 1}})
        assert (reply.status, reply.json) == (400, {"error": "title is invalid"})

    def test_with_page_sizes_are_read_as_gitlab_does(self, practice: RunningPractice) -> None:
        zero = practice.ask(f"{ALPHA}/issues", per_page=0)
        assert (zero.status, zero.json) == (400, {"error": "per_page has a value not allowed"})
        for size, meant in ((-1, "20"), (101, "100")):
            assert practice.ask(f"{ALPHA}/issues", per_page=size).headers["X-Per-Page"] == meant
        assert practice.ask(f"{ALPHA}/issues", page=-3).headers["X-Page"] == "1"

    def test_of_strangers_for_all_accounts_are_refused(self, practice: RunningPractice) -> None:
        words = "403 Forbidden - Not authorized to access /api/v4/users"
        reply = practice.ask("/users", token=None)
        assert (reply.status, reply.json) == (403, {"message": words})
        assert [user["username"] for user in practice.ask("/users", username="mara", token=None).json] == [
            "mara"
        ]

    def test_under_another_name_are_refused(self, practice: RunningPractice) -> None:
        port = int(practice.url.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/api/v4/projects", headers={"Host": f"attacker.example:{port}"})
        assert connection.getresponse().status == 421
        connection.close()


class TestKnobs:
    def test_slow_every_answer_down(self, fresh: RunningPractice) -> None:
        fresh.knobs.latency = 0.15
        started = time.monotonic()
        fresh.ask("/user")
        assert time.monotonic() - started >= 0.15

    def test_fail_once(self, fresh: RunningPractice) -> None:
        fresh.knobs.faults.append(Fault(status=502, body=b"<html>", media_type="text/html", path="/user"))
        assert fresh.ask("/version").status == 200
        assert fresh.ask("/user").status == 502
        assert fresh.ask("/user").status == 200

    def test_limit_requests_in_plain_text(self, tmp_path: Path) -> None:
        with running_practice(tmp_path, knobs=Knobs(request_limit=2, retry_after=7)) as practice:
            assert [practice.ask("/user").status for _ in range(2)] == [200, 200]
            reply = practice.ask("/user")
            assert (reply.status, reply.body) == (429, b"Retry later\n")
            assert reply.headers["Retry-After"] == "7"

    def test_hang_up(self, fresh: RunningPractice) -> None:
        fresh.knobs.faults.append(Fault(status=200, hang_up=True))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            fresh.ask("/user")
        assert fresh.ask("/user").status == 200


class TestPages:
    def test_say_what_this_is(self, practice: RunningPractice) -> None:
        page = fetch(f"{practice.url}/tools/deep/beta")
        assert page.status == 200
        assert b"<h1>tools/deep/beta</h1>" in page.body
        assert page.headers["Content-Security-Policy"] == "default-src 'none'"
        assert "X-Gitlab-Meta" not in page.headers

    def test_tell_strangers_nothing(self, practice: RunningPractice) -> None:
        hidden = fetch(f"{practice.url}/tools/alpha")
        nothing = fetch(f"{practice.url}/tools/gamma")
        assert (hidden.status, hidden.body) == (nothing.status, nothing.body)

    def test_do_not_run_what_strangers_wrote(self, fresh: RunningPractice) -> None:
        project = fresh.store.project_by_path("tools/deep/beta")
        assert project is not None
        fresh.store.update("projects", project.id, {"description": "<script>alert(1)</script>"})
        assert b"<script>" not in fetch(f"{fresh.url}/tools/deep/beta").body


def break_the_world(folder: Path) -> None:
    with running_practice(folder) as practice:
        ended: list[bool] = []
        practice.forge.when_failed = lambda: ended.append(True)
        # No such table: a bug, which nobody may mistake for a quiet day.
        practice.store.execute("ALTER TABLE merge_requests RENAME TO gone")
        deadline = time.monotonic() + 5
        while not ended:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_ends_when_the_world_stops_turning(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="broke"):
        break_the_world(tmp_path)


class TestStarting:
    async def test_makes_up_for_what_fell_due_before_the_first_answer(self, tmp_path: Path) -> None:
        done: list[datetime] = []

        class Slow:
            async def tick(self, now: datetime) -> None:
                await asyncio.sleep(0.05)
                done.append(now)

        store = Store(tmp_path)
        app = PracticeForge(store, origin="http://127.0.0.1:1", maintainer=Slow(), tick=60.0).app
        async with app.router.lifespan_context(app):
            assert len(done) == 1
        store.close()

    async def test_does_not_wait_for_ever(self, tmp_path: Path) -> None:
        class Stuck:
            async def tick(self, now: datetime) -> None:
                await asyncio.Event().wait()

        store = Store(tmp_path)
        app = PracticeForge(store, origin="http://127.0.0.1:1", maintainer=Stuck(), patience=0.05).app
        async with asyncio.timeout(5), app.router.lifespan_context(app):
            pass
        store.close()

    async def test_ends_at_a_bug_of_the_first_look(self, tmp_path: Path) -> None:
        class Broken:
            async def tick(self, now: datetime) -> None:
                raise RuntimeError("a bug")

        store = Store(tmp_path)
        forge = PracticeForge(store, origin="http://127.0.0.1:1", maintainer=Broken(), patience=60.0)
        async with asyncio.timeout(5), forge.app.router.lifespan_context(forge.app):
            assert isinstance(forge.failure, RuntimeError)
        store.close()
