"""What can be wrong with an upload, beside the picture itself."""

from shared.errors import InvalidInput, MinqingError, Unavailable


class TooManyUploads(MinqingError):
    code = "too-many-uploads"
    status = 429
    title = "Too many photographs"


class FileMissing(InvalidInput):
    code = "file-missing"
    title = "There is no file in the form"


class NoMediaStore(Unavailable):
    code = "media-store-not-set-up"
    title = "Photographs cannot be stored here"
