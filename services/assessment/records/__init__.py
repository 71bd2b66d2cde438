"""What dispatch told about the work of units, as records of fixed width."""
