"""The second factor: time-based codes of an authenticator (RFC 6238)."""
