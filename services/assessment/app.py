"""The assessment service: stores what the others tell, folds it into facts, computes figures."""

from services.assessment.appeals import models as _appeal_models
from services.assessment.appeals.endpoints import router as appeals
from services.assessment.base import metadata, tables
from services.assessment.events import models as _event_models
from services.assessment.exclusions import models as _exclusion_models
from services.assessment.exclusions.endpoints import router as exclusions
from services.assessment.facts import models as _fact_models
from services.assessment.facts.endpoints import router as facts
from services.assessment.facts.service import keep_up
from services.assessment.fieldwork import models as _fieldwork_models
from services.assessment.indicators.endpoints import router as indicators
from services.assessment.periods import models as _period_models
from services.assessment.periods.endpoints import router as periods
from services.assessment.posts.endpoints import router as posts
from services.assessment.records import models as _record_models
from services.assessment.scorecards.endpoints import router as scorecards
from services.assessment.subscriptions import subscriptions
from shared.service import Periodic, Service

# Imported for their tables.
_MODELS = (
    _event_models,
    _fact_models,
    _fieldwork_models,
    _record_models,
    _period_models,
    _exclusion_models,
    _appeal_models,
)

service = Service(
    name="assessment",
    summary="Facts of every case, scorecards of units, counts of posts, the live board.",
    metadata=metadata,
    tables=tables,
    routers=[facts, indicators, scorecards, posts, periods, exclusions, appeals],
    subscriptions=subscriptions,
    periodic=[Periodic("fold", 1.0, keep_up)],
)
