"""Shapes of reviews: what everybody reads, what those see whom they concern, what admins see."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from api import spelling
from api.schemas.common import Body, Page, Shape
from api.schemas.hosting import Line
from bookings.reviews import Moderated, Signed
from models import ReviewReport

LONGEST_REVIEW, LONGEST_REPLY, LONGEST_REASON = 5_000, 2_000, 500


def _said(text: str) -> str:
    clean = spelling.prose(text)
    if not clean:
        raise ValueError("must not be blank")
    return clean


Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), AfterValidator(_said)]


class ReviewIn(Body):
    """What the renter says."""

    rating: Annotated[int, Field(strict=True, ge=1, le=5)] = Field(
        description="whole stars", examples=[5]
    )
    title: Line | None = Field(None, description="headline", examples=["Spotless"])
    body: Annotated[str, Field(max_length=LONGEST_REVIEW), AfterValidator(spelling.prose)] = Field(
        "", description="what to know about the car", examples=["Started every morning."]
    )


class ReviewReplyIn(Body):
    """What the host says to it."""

    body: Annotated[str, Field(min_length=1, max_length=LONGEST_REPLY), AfterValidator(_said)] = (
        Field(description="for everybody to read", examples=["Thank you, come back!"])
    )


class ReviewReportIn(Body):
    """What is wrong with it."""

    reason: Reason = Field(description="for the admins", examples=["Names my daughter."])


class ReviewHiddenIn(Body):
    """Why nobody shall read it."""

    reason: Reason = Field(
        description="shown to its author and the host", examples=["Names a private person."]
    )


class ReviewReplyOut(Shape):
    """What the host said to it."""

    body: str = Field(description="text", examples=["Thank you, come back!"])
    replied_at: datetime = Field(
        description="when, or when it was last changed", examples=["2026-05-10T08:00:00Z"]
    )


class ReviewOut(Shape):
    """What somebody said about the vehicle."""

    id: int = Field(description="the review", examples=[12])
    rating: float = Field(description="1 to 5", examples=[5.0])
    title: str = Field(description="headline, may be empty", examples=["Spotless"])
    body: str = Field(description="text, may be empty", examples=["Started every morning."])
    author: str | None = Field(
        description="who wrote it, as they want to be called; null where its source did not say",
        examples=["Alex R."],
    )
    reply: ReviewReplyOut | None = Field(description="the host's; null without")
    created_at: datetime = Field(description="when", examples=["2026-05-09T18:30:00Z"])

    @classmethod
    def of(cls, signed: Signed) -> Self:
        """The shape of a review."""
        return cls(**_fields(signed))


class ReviewHiddenOut(Shape):
    """That nobody else can read it, and why."""

    reason: str = Field(description="the admin's words", examples=["Names a private person."])
    hidden_at: datetime = Field(description="since when", examples=["2026-05-11T09:00:00Z"])


class OwnReviewOut(ReviewOut):
    """A review as its author and the vehicle's host see it."""

    vehicle_id: int = Field(description="the vehicle", examples=[7])
    booking_id: int | None = Field(
        description="the booking; null where it was not made here", examples=[42]
    )
    hidden: ReviewHiddenOut | None = Field(description="null while everybody can read it")

    @classmethod
    def of(cls, signed: Signed) -> Self:
        """The shape of a review."""
        return cls(**_own_fields(signed))


class ReviewReportOut(Shape):
    """A report that nobody has decided about."""

    account_id: int = Field(description="who reports", examples=[3])
    reason: str = Field(description="in their words", examples=["Names my daughter."])
    created_at: datetime = Field(description="when", examples=["2026-05-10T08:00:00Z"])

    @classmethod
    def of(cls, report: ReviewReport) -> Self:
        """The shape of a report."""
        return cls(account_id=report.account_id, reason=report.reason, created_at=report.created_at)


class ModeratedReviewOut(OwnReviewOut):
    """A review as an admin sees it."""

    reports: list[ReviewReportOut] = Field(description="those not decided about, the oldest 20")

    @classmethod
    def about(cls, moderated: Moderated) -> Self:
        """The shape of a review with its reports."""
        reports = [ReviewReportOut.of(each) for each in moderated.reports]
        return cls(**_own_fields(moderated.signed), reports=reports)


class ReviewPage(Page):
    """Reviews, newest first."""

    items: list[ReviewOut] = Field(description="this page")


class ModeratedReviewPage(Page):
    """Reviews to go through, newest first."""

    items: list[ModeratedReviewOut] = Field(description="this page")


def _fields(signed: Signed) -> dict[str, Any]:
    review, reply = signed.review, None
    if review.reply is not None and review.replied_at is not None:
        reply = ReviewReplyOut(body=review.reply, replied_at=review.replied_at)
    return {
        "id": review.id,
        "rating": review.rating / 100,
        "title": review.title,
        "body": review.body,
        "author": signed.author,
        "reply": reply,
        "created_at": review.created_at,
    }


def _own_fields(signed: Signed) -> dict[str, Any]:
    review, hidden = signed.review, None
    if review.hidden_reason is not None and review.hidden_at is not None:
        hidden = ReviewHiddenOut(reason=review.hidden_reason, hidden_at=review.hidden_at)
    own = {"vehicle_id": review.vehicle_id, "booking_id": review.booking_id, "hidden": hidden}
    return _fields(signed) | own
