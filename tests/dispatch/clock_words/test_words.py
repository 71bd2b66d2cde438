"""The clock in words: everything that a person with a pencil needs, in the language asked for."""

import re
from typing import Any
from uuid import UUID

import pytest

from services.dispatch.clock_words.domain import Words, language_of
from shared.events.vocabulary import Finding
from tests.dispatch.story import Story


async def _words(story: Story, case_id: UUID, query: str = "", **headers: str) -> dict[str, Any]:
    answer = await story.dispatcher.get(f"/cases/{case_id}/clock/words{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Language"] == answer.json()["language"]
    found: dict[str, Any] = answer.json()
    return found


async def _late_case(story: Story) -> UUID:
    case_id = await story.opened()
    story.later(minutes=10)
    await story.dispatched(case_id)
    await story.accepted(case_id)
    story.at("2026-06-02 09:00")
    await story.handled(case_id)
    story.later(minutes=40)
    return case_id


async def test_days_spans_rule_and_sum_stand_in_chinese(story: Story) -> None:
    words = await _words(story, await _late_case(story))
    handling = words["sections"][2]
    assert handling["title"] == "第 1 次派遣：西园街道办事处，时限 4 工作时（4小时）"
    assert handling["lines"] == [
        "第 2 段：本单位处置用时，计入，计 6小时20分。",
        "  2026-06-01 工作日 09:10-11:30、14:00-17:30 5小时50分",
        "  2026-06-02 工作日 08:30-09:00 30分",
        "合计：6小时20分 = 6小时20分。",
        "超过时限 2小时20分。",
        "到期 2026-06-01 15:40，红灯。",
    ]


async def test_stages_stand_in_english_with_their_own_time(story: Story) -> None:
    words = await _words(story, await _late_case(story), **{"Accept-Language": "en-GB,zh;q=0.5"})
    assert words["language"] == "en"
    lines = words["sections"][1]["lines"]
    assert lines[:2] == [
        (
            "Segment 1, dispatch (the dispatcher): 2026-06-01 09:00 to 2026-06-01 09:10, 10 min."
            " Due 2026-06-01 09:30, green."
        ),
        "  2026-06-01 working day 09:00-09:10 10 min",
    ]
    assert "supervision (the centre): 2026-06-02 09:00 to now, 40 min." in lines[-2]
    assert lines[-2].endswith("Due 2026-06-02 09:30, red.")


async def test_a_late_decision_is_shown_as_the_centres_overrun(story: Story) -> None:
    case_id = await story.with_unit()
    early = await story.asked(case_id, "returns")
    story.later(minutes=10)
    await story.decided(early, granted=False)
    late = await story.asked(case_id, "returns")
    story.later(minutes=50)
    await story.decided(late, granted=False)

    lines = (await _words(story, case_id))["sections"][-1]["lines"]
    assert lines == [
        (
            "退回：2026-06-01 09:00 提出，2026-06-01 09:10 不同意，历时 10分。"
            "到期 2026-06-01 09:30，绿灯。"
        ),
        (
            "退回：2026-06-01 09:10 提出，2026-06-01 10:00 不同意，历时 50分。"
            "到期 2026-06-01 09:40，红灯。中心超时。"
        ),
    ]
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    assert [(item["light"], item["seconds"]) for item in clock["decisions"]] == [
        ("green", 600),
        ("red", 3000),
    ]
    # The unit had the case all the while.
    assert clock["clocks"][0]["used_seconds"] == 3600


async def test_the_spans_in_words_add_up_to_the_sum(story: Story) -> None:
    """Three dispatches: the last one counts everything, and a pencil finds the same."""
    case_id = await story.with_unit()
    for round_ in (1, 2):
        story.later(minutes=45)
        await story.handled(case_id)
        await story.checked(case_id)
        story.later(minutes=20)
        await story.found(case_id, Finding.FAILED, round_=round_)
        story.later(minutes=15)
        await story.dispatched(case_id)
        await story.accepted(case_id)
    story.at("2026-06-03 08:40")
    words = await _words(story, case_id, "?language=en")
    clock = (await story.dispatcher.get(f"/cases/{case_id}/clock")).json()
    for section, shown in zip(words["sections"][2:], clock["clocks"], strict=True):
        spans = [
            span
            for line in section["lines"]
            if line.startswith("  ")
            for span in re.findall(r"(\d\d):(\d\d)-(\d\d):(\d\d)", line)
        ]
        minutes = sum(int(h2) * 60 + int(m2) - int(h1) * 60 - int(m1) for h1, m1, h2, m2 in spans)
        assert minutes * 60 == shown["used_seconds"]
    assert "everything since the first dispatch" in "".join(words["sections"][-1]["lines"])


async def test_another_units_people_do_not_see_it(story: Story) -> None:
    case_id = await story.with_unit()
    answer = await story.handler("water").get(f"/cases/{case_id}/clock/words")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("parameter", "accepted", "expected"),
    [
        (None, None, "zh"),
        (None, "fr", "zh"),
        (None, "en", "en"),
        (None, "en;q=0.3, zh-CN;q=0.8", "zh"),
        (None, "en-US, zh;q=0.9", "en"),
        (None, "en;q=0", "zh"),
        (None, "en;q=much", "en"),
        ("en", "zh", "en"),
    ],
)
def test_the_language_is_the_one_asked_for(
    parameter: str | None, accepted: str | None, expected: str
) -> None:
    assert language_of(parameter, accepted) == expected


def test_lengths_of_time_are_said_to_the_second() -> None:
    assert Words("zh").length(3 * 3600 + 5) == "3小时5秒"
    assert Words("en").length(61) == "1 min 1 s"
    assert Words("en").length(0) == "0 s"
