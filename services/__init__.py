"""The five services of the case pipeline; they share nothing but events."""
