"""A vocabulary for tests of the pure grammar."""

from search.understand.vocabulary import Vocabulary, build, place

US = "United States"


def vocabulary() -> Vocabulary:
    """Cars and places in which names collide as they do in the field."""
    return build(
        makes={
            "BMW": ["3 Series", "X5"],
            "Citroën": ["C3"],
            "Fiat": ["500", "500C", "Nuova 500"],
            "Ford": ["F-150", "Mustang", "Mustang Mach-E", "Ranger"],
            "GMC": ["Sierra"],
            "Honda": ["Civic", "Fit"],
            "Hyundai": ["Kona", "Santa Fe"],
            "Jeep": ["Compass", "Wrangler"],
            "Mazda": ["CX-5", "MX-5", "Mazda3"],
            "Mercedes-Benz": ["A-Class"],
            "Nissan": ["March"],
            "SEAT": ["Ibiza"],
            "Tesla": ["Model 3", "Model S"],
            "Toyota": ["Corolla", "RAV4"],
            "Volkswagen": ["Golf", "Type 2"],
        },
        plain={
            "body": ["Convertible", "Minivan", "Pickup", "SUV"],
            "fuel": ["Electric", "Hybrid", "Petrol"],
            "transmission": ["Automatic", "Manual"],
            "features": [
                "Air conditioning",
                "Android Auto",
                "Backup camera",
                "Charging cable",
                "Child seat",
                "Heated seats",
                "Leather seats",
                "Sunroof",
            ],
        },
        places=[
            place("city", "Hilo", ["Hawaii", US], (19.7, -155.1)),
            place("city", "Kailua", ["Hawaii", US]),
            place("city", "Kailua-Kona", ["Hawaii", US], (19.6, -156.0)),
            place("city", "Ibiza Town", ["Balearic Islands", "Spain"], (38.9, 1.4)),
            place("city", "Palma", ["Balearic Islands", "Spain"], (39.6, 2.7)),
            place("city", "New York", ["New York", US], (40.7, -74.0)),
            place("city", "Portland", ["Oregon", "Maine", US]),
            place("city", "Santa Fe", ["New Mexico", US], (35.7, -105.9)),
            place("city", "Washington", ["District of Columbia", US], (38.9, -77.0)),
            place("city", "Mahébourg", ["Mauritius"], (-20.4, 57.7)),
            place("region", "Balearic Islands", ["Spain"]),
            place("region", "Hawaii", [US]),
            place("region", "New York", [US]),
            place("region", "Oregon", [US]),
            place("region", "Washington", [US]),
            place("region", "Mauritius", ["Mauritius"]),
            place("country", "Mauritius"),
            place("country", "Spain"),
            place("country", US),
        ],
    )
