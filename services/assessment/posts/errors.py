"""What can be wrong when somebody's figures are asked for."""

from shared.errors import NotFound


class PersonUnknown(NotFound):
    """There is no such person, or the figures are not the asker's own."""

    code = "person-unknown"


class CompanyUnknown(NotFound):
    code = "company-unknown"
