"""Cases left out of the scores, with a reason, by decision of two people."""
