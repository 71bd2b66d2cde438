"""What can be wrong with a period."""

from shared.errors import InvalidInput


class PeriodUnreadable(InvalidInput):
    code = "period-unreadable"
    title = "This is no month, quarter or year"
