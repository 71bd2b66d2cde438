"""A city at work: its people sign in and do their part over HTTP, as they would at their desks."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from PIL import Image

from shared.pack.model import CityPack, ClassKey, Grid
from shared.testing.processes import wait_for
from shared.vocabulary import Role

Json = dict[str, Any]

BROKEN_COVER = ClassKey.parse("GB/T 47678.5-2026:component:01001")


@dataclass
class City:
    """Drives a running suite.

    Args:
        url_of: scheme, host and port of a service's API.
        pack: the city pack that the suite runs with.
        password: of everybody.
    """

    url_of: Callable[[str], str]
    pack: CityPack
    password: str
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    _tokens: dict[str, str] = field(default_factory=dict)

    def finish(self) -> None:
        self._http.close()

    # -- people --------------------------------------------------------------------------------

    def one(self, role: Role, unit: str | None = None) -> str:
        """Account name of somebody with this role, of this unit if one is named."""
        people = [
            person
            for person in self.pack.people
            if role.value in {held.value for held in person.roles} and unit in {None, person.unit}
        ]
        return people[0].login

    def another(self, role: Role) -> str:
        people = [p for p in self.pack.people if role.value in {held.value for held in p.roles}]
        return people[1].login

    def token(self, login: str) -> str:
        if login not in self._tokens:
            body = {"login": login, "password": self.password}
            answer = wait_for(
                f"{login} signed in", lambda: self._taken("identity", "/sessions", json=body)
            )
            assert answer.status_code == httpx.codes.CREATED, answer.text
            self._tokens[login] = answer.json()["access_token"]
        return self._tokens[login]

    # -- HTTP ----------------------------------------------------------------------------------

    def _address(self, service: str, path: str) -> str:
        return f"{self.url_of(service)}/api/{service}/v1{path}"

    def get(self, login: str, service: str, path: str, **query: Any) -> Json:
        """Look something up; asked again while the service is away, as clients do."""

        def one_try() -> httpx.Response | None:
            headers = {"Authorization": f"Bearer {self.token(login)}"}
            try:
                answer = self._http.get(self._address(service, path), params=query, headers=headers)
            except httpx.TransportError:
                return None
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._tokens.pop(login, None)
                return None
            return None if answer.status_code in {502, 503} else answer

        answer = wait_for(f"{path} of {service} read", one_try)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        body: Json = answer.json()
        return body

    def send(
        self,
        login: str,
        service: str,
        path: str,
        body: Mapping[str, Any],
        *,
        key: str | None = None,
    ) -> httpx.Response:
        """One command; sent again with the same key while the service is away, as clients do."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self._sent_until_taken(service, path, login, headers=headers, json=dict(body))

    def _taken(self, service: str, path: str, **content: Any) -> httpx.Response | None:
        """One try; None where the service is away or has too much to do."""
        try:
            answer = self._http.post(self._address(service, path), **content)
        except httpx.TransportError:
            return None
        return None if answer.status_code in {502, 503} else answer

    def _sent_until_taken(
        self, service: str, path: str, login: str, *, headers: dict[str, str], **content: Any
    ) -> httpx.Response:
        """Send it again, with the same key, until it is answered; sign in again where needed."""

        def one_try() -> httpx.Response | None:
            signed = headers | {"Authorization": f"Bearer {self.token(login)}"}
            answer = self._taken(service, path, headers=signed, **content)
            if answer is not None and answer.status_code == httpx.codes.UNAUTHORIZED:
                self._tokens.pop(login, None)
                return None
            return answer

        return wait_for(f"{service} takes {path}", one_try)

    def do(self, login: str, service: str, path: str, **body: Any) -> Json:
        """One command that has to succeed."""
        answer = self.send(login, service, path, body)
        assert answer.is_success, f"{login} {service}{path}: {answer.status_code} {answer.text}"
        result: Json = answer.json()
        return result

    # -- the links of the chain ----------------------------------------------------------------

    def photograph(self, login: str) -> str:
        picture = io.BytesIO()
        colour = tuple(uuid4().bytes[:3])
        Image.new("RGB", (64, 48), colour).save(picture, "JPEG")
        answer = self._sent_until_taken(
            "intake",
            "/media",
            login,
            headers={"Content-Type": "image/jpeg"},
            content=picture.getvalue(),
        )
        assert answer.is_success, answer.text
        sha: str = answer.json()["sha256"]
        return sha

    def report(
        self, grid: Grid, class_key: ClassKey = BROKEN_COVER, *, condition: int = 0, **more: Any
    ) -> Json:
        """The collector of a grid reports; complete reports of collectors become cases at once."""
        point = grid.polygon.representative_point()
        return self.do(
            grid.owner,
            "intake",
            "/reports",
            **{
                "client_id": str(uuid4()),
                "class_ref": _class(class_key),
                "condition": self.pack.conditions_of(class_key)[condition].code,
                "description": "人行道上的井盖破损，缺了一角。",
                "place": {
                    "longitude": round(point.x, 6),
                    "latitude": round(point.y, 6),
                    "accuracy_m": 6.5,
                    "position_source": "gnss",
                    "address": "西津西路北侧人行道",
                },
                "media": [self.photograph(grid.owner)],
                **more,
            },
        )

    def register(self, report: Json, class_key: ClassKey, condition: int = 0) -> Json:
        return self.do(
            self.one(Role.OPERATOR),
            "intake",
            f"/reports/{report['id']}/registration",
            class_ref=_class(class_key),
            condition=self.pack.conditions_of(class_key)[condition].code,
        )

    def case(self, case_id: str) -> Json:
        return self.get(self.one(Role.SUPERVISOR), "dispatch", f"/cases/{case_id}")

    def wait_for_state(self, case_id: str, *states: str) -> Json:
        """The case file once it is in one of these states."""

        def in_state() -> Json | None:
            try:
                case = self.case(case_id)
            except (AssertionError, httpx.TransportError):
                return None
            return case if case["state"] in states else None

        return wait_for(f"case {case_id} in {states}", in_state)

    def unit_for(self, case_id: str) -> str:
        """The unit that is suggested first."""
        suggested = self.get(
            self.one(Role.DISPATCHER), "dispatch", f"/cases/{case_id}/suggested-units"
        )
        items = suggested["items"] if isinstance(suggested, dict) else suggested
        unit: str = items[0]["unit"]
        return unit

    def dispatch(self, case_id: str, unit: str | None = None, **more: Any) -> str:
        chosen = unit or self.unit_for(case_id)
        self.do(
            self.one(Role.DISPATCHER), "dispatch", f"/cases/{case_id}/dispatch", unit=chosen, **more
        )
        return chosen

    def handle(self, case_id: str, unit: str, *, accept: bool = True) -> None:
        """The unit accepts, works, and says that it is done."""
        handler = self.one(Role.HANDLER, unit)
        if accept:
            self.do(handler, "dispatch", f"/cases/{case_id}/acceptance")
        self.do(
            handler,
            "dispatch",
            f"/cases/{case_id}/feedback",
            text="已更换井盖并复平路面。",
            media=[self.photograph(handler)],
        )

    def ask_verification(self, case_id: str) -> None:
        self.do(
            self.one(Role.DISPATCHER), "dispatch", f"/cases/{case_id}/feedback-check", accepted=True
        )

    def verify(self, case_id: str, finding: str = "passed") -> Json:
        """The collector who got the task goes there and says what is to be seen."""
        task = wait_for(f"a verification task for {case_id}", lambda: self._open_task(case_id))
        collector = task["collector"]
        self.do(collector, "intake", f"/tasks/{task['id']}/accept")
        place = task["place"]
        return self.do(
            collector,
            "intake",
            f"/tasks/{task['id']}/complete",
            finding=finding,
            note="同一角度拍摄。",
            media=[self.photograph(collector)],
            position={
                "longitude": place["longitude"],
                "latitude": place["latitude"],
                "accuracy_m": 5,
            },
        )

    def _open_task(self, case_id: str) -> Json | None:
        try:
            listed = self.get(
                self.one(Role.OPERATOR), "intake", "/tasks", case_id=case_id, limit=50
            )
        except (AssertionError, httpx.TransportError):
            return None
        return next((t for t in listed["items"] if t["state"] in {"issued", "accepted"}), None)

    def close(self, case_id: str) -> Json:
        self.wait_for_state(case_id, "verified")
        return self.do(
            self.one(Role.OPERATOR),
            "dispatch",
            f"/cases/{case_id}/closing",
            conclusion="井盖已更换。",
        )

    def open_case(self, grid: Grid, **more: Any) -> str:
        """A collector's complete report, registered by rule, opened in dispatch; the case's id."""
        report = self.report(grid, **more)
        assert report["state"] == "registered", report
        case_id: str = report["case"]["id"]
        self.wait_for_state(case_id, "awaiting-dispatch")
        return case_id

    def through_verification(self, case_id: str, unit: str, finding: str) -> None:
        self.handle(case_id, unit)
        self.ask_verification(case_id)
        self.verify(case_id, finding)


def _class(key: ClassKey) -> Json:
    return {"scheme": key.scheme, "kind": key.kind.value, "code": key.code}
