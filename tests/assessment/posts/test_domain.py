"""Coverage and missed problems, against plain loops over days and grids."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.assessment.posts.domain import FoundByOthers, Patrol, covered, missed

ZONE = ZoneInfo("Asia/Shanghai")
grids = st.sampled_from(["g1", "g2", "g3", "g4"])
instants = st.integers(0, 24 * 4).map(
    lambda hours: datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=hours)
)
patrols = st.lists(
    st.builds(
        Patrol,
        started_at=instants,
        ended_at=instants,
        grids=st.lists(grids, unique=True, max_size=3).map(tuple),
    ),
    max_size=5,
)
found = st.lists(st.builds(FoundByOthers, grid=grids, observed_at=instants), max_size=8)


@given(patrols=patrols, assigned=st.sets(grids))
def test_a_grid_is_covered_when_a_patrol_was_in_it(
    patrols: list[Patrol], assigned: set[str]
) -> None:
    expected = {grid for grid in assigned if any(grid in patrol.grids for patrol in patrols)}

    assert covered(patrols, assigned) == expected


@given(patrols=patrols, found=found)
def test_missed_is_what_others_found_where_and_on_the_day_one_patrolled(
    patrols: list[Patrol], found: list[FoundByOthers]
) -> None:
    expected = []
    for item in found:
        day = f"{item.observed_at.astimezone(ZONE):%Y-%m-%d}"
        for patrol in patrols:
            if (
                item.grid in patrol.grids
                and f"{patrol.started_at.astimezone(ZONE):%Y-%m-%d}" == day
            ):
                expected.append(item)
                break

    assert missed(patrols, found, ZONE) == expected
