"""Identity: who a bearer token speaks for. Never speaks HTTP."""
