"""Put right first, paid later: remediation on behalf where nobody answers for a case."""
