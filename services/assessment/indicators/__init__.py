"""The published ratios of areas and units, and the cases behind each of them."""
