"""What can be wrong with an answer from the knowledge base."""

from shared.errors import Conflict, NotFound


class KnowledgeNotFound(NotFound):
    code = "knowledge-not-found"


class KnowledgeExpired(Conflict):
    """An answer that may be out of date is not given."""

    code = "knowledge-expired"
    title = "This answer is no longer valid"
