"""Identity: who somebody is, how they show it, and how often they may try. Never speaks HTTP."""
