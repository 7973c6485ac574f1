"""What hosts and guests write: names, titles, descriptions, reviews.

Templates know `{car}` ("Toyota RAV4"), `{model}`, `{city}`, `{island}` and `{sight}`.
"""

_FIRST_NAMES = """
Keola Malia Kaimana Leilani Noa Nalani Makoa Lani Ikaika Alana Carlos Lucía Mateo Sofía Javier
Carmen Diego Elena Pablo Marta Álvaro Inés Tomás Beatriz João Mariana Tiago Filipa Rui Catarina
Giulia Marco Chiara Salvatore Francesca Luca Alessia Antonio Yannis Eleni Kostas Maria Andreas
Despina Wayan Made Ketut Putu Haruka Kenji Yuki Naoki Aiko Ravi Priya Anjali Jean-Marc Chantal
Marcus Shanice Delroy Keisha Andre Tamika Winston Candice Jermaine Monique Emma James Olivia
Liam Grace Daniel Hannah Michael Sarah David Laura Chris Jessica Ryan Nicole Brandon Megan Anna
Felix Sophie Jonas Lena Max Ingrid Lars Claire Louis Camille Ratu Sera Litia Semisi Ilisapeci
Zoe Oscar Nina Hugo Amira Omar Leah Ben Rosa Victor
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())
INITIALS = "AABBCCDDEFFGGHIJKKLLMMMNOPPRRSSTTVW"
# A host with many cars is a business: "{island}" and one of these.
BUSINESS_NAMES = (
    "Car Rentals", "Island Cars", "Rides", "Drive", "Auto Hire", "Beach Wheels", "Car Share",
    "Rent & Go", "Motors", "Sunshine Cars",
)  # fmt: skip

SMALL = frozenset({"economy", "compact"})
FAMILY = frozenset({"midsize", "suv", "large suv", "minivan", "van"})
RUGGED = frozenset({"off-road", "pickup"})
OPEN = frozenset({"convertible"})
SMART = frozenset({"sports", "premium", "luxury"})
ELECTRIC = frozenset({"electric"})
CLASSIC = frozenset({"classic"})

TITLES = {
    SMALL: (
        "Thrifty {model} for exploring {island}",
        "Zippy {model} - easy parking in {city}",
        "Clean, simple {model}, great on fuel",
        "Budget friendly {model} near the beach",
    ),
    FAMILY: (
        "Roomy {model} for the whole family",
        "{island} family {model}",
        "Comfy {model} with space for luggage and boards",
        "{model} close to {city} airport shuttle",
    ),
    RUGGED: (
        "Adventure ready {model}",
        "{island} explorer: {car}",
        "Go anywhere {model}, beach gear on request",
        "{model} for {sight} and beyond",
    ),
    OPEN: (
        "Top down {island}: {car}",
        "Cruise the coast in a {model}",
        "Sunset {model}, drop the top!",
    ),
    SMART: (
        "Arrive in style: {car}",
        "Immaculate {car}",
        "Weekend treat - {model} in {city}",
    ),
    ELECTRIC: (
        "Silent {model}, charged and ready",
        "Skip the pump: electric {model}",
        "{island} on electrons: {car}",
    ),
    CLASSIC: (
        "Restored classic {model}",
        "Step back in time: {car}",
        "Our beloved {model}, perfect for photos",
    ),
}

CAR_SENTENCES = {
    SMALL: (
        "Small outside, bigger inside than you think, and it sips fuel.",
        "Easy to park in town and cheap to run.",
        "A simple, honest {model} that starts every time.",
        "Our {model} is ideal for a couple with two suitcases.",
        "Perfect for narrow island roads.",
    ),
    FAMILY: (
        "Plenty of room for the family and everything you bring.",
        "Comfortable {model} with a big boot and cold air.",
        "We used this {model} as our own family car and look after it well.",
        "Seats fold flat, so boards and strollers fit.",
        "Smooth, quiet and well maintained.",
    ),
    RUGGED: (
        "Made for dirt roads, trailheads and remote beaches.",
        "Good tyres, high clearance and a full-size spare.",
        "Throw the boards in the back and go.",
        "This {model} has taken us to every corner of {island}.",
        "Sand is fine, we rinse it after every trip.",
    ),
    OPEN: (
        "Put the top down and smell the sea.",
        "Nothing beats the coast road in a {model}.",
        "The roof folds in seconds and the sound system is great.",
        "Two small suitcases fit in the boot with the roof down.",
    ),
    SMART: (
        "Immaculate {car}, detailed before every trip.",
        "Effortless power and a beautiful cabin.",
        "Full service history and new tyres.",
        "For anniversaries, weddings or simply because.",
    ),
    ELECTRIC: (
        "Comes charged to at least 80%, and charging at our place is free.",
        "Quiet, quick and no stops for petrol.",
        "A full charge takes you around {island} and back.",
        "We show you the chargers on {island} when you pick it up.",
    ),
    CLASSIC: (
        "Lovingly restored and serviced by a specialist.",
        "People will wave at you, so wave back.",
        "No air conditioning and no hurry: this is a slow ride.",
        "Best for short, sunny trips along the coast.",
    ),
}
SIGHT_SENTENCES = (
    "Great for a day trip to {sight}.",
    "Ask us for the best time to see {sight}.",
    "Start early and drive to {sight}, you will not regret it.",
    "From {city} it is an easy drive to {sight}.",
    "{island} at your own pace: don't miss {sight}.",
    "Guests love taking it to {sight}.",
    "We are happy to share our favourite spots around {island}, starting with {sight}.",
)
HANDOVER_SENTENCES = (
    "Pick-up in {city}, five minutes from the main road.",
    "Free delivery within {city}.",
    "Airport delivery on request.",
    "Contactless pick-up with a lockbox, any time of day.",
    "Please return it with the same fuel level.",
    "We meet you in {city} and explain everything.",
    "No smoking, please.",
    "A second driver is free of charge.",
    "Parking in {city} is easy where you pick it up.",
)

# By the floor of the stars: (titles, openings, closings).
REVIEWS = {
    5: (
        ("Perfect", "Great car, great host", "Would rent again", "Highly recommended", "Spotless",
         "Made our trip", "Five stars", "Couldn't be better", "Loved this {model}"),
        ("The {model} was spotless and drove beautifully.",
         "Everything was exactly as described.",
         "Super easy pick-up in {city} and a very friendly host.",
         "We drove all over {island} without a single problem.",
         "Fantastic car for our week on {island}.",
         "The host answered every message within minutes.",
         "Took it to {sight} and back, what a day.",
         "Way better than the airport counters."),
        ("Will book again!", "Highly recommended.", "Thank you for a great holiday.",
         "The air conditioning was ice cold.", "Return took two minutes.",
         "Great value for money.", "The kids loved it.", "Don't hesitate, book it."),
    ),
    4: (
        ("Very good", "Good value", "Solid choice", "Nice car", "Happy with it", "Good trip"),
        ("Good car, a few scratches but nothing that matters.",
         "The {model} did everything we asked of it.",
         "Pick-up in {city} was a little slow, otherwise all good.",
         "Comfortable and clean enough.",
         "Nice host and fair price.",
         "Drove well, even on the way to {sight}."),
        ("Would rent again.", "Fuel gauge was not quite full at pick-up.",
         "Good value overall.", "A phone holder would be nice.",
         "Communication was good.", "Recommended."),
    ),
    3: (
        ("OK", "Average", "Fine for the price", "Could be cleaner", "Mixed feelings"),
        ("It got us around {island}, but it shows its age.",
         "The car was fine, the pick-up was not.",
         "Interior could have been cleaner.",
         "The {model} is smaller than it looks in the listing."),
        ("OK for the price.", "The host did apologise.", "Tyres should be replaced soon.",
         "We expected a bit more.", "Not bad, not great."),
    ),
    2: (
        ("Disappointing", "Not as described", "Needs a service", "Expected more"),
        ("Warning light on from the first day.",
         "The air conditioning hardly worked.",
         "We waited forty minutes in {city} for the host.",
         "The car smelled of smoke."),
        ("Would not rent again.", "We got a small refund in the end.",
         "Please service this {model}.", "Too expensive for what it is."),
    ),
    1: (
        ("Avoid", "Ruined our day", "Broke down", "Never again"),
        ("Broke down on the way to {sight}.",
         "The host did not show up and did not answer.",
         "Dirty, bald tyres and a dead battery.",
         "Completely different from the listing."),
        ("Stay away.", "Still waiting for my refund.", "We had to take a taxi back to {city}."),
    ),
}  # fmt: skip


def phrases(table: dict[frozenset[str], tuple[str, ...]], kind: str) -> tuple[str, ...]:
    """What `table` has to say about cars of class `kind`.

    Raises:
        KeyError: no group of `table` holds the class.
    """
    for kinds, texts in table.items():
        if kind in kinds:
            return texts
    raise KeyError(kind)
