"""Words of the field that several rooms of the kernel speak."""

from enum import StrEnum


class Role(StrEnum):
    """What people and systems may be in the chain; docs/glossary.md gives the Chinese terms."""

    AGENT = "agent"
    SHIFT_LEADER = "shift-leader"
    COLLECTOR = "collector"
    COLLECTION_COMPANY = "collection-company"
    GRID_LEADER = "grid-leader"
    OPERATOR = "operator"
    VIDEO_OPERATOR = "video-operator"
    DISPATCHER = "dispatcher"
    HANDLER = "handler"
    UNIT_LEAD = "unit-lead"
    SUPERVISOR = "supervisor"
    LEADER = "leader"
    PARTNER = "partner"
    PBX = "pbx"
    SYSTEM_ADMINISTRATOR = "system-administrator"
    SECURITY_ADMINISTRATOR = "security-administrator"
    AUDIT_ADMINISTRATOR = "audit-administrator"


class ClassKind(StrEnum):
    """The four kinds of matter that a case may be about."""

    COMPONENT = "component"
    EVENT = "event"
    POPULATION = "population"
    SERVICE = "service"


class SupervisionCause(StrEnum):
    """Why a unit is chased; docs/supervision.md says which of them a rule may find by itself."""

    RED_LIGHT = "red-light"
    NOT_ACCEPTED = "not-accepted"
    FAILED_VERIFICATION = "failed-verification"
    SHIRKING = "shirking"
    REPEATED_COMPLAINT = "repeated-complaint"
    INSTRUCTION = "instruction"
    MEETING = "meeting"
    IMPORTANT = "important"


class SupervisionLevel(StrEnum):
    """Who stands behind an order: the centre, its head, or the leading group."""

    ORDINARY = "ordinary"
    KEY = "key"
    LEADING_GROUP = "leading-group"


class PositionSource(StrEnum):
    """How a position was found, which says how far it may be trusted."""

    GNSS = "gnss"
    NETWORK = "network"
    MANUAL = "manual"
    ADDRESS = "address"
    CAMERA = "camera"
    UNKNOWN = "unknown"
