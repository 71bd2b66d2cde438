"""What can be wrong when the figures of an area or unit are asked for."""

from shared.errors import NotFound


class SubjectUnknown(NotFound):
    """No area or unit of this city, or its cases are not the asker's to see."""

    code = "subject-unknown"
