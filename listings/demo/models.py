"""Car models as facts: what was built when, with which fuels and gearboxes, for how many people.

The daily rate is for a new car where prices are average, in whole dollars. Frequency is relative
within a market: u (Hawaii and other United States islands), c (Caribbean), e (Europe),
p (Asia, Pacific and Indian Ocean); a model is offered only in the markets that it names.
"""

from typing import NamedTuple

CLASSES = frozenset(
    {
        "economy", "compact", "midsize", "suv", "large suv", "off-road", "pickup", "minivan", "van",
        "convertible", "sports", "electric", "premium", "luxury", "classic",
    }
)  # fmt: skip


class Fuel(NamedTuple):
    """A fuel and the model years that offer it; `last` None where it is still built."""

    name: str
    first: int
    last: int | None


class Model(NamedTuple):
    """One model; `last` None where it is still built, `rate_cents` USD a day when new.

    The first transmission is the usual one, and the only one of its hybrids.
    """

    make: str
    name: str
    first: int
    last: int | None
    body: str
    fuels: tuple[Fuel, ...]
    transmissions: tuple[str, ...]
    seats: int
    doors: int
    kind: str
    rate_cents: int
    frequency: int
    markets: frozenset[str]


# make | model | years | body | fuels | gears | seats, doors | class | rate | frequency | markets
_TABLE = """
Toyota | Yaris | 1999- | Hatchback | Petrol, Hybrid from 2012 | AM | 5 5 | economy | 38 | 9 | cep
Toyota | Aygo | 2005-2021 | Hatchback | Petrol | MA | 4 5 | economy | 31 | 4 | e
Toyota | Aqua | 2011- | Hatchback | Hybrid | A | 5 5 | economy | 37 | 8 | cp
Toyota | Corolla | 1995- | Sedan | Petrol, Hybrid from 2019 | AM | 5 4 | compact | 45 | 10 | ucp
Toyota | Corolla Touring Sports | 2019- | Wagon | Hybrid | A | 5 5 | compact | 50 | 3 | e
Toyota | Camry | 1991- | Sedan | Petrol to 2024, Hybrid from 2006 | A | 5 4 | midsize | 55 | 8 | u
Toyota | Prius | 2003- | Hatchback | Hybrid | A | 5 5 | midsize | 52 | 6 | ucp
Toyota | C-HR | 2016- | SUV | Hybrid | A | 5 5 | suv | 55 | 4 | e
Toyota | Yaris Cross | 2020- | SUV | Hybrid | A | 5 5 | suv | 53 | 5 | ep
Toyota | RAV4 | 1994- | SUV | Petrol, Hybrid from 2015 | A | 5 5 | suv | 66 | 10 | ucep
Toyota | Highlander | 2000- | SUV | Petrol, Hybrid from 2005 | A | 7 5 | large suv | 88 | 5 | u
Toyota | 4Runner | 1996- | SUV | Petrol | A | 5 5 | off-road | 98 | 8 | u
Toyota | Land Cruiser Prado | 1996-2023 | SUV | Diesel, Petrol | AM | 7 5 | off-road | 98 | 4 | cp
Toyota | Tacoma | 1995- | Pickup | Petrol | AM | 5 4 | pickup | 84 | 10 | u
Toyota | Hilux | 1997- | Pickup | Diesel | MA | 5 4 | pickup | 74 | 5 | cp
Toyota | Sienna | 1997- | Minivan | Petrol to 2020, Hybrid from 2021 | A | 8 5 | minivan | 90 | 7 | u
Toyota | Noah | 2001- | Minivan | Petrol, Hybrid from 2014 | A | 8 5 | minivan | 68 | 5 | cp
Toyota | Avanza | 2003- | Minivan | Petrol | MA | 7 5 | minivan | 42 | 8 | p
Toyota | Innova | 2004- | Minivan | Diesel to 2022, Petrol | MA | 7 5 | minivan | 52 | 6 | p
Toyota | HiAce | 2004- | Van | Diesel, Petrol | MA | 10 5 | van | 88 | 4 | cp
Honda | Fit | 2001- | Hatchback | Petrol, Hybrid from 2010 | A | 5 5 | economy | 38 | 7 | cp
Honda | N-BOX | 2011- | Hatchback | Petrol | A | 4 5 | economy | 34 | 5 | p
Honda | Brio | 2011- | Hatchback | Petrol | MA | 5 5 | economy | 30 | 5 | p
Honda | Civic | 1991- | Sedan | Petrol, Hybrid from 2025 | AM | 5 4 | compact | 48 | 8 | uc
Honda | Accord | 1990- | Sedan | Petrol, Hybrid from 2013 | A | 5 4 | midsize | 56 | 5 | u
Honda | HR-V | 2014- | SUV | Petrol | A | 5 5 | suv | 58 | 5 | ucp
Honda | CR-V | 1995- | SUV | Petrol, Hybrid from 2020 | A | 5 5 | suv | 66 | 8 | ucp
Honda | Pilot | 2002- | SUV | Petrol | A | 8 5 | large suv | 88 | 4 | u
Honda | Ridgeline | 2005- | Pickup | Petrol | A | 5 4 | pickup | 82 | 2 | u
Honda | Odyssey | 1998- | Minivan | Petrol | A | 8 5 | minivan | 84 | 5 | u
Nissan | Micra | 2002-2023 | Hatchback | Petrol | MA | 5 5 | economy | 32 | 4 | ce
Nissan | Note | 2004- | Hatchback | Petrol to 2020, Hybrid from 2016 | A | 5 5 | economy | 37 | 6 | cp
Nissan | Versa | 2006- | Sedan | Petrol | AM | 5 4 | economy | 40 | 6 | uc
Nissan | Sentra | 1990- | Sedan | Petrol | A | 5 4 | compact | 44 | 6 | uc
Nissan | Altima | 1992-2025 | Sedan | Petrol | A | 5 4 | midsize | 54 | 6 | u
Nissan | Juke | 2010- | SUV | Petrol, Hybrid from 2022 | AM | 5 5 | suv | 47 | 4 | ce
Nissan | Kicks | 2016- | SUV | Petrol | A | 5 5 | suv | 52 | 4 | ucp
Nissan | Qashqai | 2006- | SUV | Petrol, Diesel to 2020, Hybrid from 2022 | MA | 5 5 | suv | 55 | 5 | e
Nissan | Rogue | 2007- | SUV | Petrol | A | 5 5 | suv | 62 | 7 | u
Nissan | X-Trail | 2000- | SUV | Petrol, Hybrid from 2015 | A | 7 5 | suv | 64 | 4 | cp
Nissan | Frontier | 1997- | Pickup | Petrol | AM | 5 4 | pickup | 74 | 4 | u
Nissan | Leaf | 2010- | Hatchback | Electric | A | 5 5 | electric | 50 | 4 | ucep
Suzuki | Swift | 2004- | Hatchback | Petrol, Hybrid from 2017 | MA | 5 5 | economy | 35 | 8 | cep
Suzuki | Ignis | 2016- | Hatchback | Petrol, Hybrid from 2016 | MA | 4 5 | economy | 33 | 4 | ep
Suzuki | Jimny | 1998- | SUV | Petrol | MA | 4 3 | off-road | 62 | 9 | cep
Suzuki | Vitara | 2015- | SUV | Petrol, Hybrid from 2020 | MA | 5 5 | suv | 52 | 7 | cep
Suzuki | Ertiga | 2012- | Minivan | Petrol, Hybrid from 2018 | MA | 7 5 | minivan | 44 | 5 | p
Daihatsu | Terios | 1997-2017 | SUV | Petrol | MA | 5 5 | suv | 48 | 4 | c
Mazda | Mazda2 | 2002- | Hatchback | Petrol | AM | 5 5 | economy | 36 | 3 | ep
Mazda | Mazda3 | 2003- | Hatchback | Petrol | AM | 5 5 | compact | 46 | 3 | ucp
Mazda | CX-5 | 2012- | SUV | Petrol | A | 5 5 | suv | 64 | 4 | ucep
Mazda | MX-5 | 1989- | Convertible | Petrol | MA | 2 2 | convertible | 84 | 4 | uep
Mitsubishi | Mirage | 2012- | Hatchback | Petrol | A | 5 5 | economy | 36 | 3 | ucp
Mitsubishi | Outlander | 2001- | SUV | Petrol, Hybrid from 2013 | A | 7 5 | suv | 63 | 4 | ucp
Mitsubishi | Pajero | 1991-2021 | SUV | Diesel, Petrol | AM | 7 5 | off-road | 84 | 2 | cp
Mitsubishi | Triton | 2005- | Pickup | Diesel | MA | 5 4 | pickup | 70 | 3 | p
Subaru | Crosstrek | 2012- | SUV | Petrol | A | 5 5 | suv | 62 | 5 | u
Subaru | Forester | 1997- | SUV | Petrol, Hybrid from 2025 | A | 5 5 | suv | 65 | 5 | up
Subaru | Outback | 1994- | Wagon | Petrol | A | 5 5 | midsize | 64 | 4 | u
Hyundai | i10 | 2007- | Hatchback | Petrol | MA | 5 5 | economy | 31 | 7 | cep
Hyundai | i20 | 2008- | Hatchback | Petrol | MA | 5 5 | economy | 35 | 5 | ep
Hyundai | Accent | 1994- | Sedan | Petrol | AM | 5 4 | economy | 39 | 4 | c
Hyundai | Elantra | 1990- | Sedan | Petrol, Hybrid from 2020 | A | 5 4 | compact | 46 | 6 | uc
Hyundai | Sonata | 1994- | Sedan | Petrol, Hybrid from 2011 | A | 5 4 | midsize | 54 | 4 | u
Hyundai | Kona | 2017- | SUV | Petrol, Electric from 2018 | A | 5 5 | suv | 55 | 4 | ue
Hyundai | Tucson | 2004- | SUV | Petrol, Hybrid from 2020 | A | 5 5 | suv | 63 | 6 | ucep
Hyundai | Santa Fe | 2000- | SUV | Petrol, Hybrid from 2020 | A | 7 5 | large suv | 78 | 4 | uc
Hyundai | H-1 | 1997-2021 | Van | Diesel | MA | 9 5 | van | 78 | 3 | cp
Hyundai | Ioniq 5 | 2021- | SUV | Electric | A | 5 5 | electric | 86 | 4 | ue
Kia | Picanto | 2004- | Hatchback | Petrol | MA | 5 5 | economy | 30 | 8 | cep
Kia | Rio | 2000-2023 | Sedan | Petrol | AM | 5 4 | economy | 39 | 5 | uc
Kia | Soul | 2008-2025 | Hatchback | Petrol | A | 5 5 | compact | 48 | 5 | u
Kia | Stonic | 2017- | SUV | Petrol | MA | 5 5 | suv | 46 | 4 | e
Kia | Sportage | 1993- | SUV | Petrol, Hybrid from 2021 | A | 5 5 | suv | 62 | 6 | ucep
Kia | Sorento | 2002- | SUV | Petrol, Hybrid from 2020 | A | 7 5 | large suv | 80 | 4 | uc
Kia | Telluride | 2019- | SUV | Petrol | A | 8 5 | large suv | 100 | 3 | u
Kia | Carnival | 2014- | Minivan | Petrol, Hybrid from 2024 | A | 8 5 | minivan | 86 | 4 | up
Kia | EV6 | 2021- | SUV | Electric | A | 5 5 | electric | 88 | 2 | ue
Ford | Fiesta | 2002-2023 | Hatchback | Petrol | MA | 5 5 | economy | 36 | 6 | e
Ford | Focus | 1998-2025 | Hatchback | Petrol, Diesel | MA | 5 5 | compact | 43 | 4 | e
Ford | Puma | 2019- | SUV | Petrol, Hybrid | MA | 5 5 | suv | 50 | 4 | e
Ford | Escape | 2000-2025 | SUV | Petrol, Hybrid from 2019 | A | 5 5 | suv | 60 | 5 | u
Ford | Explorer | 1990- | SUV | Petrol | A | 7 5 | large suv | 86 | 5 | u
Ford | Expedition | 1996- | SUV | Petrol | A | 8 5 | large suv | 125 | 3 | u
Ford | Bronco | 2021- | SUV | Petrol | AM | 5 4 | off-road | 118 | 6 | u
Ford | F-150 | 1996- | Pickup | Petrol, Hybrid from 2021 | A | 5 4 | pickup | 92 | 7 | u
Ford | Ranger | 2011- | Pickup | Diesel | MA | 5 4 | pickup | 76 | 3 | p
Ford | Mustang | 2004- | Convertible | Petrol | A | 4 2 | convertible | 98 | 10 | uc
Ford | Mustang | 2004- | Coupe | Petrol | AM | 4 2 | sports | 96 | 3 | u
Ford | Mustang Mach-E | 2020- | SUV | Electric | A | 5 5 | electric | 88 | 3 | u
Ford | Tourneo Custom | 2012- | Van | Diesel | MA | 9 5 | van | 84 | 3 | e
Ford | Transit | 2014- | Van | Petrol | A | 12 4 | van | 128 | 3 | u
Ford | Mustang | 1965-1973 | Convertible | Petrol | MA | 4 2 | classic | 165 | 1 | u
Jeep | Wrangler | 1996- | SUV | Petrol, Hybrid from 2021 | AM | 5 4 | off-road | 102 | 18 | uc
Jeep | Renegade | 2014- | SUV | Petrol | AM | 5 5 | suv | 57 | 4 | ue
Jeep | Compass | 2006- | SUV | Petrol | A | 5 5 | suv | 60 | 4 | ue
Jeep | Grand Cherokee | 1992- | SUV | Petrol, Hybrid from 2021 | A | 5 5 | large suv | 94 | 5 | uc
Jeep | Gladiator | 2019- | Pickup | Petrol | AM | 5 4 | pickup | 108 | 5 | u
Jeep | CJ-7 | 1976-1986 | SUV | Petrol | M | 4 2 | classic | 120 | 1 | uc
Chevrolet | Spark | 2010-2022 | Hatchback | Petrol | AM | 4 5 | economy | 36 | 4 | uc
Chevrolet | Malibu | 1997-2025 | Sedan | Petrol | A | 5 4 | midsize | 52 | 4 | u
Chevrolet | Equinox | 2004- | SUV | Petrol | A | 5 5 | suv | 60 | 4 | u
Chevrolet | Tahoe | 1995- | SUV | Petrol | A | 8 5 | large suv | 128 | 4 | uc
Chevrolet | Suburban | 1992- | SUV | Petrol | A | 8 5 | large suv | 138 | 3 | uc
Chevrolet | Silverado 1500 | 1998- | Pickup | Petrol | A | 5 4 | pickup | 90 | 4 | u
Chevrolet | Camaro | 2011-2024 | Convertible | Petrol | A | 4 2 | convertible | 98 | 5 | u
Chevrolet | Corvette | 2005- | Coupe | Petrol | AM | 2 2 | sports | 230 | 2 | u
Dodge | Grand Caravan | 1990-2020 | Minivan | Petrol | A | 7 5 | minivan | 72 | 5 | u
Dodge | Challenger | 2008-2023 | Coupe | Petrol | AM | 5 2 | sports | 98 | 3 | u
Chrysler | Pacifica | 2016- | Minivan | Petrol, Hybrid from 2017 | A | 7 5 | minivan | 86 | 4 | u
Ram | 1500 | 2010- | Pickup | Petrol | A | 5 4 | pickup | 92 | 3 | u
Tesla | Model 3 | 2017- | Sedan | Electric | A | 5 4 | electric | 86 | 8 | ue
Tesla | Model Y | 2020- | SUV | Electric | A | 5 5 | electric | 95 | 8 | ue
Tesla | Model S | 2012- | Sedan | Electric | A | 5 5 | luxury | 155 | 2 | u
Tesla | Model X | 2015- | SUV | Electric | A | 6 5 | luxury | 180 | 2 | u
Fiat | Panda | 2003- | Hatchback | Petrol, Hybrid from 2020 | M | 4 5 | economy | 31 | 9 | e
Fiat | 500 | 2007-2024 | Hatchback | Petrol, Hybrid from 2020 | MA | 4 3 | economy | 35 | 8 | e
Fiat | 500C | 2009-2024 | Convertible | Petrol, Hybrid from 2020 | MA | 4 2 | convertible | 48 | 6 | e
Fiat | 500e | 2020- | Hatchback | Electric | A | 4 3 | electric | 50 | 3 | e
Fiat | Nuova 500 | 1957-1975 | Coupe | Petrol | M | 4 2 | classic | 95 | 1 | e
Renault | Twingo | 2014-2024 | Hatchback | Petrol | MA | 4 5 | economy | 31 | 3 | e
Renault | Clio | 1998- | Hatchback | Petrol, Diesel to 2023, Hybrid from 2020 | AM | 5 5 | economy | 37 | 8 | e
Renault | Captur | 2013- | SUV | Petrol, Diesel to 2021, Hybrid from 2020 | AM | 5 5 | suv | 48 | 6 | e
Renault | Zoe | 2012-2024 | Hatchback | Electric | A | 5 5 | electric | 44 | 3 | e
Peugeot | 208 | 2012- | Hatchback | Petrol, Diesel to 2023 | MA | 5 5 | economy | 38 | 7 | e
Peugeot | 2008 | 2013- | SUV | Petrol, Diesel to 2023, Electric from 2019 | MA | 5 5 | suv | 50 | 5 | e
Peugeot | 5008 | 2009- | SUV | Petrol, Diesel | MA | 7 5 | large suv | 70 | 3 | e
Citroën | C3 | 2002- | Hatchback | Petrol, Diesel to 2023 | MA | 5 5 | economy | 35 | 7 | e
Citroën | Berlingo | 2008- | Minivan | Diesel, Petrol | MA | 5 5 | minivan | 50 | 4 | e
Citroën | Méhari | 1968-1987 | Convertible | Petrol | M | 4 2 | classic | 105 | 1 | e
Opel | Corsa | 2000- | Hatchback | Petrol, Diesel to 2023 | MA | 5 5 | economy | 36 | 7 | e
Opel | Astra | 1998- | Hatchback | Petrol, Diesel | MA | 5 5 | compact | 43 | 4 | e
SEAT | Ibiza | 2002- | Hatchback | Petrol, Diesel to 2018 | MA | 5 5 | economy | 36 | 8 | e
SEAT | León | 1999- | Hatchback | Petrol, Diesel | MA | 5 5 | compact | 44 | 4 | e
SEAT | Arona | 2017- | SUV | Petrol | MA | 5 5 | suv | 48 | 5 | e
Škoda | Fabia | 1999- | Hatchback | Petrol | MA | 5 5 | economy | 36 | 4 | e
Škoda | Octavia | 1998- | Wagon | Petrol, Diesel | MA | 5 5 | midsize | 52 | 3 | e
Dacia | Sandero | 2008- | Hatchback | Petrol | M | 5 5 | economy | 32 | 5 | e
Dacia | Duster | 2010- | SUV | Petrol, Diesel to 2024 | M | 5 5 | suv | 46 | 5 | e
Volkswagen | Polo | 2001- | Hatchback | Petrol, Diesel to 2020 | MA | 5 5 | economy | 38 | 8 | ep
Volkswagen | Golf | 1997- | Hatchback | Petrol, Diesel | MA | 5 5 | compact | 47 | 6 | e
Volkswagen | T-Roc Cabriolet | 2020-2025 | Convertible | Petrol | MA | 4 2 | convertible | 72 | 4 | e
Volkswagen | Tiguan | 2007- | SUV | Petrol, Diesel | A | 5 5 | suv | 62 | 4 | uce
Volkswagen | ID.4 | 2020- | SUV | Electric | A | 5 5 | electric | 76 | 3 | ue
Volkswagen | California | 2003- | Van | Diesel | AM | 4 5 | van | 135 | 3 | e
Volkswagen | Beetle | 1962-1979 | Coupe | Petrol | M | 4 2 | classic | 98 | 1 | ucep
Volkswagen | Type 2 | 1967-1979 | Van | Petrol | M | 7 4 | classic | 140 | 1 | ucep
MINI | Cooper Convertible | 2004- | Convertible | Petrol | MA | 4 2 | convertible | 80 | 5 | uce
MG | ZS | 2017- | SUV | Petrol | MA | 5 5 | suv | 45 | 4 | cep
BYD | Atto 3 | 2022- | SUV | Electric | A | 5 5 | electric | 62 | 3 | cep
BMW | 3 Series | 1998- | Sedan | Petrol, Diesel | A | 5 4 | premium | 84 | 3 | ucep
BMW | 4 Series | 2013- | Convertible | Petrol | A | 4 2 | premium | 112 | 3 | ue
BMW | X5 | 1999- | SUV | Petrol, Diesel | A | 5 5 | luxury | 135 | 2 | uce
Mercedes-Benz | A-Class | 2012- | Hatchback | Petrol, Diesel | A | 5 5 | premium | 64 | 3 | ep
Mercedes-Benz | C-Class | 1997- | Sedan | Petrol, Diesel | A | 5 4 | premium | 86 | 3 | ucep
Mercedes-Benz | S-Class | 2005- | Sedan | Petrol | A | 5 4 | luxury | 225 | 1 | uce
Mercedes-Benz | V-Class | 2014- | Van | Diesel | A | 8 5 | van | 120 | 3 | e
Audi | A3 | 2003- | Hatchback | Petrol, Diesel | AM | 5 5 | premium | 62 | 3 | e
Audi | Q5 | 2008- | SUV | Petrol, Diesel | A | 5 5 | premium | 98 | 2 | ucep
Lexus | RX | 1998- | SUV | Petrol, Hybrid from 2005 | A | 5 5 | luxury | 112 | 2 | up
Land Rover | Defender | 2020- | SUV | Petrol, Diesel | A | 5 5 | luxury | 165 | 2 | uce
Land Rover | Range Rover Sport | 2005- | SUV | Petrol, Diesel | A | 5 5 | luxury | 215 | 2 | uce
Porsche | 718 Boxster | 2016-2025 | Convertible | Petrol | AM | 2 2 | sports | 215 | 2 | ue
Porsche | 911 Cabriolet | 2005- | Convertible | Petrol | A | 4 2 | luxury | 335 | 1 | uce
Porsche | Macan | 2014- | SUV | Petrol | A | 5 5 | luxury | 150 | 2 | uce
Maserati | GranCabrio | 2010-2019 | Convertible | Petrol | A | 4 2 | luxury | 310 | 1 | uce
"""  # noqa: E501 - a row a line


def _fuel(words: str, first: int, last: int | None) -> Fuel:
    match words.split():
        case [name, "from", year]:
            return Fuel(name, int(year), last)
        case [name, "to", year]:
            return Fuel(name, first, int(year))
        case [name]:
            return Fuel(name, first, last)
    raise ValueError(f"a fuel is 'Name', 'Name from YEAR' or 'Name to YEAR', not {words!r}")


def _model(row: str) -> Model:
    cells = [cell.strip() for cell in row.split("|")]
    make, name, years, body, fuels, gears, size, kind, rate, frequency, markets = cells
    first, last = (int(year) if year else None for year in years.split("-"))
    if first is None:
        raise ValueError(f"the first year is missing: {row}")
    seats, doors = map(int, size.split())
    return Model(
        make=make,
        name=name,
        first=first,
        last=last,
        body=body,
        fuels=tuple(_fuel(words, first, last) for words in fuels.split(",")),
        transmissions=tuple({"A": "Automatic", "M": "Manual"}[gear] for gear in gears),
        seats=seats,
        doors=doors,
        kind=kind,
        rate_cents=int(rate) * 100,
        frequency=int(frequency),
        markets=frozenset(markets),
    )


MODELS = tuple(_model(row) for row in _TABLE.strip().splitlines())
