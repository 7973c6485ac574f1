"""The facts that the demo is drawn from: models, places, features and phrases."""

from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from listings.demo import fleet, words
from listings.demo.features import FEATURES
from listings.demo.models import CLASSES, MODELS, Model
from listings.demo.places import ISLANDS
from listings.normalise import AUTOMATIC, BODIES, FUELS, MAKES, MANUAL

THIS_YEAR = 2026
REGIONS = {island.region for island in ISLANDS}
PLACEHOLDERS = {"car", "model", "city", "island", "sight"}


def described(model: Model) -> str:
    return f"{model.make} {model.name} {model.body}"


def test_there_are_enough_models_and_none_twice() -> None:
    assert len({(model.make, model.name) for model in MODELS}) >= 110
    assert len({(described(model), model.first) for model in MODELS}) == len(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=described)
def test_a_model_is_possible(model: Model) -> None:
    last = model.last or THIS_YEAR
    assert 1950 <= model.first <= last <= THIS_YEAR
    assert model.make in MAKES.values()
    assert model.body in BODIES.values()
    assert model.kind in CLASSES
    assert set(model.transmissions) <= {AUTOMATIC, MANUAL}
    assert 2 <= model.seats <= 12
    assert 2 <= model.doors <= 5
    assert 2_500 <= model.rate_cents <= 40_000
    assert model.markets
    assert model.markets <= {"u", "c", "e", "p"}
    for year in range(model.first, last + 1):
        fuels = [fuel.name for fuel in model.fuels if fuel.first <= year <= (fuel.last or year)]
        assert fuels, f"no fuel in {year}"
        assert set(fuels) <= set(FUELS.values())


def test_body_and_doors_agree() -> None:
    for model in MODELS:
        if model.body in {"Convertible", "Coupe"}:
            assert model.doors == 2, described(model)
        if model.body in {"Hatchback", "Wagon", "Minivan"}:
            assert model.doors >= 3, described(model)
        if model.body == "Minivan":
            assert model.seats >= 5, described(model)


def test_hybrids_and_electric_cars_have_their_usual_transmission() -> None:
    offer = fleet.offer("e", THIS_YEAR)
    for variant in offer.variants:
        if variant.fuel == "Electric":
            assert variant.transmission == AUTOMATIC, variant.model
        if variant.fuel == "Hybrid":
            assert variant.transmission == variant.model.transmissions[0], variant.model


@pytest.mark.parametrize("market", ["u", "c", "e", "p"])
def test_every_market_has_every_kind_of_shape(market: str) -> None:
    bodies = {variant.model.body for variant in fleet.offer(market, THIS_YEAR).variants}
    assert bodies >= {"SUV", "Hatchback", "Sedan", "Convertible", "Van"}


def test_there_are_more_than_a_dozen_island_regions() -> None:
    assert len(REGIONS) >= 12
    assert {"Hawaii", "Bahamas", "Canary Islands"} <= {region.name for region in REGIONS}


def test_places_are_possible() -> None:
    for region in REGIONS:
        assert ZoneInfo(region.time_zone)
        assert 0.5 <= region.price <= 1.5
    for island in ISLANDS:
        assert len(island.sights) >= 3
        for town in island.towns:
            assert 0 < town.radius_km <= 5
            # One island is not far across: a slip in a coordinate shows as a town in the ocean.
            assert abs(town.lat - island.towns[0].lat) < 2, town
            assert abs(town.lon - island.towns[0].lon) < 3, town


def test_cars_stand_near_the_town_on_its_landward_side() -> None:
    hilo = next(town for island in ISLANDS for town in island.towns if town.name == "Hilo")
    assert hilo.around(0, 0) == (hilo.lat, hilo.lon)
    # Hilo's bay lies to the north-east: half of the way round and at the edge is south-west.
    lat, lon = hilo.around(1, 0.5)
    assert hilo.lat - 0.03 < lat < hilo.lat
    assert hilo.lon - 0.03 < lon < hilo.lon


def test_features_name_known_classes() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES) >= 20
    for feature in FEATURES:
        assert set(feature.by_class) <= CLASSES, feature.name
        assert feature.name[0].isupper()


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_every_class_has_phrases_whose_placeholders_are_known(kind: str) -> None:
    texts = [*words.phrases(words.TITLES, kind), *words.phrases(words.CAR_SENTENCES, kind)]
    texts += [*words.SIGHT_SENTENCES, *words.HANDOVER_SENTENCES]
    for kinds in words.REVIEWS.values():
        texts += [text for phrases in kinds for text in phrases]
    assert {name for text in texts for _, name, _, _ in Formatter().parse(text) if name} <= (
        PLACEHOLDERS
    )


def test_a_class_without_phrases_is_an_error() -> None:
    with pytest.raises(KeyError, match="hovercraft"):
        words.phrases(words.TITLES, "hovercraft")
