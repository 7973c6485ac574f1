"""One display form for each make, model, body, fuel, gearbox and feature, whatever a source wrote.

Only what is plainly another spelling of the same thing is changed. Words that a source uses and
these tables do not know are kept (names) or dropped (codes), and reported either way.
"""

import re
import unicodedata
from functools import lru_cache

PETROL, DIESEL, HYBRID, ELECTRIC = "Petrol", "Diesel", "Hybrid", "Electric"
AUTOMATIC, MANUAL = "Automatic", "Manual"
CAR, SUV, MINIVAN, VAN, PICKUP = "Car", "SUV", "Minivan", "Van", "Pickup"
SEDAN, HATCHBACK, WAGON, COUPE, CONVERTIBLE = (
    "Sedan", "Hatchback", "Wagon", "Coupe", "Convertible"
)  # fmt: skip

# What a source that only says "car" may mean: a catalogue may tell which.
CAR_BODIES = (SEDAN, HATCHBACK, WAGON, COUPE, CONVERTIBLE)


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Letters and digits only, without case and accents: what spellings are compared by."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


MAKES = {
    fold(make): make
    for make in (
        "Acura", "Alfa Romeo", "Aston Martin", "Audi", "Bentley", "BMW", "Bugatti", "Buick", "BYD",
        "Cadillac", "Chevrolet", "Chrysler", "Citroën", "Cupra", "Dacia", "Daewoo", "Daihatsu",
        "Dodge", "DS", "Eagle", "Ferrari", "Fiat", "Fisker", "Ford", "Genesis", "Geo", "GMC",
        "Honda", "Hummer", "Hyundai", "Infiniti", "Isuzu", "Jaguar", "Jeep", "Kia", "Lamborghini",
        "Lancia", "Land Rover", "Lexus", "Lincoln", "Lotus", "Lucid", "Maserati", "Maybach",
        "Mazda", "McLaren", "Mercedes-Benz", "Mercury", "MG", "MINI", "Mitsubishi", "Morgan",
        "Nissan", "Oldsmobile", "Opel", "Peugeot", "PGO", "Plymouth", "Polaris", "Polestar",
        "Pontiac", "Porsche", "Ram", "Renault", "Rivian", "Rolls-Royce", "Saab", "Saturn", "Scion",
        "SEAT", "Škoda", "smart", "Subaru", "Suzuki", "Tesla", "Toyota", "Vauxhall", "Volkswagen",
        "Volvo", "Yamaha",
    )
} | {"mercedes": "Mercedes-Benz", "kiamotors": "Kia", "mclarenautomotive": "McLaren",
     "vw": "Volkswagen", "chevy": "Chevrolet"}  # fmt: skip

_MODELS = {
    "Audi": ("allroad", "e-tron"),
    "BMW": (*(f"{n} Series" for n in range(1, 9)), "i3", "i8"),
    "Ferrari": ("488 GTB",),
    "Ford": ("Mustang",),
    "Jaguar": ("E-PACE", "F-PACE", "F-TYPE"),
    "Lexus": ("UX",),
    "Mazda": ("Mazda2", "Mazda3", "Mazda5", "Mazda6"),
    "Mercedes-Benz": ("380SL",),
    "Nissan": ("Juke", "Leaf"),
    "Toyota": ("Camry",),
    "Volkswagen": ("e-Golf",),
}
_MODEL_SPELLINGS = {
    (make, fold(model)): model for make, models in _MODELS.items() for model in models
}
# A spreadsheet reads 9-3 as the third of September and writes it back its own way.
SPREADSHEET_MODELS = {("Saab", "3-sep"): "9-3", ("Saab", "5-sep"): "9-5"}
SPREADSHEET_DATE = re.compile(
    r"\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)", re.IGNORECASE
)

FUELS = {
    "gasoline": PETROL, "gas": PETROL, "petrol": PETROL, "diesel": DIESEL, "hybrid": HYBRID,
    "hybrid_petrol": HYBRID, "electric": ELECTRIC, "electro": ELECTRIC,
}  # fmt: skip
BODIES = {
    "car": CAR, "suv": SUV, "minivan": MINIVAN, "van": VAN, "truck": PICKUP, "estate": WAGON,
    "sedan": SEDAN, "hatchback": HATCHBACK, "coupe": COUPE, "convertible": CONVERTIBLE,
    # A size of car, not a shape: Car is as much as it says about the body.
    "subcompact": CAR,
}  # fmt: skip
FEATURES = {
    fold(feature): feature
    for feature in (
        "Air conditioning", "All-wheel drive", "Android Auto", "Apple CarPlay", "AUX input",
        "Backup camera", "Bike rack", "Blind spot warning", "Bluetooth", "Child seat",
        "Cruise control", "GPS", "Heated seats", "Keyless entry", "Long-term car", "Pet friendly",
        "Private parking", "Ski rack", "Snow tires or chains", "Sunroof", "Toll pass",
        "Unlock by app", "USB charger", "USB input", "Winter tires",
    )
}  # fmt: skip


def make(text: str) -> str:
    """The display form of a make; one that is not known stays as it is."""
    return MAKES.get(fold(text), text)


def model(of_make: str, text: str) -> str:
    """The display form of a model of `of_make`, itself in display form."""
    spelling = _MODEL_SPELLINGS.get((of_make, fold(text)), text)
    return SPREADSHEET_MODELS.get((of_make, text.casefold()), spelling)


def model_key(of_make: str, text: str) -> str:
    """What models of one make are matched by: Mazda's `3` and `Mazda3` are the same car."""
    key = fold(text)
    return key.removeprefix(fold(of_make)) or key
