"""What can be wrong with a report."""

from shared.errors import Conflict, InvalidInput, MinqingError, NotFound


class ReportNotFound(NotFound):
    code = "report-not-found"


class ReportStateForbids(Conflict):
    """`state` is where the report is, `allowed` what can be done with it there."""

    code = "report-state"


class PlaceOutsideCity(InvalidInput):
    code = "place-outside-city"
    title = "The place is not in this city"


class PlaceMissing(InvalidInput):
    code = "place-missing"
    title = "The report needs a place"


class GridUnknown(InvalidInput):
    code = "grid-unknown"
    title = "There is no such grid"


class ClassUnknown(InvalidInput):
    code = "class-unknown"
    title = "There is no such class"


class ClassUnreadable(InvalidInput):
    code = "class-unreadable"
    title = "The class cannot be read"


class ConditionNotOfClass(InvalidInput):
    code = "condition-not-of-class"
    title = "The registration condition does not belong to the class"


class CameraUnknown(InvalidInput):
    code = "camera-unknown"
    title = "There is no such camera"


class MediaUnknown(InvalidInput):
    code = "media-unknown"
    title = "A photograph has not been uploaded"


class SourceNotYours(InvalidInput):
    code = "source-not-yours"
    title = "Say on whose behalf you report"


class ObservedInFuture(InvalidInput):
    code = "observed-in-future"
    title = "The time of observation lies in the future"


class TooManyReports(MinqingError):
    code = "too-many-requests"
    status = 429
    title = "Too many reports from this address"


class ContactNotGiven(NotFound):
    code = "contact-not-given"
    title = "The reporter left no name or number"
