"""The answer side: dirty rows become documents in every live index build; rebuild and status.

Never answers a user.
"""
