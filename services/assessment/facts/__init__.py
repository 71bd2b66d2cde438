"""The facts of every case, folded from its events, and the ledger that proves none is missing."""
