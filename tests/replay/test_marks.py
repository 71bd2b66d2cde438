"""The mark by which a request is known again."""

from hypothesis import given
from hypothesis import strategies as st

from services.hotline.callers.domain import _PERSONAL
from services.replay.marks import key_in, marked

KEYS = st.from_regex(r"[0-9A-Za-z]{1,20}", fullmatch=True)


@given(text=st.text(max_size=80), key=KEYS)
def test_a_key_is_read_back_from_any_text(text: str, key: str) -> None:
    assert key_in(marked(text, key)) == key


@given(key=st.from_regex(r"[0-9]{1,20}", fullmatch=True))
def test_the_hotline_takes_no_key_for_personal_data(key: str) -> None:
    text = marked("Noise - Residential: Banging/Pounding", key)
    assert not any(pattern.search(text) for pattern in _PERSONAL.values())


def test_other_texts_have_no_key() -> None:
    assert key_in("井盖破损") is None
    assert key_in("see (SR-1234/5678) for more") is None
    assert key_in(None) is None
