import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from nbo.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetOffersRequest(_message.Message):
    __slots__ = ("customer_id", "interaction_id", "channel", "agent_id", "intent", "facts", "slots", "language", "event", "at", "include_refusals")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ...) -> None: ...
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_REFUSALS_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    interaction_id: str
    channel: str
    agent_id: str
    intent: str
    facts: _containers.MessageMap[str, _common_pb2.Value]
    slots: int
    language: str
    event: _common_pb2.Event
    at: _timestamp_pb2.Timestamp
    include_refusals: bool
    def __init__(self, customer_id: _Optional[str] = ..., interaction_id: _Optional[str] = ..., channel: _Optional[str] = ..., agent_id: _Optional[str] = ..., intent: _Optional[str] = ..., facts: _Optional[_Mapping[str, _common_pb2.Value]] = ..., slots: _Optional[int] = ..., language: _Optional[str] = ..., event: _Optional[_Union[_common_pb2.Event, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., include_refusals: _Optional[bool] = ...) -> None: ...

class GetOffersResponse(_message.Message):
    __slots__ = ("decision_id", "slots", "refusals", "versions", "degraded", "arms", "currency", "at")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ArmsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    slots: _containers.RepeatedCompositeFieldContainer[Slot]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    versions: _containers.ScalarMap[str, str]
    degraded: _containers.RepeatedScalarFieldContainer[str]
    arms: _containers.ScalarMap[str, str]
    currency: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, decision_id: _Optional[str] = ..., slots: _Optional[_Iterable[_Union[Slot, _Mapping]]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ..., versions: _Optional[_Mapping[str, str]] = ..., degraded: _Optional[_Iterable[str]] = ..., arms: _Optional[_Mapping[str, str]] = ..., currency: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Slot(_message.Message):
    __slots__ = ("rank", "offer_id", "group_id", "incentive_id", "offer_name", "incentive_name", "propensity", "value", "expected_value", "probability", "reasons", "script", "mandatory", "bundle", "immediate_use", "probability_error")
    RANK_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    INCENTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    OFFER_NAME_FIELD_NUMBER: _ClassVar[int]
    INCENTIVE_NAME_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VALUE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_FIELD_NUMBER: _ClassVar[int]
    MANDATORY_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    IMMEDIATE_USE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_ERROR_FIELD_NUMBER: _ClassVar[int]
    rank: int
    offer_id: str
    group_id: str
    incentive_id: str
    offer_name: str
    incentive_name: str
    propensity: float
    value: float
    expected_value: float
    probability: float
    reasons: _containers.RepeatedScalarFieldContainer[str]
    script: str
    mandatory: bool
    bundle: _containers.RepeatedScalarFieldContainer[str]
    immediate_use: bool
    probability_error: float
    def __init__(self, rank: _Optional[int] = ..., offer_id: _Optional[str] = ..., group_id: _Optional[str] = ..., incentive_id: _Optional[str] = ..., offer_name: _Optional[str] = ..., incentive_name: _Optional[str] = ..., propensity: _Optional[float] = ..., value: _Optional[float] = ..., expected_value: _Optional[float] = ..., probability: _Optional[float] = ..., reasons: _Optional[_Iterable[str]] = ..., script: _Optional[str] = ..., mandatory: _Optional[bool] = ..., bundle: _Optional[_Iterable[str]] = ..., immediate_use: _Optional[bool] = ..., probability_error: _Optional[float] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("offer_id", "incentive_id", "stage", "rule", "detail")
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    INCENTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    offer_id: str
    incentive_id: str
    stage: str
    rule: str
    detail: str
    def __init__(self, offer_id: _Optional[str] = ..., incentive_id: _Optional[str] = ..., stage: _Optional[str] = ..., rule: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class RecordOutcomeRequest(_message.Message):
    __slots__ = ("decision_id", "rank", "outcome", "reason", "at", "defer_until", "idempotency_key")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DEFER_UNTIL_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    rank: int
    outcome: _common_pb2.Outcome
    reason: _common_pb2.Reason
    at: _timestamp_pb2.Timestamp
    defer_until: _timestamp_pb2.Timestamp
    idempotency_key: str
    def __init__(self, decision_id: _Optional[str] = ..., rank: _Optional[int] = ..., outcome: _Optional[_Union[_common_pb2.Outcome, str]] = ..., reason: _Optional[_Union[_common_pb2.Reason, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., defer_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RecordOutcomeResponse(_message.Message):
    __slots__ = ("outcome_id",)
    OUTCOME_ID_FIELD_NUMBER: _ClassVar[int]
    outcome_id: str
    def __init__(self, outcome_id: _Optional[str] = ...) -> None: ...

class ExplainDecisionRequest(_message.Message):
    __slots__ = ("decision_id", "near_misses")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    NEAR_MISSES_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    near_misses: int
    def __init__(self, decision_id: _Optional[str] = ..., near_misses: _Optional[int] = ...) -> None: ...

class ExplainDecisionResponse(_message.Message):
    __slots__ = ("decision_id", "at", "funnel", "refusals", "slots", "near_misses", "versions", "degraded", "arms", "currency", "without_reasons")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ArmsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    NEAR_MISSES_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_REASONS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    at: _timestamp_pb2.Timestamp
    funnel: _containers.RepeatedCompositeFieldContainer[FunnelStage]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    slots: _containers.RepeatedCompositeFieldContainer[SlotExplanation]
    near_misses: _containers.RepeatedCompositeFieldContainer[NearMiss]
    versions: _containers.ScalarMap[str, str]
    degraded: _containers.RepeatedScalarFieldContainer[str]
    arms: _containers.ScalarMap[str, str]
    currency: str
    without_reasons: str
    def __init__(self, decision_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., funnel: _Optional[_Iterable[_Union[FunnelStage, _Mapping]]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ..., slots: _Optional[_Iterable[_Union[SlotExplanation, _Mapping]]] = ..., near_misses: _Optional[_Iterable[_Union[NearMiss, _Mapping]]] = ..., versions: _Optional[_Mapping[str, str]] = ..., degraded: _Optional[_Iterable[str]] = ..., arms: _Optional[_Mapping[str, str]] = ..., currency: _Optional[str] = ..., without_reasons: _Optional[str] = ...) -> None: ...

class FunnelStage(_message.Message):
    __slots__ = ("stage", "offers")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    offers: int
    def __init__(self, stage: _Optional[str] = ..., offers: _Optional[int] = ...) -> None: ...

class SlotExplanation(_message.Message):
    __slots__ = ("rank", "offer_id", "incentive_id", "priority", "propensity", "model_probability", "evidence", "prior", "value", "cost", "shadow_price", "context", "context_rules", "lever", "probability", "propensity_reasons", "mandatory", "switched_off")
    RANK_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    INCENTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    MODEL_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    SHADOW_PRICE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_RULES_FIELD_NUMBER: _ClassVar[int]
    LEVER_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_REASONS_FIELD_NUMBER: _ClassVar[int]
    MANDATORY_FIELD_NUMBER: _ClassVar[int]
    SWITCHED_OFF_FIELD_NUMBER: _ClassVar[int]
    rank: int
    offer_id: str
    incentive_id: str
    priority: float
    propensity: float
    model_probability: float
    evidence: float
    prior: float
    value: float
    cost: float
    shadow_price: float
    context: float
    context_rules: _containers.RepeatedScalarFieldContainer[str]
    lever: float
    probability: float
    propensity_reasons: _containers.RepeatedCompositeFieldContainer[PropensityReason]
    mandatory: bool
    switched_off: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rank: _Optional[int] = ..., offer_id: _Optional[str] = ..., incentive_id: _Optional[str] = ..., priority: _Optional[float] = ..., propensity: _Optional[float] = ..., model_probability: _Optional[float] = ..., evidence: _Optional[float] = ..., prior: _Optional[float] = ..., value: _Optional[float] = ..., cost: _Optional[float] = ..., shadow_price: _Optional[float] = ..., context: _Optional[float] = ..., context_rules: _Optional[_Iterable[str]] = ..., lever: _Optional[float] = ..., probability: _Optional[float] = ..., propensity_reasons: _Optional[_Iterable[_Union[PropensityReason, _Mapping]]] = ..., mandatory: _Optional[bool] = ..., switched_off: _Optional[_Iterable[str]] = ...) -> None: ...

class PropensityReason(_message.Message):
    __slots__ = ("input", "value", "contribution")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    input: str
    value: str
    contribution: float
    def __init__(self, input: _Optional[str] = ..., value: _Optional[str] = ..., contribution: _Optional[float] = ...) -> None: ...

class NearMiss(_message.Message):
    __slots__ = ("offer_id", "stage", "rule", "needed", "allowed_from")
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FROM_FIELD_NUMBER: _ClassVar[int]
    offer_id: str
    stage: str
    rule: str
    needed: str
    allowed_from: _timestamp_pb2.Timestamp
    def __init__(self, offer_id: _Optional[str] = ..., stage: _Optional[str] = ..., rule: _Optional[str] = ..., needed: _Optional[str] = ..., allowed_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
