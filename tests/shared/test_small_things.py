"""Identifiers, clocks, settings and text fields."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.clock import ManualClock, SystemClock
from shared.config import ServiceSettings
from shared.ids import uuid7
from shared.inbox.consumer import LONGEST_PAUSE, pause_after
from shared.web.fields import Line, Paragraph

LINE, PARAGRAPH = TypeAdapter(Line), TypeAdapter(Paragraph)


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [uuid7() for _ in range(2_000)]

    assert len(set(made)) == len(made)
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}
    assert abs((made[0].int >> 80) / 1000 - time.time()) < 5
    # Within the same fraction of a millisecond the order is chance; beyond it never is.
    prefixes = [one.int >> 64 for one in made]
    assert prefixes == sorted(prefixes)


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(datetime(2026, 6, 1, 8, tzinfo=timezone(timedelta(hours=8))))

    assert clock.now() == clock.now() == datetime(2026, 6, 1, tzinfo=UTC)
    clock.advance(timedelta(hours=1))
    assert clock.now() == datetime(2026, 6, 1, 1, tzinfo=UTC)
    assert SystemClock().now().tzinfo is UTC


def test_settings_come_from_the_environment_under_the_prefix_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINQING_X_DATABASE_URL", "postgresql+psycopg://u:secret@h/d")
    monkeypatch.setenv("MINQING_X_POOL_SIZE", "3")
    settings = ServiceSettings(_env_prefix="MINQING_X_")

    assert settings.pool_size == 3
    assert "secret" not in repr(settings)


def test_a_setting_that_cannot_work_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINQING_X_DATABASE_URL", "sqlite+aiosqlite:///x")
    monkeypatch.setenv("MINQING_X_SENT_EVENT_RETENTION_DAYS", "1")
    with pytest.raises(ValidationError, match="sent_event_retention_days"):
        ServiceSettings(_env_prefix="MINQING_X_")


@given(st.text(max_size=50))
def test_text_that_no_store_takes_is_refused_and_the_rest_is_kept(text: str) -> None:
    bad = any(ord(char) < 32 and char not in "\t\r\n" for char in text) or any(
        ord(char) == 127 or 0xD800 <= ord(char) <= 0xDFFF for char in text
    )
    try:
        kept = PARAGRAPH.validate_python(text)
    except ValidationError:
        assert bad or not text.strip()
    else:
        assert not bad
        assert kept == text.strip()


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\u2028b", "x" * 301, " "])
def test_a_line_is_one_line(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


@given(st.integers(min_value=0, max_value=100))
def test_pauses_grow_up_to_a_limit(attempts: int) -> None:
    assert timedelta(seconds=1) <= pause_after(attempts) <= LONGEST_PAUSE
    assert pause_after(attempts) <= pause_after(attempts + 1)
