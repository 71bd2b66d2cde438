"""Words and pauses of messages."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.messages.message import Wording, WordingIncomplete, pause_before_next, worded
from shared.messages.settings import MessageSettings

SECONDS = st.integers(min_value=1, max_value=3_600).map(lambda count: timedelta(seconds=count))


@given(st.integers(min_value=1, max_value=200), SECONDS, SECONDS)
def test_a_pause_doubles_up_to_the_longest(
    attempts: int, first: timedelta, longest: timedelta
) -> None:
    pause = first
    for _ in range(attempts - 1):
        pause = min(pause * 2, timedelta(days=9_999))
    assert pause_before_next(attempts, first, longest) == min(pause, longest)


def test_words_are_said_in_the_language_asked_for_or_the_nearest() -> None:
    wordings = {"a": {"zh": Wording("警报\n$n", "一 $n"), "en": Wording("alarm $n", "one $n")}}
    assert worded(wordings, "a", "zh-CN", {"n": "1"}) == ("警报 1", "一 1")
    assert worded(wordings, "a", "en", {"n": "1"}) == ("alarm 1", "one 1")
    assert worded(wordings, "a", "fr", {"n": "1"}) == ("警报 1", "一 1")
    with pytest.raises(WordingIncomplete, match="lacks the parameter"):
        worded(wordings, "a", "en", {})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"message_channels": "console,pigeon"}, "no channel 'pigeon'"),
        ({"gateway_body": "{"}, "no JSON"),
        ({"gateway_body": '{"to": "$phone"}'}, r"names \$phone"),
        ({"gateway_url": "http://gateway"}, "needs gateway_secret"),
        ({"smtp_security": "perhaps"}, "smtp_security"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(given: dict, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        MessageSettings(database_url="sqlite+aiosqlite:///x.db", **given)
