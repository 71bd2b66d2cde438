"""The keys that tokens are signed with: made, sealed at rest, published, replaced."""
