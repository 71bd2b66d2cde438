"""The clock of a case, explained: every segment, the days and spans that counted, the sum."""
