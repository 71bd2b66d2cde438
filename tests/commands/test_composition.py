"""What a process does once it is ready to work."""

import gc

from services.composition import keep_for_good


def test_what_is_loaded_is_not_looked_through_by_later_collections() -> None:
    keep_for_good()
    try:
        assert len(gc.get_objects(generation=2)) < 1_000
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
