"""Photographs: taken in, counted, shown."""
