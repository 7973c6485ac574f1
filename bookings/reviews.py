"""Reviews: a renter's word on a completed booking, once; its host's reply; what admins hide.

Every function works in the caller's transaction and commits nothing. To whoever a review does not
concern (its author, the vehicle's host and admins), one that is hidden does not exist.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import psycopg.errors
from sqlalchemy import Select, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from accounts.tokens import Principal
from bookings import service
from bookings.errors import (
    AlreadyReviewedError,
    BookingNotReviewableError,
    NotYourPartError,
    ReviewNotFoundError,
    ReviewWindowOverError,
    UnknownRenterError,
)
from bookings.rules import local_today
from models import Account, BookingStatus, Review, ReviewReport, Vehicle, VehicleStatus

# After the return day. Airbnb gives 14 days, Turo 10: late enough for who travels on, early enough
# that it tells of the car as it is, and that hosts know when a rental is done with.
WINDOW = timedelta(days=14)
MOST_REPORTS = 20  # of one review that an admin is shown
_OPEN = ReviewReport.decided_at.is_(None)


class Pile(StrEnum):
    """What an admin may want to go through."""

    REPORTED = "reported"
    HIDDEN = "hidden"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Signed:
    """A review with its author's public name, None where an import did not know one."""

    review: Review
    author: str | None


@dataclass(frozen=True, slots=True)
class Moderated:
    """A review as an admin sees it: with the oldest 20 reports that nobody has decided about."""

    signed: Signed
    reports: list[ReviewReport]


async def of_vehicle(
    session: AsyncSession,
    *,
    vehicle_id: int,
    before: tuple[datetime, int] | None,
    limit: int,
) -> tuple[list[Signed], bool]:
    """A page of a listed vehicle's reviews, newest first, and whether there are more.

    `before` is the (created_at, id) of the last review of the page before; None for the first.

    Raises:
        VehicleNotFoundError: no listed vehicle has this id.
    """
    await service.listed_vehicle(session, vehicle_id)
    statement = (
        _signed()
        .where(Review.vehicle_id == vehicle_id, Review.hidden_at.is_(None))
        .order_by(Review.created_at.desc(), Review.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(tuple_(Review.created_at, Review.id) < before)
    found = [Signed(*row) for row in await session.execute(statement)]
    return found[:limit], len(found) > limit


async def of_booking(session: AsyncSession, *, booking_id: int, principal: Principal) -> Signed:
    """The review of a booking, hidden or not, for its renter, the vehicle's host and admins.

    Raises:
        BookingNotFoundError: also for the bookings of others.
        ReviewNotFoundError: nobody has written one.
    """
    await service.get(session, booking_id=booking_id, principal=principal)
    found = (await session.execute(_signed().where(Review.booking_id == booking_id))).one_or_none()
    if found is None:
        raise ReviewNotFoundError(f"of booking {booking_id}")
    return Signed(*found)


async def write(
    session: AsyncSession,
    *,
    booking_id: int,
    principal: Principal,
    stars: int,
    title: str,
    body: str,
    now: datetime,
) -> Signed:
    """The renter's review of a completed booking, 1 to 5 `stars`; it stays as it is.

    Raises:
        BookingNotFoundError: also for the bookings of others.
        NotYourPartError: it is not the renter who asks, or the renter is the vehicle's host.
        BookingNotReviewableError: it is not completed.
        ReviewWindowOverError: the return day was more than 14 days ago on the vehicle's calendar.
        AlreadyReviewedError: it has a review; the transaction is still usable.
    """
    booking = await service.get(session, booking_id=booking_id, principal=principal)
    vehicle = await session.get_one(Vehicle, booking.vehicle_id)
    if booking.renter_id != principal.account_id or booking.renter_id == vehicle.host_id:
        raise NotYourPartError("the renter of somebody else's vehicle")
    if booking.status != BookingStatus.COMPLETED:
        raise BookingNotReviewableError(booking_id, booking.status)
    assert booking.during.upper is not None
    last = booking.during.upper + WINDOW
    if local_today(vehicle, now) > last:
        raise ReviewWindowOverError(booking_id, last)
    # A completed booking stays so: nothing to lock, the unique booking decides between two.
    stored = await session.scalar(
        insert(Review)
        .values(
            vehicle_id=vehicle.id,
            booking_id=booking_id,
            account_id=booking.renter_id,
            rating=stars * 100,
            title=title,
            body=body,
        )
        .on_conflict_do_nothing(index_elements=[Review.booking_id])
        .returning(Review)
    )
    if stored is None:
        raise AlreadyReviewedError(booking_id)
    return await _read(session, stored.id)


async def reply(
    session: AsyncSession, *, review_id: int, principal: Principal, body: str
) -> Signed:
    """What the vehicle's host has to say to a review, instead of what there was.

    Raises:
        ReviewNotFoundError: there is none, or it does not concern the principal.
        NotYourPartError: the principal is not the host.
    """
    _, host = await _author_and_host(session, review_id, principal)
    if host != principal.account_id:
        raise NotYourPartError("the vehicle's host")
    await _change(session, review_id, reply=body, replied_at=func.now())
    return await _read(session, review_id)


async def remove_reply(session: AsyncSession, *, review_id: int, principal: Principal) -> None:
    """Take the reply away, as the host or an admin; nothing happens where there is none.

    Raises:
        ReviewNotFoundError: there is none, or it does not concern the principal.
        NotYourPartError: the principal is its author.
    """
    _, host = await _author_and_host(session, review_id, principal)
    if host != principal.account_id and not principal.is_admin:
        raise NotYourPartError("the vehicle's host")
    await _change(session, review_id, reply=None, replied_at=None)


async def report(
    session: AsyncSession, *, review_id: int, principal: Principal, reason: str
) -> None:
    """Tell the admins that a review is wrong. An account does so once: the first reason stands.

    Raises:
        ReviewNotFoundError: there is none that the principal may see.
        NotYourPartError: the principal wrote it.
        UnknownRenterError: the account does not exist.
    """
    author, _ = await _author_and_host(session, review_id, principal, of_all=True)
    if author == principal.account_id:
        raise NotYourPartError("somebody who did not write the review")
    statement = insert(ReviewReport).values(
        review_id=review_id, account_id=principal.account_id, reason=reason
    )
    with _known_account():
        await session.execute(statement.on_conflict_do_nothing())


async def hide(
    session: AsyncSession, *, review_id: int, principal: Principal, reason: str
) -> Moderated:
    """Take a review out of every page, rating and count; its reports are decided.

    Raises:
        ReviewNotFoundError: there is none, or it does not concern the principal.
        NotYourPartError: the principal is no admin.
        UnknownRenterError: the account does not exist.
    """
    with _known_account():
        await _decide(
            session,
            review_id,
            principal,
            hidden_at=func.now(),
            hidden_by=principal.account_id,
            hidden_reason=reason,
        )
    return Moderated(await _read(session, review_id), [])


async def let_stand(session: AsyncSession, *, review_id: int, principal: Principal) -> None:
    """Show a review, hidden or not until now; its reports are decided.

    Raises:
        ReviewNotFoundError: there is none, or it does not concern the principal.
        NotYourPartError: the principal is no admin.
    """
    await _decide(session, review_id, principal, hidden_at=None, hidden_by=None, hidden_reason=None)


async def to_moderate(
    session: AsyncSession, *, pile: Pile, before: int | None, limit: int
) -> tuple[list[Moderated], bool]:
    """A page of all reviews, of those with open reports or of hidden ones, newest first.

    `before` is the id of the last review of the page before; None for the first page.

    Returns:
        The page, and whether there are more after it.
    """
    statement = _signed().order_by(Review.id.desc()).limit(limit + 1)
    if pile is Pile.REPORTED:
        statement = statement.where(exists().where(ReviewReport.review_id == Review.id, _OPEN))
    elif pile is Pile.HIDDEN:
        statement = statement.where(Review.hidden_at.is_not(None))
    if before is not None:
        statement = statement.where(Review.id < before)
    found = [Signed(*row) for row in await session.execute(statement)]
    reports = await _open_reports(session, [each.review.id for each in found[:limit]])
    page = [
        Moderated(each, [report for report in reports if report.review_id == each.review.id])
        for each in found[:limit]
    ]
    return page, len(found) > limit


async def _open_reports(session: AsyncSession, review_ids: Sequence[int]) -> list[ReviewReport]:
    oldest_first = ReviewReport.created_at, ReviewReport.account_id
    rank = func.row_number().over(partition_by=ReviewReport.review_id, order_by=oldest_first)
    ranked = (
        select(ReviewReport, rank.label("rank"))
        .where(ReviewReport.review_id.in_(review_ids), _OPEN)
        .subquery()
    )
    shown = aliased(ReviewReport, ranked)
    statement = select(shown).where(ranked.c.rank <= MOST_REPORTS).order_by(ranked.c.rank)
    return list(await session.scalars(statement))


def _signed() -> Select[Review, str]:  # None where no account is known
    return select(Review, Account.display_name).outerjoin(Account, Account.id == Review.account_id)


async def _read(session: AsyncSession, review_id: int) -> Signed:
    statement = _signed().where(Review.id == review_id)
    row = await session.execute(statement, execution_options={"populate_existing": True})
    return Signed(*row.one())


async def _author_and_host(
    session: AsyncSession, review_id: int, principal: Principal, *, of_all: bool = False
) -> tuple[int | None, int]:
    """Whom a review concerns besides admins; `of_all`: also of one that everybody can see.

    Raises:
        ReviewNotFoundError: there is none, or it is none of the principal's business.
    """
    statement = (
        select(Review.account_id, Vehicle.host_id).join(Vehicle).where(Review.id == review_id)
    )
    if not principal.is_admin:
        me = principal.account_id
        concerned = or_(Review.account_id == me, Vehicle.host_id == me)
        if of_all:
            public = and_(Review.hidden_at.is_(None), Vehicle.status == VehicleStatus.LISTED)
            concerned = or_(concerned, public)
        statement = statement.where(concerned)
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        raise ReviewNotFoundError(str(review_id))
    author, host = found
    return author, host


async def _change(session: AsyncSession, review_id: int, **values: object) -> None:
    await session.execute(update(Review).where(Review.id == review_id).values(values))


async def _decide(
    session: AsyncSession, review_id: int, principal: Principal, **values: object
) -> None:
    await _author_and_host(session, review_id, principal)
    if not principal.is_admin:
        raise NotYourPartError("an admin")
    await _change(session, review_id, **values)
    await session.execute(
        update(ReviewReport)
        .where(ReviewReport.review_id == review_id, _OPEN)
        .values(decided_at=func.now())
    )


@contextmanager
def _known_account() -> Iterator[None]:
    """What the account's foreign key says, in words of renting."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
            raise UnknownRenterError from error
        raise
