"""People who call, as the hotline alone knows them: sealed, masked, shown only on the record."""
