"""Sign-ins of people: begun with a password, kept alive by refreshing, ended by signing out."""
