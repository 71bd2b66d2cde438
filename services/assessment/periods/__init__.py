"""The spans of time that figures are computed for: a month, a quarter, a year of the city."""
