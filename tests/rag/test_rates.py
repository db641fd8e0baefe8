from contextlib import closing

import pytest

from rag.archive import Archive
from rag.errors import StoreError
from ui.rates import SharedStorage


def test_so_many_are_counted_in_a_window_that_moves(archive):
    rates = archive.rates
    assert [rates.hit("a", at=now, since=now - 60, most=2) for now in (100.0, 110.0, 120.0)] == [True, True, False]
    assert rates.since("a", 60.0) == (100.0, 2)
    assert rates.hit("b", at=120.0, since=60.0, most=2)
    assert rates.hit("a", at=161.0, since=101.0, most=2)
    assert rates.since("a", 101.0) == (110.0, 2)
    assert rates.since("nobody", 5.0) == (5.0, 0)


def test_several_at_once_are_counted_or_none_is(archive):
    assert not archive.rates.hit("a", at=10.0, since=0.0, most=2, times=3)
    assert archive.rates.hit("a", at=10.0, since=0.0, most=3, times=3)
    assert archive.rates.since("a", 0.0) == (10.0, 3)


def test_what_is_forgotten_may_begin_anew(archive):
    for name in ("a", "b"):
        assert archive.rates.hit(name, at=10.0, since=0.0, most=1)
    archive.rates.forget("a")
    assert archive.rates.since("a", 0.0)[1] == 0
    assert archive.rates.since("b", 0.0)[1] == 1
    archive.rates.forget()
    assert archive.rates.since("b", 0.0)[1] == 0


def test_two_limiters_count_together(archive):
    from limits import RateLimitItemPerMinute
    from limits.strategies import MovingWindowRateLimiter

    one, two = (MovingWindowRateLimiter(SharedStorage(archive.rates)) for _ in range(2))
    item = RateLimitItemPerMinute(3)
    assert [limiter.hit(item, "key x") for limiter in (one, two, one, two)] == [True, True, True, False]
    assert one.hit(item, "key y")
    assert two.get_window_stats(item, "key x").remaining == 0
    two.clear(item, "key x")
    assert one.hit(item, "key x")


def test_an_archive_that_is_gone_is_told(postgres):
    with closing(Archive.connect(postgres.address())) as archive:
        storage = SharedStorage(archive.rates)
        assert storage.check()
        postgres.kill()
        try:
            assert not storage.check()
            with pytest.raises(StoreError, match="PRESSMARK_ARCHIVE_URL"):
                storage.acquire_entry("a", 1, 60)
        finally:
            postgres.start()
        assert storage.check()
        assert (storage.incr("a", 60), storage.get("a"), storage.reset(), storage.get("a")) == (1, 1, None, 0)
