"""What people write: the bodies of commands, the same for the same request in every run."""

import io
from typing import Any

from PIL import Image

from services.replay.plan import Ask, Plan, Spot
from shared.pack.model import CityPack, ClassKey

Json = dict[str, Any]

HANDSET_ACCURACY_M = 8
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "done": "Dealt with by the agency.",
        "not-done": "Nothing has changed on the photographs.",
        "passed": "Seen on the spot: put right.",
        "failed": "Seen on the spot: still as reported.",
        "closed": "Dealt with and verified.",
        "class-unknown": "The city has no service for this matter.",
        "place-not-found": "The place cannot be found from what was said.",
        "not-within-competence": "This is not a matter of the city's services.",
        "no-place": "Without a place nothing can be done; please ring again when it is known.",
        "ask": "The unit asks for a decision.",
        "granted": "Agreed.",
        "refused": "Not agreed: the responsibility table is clear.",
        "void": "Reported by mistake.",
    },
    "zh": {
        "done": "已按标准处置完毕，现场已清理，附照片。",
        "not-done": "照片显示现场没有变化，退回重新处置。",
        "passed": "现场核查，问题已解决。",
        "failed": "现场核查，问题依旧，未处置到位。",
        "closed": "问题已处置并经现场核查，予以结案。",
        "class-unknown": "不属于本平台受理的类别。",
        "place-not-found": "根据描述无法找到地点。",
        "not-within-competence": "不属于政府服务管理范围，已告知诉求人其他渠道。",
        "no-place": "没有地点无法处理，请核实后再次来电。",
        "ask": "我单位申请，请中心审核。",
        "granted": "情况属实，同意。",
        "refused": "权责清单已明确，不予同意，请尽快处置。",
        "void": "系误报，申请作废。",
    },
}


class Forms:
    """Fills in commands in the city's first language."""

    def __init__(self, pack: CityPack) -> None:
        self._pack = pack
        first = pack.city.languages[0]
        self._words = WORDS["en" if first.startswith("en") else "zh"]

    def word(self, name: str) -> str:
        return self._words[name]

    # -- reporting -------------------------------------------------------------------------------

    def web_report(self, plan: Plan, client_id: str) -> Json:
        return _given(
            client_id=client_id,
            class_ref=class_body(plan.class_key),
            description=plan.text,
            place=place_body(plan.spot, "manual"),
            observed_at=plan.created.isoformat(),
        )

    def report(self, plan: Plan, client_id: str, *, source: str | None, media: list[str]) -> Json:
        """A report in an own name (`source` None) or on somebody's behalf."""
        handset = source is None and plan.route.value == "handset"
        place = place_body(plan.spot, "gnss" if handset else "manual")
        if handset and plan.spot.lng is not None:
            place["accuracy_m"] = HANDSET_ACCURACY_M
        return _given(
            client_id=client_id,
            source=source,
            class_ref=class_body(plan.class_key),
            condition=plan.condition,
            description=plan.text,
            place=place,
            observed_at=plan.created.isoformat(),
            urgent=plan.urgent or None,
            media=media or None,
        )

    def call(self, number: str) -> Json:
        return {"direction": "inbound", "number": number}

    def ticket(self, plan: Plan, call_id: str, kind: str = "complaint") -> Json:
        return {"description": plan.text, "appeal_kind": kind, "call_id": call_id}

    def submission(self, plan: Plan) -> Json:
        place = _given(longitude=plan.spot.lng, latitude=plan.spot.lat, address=plan.spot.address)
        return _given(
            class_ref=class_body(plan.class_key),
            place=place,
            urgency="urgent" if plan.urgent else "routine",
        )

    # -- registering -----------------------------------------------------------------------------

    def registration(self, plan: Plan, *, needs_grid: bool) -> Json:
        place = None
        if needs_grid:
            place = place_body(plan.spot, "address") | {"grid": plan.grid}
        return _given(class_ref=class_body(plan.class_key), condition=plan.condition, place=place)

    def rejection(self, plan: Plan) -> Json:
        reason = plan.reason or "not-within-competence"
        return {"reason_code": reason, "reason": self.word(reason)}

    # -- the way of the case ---------------------------------------------------------------------

    def feedback(self, media: list[str]) -> Json:
        return {"text": self.word("done"), "media": media}

    def finding(self, finding: str, place: Json, media: list[str]) -> Json:
        """What was seen, measured at the place itself where that is known."""
        position = None
        if place.get("longitude") is not None:
            position = {
                "longitude": place["longitude"],
                "latitude": place["latitude"],
                "accuracy_m": HANDSET_ACCURACY_M,
            }
        return _given(finding=finding, note=self.word(finding), media=media, position=position)

    def ask(self, asked: Ask, limit_kind: str, until: str) -> Json:
        body: Json = {"reason": self.word("ask")}
        if asked is Ask.EXTENSION:
            body["limit"] = {"amount": "1", "kind": limit_kind}
        elif asked is Ask.DEFERRAL:
            body["until"] = until
        return body

    def decision(self, *, granted: bool) -> Json:
        return {"granted": granted, "reason": self.word("granted" if granted else "refused")}


def class_body(key: ClassKey | None) -> Json | None:
    if key is None:
        return None
    return {"scheme": key.scheme, "kind": key.kind.value, "code": key.code}


def place_body(spot: Spot, source: str) -> Json:
    known = source if spot.lng is not None else "unknown"
    return _given(
        longitude=spot.lng, latitude=spot.lat, address=spot.address, position_source=known
    )


def photograph(shade: int) -> bytes:
    """A small picture that stands for all photographs of a role."""
    picture = Image.new("RGB", (64, 48), (shade, 128, 255 - shade))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=80)
    return content.getvalue()


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
