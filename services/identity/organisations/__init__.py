"""Units, companies and offices of the city."""
