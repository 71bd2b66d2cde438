"""Scorecards computed by hand from told cases, explained case by case, to whom they concern."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.assessment.scorecards.domain import Figure
from shared.events.intake import PatrolRecorded
from shared.events.vocabulary import DispatchReason
from shared.ids import uuid7
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role

MAY = datetime.fromisoformat("2026-05-20T02:00:00+00:00")
JUNE = datetime.fromisoformat("2026-06-03T02:00:00+00:00")


def stories(teller: Any) -> dict[str, Any]:
    """Cases of May, one of each kind; their deadlines lie in May unless the name says otherwise."""
    told = {
        "timely": teller().settled("water", due_at=MAY),
        "late": teller().settled("water", used=20_000, due_at=MAY),
        "open": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "june": teller().settled("water", due_at=JUNE),
        "extended": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "deferred": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "repeated": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "same": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "other": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "refused": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "false": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "voided": teller().received().registered().opened().dispatched("water", due_at=MAY),
        "returned": teller().received().registered().opened().dispatched("water", due_at=MAY),
    }
    _finish(told["extended"].extension_decided(granted=True, new_due_at=MAY))
    told["deferred"].deferral_decided(granted=True, until=MAY - timedelta(days=1))
    _finish(told["deferred"].deferral_ended(MAY))
    told["repeated"].handled().verification(passed=False)
    _finish(
        told["repeated"].dispatched("water", DispatchReason.AFTER_FAILED_VERIFICATION, due_at=MAY)
    )
    told["same"].return_decided(granted=True)
    _finish(told["same"].dispatched("water", DispatchReason.AFTER_RETURN, due_at=MAY))
    told["other"].return_decided(granted=True)
    _finish(told["other"].dispatched("transport", DispatchReason.AFTER_RETURN, due_at=MAY))
    _finish(told["refused"].return_decided(granted=False))
    _finish(told["false"].handled().feedback_refused())
    told["voided"].voided()
    told["returned"].return_decided(granted=True)
    return told


def _finish(story: Any) -> None:
    story.handled().verification(passed=True).closed()


BEHIND = {
    Figure.DUE: {
        "timely",
        "late",
        "open",
        "extended",
        "deferred",
        "repeated",
        "same",
        "refused",
        "false",
    },
    Figure.RESOLVED: {
        "timely",
        "late",
        "extended",
        "deferred",
        "repeated",
        "same",
        "refused",
        "false",
    },
    Figure.UNRESOLVED: {"open"},
    Figure.TIMELY: {"timely", "refused", "false"},
    Figure.NOT_TIMELY: {"late", "open", "extended", "deferred", "repeated", "same"},
    Figure.RETURNED_TO_OTHER: {"other"},
    Figure.RETURNS_REFUSED: {"refused"},
    Figure.REPEATED: {"repeated"},
    Figure.EXTENDED: {"extended"},
    Figure.DEFERRED: {"deferred"},
    Figure.FALSE_FEEDBACK: {"false"},
    Figure.LEFT_OUT: {"other", "voided", "returned"},
    # Nine cases are too few for 3 % to forgive any.
    Figure.FORGIVEN_REPEAT: set(),
    Figure.FORGIVEN_DEFERRAL: set(),
    Figure.FORGIVEN_EXTENSION: set(),
}
BEHIND[Figure.BEFORE_ALLOWANCE] = BEHIND[Figure.DUE]


@pytest.fixture
async def told(tell: Any, teller: Any) -> dict[str, Any]:
    cases = stories(teller)
    await tell(*cases.values())
    return cases


async def test_a_scorecard_is_what_one_reckons_by_hand(
    sut: ServiceUnderTest, told: dict[str, Any]
) -> None:
    async with sut.client(Role.HANDLER, unit="water") as handler:
        answer = (await handler.get("/scorecards/water/2026-05")).json()

    card = answer["scorecard"]
    assert (card["due"], card["resolved"], card["timely"]) == (9, 8, 3)
    assert card["timely_rate"] == 0.333333
    assert card["resolution_rate"] == 0.888889
    assert card["score"] == 44.444444  # 100 x (0.8 x 3/9 + 0.2 x 8/9) = 400/9
    assert card["rank"] is None
    assert card["small_sample"] is True
    assert card["target_met"] is True
    assert card["return_rate"] == 0.1
    assert (card["returned_to_other"], card["returns_refused"]) == (1, 1)
    figures = card["figures"]
    assert figures["cases_registered"] == 11
    assert figures["completion_rate"] == 0.818182  # 9 of 11
    assert figures["dispatch_rate"] == 0.916667  # 11 of the city's 12
    assert figures["extension_deferral_rate"] == 0.222222
    assert figures["repeated_dispatch_rate"] == 0.111111
    assert figures["false_feedback_rate"] == 0.111111
    assert answer["parameters"]["timely_weight"] == "4/5"
    assert answer["period"]["complete"] is True
    assert answer["behind"] == 0


async def test_the_ranking_shows_every_responsible_unit(
    sut: ServiceUnderTest, told: dict[str, Any]
) -> None:
    async with sut.client(Role.COLLECTOR) as anybody:
        ranking = (await anybody.get("/scorecards", params={"period": "2026-Q2"})).json()
        one = (
            await anybody.get("/scorecards", params={"period": "2026-Q2", "unit": "transport"})
        ).json()

    by_unit = {card["unit"]: card for card in ranking["units"]}
    assert list(by_unit) == sorted(unit.code for unit in sut.runtime.pack.responsible)
    assert by_unit["water"]["due"] == 10  # with the one of June
    assert by_unit["transport"]["score"] == 100
    assert by_unit["post"]["score"] is None
    assert by_unit["post"]["rank"] is None
    assert ranking["period"]["complete"] is False
    assert ranking["city"]["cases_registered"] == 12
    assert ranking["city"]["dispatch_rate"] == 1
    assert [card["unit"] for card in one["units"]] == ["transport"]


async def test_the_first_of_each_kind_are_forgiven_within_the_allowance(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    """Of 67 cases 3 % are 2 of each kind: two repeats of three, both extensions, the deferral."""
    repeated, extended = [], []
    for _ in range(3):
        story = teller().received().registered().opened().dispatched("water", due_at=MAY)
        story.wait(len(repeated)).handled().verification(passed=False)
        story.dispatched("water", DispatchReason.AFTER_FAILED_VERIFICATION, due_at=MAY)
        _finish(story)
        repeated.append(story)
    for _ in range(2):
        story = teller().received().registered().opened().dispatched("water", due_at=MAY)
        story.extension_decided(granted=True, added=7_200, new_due_at=MAY)
        story.handled(20_000).verification(passed=True, used=20_000).closed(20_000)
        extended.append(story)
    deferred = teller().received().registered().opened().dispatched("water", due_at=MAY)
    deferred.deferral_decided(granted=True, until=MAY - timedelta(days=1)).deferral_ended(MAY)
    plain = [teller().settled("water", due_at=MAY) for _ in range(61)]
    await tell(*repeated, *extended, deferred, *plain)
    async with sut.client(Role.SUPERVISOR) as supervisor:
        address = "/scorecards/water/2026-05/explain"
        answer = (await supervisor.get(address, params={"figure": "not-timely"})).json()
        left = (await supervisor.get(address, params={"figure": "left-out"})).json()
        longer = (await supervisor.get(address, params={"figure": "forgiven-extension"})).json()

    card = answer["scorecard"]
    assert (card["before_allowance"], card["due"], card["resolved"]) == (67, 66, 66)
    assert card["forgiven"] == {"repeat": 2, "deferral": 1, "extension": 2}
    assert card["timely"] == 65
    assert [item["case_id"] for item in answer["cases"]["items"]] == [str(repeated[-1].case_id)]
    (gone,) = left["cases"]["items"]
    assert (gone["case_id"], gone["reasons"]) == (str(deferred.case_id), ["deferral-forgiven"])
    assert gone["because"][0]["zh"] == "缓办在允许比例内,移出应解决数"
    for item in longer["cases"]["items"]:
        assert item["reasons"] == ["in-time", "extension-forgiven"]
        assert (item["limit_seconds"], item["recognised_seconds"]) == (14_400, 21_600)


async def test_units_with_enough_cases_are_ranked_and_ties_share_a_rank(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    enough = sut.runtime.pack.assessment[0].small_sample
    for unit, used in (("water", 60), ("transport", 60), ("environment", 90_000)):
        await tell(*[teller().settled(unit, used=used, due_at=MAY) for _ in range(enough)])
    await tell(teller().settled("post", due_at=MAY))
    async with sut.client(Role.LEADER) as leader:
        ranking = (await leader.get("/scorecards", params={"period": "2026-05"})).json()

    ranks = {card["unit"]: card["rank"] for card in ranking["units"] if card["due"]}
    assert ranks == {"water": 1, "transport": 1, "environment": 3, "post": None}


@pytest.mark.parametrize("figure", list(Figure))
async def test_every_figure_names_the_cases_behind_it(
    sut: ServiceUnderTest, told: dict[str, Any], figure: Figure
) -> None:
    names = {str(story.case_id): name for name, story in told.items()}
    seen: list[str] = []
    params: dict[str, Any] = {"figure": figure.value, "limit": 2}
    async with sut.client(Role.HANDLER, unit="water") as handler:
        while True:
            answer = await handler.get("/scorecards/water/2026-05/explain", params=params)
            page = answer.json()["cases"]
            seen += [names[item["case_id"]] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]

    assert sorted(seen) == sorted(BEHIND[figure])


async def test_the_explanation_says_of_each_case_why_it_counted(
    sut: ServiceUnderTest, told: dict[str, Any]
) -> None:
    names = {str(story.case_id): name for name, story in told.items()}
    async with sut.client(Role.SUPERVISOR) as supervisor:
        answer = (await supervisor.get("/scorecards/water/2026-05/explain")).json()

    assert answer["formula"] == "100 x (4/5 x 3/9 + 1/5 x 8/9) = 44.444444"
    reasons = {names[item["case_id"]]: item["reasons"] for item in answer["cases"]["items"]}
    assert reasons == {
        "timely": ["in-time"],
        "late": ["over-limit"],
        "open": ["not-closed"],
        "extended": ["extension-beyond-allowance"],
        "deferred": ["deferral-beyond-allowance"],
        "repeated": ["repeat-beyond-allowance"],
        "same": ["returned-to-same"],
        "other": ["returned-to-other"],
        "refused": ["in-time", "return-refused"],
        "false": ["in-time", "false-feedback"],
        "voided": ["voided"],
        "returned": ["awaiting-dispatch"],
    }
    for item in answer["cases"]["items"]:
        name = names[item["case_id"]]
        assert item["due"] == (name in BEHIND[Figure.DUE])
        assert item["resolved"] == (name in BEHIND[Figure.RESOLVED])
        assert item["timely"] == (name in BEHIND[Figure.TIMELY])
        assert item["number"] == told[name].number
        assert all(words["zh"] and words["en"] for words in item["because"])
        assert len(item["because"]) == len(item["reasons"])


async def test_what_is_not_yet_due_is_shown_as_such(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    await tell(teller().received().registered().opened().dispatched("water", due_at=JUNE))
    async with sut.client(Role.UNIT_LEAD, unit="water") as lead:
        answer = (await lead.get("/scorecards/water/2026-06/explain")).json()

    assert answer["period"]["complete"] is False
    assert (answer["scorecard"]["due"], answer["scorecard"]["not_yet_due"]) == (1, 1)
    assert answer["cases"]["items"][0]["reasons"] == ["not-closed", "not-yet-due"]


async def test_a_unit_sees_the_cases_of_no_other(sut: ServiceUnderTest) -> None:
    address = "/scorecards/water/2026-05/explain"
    async with (
        sut.client(Role.HANDLER, unit="transport") as other,
        sut.client(Role.COLLECTOR) as collector,
        sut.client() as nobody,
    ):
        refused = await other.get(address)
        assert (refused.status_code, refused.json()["code"]) == (404, "unit-unknown")
        assert (await collector.get(address)).status_code == 403
        assert (await nobody.get(address)).status_code == 401
        assert (await nobody.get("/scorecards", params={"period": "2026-05"})).status_code == 401
        assert (await other.get("/scorecards/water/2026-05")).status_code == 200


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/scorecards/nobody/2026-05", 404, "unit-unknown"),
        ("/scorecards/centre/2026-05", 404, "unit-unknown"),
        ("/scorecards/water/2026-5", 422, "period-unreadable"),
        ("/scorecards/water/2001", 404, "not-found"),
        ("/scorecards?period=May", 422, "period-unreadable"),
        ("/scorecards", 422, "invalid-input"),
        ("/scorecards/water/2026-05/explain?figure=best", 422, "invalid-input"),
        # Cursors of no list, and of another one with three texts.
        ("/scorecards/water/2026-05/explain?cursor=ab", 400, "cursor-invalid"),
        ("/scorecards/water/2026-05/explain?cursor=WyJhIiwiYiIsImMiXQ", 400, "cursor-invalid"),
    ],
)
@pytest.mark.usefixtures("told")
async def test_what_cannot_be_computed_says_why(
    sut: ServiceUnderTest, address: str, status: int, code: str
) -> None:
    async with sut.client(Role.LEADER) as leader:
        answer = await leader.get(address)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


async def test_coverage_counts_patrolled_grids_of_the_ground(sut: ServiceUnderTest) -> None:
    pack = sut.runtime.pack
    ground = [code for code in sorted(pack.grids) if code.startswith("620103001")]
    patrol = PatrolRecorded(
        collector="collector01", started_at=MAY, ended_at=MAY, grids=(*ground[:3], "not-a-grid")
    )
    await sut.deliver(patrol, subject=uuid7())
    async with sut.client(Role.LEADER) as leader:
        ranking = (await leader.get("/scorecards", params={"period": "2026-05"})).json()

    coverage = {card["unit"]: card["figures"]["long_term_coverage"] for card in ranking["units"]}
    assert coverage["street-xiyuan"] == round(3 / len(ground), 6)
    assert coverage["street-xihu"] == 0
    assert coverage["water"] is None
    assert ranking["city"]["long_term_coverage"] == round(3 / len(pack.grids), 6)


async def test_a_new_holiday_puts_a_case_into_the_period_in_which_it_is_due_now(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    """Told before the dispatch that it moves has arrived, and twice."""
    story = teller().received().registered().opened().dispatched("water", due_at=MAY)
    before = len(story.envelopes)
    story.deadlines_moved(JUNE, 3_600)
    moved = story.envelopes[before]
    _finish(story)
    await tell(moved, *reversed(story.envelopes))

    async with sut.client(Role.HANDLER, unit="water") as handler:
        may = (await handler.get("/scorecards/water/2026-05")).json()
        june = (await handler.get("/scorecards/water/2026-06")).json()
        path = "/scorecards/water/2026-06/explain"
        lines = (await handler.get(path, params={"figure": "due"})).json()["cases"]["items"]

    cards = may["scorecard"], june["scorecard"]
    assert [(card["due"], card["timely"]) for card in cards] == [(0, 0), (1, 1)]
    assert [line["limit_seconds"] for line in lines] == [3_600]
