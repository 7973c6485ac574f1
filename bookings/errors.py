"""What can go wrong with renting, in the words of renting: a stable code, a title, a sentence."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar
from uuid import UUID


class BookingError(Exception):
    """`code` and `title` are the same for every occurrence; the message is about this one."""

    code: ClassVar[str]
    title: ClassVar[str]


class VehicleNotFoundError(BookingError):
    """There is no listed vehicle with this id."""

    code = "vehicle-not-found"
    title = "No such vehicle"

    def __init__(self, vehicle_id: int) -> None:
        super().__init__(f"There is no listed vehicle {vehicle_id}.")


class VehicleUnavailableError(BookingError):
    """Somebody else has at least one of the days."""

    code = "vehicle-unavailable"
    title = "The vehicle is taken on these days"

    def __init__(self, vehicle_id: int) -> None:
        super().__init__(
            f"Vehicle {vehicle_id} is taken on at least one of these days: "
            "choose other days, or another vehicle."
        )


class InvalidDatesError(BookingError):
    """The dates break a rule of the marketplace or of the vehicle.

    Attributes:
        fields: pairs of `start` or `end`, and what is wrong with it.
    """

    code = "invalid-dates"
    title = "These dates cannot be booked"

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name} {message}" for name, message in fields) + ".")
        self.fields = fields


class OwnVehicleError(BookingError):
    """A host tried to book the host's own vehicle."""

    code = "own-vehicle"
    title = "A host cannot book the host's own vehicle"

    def __init__(self, vehicle_id: int) -> None:
        super().__init__(f"Vehicle {vehicle_id} is yours: unlist it to keep days free.")


class UnknownRenterError(BookingError):
    """The renter's account is gone."""

    code = "unknown-renter"
    title = "No such account"

    def __init__(self) -> None:
        super().__init__("Your account does not exist any more: sign in again.")


class BookingNotFoundError(BookingError):
    """There is no such booking, or it is none of the asker's business."""

    code = "booking-not-found"
    title = "No such booking"

    def __init__(self, booking_id: int) -> None:
        super().__init__(f"You have no booking {booking_id}.")


class BookingNotCancellableError(BookingError):
    """Only what has not begun can be cancelled."""

    code = "booking-not-cancellable"
    title = "The booking cannot be cancelled any more"

    def __init__(self, booking_id: int, status: str) -> None:
        super().__init__(
            f"Booking {booking_id} is {status}: only held and confirmed ones can be cancelled."
        )


class VehicleArchivedError(BookingError):
    """An archived vehicle stays as it is."""

    code = "vehicle-archived"
    title = "The vehicle is archived"

    def __init__(self, vehicle_id: int) -> None:
        super().__init__(
            f"Vehicle {vehicle_id} is archived and stays as it is: create a new one instead."
        )


class VehicleHasBookingsError(BookingError):
    """Somebody is going to rent it."""

    code = "vehicle-has-bookings"
    title = "The vehicle has bookings that have not ended"

    def __init__(self, vehicle_id: int) -> None:
        super().__init__(
            f"Vehicle {vehicle_id} has bookings that have not ended: unlist it, so that there are "
            "no new ones, and archive it after the last, or cancel them first."
        )


class DaysNotFreeError(BookingError):
    """A host's block would cover days that are booked or blocked already."""

    code = "days-not-free"
    title = "These days are not free"

    def __init__(self, vehicle_id: int, taken: str) -> None:
        super().__init__(
            f"At least one of these days of vehicle {vehicle_id} is {taken} already: "
            "see its availability and block the days around it."
        )


class TooManyError(BookingError):
    """A vehicle has as many of something as it may have."""

    code = "too-many"
    title = "The vehicle has no room for more"

    def __init__(self, vehicle_id: int, most: int, what: str) -> None:
        super().__init__(f"Vehicle {vehicle_id} has {most} {what}, the most there may be.")


class BlockNotFoundError(BookingError):
    """The vehicle has no such block."""

    code = "block-not-found"
    title = "No such block"

    def __init__(self, block_id: int) -> None:
        super().__init__(f"There is no block {block_id} of this vehicle.")


class PhotoNotFoundError(BookingError):
    """The vehicle has no such photo."""

    code = "photo-not-found"
    title = "No such photo"

    def __init__(self, photo_id: int) -> None:
        super().__init__(f"There is no photo {photo_id} of this vehicle.")


class PhotoOrderError(BookingError):
    """The order does not name each photo once."""

    code = "photos-changed"
    title = "These are not the vehicle's photos"

    def __init__(self, vehicle_id: int) -> None:
        super().__init__(
            f"The order must name each photo of vehicle {vehicle_id} that is ready once: "
            "read the photos again, then send their ids in the new order."
        )


class BookingStateError(BookingError):
    """The booking is not in a state from which this can be done; the subclass says what."""

    wanted: ClassVar[str]

    def __init__(self, booking_id: int, state: str) -> None:
        super().__init__(f"Booking {booking_id} is {state}: {self.wanted}.")


class BookingNotPayableError(BookingStateError):
    """It ended before it was paid."""

    code = "booking-not-payable"
    title = "The booking cannot be paid any more"
    wanted = "only held ones can be paid; book the days again"


class HoldExpiredError(BookingStateError):
    """The 15 minutes are over."""

    code = "hold-expired"
    title = "The days are not held any more"
    wanted = "book the days again, if they are still free"


class BookingNotAwaitingHostError(BookingStateError):
    """There is nothing for the host to decide."""

    code = "booking-not-awaiting-host"
    title = "The booking does not wait for its host"
    wanted = "a host decides about paid bookings of vehicles without instant booking"


class BookingNotReschedulableError(BookingStateError):
    """It cannot move, or not any more."""

    code = "booking-not-reschedulable"
    title = "The booking cannot be moved"
    wanted = (
        "unpaid holds can be moved, and confirmed ones for as long as cancelling would give "
        "everything back"
    )


class CostsMoreError(BookingError):
    """The new days of a paid booking would cost more than was paid."""

    code = "reschedule-costs-more"
    title = "The new days cost more than was paid"

    def __init__(self, more_cents: int, currency: str) -> None:
        super().__init__(
            f"These days cost {more_cents} cents of {currency} more than was paid: cancel, which "
            "gives everything back, and book them."
        )


class PriceChangedError(BookingError):
    """The renter agreed to another price than the days cost now."""

    code = "price-changed"
    title = "The price has changed"

    def __init__(self, total_cents: int, currency: str) -> None:
        super().__init__(
            f"These days cost {total_cents} cents of {currency} now: ask for a new quote, and show "
            "it to the renter."
        )


class InvalidQuoteError(BookingError):
    """The quote is not one of ours, is of something else, or is older than 15 minutes."""

    code = "invalid-quote"
    title = "The quote does not hold"
    fields = (("quote", "is not a valid quote for this vehicle and these days"),)

    def __init__(self, reason: str) -> None:
        super().__init__(f"The quote {reason}: ask for a new one.")


class BookingNotReviewableError(BookingStateError):
    """The rental is not over, or never was one."""

    code = "booking-not-reviewable"
    title = "The booking cannot be reviewed"
    wanted = "only completed ones can be reviewed"


class ReviewWindowOverError(BookingError):
    """The rental ended too long ago."""

    code = "review-window-over"
    title = "It is too late for a review"

    def __init__(self, booking_id: int, last: date) -> None:
        super().__init__(f"Booking {booking_id} could be reviewed until {last}.")


class AlreadyReviewedError(BookingError):
    """A booking has one review, and that stays as it is."""

    code = "already-reviewed"
    title = "The booking has a review"

    def __init__(self, booking_id: int) -> None:
        super().__init__(f"Booking {booking_id} has been reviewed, and a review stays as it is.")


class ReviewNotFoundError(BookingError):
    """There is no such review, or none that the asker may see."""

    code = "review-not-found"
    title = "No such review"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no review {what}.")


class NotYourPartError(BookingError):
    """The renter tried to decide for the host, or the other way round."""

    code = "not-your-part"
    title = "This is for the other side to do"

    def __init__(self, whose: str) -> None:
        super().__init__(f"Only {whose} can do this.")


class PaymentDeclinedError(BookingError):
    """The provider refused the payment; nothing was taken."""

    code = "payment-declined"
    title = "The payment was declined"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The payment was declined ({reason}): pay with another card.")
        self.reason = reason


class PaymentsUnavailableError(BookingError):
    """The provider did not answer, or none is configured; asking again is safe."""

    code = "payments-unavailable"
    title = "Payments do not answer"


class ChatEndedError(BookingError):
    """The booking is long over; its chat can still be read."""

    code = "chat-ended"
    title = "Nothing more can be written"

    def __init__(self, booking_id: int, days: int) -> None:
        super().__init__(f"Booking {booking_id} ended more than {days} days ago.")


class ClientIdUsedError(BookingError):
    """The sender gave two messages the same id."""

    code = "client-id-used"
    title = "The id belongs to another message"

    def __init__(self, client_id: UUID) -> None:
        super().__init__(f"You sent another text as {client_id}: make a new id for each message.")


class TooManyMessagesError(BookingError):
    """They write faster than a person reads."""

    code = "too-many-messages"
    title = "Too many messages"

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(f"{most} messages a minute are the most: go on in {seconds} seconds.")
        self.seconds = seconds
