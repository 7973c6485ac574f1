"""Settings, logging and the construction of clients. No word of the domain belongs here."""
