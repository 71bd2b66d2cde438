"""What goes into a file that a spreadsheet program opens."""

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Text that a spreadsheet program opening a CSV does not take for a formula."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text
