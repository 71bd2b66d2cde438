"""A day played through the public API by the people of a city, and the books compared with it."""
