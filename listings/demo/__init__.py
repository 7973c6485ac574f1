"""The seeded demo marketplace: real models and places, invented hosts, prices, reviews, bookings.

`generate` is pure and deterministic by seed; `load` writes what it yields by COPY.
"""
