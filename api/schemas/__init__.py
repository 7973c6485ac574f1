"""The shapes that the routes speak: camelCase JSON, money in integer cents."""
