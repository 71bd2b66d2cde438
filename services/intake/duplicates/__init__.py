"""Reports that tell of the same matter: found, merged, taken apart again."""
