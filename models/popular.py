"""What was searched for, a day at a time; never by whom."""

from datetime import date

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class PopularSearch(Base):
    """How often a text was searched for on one day (UTC); `search.popular` says which texts."""

    __tablename__ = "popular_searches"

    day: Mapped[date] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(primary_key=True)
    searches: Mapped[int] = mapped_column(Integer)
