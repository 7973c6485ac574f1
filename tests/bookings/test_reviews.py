"""Who may review what and when, once; what hosts and admins do with it."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from accounts.tokens import Principal
from bookings import reviews, vehicles
from bookings.errors import (
    AlreadyReviewedError,
    BookingNotFoundError,
    BookingNotReviewableError,
    NotYourPartError,
    ReviewNotFoundError,
    ReviewWindowOverError,
    UnknownRenterError,
)
from bookings.reviews import MOST_REPORTS, Pile
from models import BookingStatus, Review, Role
from tests.bookings.conftest import NOW, day
from tests.factory import store_account, store_booking, store_report, store_review, store_vehicle

pytestmark = pytest.mark.anyio

AT_ONCE = 8


@pytest.fixture
def host(conn):
    return Principal(store_account(conn, "host"), Role.HOST)


@pytest.fixture
def renter(conn):
    return Principal(store_account(conn, display_name="Alex R."), Role.RENTER)


@pytest.fixture
def admin(conn):
    return Principal(store_account(conn, "admin"), Role.ADMIN)


@pytest.fixture
def vehicle(conn, host):
    return store_vehicle(conn, host_id=host.account_id)


@pytest.fixture
def booking(conn, vehicle, renter):
    """A rental that ended today, on the vehicle's calendar."""
    return over(conn, vehicle, renter)


def over(conn, vehicle, renter, start=-3, end=0):
    more = {"renter_id": renter.account_id, "status": "completed"}
    return store_booking(conn, vehicle, day(start), day(end), **more)


async def write(session, booking, principal, *, stars=5, now=NOW):
    said = {"title": "Spotless", "body": "Started every morning."}
    return await reviews.write(
        session, booking_id=booking, principal=principal, stars=stars, now=now, **said
    )


async def shown(session, vehicle):
    """What everybody sees: the reviews' ids, the rating in hundredths, the count."""
    page, _ = await reviews.of_vehicle(session, vehicle_id=vehicle, before=None, limit=100)
    detail = await vehicles.detail(session, vehicle_id=vehicle, viewer=None)
    return [each.review.id for each in page], detail.rating, detail.review_count


async def test_a_renter_reviews_a_completed_booking(session, vehicle, booking, renter):
    written = await write(session, booking, renter, stars=4)
    review = written.review
    assert (review.vehicle_id, review.booking_id) == (vehicle, booking)
    assert (review.rating, review.title, review.body) == (400, "Spotless", "Started every morning.")
    assert written.author == "Alex R."
    assert await shown(session, vehicle) == ([review.id], 400, 1)
    found = await reviews.of_booking(session, booking_id=booking, principal=renter)
    assert found.review is review


async def test_each_rental_has_a_review_of_its_own(conn, session, vehicle, booking, renter):
    earlier = over(conn, vehicle, renter, -9, -5)
    first = await write(session, earlier, renter, stars=1)
    second = await write(session, booking, renter, stars=5)
    assert await shown(session, vehicle) == ([second.review.id, first.review.id], 300, 2)


@pytest.mark.parametrize("status", sorted(set(BookingStatus) - {BookingStatus.COMPLETED}))
async def test_only_what_is_completed_can_be_reviewed(conn, session, vehicle, renter, status):
    more = {"renter_id": renter.account_id, "status": status}
    booking = store_booking(conn, vehicle, day(-3), day(0), **more)
    with pytest.raises(BookingNotReviewableError, match=status):
        await write(session, booking, renter)


async def test_for_fourteen_days_on_the_vehicles_calendar(conn, session, vehicle, renter):
    # In Honolulu it is still the 14th day when it is the 15th in London.
    booking = over(conn, vehicle, renter, -20, -14)
    late = NOW + timedelta(hours=11, minutes=59)
    assert (await write(session, booking, renter, now=late)).review.booking_id == booking
    older = over(conn, vehicle, renter, -30, -20)
    with pytest.raises(ReviewWindowOverError, match=str(day(-6))):
        await write(session, older, renter)
    with pytest.raises(ReviewWindowOverError):
        await write(session, booking, renter, now=late + timedelta(minutes=1))


async def test_neither_host_nor_admin_speaks_for_the_renter(session, booking, host, admin):
    for other in (host, admin):
        with pytest.raises(NotYourPartError):
            await write(session, booking, other)


async def test_to_others_the_booking_does_not_exist(conn, session, booking):
    stranger = Principal(store_account(conn), Role.RENTER)
    with pytest.raises(BookingNotFoundError):
        await write(session, booking, stranger)
    with pytest.raises(BookingNotFoundError):
        await reviews.of_booking(session, booking_id=booking, principal=stranger)


async def test_a_host_does_not_review_the_hosts_own_vehicle(conn, session, vehicle, host):
    booking = over(conn, vehicle, host)  # as an import or a change of hosts may leave it
    with pytest.raises(NotYourPartError, match="somebody else's vehicle"):
        await write(session, booking, host)


async def test_a_second_review_is_refused_and_the_first_stands(session, booking, renter):
    await write(session, booking, renter, stars=5)
    with pytest.raises(AlreadyReviewedError, match="stays as it is"):
        await write(session, booking, renter, stars=1)
    (rating,) = (await session.scalars(select(Review.rating))).all()
    assert rating == 500


async def stored(transactions):
    async with transactions() as session:
        return await session.scalar(select(func.count()).select_from(Review))


async def test_looking_before_writing_lets_two_reviews_through(
    transactions, conn, booking, vehicle
):
    """The race that the unique booking is there for: shown where nothing holds the two apart."""
    everybody_has_looked = asyncio.Barrier(2)

    async def look_then_write():
        async with transactions.begin() as session:
            assert await session.scalar(select(Review.id)) is None
            await everybody_has_looked.wait()
            await session.execute(insert(Review).values(vehicle_id=vehicle, rating=500))

    await asyncio.gather(look_then_write(), look_then_write())
    assert await stored(transactions) == 2


async def test_of_many_at_once_one_is_written(transactions, booking, renter):
    start = asyncio.Barrier(AT_ONCE)

    async def attempt(stars):
        async with transactions.begin() as session:
            await start.wait()
            return await write(session, booking, renter, stars=stars)

    done = await asyncio.gather(
        *(attempt(1 + n % 5) for n in range(AT_ONCE)), return_exceptions=True
    )
    refused = [each for each in done if isinstance(each, BaseException)]
    assert {type(each) for each in refused} == {AlreadyReviewedError}
    assert len(refused) == AT_ONCE - 1
    assert await stored(transactions) == 1


async def test_the_host_replies_replaces_and_takes_back(session, booking, renter, host):
    review = (await write(session, booking, renter)).review.id
    for body in ("Thank you.", "Thank you, come back!"):
        answered = await reviews.reply(session, review_id=review, principal=host, body=body)
        assert (answered.review.reply, answered.review.replied_at is None) == (body, False)
    await reviews.remove_reply(session, review_id=review, principal=host)
    found = await reviews.of_booking(session, booking_id=booking, principal=renter)
    await session.refresh(found.review)
    assert (found.review.reply, found.review.replied_at) == (None, None)


async def test_nobody_else_replies(conn, session, booking, renter, host, admin):
    review = (await write(session, booking, renter)).review.id
    for other in (renter, admin):
        with pytest.raises(NotYourPartError):
            await reviews.reply(session, review_id=review, principal=other, body="Hm.")
    with pytest.raises(NotYourPartError):
        await reviews.remove_reply(session, review_id=review, principal=renter)
    stranger = Principal(store_account(conn, "host"), Role.HOST)
    with pytest.raises(ReviewNotFoundError):
        await reviews.reply(session, review_id=review, principal=stranger, body="Hm.")
    await reviews.reply(session, review_id=review, principal=host, body="Rude words.")
    await reviews.remove_reply(session, review_id=review, principal=admin)


async def test_a_hidden_review_is_only_there_for_whom_it_concerns(
    conn, session, vehicle, booking, renter, host, admin
):
    kept = store_review(conn, vehicle, 400)
    review = (await write(session, booking, renter, stars=1)).review.id
    assert await shown(session, vehicle) == ([review, kept], 250, 2)
    hidden = await reviews.hide(session, review_id=review, principal=admin, reason="Names people.")
    assert hidden.signed.review.hidden_by == admin.account_id
    assert await shown(session, vehicle) == ([kept], 400, 1)
    for party in (renter, host, admin):
        found = await reviews.of_booking(session, booking_id=booking, principal=party)
        assert found.review.hidden_reason == "Names people."
    with pytest.raises(ReviewNotFoundError):
        await report(session, review, Principal(store_account(conn), Role.RENTER))
    # It still is the booking's review: hiding it makes no room for another.
    with pytest.raises(AlreadyReviewedError):
        await write(session, booking, renter)
    await reviews.let_stand(session, review_id=review, principal=admin)
    assert await shown(session, vehicle) == ([review, kept], 250, 2)


async def test_only_admins_hide_and_show(conn, session, booking, renter, host):
    review = (await write(session, booking, renter)).review.id
    for party in (renter, host):
        with pytest.raises(NotYourPartError, match="an admin"):
            await reviews.hide(session, review_id=review, principal=party, reason="No.")
        with pytest.raises(NotYourPartError, match="an admin"):
            await reviews.let_stand(session, review_id=review, principal=party)
    stranger = Principal(store_account(conn), Role.RENTER)
    with pytest.raises(ReviewNotFoundError):
        await reviews.hide(session, review_id=review, principal=stranger, reason="No.")


async def test_an_admin_whose_account_is_gone_hides_nothing(session, booking, renter):
    review = (await write(session, booking, renter)).review.id
    gone = Principal(2**40, Role.ADMIN)
    with pytest.raises(UnknownRenterError):
        async with session.begin_nested():
            await reviews.hide(session, review_id=review, principal=gone, reason="No.")
    assert (await session.get_one(Review, review, populate_existing=True)).hidden_at is None


async def report(session, review, principal, reason="Spam."):
    await reviews.report(session, review_id=review, principal=principal, reason=reason)


async def pile(session, which):
    page, _ = await reviews.to_moderate(session, pile=which, before=None, limit=100)
    return [(each.signed.review.id, [one.reason for one in each.reports]) for each in page]


async def test_reports_wait_until_an_admin_decides(conn, session, vehicle, booking, renter, host):
    admin = Principal(store_account(conn, "admin"), Role.ADMIN)
    fine, bad = store_review(conn, vehicle), (await write(session, booking, renter)).review.id
    stranger = Principal(store_account(conn), Role.RENTER)
    await report(session, bad, host, "Never drove it.")
    await report(session, bad, stranger, "Spam.")
    await report(session, bad, stranger, "Spam, I said.")
    await report(session, fine, host, "I disagree.")
    both = [(bad, ["Never drove it.", "Spam."]), (fine, ["I disagree."])]
    assert await pile(session, Pile.REPORTED) == both
    assert await pile(session, Pile.HIDDEN) == []

    await reviews.hide(session, review_id=bad, principal=admin, reason="Spam.")
    await reviews.let_stand(session, review_id=fine, principal=admin)
    assert await pile(session, Pile.REPORTED) == []
    assert await pile(session, Pile.HIDDEN) == [(bad, [])]
    # Decided is decided for whoever has reported it; somebody else may still.
    await report(session, fine, host, "I insist.")
    assert await pile(session, Pile.REPORTED) == []
    await report(session, fine, stranger, "Spam as well.")
    assert await pile(session, Pile.REPORTED) == [(fine, ["Spam as well."])]
    assert await pile(session, Pile.ALL) == [(bad, []), (fine, ["Spam as well."])]


async def test_an_author_does_not_report_the_authors_own(session, booking, renter):
    review = (await write(session, booking, renter)).review.id
    with pytest.raises(NotYourPartError):
        await report(session, review, renter)


async def test_of_many_reports_an_admin_sees_the_oldest(conn, session, vehicle):
    review = store_review(conn, vehicle)
    for n in range(MOST_REPORTS + 5):
        store_report(conn, review, store_account(conn), str(n))
    wanted = [str(n) for n in range(MOST_REPORTS)]
    assert await pile(session, Pile.REPORTED) == [(review, wanted)]


async def test_reviews_to_moderate_are_paged_without_gap_or_repeat(conn, session, vehicle):
    ids = [store_review(conn, vehicle) for _ in range(5)]
    seen, before, more = [], None, True
    while more:
        page, more = await reviews.to_moderate(session, pile=Pile.ALL, before=before, limit=2)
        seen += [each.signed.review.id for each in page]
        before = seen[-1]
    assert seen == ids[::-1]


RATED = st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=8)


def test_documents_rate_and_count_what_is_shown(conn):
    by = store_account(conn, "admin")
    moderated = {"hidden_at": NOW, "hidden_by": by, "hidden_reason": "-"}

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(RATED)
    def check(rated):
        vehicle = store_vehicle(conn)
        for stars, hidden in rated:
            store_review(conn, vehicle, stars * 100, **(moderated if hidden else {}))
        visible = [stars * 100 for stars, hidden in rated if not hidden]
        row = conn.execute(
            "SELECT rating, review_count FROM vehicle_documents WHERE id = %s", [vehicle]
        ).fetchone()
        half = len(visible) // 2
        mean = (sum(visible) + half) // len(visible) if visible else None
        assert row == (mean, len(visible))

    check()
