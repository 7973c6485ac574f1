"""Alembic revisions; the triggers and views are SQL files beside them."""
