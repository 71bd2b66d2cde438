"""The knowledge base: taken over from the pack, searched, kept valid."""

import dataclasses
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.hotline.app import prepare
from services.hotline.knowledge.domain import MAX_TERMS, score, search_terms
from shared.vocabulary import Role


async def _ids(hotline: Any, **query: Any) -> list[str]:
    answer = await hotline.agent.get("/knowledge", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_the_best_answer_comes_first(hotline: Any) -> None:
    assert (await _ids(hotline, q="井盖丢了怎么办", language="zh"))[0] == "manhole-missing"
    assert (await _ids(hotline, q="manhole", language="en")) == ["manhole-missing"]
    assert (await _ids(hotline, q="信访"))[0] == "petition"
    assert await _ids(hotline, q="%_") == []
    assert await _ids(hotline, q="xyzzy") == []


async def test_every_entry_is_listed_once_over_pages(hotline: Any) -> None:
    seen, cursor = [], None
    while True:
        query = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = (await hotline.agent.get("/knowledge", params=query)).json()
        seen += [(item["id"], item["language"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    entries = {(entry.id, entry.language) for entry in hotline.sut.runtime.pack.knowledge}
    assert seen == sorted(entries)


async def test_what_is_out_of_date_is_not_offered(hotline: Any) -> None:
    hotline.clock.advance(timedelta(days=3_650))
    assert await _ids(hotline, q="井盖") == []
    assert "manhole-missing" in await _ids(hotline, q="井盖", include_expired=True)


async def test_the_pack_is_taken_over_again_without_losing_counts(hotline: Any) -> None:
    ticket = await hotline.ticket()
    await hotline.agent.post(f"/tickets/{ticket['id']}/answer", json={"knowledge_id": "petition"})
    pack = hotline.sut.runtime.pack
    kept = tuple(
        dataclasses.replace(entry, title="新的标题") if entry.id == "petition" else entry
        for entry in pack.knowledge
        if entry.id != "street-lamp"
    )
    hotline.sut.runtime.pack = dataclasses.replace(pack, knowledge=kept)
    await prepare(hotline.sut.runtime)
    await prepare(hotline.sut.runtime)

    entry = (await hotline.agent.get("/knowledge/petition")).json()[0]
    assert (entry["title"], entry["uses"]) == ("新的标题", 1)
    assert "street-lamp" not in await _ids(hotline, limit=200)
    assert (await hotline.agent.get("/knowledge/street-lamp")).json()[0]["valid"] is False
    hotline.sut.runtime.pack = pack
    await prepare(hotline.sut.runtime)
    assert "street-lamp" in await _ids(hotline, limit=200)


async def test_knowledge_is_for_those_who_answer(hotline: Any) -> None:
    async with hotline.sut.client(Role.HANDLER) as handler, hotline.sut.client() as nobody:
        assert (await handler.get("/knowledge")).status_code == 403
        assert (await nobody.get("/knowledge/petition")).status_code == 401
    missing = await hotline.agent.get("/knowledge/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "knowledge-not-found")


@given(st.text(max_size=200))
def test_terms_are_few_and_come_from_the_query(query: str) -> None:
    terms = search_terms(query)
    assert len(terms) == len(set(terms)) <= MAX_TERMS
    assert all(terms)


@given(st.text("井盖丢失道路ab", min_size=1, max_size=12))
def test_a_text_is_found_by_itself_and_a_title_weighs_more(text: str) -> None:
    terms = search_terms(text)
    in_title = score(terms, title=text, keywords=[], body="")
    in_body = score(terms, title="", keywords=[], body=text)
    assert in_title > in_body > 0
