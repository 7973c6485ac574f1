"""How relevance is made up: validated documents, each value bounded and with its reason."""

from search.profiles.profile import DEFAULT, Profile

__all__ = ["DEFAULT", "Profile"]
