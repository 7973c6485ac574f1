"""Shapes of what hosts send and see of their own vehicles."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo

from api import media, spelling
from api.merge_patch import patch_of
from api.schemas.common import Body, IsoDate, Page, Shape
from api.schemas.vehicles import headline
from bookings.hosting import OwnVehicle, Terms
from listings import normalise, places
from models import BOUNDS, CalendarBlock, CancellationPolicy, VehicleStatus
from models.vehicles import CURRENCY

MICRODEGREE = Decimal("0.000001")
LONGEST_LINE, LONGEST_PROSE, MOST_FEATURES = 200, 20_000, 100


def _within(column: str) -> FieldInfo:
    """The bounds of the column, as PostgreSQL checks them."""
    low, high = BOUNDS[column]
    info: FieldInfo = Field(ge=low, le=high, strict=True)
    return info


def _degrees(column: str) -> FieldInfo:
    low, high = BOUNDS[column]
    info: FieldInfo = Field(ge=low, le=high, allow_inf_nan=False)
    return info


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_LINE)]
Line = Annotated[Text, AfterValidator(spelling.line)]
Name = Annotated[Text, AfterValidator(spelling.name)]


class PlaceIn(Body):
    """Where the vehicle is picked up."""

    lat: Annotated[float, _degrees("lat")] | None = Field(
        None, description="degrees north; with `lon` or not at all", examples=[19.7074]
    )
    lon: Annotated[float, _degrees("lon")] | None = Field(
        None, description="degrees east", examples=[-155.0885], validate_default=True
    )
    city: Name | None = Field(None, description="city", examples=["Hilo"])
    region: Name | None = Field(
        None, description="state, province or island group", examples=["Hawaii"]
    )
    country: Annotated[Text, AfterValidator(spelling.country)] | None = Field(
        None, description="country", examples=["United States"]
    )

    @field_validator("lon")
    @classmethod
    def _whole(cls, lon: float | None, info: ValidationInfo) -> float | None:
        if "lat" in info.data and (info.data["lat"] is None) != (lon is None):
            raise ValueError("lat and lon must be given together")
        return lon

    @model_validator(mode="after")
    def _spelled(self) -> Self:
        if self.region is not None:
            self.region = spelling.region(self.region, self.country)
        if self.city is not None:
            self.city = places.city(self.city, self.country)
        return self


class VehicleIn(Body):
    """A vehicle as its host describes it; null and left out is what the listing does not say."""

    make: Annotated[Text, AfterValidator(spelling.make)] = Field(
        description="manufacturer; known spellings become one: chevy is Chevrolet",
        examples=["Toyota"],
    )
    model: Name | None = Field(None, description="model", examples=["RAV4"])
    year: Annotated[int, _within("year")] | None = Field(
        None, description="model year", examples=[2021]
    )
    title: Line | None = Field(
        None, description="headline; by default year, make and model", examples=["Island RAV4"]
    )
    description: Annotated[str, Field(max_length=LONGEST_PROSE), AfterValidator(spelling.prose)] = (
        Field("", description="in your words", examples=["Clean and ready for the island."])
    )
    body: Annotated[Text, AfterValidator(spelling.body)] | None = Field(
        None, description="body style: Car where it is none of the others", examples=["SUV"]
    )
    fuel: Annotated[Text, AfterValidator(spelling.fuel)] | None = Field(
        None, description="what it runs on", examples=["Petrol"]
    )
    transmission: Annotated[Text, AfterValidator(spelling.transmission)] | None = Field(
        None, description="gearbox", examples=["Automatic"]
    )
    seats: Annotated[int, _within("seats")] | None = Field(
        None, description="seats, the driver's included", examples=[5]
    )
    doors: Annotated[int, _within("doors")] | None = Field(None, description="doors", examples=[5])
    mileage_km: Annotated[int, _within("mileage_km")] | None = Field(
        None, description="odometer, km", examples=[42000]
    )
    features: Annotated[
        list[Text], Field(max_length=MOST_FEATURES), AfterValidator(spelling.features)
    ] = Field([], description="what it has; a change replaces all", examples=[["Heated seats"]])
    daily_rate: Annotated[int, _within("daily_rate_cents")] = Field(
        description="cents a day, before fees", examples=[5000]
    )
    currency: Annotated[str, Field(pattern=CURRENCY)] = Field(
        description="ISO 4217, of every amount here", examples=["USD"]
    )
    weekly_discount_pct: Annotated[int, _within("weekly_discount_pct")] = Field(
        0, description="off the rate from 7 days", examples=[10]
    )
    monthly_discount_pct: Annotated[int, _within("monthly_discount_pct")] = Field(
        0, description="off the rate from 28 days", examples=[25]
    )
    cleaning_fee: Annotated[int, _within("cleaning_fee_cents")] = Field(
        0, description="cents, once per rental", examples=[2500]
    )
    min_days: Annotated[int, _within("min_days")] = Field(
        1, description="shortest rental", examples=[1]
    )
    max_days: Annotated[int, _within("max_days")] = Field(
        365, description="longest rental, not shorter than the shortest", examples=[30]
    )
    notice_days: Annotated[int, _within("notice_days")] = Field(
        0, description="days between booking and pick-up", examples=[1]
    )
    instant_book: Annotated[bool, Field(strict=True)] = Field(
        True, description="whether no one has to agree", examples=[True]
    )
    cancellation_policy: CancellationPolicy = Field(
        CancellationPolicy.MODERATE,
        description="what a renter gets back who cancels; bookings keep that of their day",
        examples=["flexible"],
    )
    location: PlaceIn = Field(default_factory=PlaceIn, description="where it stands")
    time_zone: Annotated[Text, AfterValidator(spelling.time_zone)] = Field(
        description="of its calendar, an IANA name", examples=["Pacific/Honolulu"]
    )

    @field_validator("model")
    @classmethod
    def _spelled(cls, model: str | None, info: ValidationInfo) -> str | None:
        if model is None or "make" not in info.data:
            return model
        return normalise.model(info.data["make"], model)

    @field_validator("max_days")
    @classmethod
    def _not_shorter(cls, longest: int, info: ValidationInfo) -> int:
        if info.data.get("min_days", 0) > longest:
            raise ValueError("must not be less than minDays")
        return longest

    def terms(self) -> Terms:
        """The same in columns."""
        same = {name: getattr(self, name) for name in _SAME}
        place = self.location
        return Terms(
            **same,
            daily_rate_cents=self.daily_rate,
            cleaning_fee_cents=self.cleaning_fee,
            features=frozenset(self.features),
            lat=_exact(place.lat),
            lon=_exact(place.lon),
            city=place.city,
            region=place.region,
            country=place.country,
        )


_SAME = VehicleIn.model_fields.keys() - {"daily_rate", "cleaning_fee", "features", "location"}


def said(terms: Terms) -> dict[str, Any]:
    """What a host said, as `VehicleIn` has it in JSON: what a merge patch is applied to."""
    location = {
        "lat": None if terms.lat is None else float(terms.lat),
        "lon": None if terms.lon is None else float(terms.lon),
        "city": terms.city,
        "region": terms.region,
        "country": terms.country,
    }
    other = {
        "daily_rate": terms.daily_rate_cents,
        "cleaning_fee": terms.cleaning_fee_cents,
        "features": sorted(terms.features),
        "location": location,
    }
    return {
        field.alias or name: other[name] if name in other else getattr(terms, name)
        for name, field in VehicleIn.model_fields.items()
    }


def _exact(degrees: float | None) -> Decimal | None:
    return None if degrees is None else Decimal(str(degrees)).quantize(MICRODEGREE)


if TYPE_CHECKING:
    VehiclePatch = Body  # what follows is made of fields that a type checker cannot see
else:
    VehiclePatch = patch_of(
        VehicleIn,
        "VehiclePatch",
        "What to change (a JSON merge patch): what is left out stays, null takes a value away.",
        location=patch_of(PlaceIn, "PlacePatch", "What to change of the place."),
    )


class OwnVehicleOut(Shape):
    """A line of a host's list."""

    id: int = Field(description="the vehicle", examples=[7])
    status: VehicleStatus = Field(description="only listed ones can be found and booked")
    title: str = Field(description="headline", examples=["2021 Toyota RAV4"])
    daily_rate: int = Field(description="cents a day, before fees", examples=[5000])
    currency: str = Field(description="ISO 4217", examples=["USD"])
    photo_url: str | None = Field(
        description="the cover; null without photos",
        examples=["https://cdn.example.com/photos/12/4f1d.webp"],
    )
    listed_at: datetime = Field(description="first listed", examples=["2026-03-01T09:00:00Z"])

    @classmethod
    def of(cls, own: OwnVehicle, media_url: str) -> Self:
        """The shape of a line."""
        vehicle = own.vehicle
        return cls(
            id=vehicle.id,
            status=VehicleStatus(vehicle.status),
            title=headline(vehicle),
            daily_rate=vehicle.daily_rate_cents,
            currency=vehicle.currency,
            photo_url=media.address(media_url, own.cover),
            listed_at=vehicle.listed_at,
        )


class OwnVehiclePage(Page):
    """A host's vehicles, newest first."""

    items: list[OwnVehicleOut] = Field(description="this page")


class BlockIn(Body):
    """Days to keep."""

    start: IsoDate = Field(description="first day", examples=["2027-06-01"])
    end: IsoDate = Field(
        description="the day after the last; at most 365 days after start", examples=["2027-06-04"]
    )
    note: Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(spelling.prose)] = Field(
        "", description="for yourself; nobody else sees it", examples=["Service"]
    )


class BlockOut(Shape):
    """Days that nobody can book."""

    id: int = Field(description="the block", examples=[5])
    start: date = Field(description="first day", examples=["2027-06-01"])
    end: date = Field(description="the day after the last", examples=["2027-06-04"])
    note: str = Field(description="the host's own; may be empty", examples=["Service"])

    @classmethod
    def of(cls, block: CalendarBlock) -> Self:
        """The shape of a block."""
        start, end = block.during.lower, block.during.upper
        assert start is not None
        assert end is not None
        return cls(id=block.id, start=start, end=end, note=block.note)


class BlockList(Shape):
    """All blocks that have not ended, in order; there are at most 100."""

    items: list[BlockOut] = Field(description="the blocks")
