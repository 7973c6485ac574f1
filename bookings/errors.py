"""What can go wrong with renting, in the words of renting: a stable code, a title, a sentence."""

from collections.abc import Sequence
from typing import ClassVar


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
