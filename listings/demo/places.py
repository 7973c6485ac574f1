"""Island regions and their towns: real coordinates, how dear they are and when their season is."""

import math
from typing import NamedTuple

CURRENCY = "USD"  # one currency per market, and the demo is one market
_KM_PER_DEGREE = 111.2


class Region(NamedTuple):
    """A group of islands that people name together.

    `market` says which models are sold there (`models.Model.markets`), `price` is a factor on
    their rates, `season` holds the months (1-12) in which hosts ask more.
    """

    name: str
    country: str
    time_zone: str
    market: str
    price: float
    season: frozenset[int]


class Town(NamedTuple):
    """A town centre in degrees; cars stand within `radius_km` of it.

    Towns lie by the sea: cars stand on the side of `inland`, a compass bearing in degrees, give or
    take 75; all around where it is None.
    """

    name: str
    lat: float
    lon: float
    radius_km: float
    inland: float | None

    def around(self, distance: float, angle: float) -> tuple[float, float]:
        """The point at two uniform draws from [0, 1), latitude and longitude in degrees."""
        turn = 360 * angle if self.inland is None else self.inland - 75 + 150 * angle
        degrees = self.radius_km * math.sqrt(distance) / _KM_PER_DEGREE
        bearing = math.radians(turn)
        lat = self.lat + degrees * math.cos(bearing)
        lon = self.lon + degrees * math.sin(bearing) / math.cos(math.radians(self.lat))
        return round(lat, 6), round(lon, 6)


class Island(NamedTuple):
    """One island: what its hosts tell visitors to see, and its towns."""

    region: Region
    name: str
    share: int
    sights: tuple[str, ...]
    towns: tuple[Town, ...]


_WINTER = frozenset({12, 1, 2, 3, 4})
_SUMMER = frozenset({6, 7, 8, 9})
_US = "United States"

HAWAII = Region(
    "Hawaii", _US, "Pacific/Honolulu", "u", 1.15, frozenset({12, 1, 2, 3, 6, 7, 8})
)  # fmt: skip
PUERTO_RICO = Region("Puerto Rico", _US, "America/Puerto_Rico", "u", 0.95, _WINTER)
VIRGIN_ISLANDS = Region("US Virgin Islands", _US, "America/St_Thomas", "u", 1.2, _WINTER)
BAHAMAS = Region("Bahamas", "Bahamas", "America/Nassau", "c", 1.3, _WINTER)
JAMAICA = Region("Jamaica", "Jamaica", "America/Jamaica", "c", 1.05, _WINTER)
BARBADOS = Region("Barbados", "Barbados", "America/Barbados", "c", 1.2, _WINTER)
ARUBA = Region("Aruba", "Aruba", "America/Aruba", "c", 1.15, _WINTER)
CURACAO = Region("Curaçao", "Curaçao", "America/Curacao", "c", 1.05, _WINTER)
CAYMAN = Region("Cayman Islands", "Cayman Islands", "America/Cayman", "c", 1.4, _WINTER)
CANARIES = Region("Canary Islands", "Spain", "Atlantic/Canary", "e", 0.8, _WINTER)
BALEARICS = Region("Balearic Islands", "Spain", "Europe/Madrid", "e", 1.05, _SUMMER)
MADEIRA = Region("Madeira", "Portugal", "Atlantic/Madeira", "e", 0.85, _SUMMER)
AZORES = Region("Azores", "Portugal", "Atlantic/Azores", "e", 0.95, _SUMMER)
SICILY = Region("Sicily", "Italy", "Europe/Rome", "e", 0.85, _SUMMER)
SARDINIA = Region("Sardinia", "Italy", "Europe/Rome", "e", 0.95, _SUMMER)
CRETE = Region("Crete", "Greece", "Europe/Athens", "e", 0.9, _SUMMER)
CYPRUS = Region("Cyprus", "Cyprus", "Asia/Nicosia", "e", 0.8, _SUMMER)
MALTA = Region("Malta", "Malta", "Europe/Malta", "e", 0.8, _SUMMER)
MAURITIUS = Region(
    "Mauritius", "Mauritius", "Indian/Mauritius", "p", 0.85, frozenset({10, 11, 12, 1})
)  # fmt: skip
BALI = Region("Bali", "Indonesia", "Asia/Makassar", "p", 0.7, frozenset({7, 8, 12}))
OKINAWA = Region("Okinawa", "Japan", "Asia/Tokyo", "p", 0.95, frozenset({3, 4, 7, 8}))
FIJI = Region("Fiji", "Fiji", "Pacific/Fiji", "p", 1.05, _SUMMER)

ISLANDS = (
    Island(
        HAWAII, "Oahu", 12,
        ("Diamond Head", "Hanauma Bay", "the North Shore", "Pearl Harbor", "Lanikai Beach"),
        (
            Town("Honolulu", 21.3069, -157.8583, 3.0, 45),
            Town("Waikiki", 21.2850, -157.8300, 1.2, 10),
            Town("Kailua", 21.3950, -157.7440, 1.5, 225),
            Town("Haleiwa", 21.5880, -158.1000, 1.5, 135),
            Town("Kapolei", 21.3360, -158.0580, 2.5, 20),
        ),
    ),
    Island(
        HAWAII, "Maui", 8,
        ("the Road to Hana", "Haleakalā", "Wailea Beach", "Iao Valley", "Kapalua Bay"),
        (
            Town("Kahului", 20.8850, -156.4650, 2.0, 170),
            Town("Kihei", 20.7600, -156.4450, 2.0, 90),
            Town("Paia", 20.9080, -156.3750, 1.5, 150),
        ),
    ),
    Island(
        HAWAII, "Hawaii Island", 7,
        ("Volcanoes National Park", "Mauna Kea", "Rainbow Falls", "Punaluu black sand beach"),
        (
            Town("Hilo", 19.7074, -155.0885, 3.0, 235),
            Town("Kailua-Kona", 19.6400, -155.9880, 2.5, 80),
            Town("Waimea", 20.0230, -155.6718, 3.0, None),
        ),
    ),
    Island(
        HAWAII, "Kauai", 5,
        ("Waimea Canyon", "the Na Pali Coast", "Hanalei Bay", "Poipu Beach"),
        (
            Town("Lihue", 21.9760, -159.3720, 2.0, 275),
            Town("Kapaa", 22.0800, -159.3230, 2.0, 265),
            Town("Princeville", 22.2140, -159.4790, 1.5, 180),
        ),
    ),
    Island(
        PUERTO_RICO, "Puerto Rico", 9,
        ("El Yunque", "Old San Juan", "the Arecibo coast", "Flamenco Beach", "Cabo Rojo"),
        (
            Town("San Juan", 18.4350, -66.0650, 3.5, 180),
            Town("Ponce", 18.0150, -66.6140, 3.0, 0),
            Town("Rincón", 18.3400, -67.2480, 1.5, 90),
            Town("Fajardo", 18.3260, -65.6560, 2.0, 250),
        ),
    ),
    Island(
        VIRGIN_ISLANDS, "St. Thomas", 3,
        ("Magens Bay", "Drake's Seat", "Coki Beach", "the ferry to St. John"),
        (Town("Charlotte Amalie", 18.3450, -64.9300, 1.0, 10),),
    ),
    Island(
        VIRGIN_ISLANDS, "St. Croix", 2,
        ("Point Udall", "Cane Bay", "Fort Christiansvaern", "the Frederiksted pier"),
        (Town("Christiansted", 17.7440, -64.7060, 2.0, 200),),
    ),
    Island(
        BAHAMAS, "New Providence", 5,
        ("Cable Beach", "Paradise Island", "the Queen's Staircase", "Clifton Heritage Park"),
        (Town("Nassau", 25.0700, -77.3450, 3.0, 180),),
    ),
    Island(
        BAHAMAS, "Grand Bahama", 2,
        ("Lucayan National Park", "Gold Rock Beach", "Port Lucaya", "Taino Beach"),
        (Town("Freeport", 26.5333, -78.6960, 3.0, 20),),
    ),
    Island(
        BAHAMAS, "Great Abaco", 1,
        ("Treasure Cay", "the Elbow Reef Lighthouse", "Tahiti Beach"),
        (Town("Marsh Harbour", 26.5350, -77.0600, 1.5, 225),),
    ),
    Island(
        BAHAMAS, "Great Exuma", 1,
        ("Stocking Island", "the Tropic of Cancer Beach", "the swimming pigs"),
        (Town("George Town", 23.5120, -75.7880, 1.2, 250),),
    ),
    Island(
        JAMAICA, "Jamaica", 6,
        ("Dunn's River Falls", "the Blue Mountains", "Seven Mile Beach", "the Blue Hole"),
        (
            Town("Montego Bay", 18.4680, -77.9150, 2.0, 140),
            Town("Kingston", 18.0050, -76.7900, 4.0, 0),
            Town("Ocho Rios", 18.4020, -77.1050, 1.5, 180),
            Town("Negril", 18.2850, -78.3400, 1.2, 95),
        ),
    ),
    Island(
        BARBADOS, "Barbados", 4,
        ("Bathsheba", "Harrison's Cave", "Carlisle Bay", "the Animal Flower Cave"),
        (
            Town("Bridgetown", 13.1060, -59.6130, 2.5, 45),
            Town("Oistins", 13.0680, -59.5330, 1.5, 0),
            Town("Holetown", 13.1860, -59.6360, 1.5, 90),
        ),
    ),
    Island(
        ARUBA, "Aruba", 4,
        ("Eagle Beach", "Arikok National Park", "the California Lighthouse", "Baby Beach"),
        (
            Town("Oranjestad", 12.5230, -70.0270, 2.0, 50),
            Town("Noord", 12.5640, -70.0340, 1.5, None),
        ),
    ),
    Island(
        CURACAO, "Curaçao", 3,
        ("Grote Knip", "Shete Boka", "the Handelskade", "Christoffel Park"),
        (Town("Willemstad", 12.1200, -68.9200, 3.0, 20),),
    ),
    Island(
        CAYMAN, "Grand Cayman", 3,
        ("Seven Mile Beach", "Rum Point", "Stingray City", "the Crystal Caves"),
        (Town("George Town", 19.2920, -81.3720, 1.5, 90),),
    ),
    Island(
        CANARIES, "Tenerife", 7,
        ("Mount Teide", "the Anaga forest", "Los Gigantes", "Masca", "El Médano"),
        (
            Town("Santa Cruz de Tenerife", 28.4680, -16.2560, 2.5, 280),
            Town("Puerto de la Cruz", 28.4060, -16.5470, 1.5, 170),
            Town("Los Cristianos", 28.0550, -16.7120, 2.0, 40),
        ),
    ),
    Island(
        CANARIES, "Gran Canaria", 6,
        ("the Maspalomas dunes", "Roque Nublo", "Puerto de Mogán", "Tejeda"),
        (
            Town("Las Palmas", 28.1150, -15.4350, 2.5, 215),
            Town("Maspalomas", 27.7650, -15.5850, 2.5, 0),
        ),
    ),
    Island(
        CANARIES, "Lanzarote", 4,
        ("Timanfaya", "Papagayo Beach", "Jameos del Agua", "La Geria"),
        (
            Town("Arrecife", 28.9640, -13.5510, 2.0, 320),
            Town("Playa Blanca", 28.8680, -13.8280, 2.0, 20),
        ),
    ),
    Island(
        CANARIES, "Fuerteventura", 3,
        ("the Corralejo dunes", "Cofete", "Betancuria", "Sotavento Beach"),
        (
            Town("Corralejo", 28.7300, -13.8690, 1.5, 215),
            Town("Puerto del Rosario", 28.5000, -13.8650, 2.0, 280),
        ),
    ),
    Island(
        BALEARICS, "Mallorca", 8,
        ("the Serra de Tramuntana", "Cap de Formentor", "Sa Calobra", "Valldemossa", "Es Trenc"),
        (
            Town("Palma", 39.5750, 2.6550, 3.0, 0),
            Town("Alcúdia", 39.8520, 3.1150, 1.2, 250),
            Town("Sóller", 39.7660, 2.7150, 1.5, 90),
        ),
    ),
    Island(
        BALEARICS, "Menorca", 2,
        ("Cala Macarella", "the Camí de Cavalls", "Ciutadella's old town"),
        (Town("Mahón", 39.8850, 4.2600, 2.0, 240),),
    ),
    Island(
        BALEARICS, "Ibiza", 4,
        ("Es Vedrà", "Dalt Vila", "Cala Comte", "the Las Dalias market"),
        (
            Town("Ibiza Town", 38.9120, 1.4280, 2.0, 320),
            Town("Sant Antoni", 38.9790, 1.3100, 2.0, 80),
        ),
    ),
    Island(
        MADEIRA, "Madeira", 4,
        ("Pico do Arieiro", "Cabo Girão", "the levadas", "Porto Moniz", "Fanal"),
        (
            Town("Funchal", 32.6520, -16.9120, 2.5, 0),
            Town("Machico", 32.7180, -16.7680, 1.2, 300),
        ),
    ),
    Island(
        AZORES, "São Miguel", 3,
        ("Sete Cidades", "Furnas", "Lagoa do Fogo", "the Gorreana tea plantation"),
        (
            Town("Ponta Delgada", 37.7450, -25.6700, 2.0, 350),
            Town("Ribeira Grande", 37.8190, -25.5190, 2.0, 190),
        ),
    ),
    Island(
        SICILY, "Sicily", 7,
        ("Mount Etna", "the Valley of the Temples", "Taormina", "Noto", "the Scala dei Turchi"),
        (
            Town("Palermo", 38.1140, 13.3540, 3.0, 225),
            Town("Catania", 37.5090, 15.0830, 2.5, 310),
            Town("Trapani", 38.0170, 12.5470, 1.5, 100),
            Town("Siracusa", 37.0760, 15.2800, 2.0, 300),
        ),
    ),
    Island(
        SARDINIA, "Sardinia", 5,
        ("the Costa Smeralda", "La Maddalena", "Cala Luna", "Su Nuraxi", "Chia"),
        (
            Town("Cagliari", 39.2250, 9.1200, 2.0, 10),
            Town("Olbia", 40.9200, 9.4930, 2.5, 250),
            Town("Alghero", 40.5580, 8.3210, 1.5, 60),
        ),
    ),
    Island(
        CRETE, "Crete", 6,
        ("Elafonisi", "the Samaria Gorge", "Knossos", "Balos Lagoon", "Spinalonga"),
        (
            Town("Heraklion", 35.3330, 25.1320, 3.0, 180),
            Town("Chania", 35.5100, 24.0250, 2.5, 180),
            Town("Agios Nikolaos", 35.1900, 25.7120, 1.2, 270),
        ),
    ),
    Island(
        CYPRUS, "Cyprus", 4,
        ("the Troodos mountains", "Cape Greco", "the Akamas", "Aphrodite's Rock"),
        (
            Town("Larnaca", 34.9200, 33.6230, 2.5, 290),
            Town("Paphos", 34.7700, 32.4200, 2.5, 50),
            Town("Limassol", 34.6850, 33.0400, 2.5, 350),
        ),
    ),
    Island(
        MALTA, "Malta", 3,
        ("Mdina", "the Blue Grotto", "Golden Bay", "the Gozo ferry", "Marsaxlokk"),
        (
            Town("Sliema", 35.9090, 14.4980, 1.0, 235),
            Town("Mellieħa", 35.9560, 14.3620, 1.0, 220),
        ),
    ),
    Island(
        MAURITIUS, "Mauritius", 4,
        ("Le Morne", "Chamarel", "Black River Gorges", "Blue Bay", "Trou aux Biches"),
        (
            Town("Grand Baie", -20.0180, 57.5850, 1.5, 150),
            Town("Flic en Flac", -20.2830, 57.3700, 1.5, 95),
            Town("Mahébourg", -20.4080, 57.6980, 1.5, 275),
        ),
    ),
    Island(
        BALI, "Bali", 5,
        ("Ubud's rice terraces", "Mount Batur", "Uluwatu", "Tanah Lot", "Amed"),
        (
            Town("Denpasar", -8.6570, 115.2160, 3.0, None),
            Town("Canggu", -8.6480, 115.1400, 2.0, 30),
            Town("Ubud", -8.5069, 115.2625, 2.5, None),
            Town("Lovina", -8.1650, 115.0280, 1.5, 180),
        ),
    ),
    Island(
        OKINAWA, "Okinawa", 4,
        ("the Churaumi Aquarium", "Cape Manzamo", "Shuri Castle", "Kouri Island"),
        (
            Town("Naha", 26.2140, 127.6870, 2.5, 90),
            Town("Nago", 26.5930, 127.9800, 1.5, 75),
        ),
    ),
    Island(
        OKINAWA, "Ishigaki", 2,
        ("Kabira Bay", "Cape Hirakubo", "Mount Nosoko", "Sukuji Beach"),
        (Town("Ishigaki", 24.3450, 124.1580, 2.0, 10),),
    ),
    Island(
        FIJI, "Viti Levu", 3,
        ("the Sigatoka dunes", "the Coral Coast", "Pacific Harbour", "the Sabeto mud pools"),
        (
            Town("Nadi", -17.7980, 177.4200, 2.5, 90),
            Town("Suva", -18.1280, 178.4420, 0.8, 0),
        ),
    ),
)  # fmt: skip
