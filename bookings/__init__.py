"""Renting: quotes, availability and the booking state machine. Never speaks HTTP."""
