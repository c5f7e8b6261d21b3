"""The words that other systems use for kinds, levels and statuses. Plain text is as good wherever one is taken."""

from __future__ import annotations

import enum

__all__ = ["ActionStatus", "ActionType", "AuditAction", "Category", "ChangeType", "Channel", "EntityType", "EventType",
           "Level", "LogLevel", "Severity"]


class Word(str, enum.Enum):
    """A word that may also be given as plain text."""

    def __str__(self) -> str:
        return str(self.value)


class Level(Word):
    """How bad it is. `low`, `medium` and `high` are `info`, `warning` and `error` of other systems."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    LOW = "low"
    NOTICE = "notice"
    WARNING = "warning"
    MEDIUM = "medium"
    ERROR = "error"
    HIGH = "high"
    CRITICAL = "critical"


class LogLevel(Word):
    """The levels of an agent's log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Severity(Word):
    """The severities of a game bot's log."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Category(Word):
    """What a game bot's log is about."""

    PACK_CREATION = "pack_creation"
    CARD_GENERATION = "card_generation"
    USER_ACTION = "user_action"
    SYSTEM_EVENT = "system_event"
    ERROR = "error"
    SECURITY = "security"
    PAYMENT = "payment"
    ADMIN_ACTION = "admin_action"
    DEPLOYMENT = "deployment"
    DATABASE = "database"


class ChangeType(Word):
    """What an agent did."""

    FILE_CREATE = "file_create"
    FILE_UPDATE = "file_update"
    FILE_DELETE = "file_delete"
    GIT_COMMIT = "git_commit"
    GIT_PUSH = "git_push"
    API_CALL = "api_call"
    SYSTEM_COMMAND = "system_command"
    AGENT_DECISION = "agent_decision"
    CONFIG_CHANGE = "config_change"
    MODEL_INFERENCE = "model_inference"
    DATABASE_WRITE = "database_write"
    SERVICE_START = "service_start"
    SERVICE_STOP = "service_stop"
    DEPLOYMENT = "deployment"


class ActionType(Word):
    """What a provider was asked to do."""

    CRM_CREATE = "crm_create"
    CRM_UPDATE = "crm_update"
    CRM_DELETE = "crm_delete"
    CRM_GET = "crm_get"
    CRM_LIST = "crm_list"
    CRM_SEARCH = "crm_search"
    HELPDESK_CREATE_TICKET = "helpdesk_create_ticket"
    HELPDESK_UPDATE_TICKET = "helpdesk_update_ticket"
    HELPDESK_GET_TICKET = "helpdesk_get_ticket"
    HELPDESK_LIST_TICKETS = "helpdesk_list_tickets"
    HELPDESK_ADD_COMMENT = "helpdesk_add_comment"
    CALENDAR_CREATE_EVENT = "calendar_create_event"
    CALENDAR_UPDATE_EVENT = "calendar_update_event"
    CALENDAR_DELETE_EVENT = "calendar_delete_event"
    CALENDAR_GET_EVENT = "calendar_get_event"
    CALENDAR_LIST_EVENTS = "calendar_list_events"
    EMAIL_SEND = "email_send"
    EMAIL_GET = "email_get"
    EMAIL_LIST = "email_list"
    EMAIL_SEARCH = "email_search"
    KNOWLEDGE_STORE = "knowledge_store"
    KNOWLEDGE_SEARCH = "knowledge_search"
    KNOWLEDGE_GET = "knowledge_get"
    KNOWLEDGE_DELETE = "knowledge_delete"


class ActionStatus(Word):
    """How an action went."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    RETRY = "retry"


class AuditAction(Word):
    """What was done to a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class EventType(Word):
    """What was done to an entity."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    PAYMENT = "PAYMENT"


class EntityType(Word):
    """What it was done to."""

    ORDER = "order"
    CUSTOMER = "customer"
    PRODUCT = "product"
    SHIPMENT = "shipment"
    PAYMENT = "payment"


class Channel(Word):
    """Where a message was to be seen."""

    FINANCE = "finance"
    SYSTEM = "system"
    ERRORS = "errors"
    ACTIVITY = "activity"
