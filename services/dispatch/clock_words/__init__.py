"""The clock of a case in words, ready for a page or a letter to the unit."""
