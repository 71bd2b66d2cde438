"""The assessment service: stores what the others tell, folds it into facts, computes figures."""

from services.assessment.base import metadata, tables
from services.assessment.events import models as _event_models
from services.assessment.facts import models as _fact_models
from services.assessment.facts.endpoints import router as facts
from services.assessment.facts.service import keep_up
from services.assessment.fieldwork import models as _fieldwork_models
from services.assessment.posts.endpoints import router as posts
from services.assessment.records import models as _record_models
from services.assessment.scorecards.endpoints import router as scorecards
from services.assessment.subscriptions import subscriptions
from shared.service import Periodic, Service

# Imported for their tables.
_MODELS = (_event_models, _fact_models, _fieldwork_models, _record_models)

service = Service(
    name="assessment",
    summary="Facts of every case, scorecards of units, counts of posts, the live board.",
    metadata=metadata,
    tables=tables,
    routers=[facts, scorecards, posts],
    subscriptions=subscriptions,
    periodic=[Periodic("fold", 1.0, keep_up)],
)
