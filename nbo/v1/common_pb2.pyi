import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    PRESENTED: _ClassVar[Outcome]
    ACCEPTED: _ClassVar[Outcome]
    DECLINED: _ClassVar[Outcome]
    DEFERRED: _ClassVar[Outcome]
    NO_RESPONSE: _ClassVar[Outcome]
    SKIPPED: _ClassVar[Outcome]
    FULFILLED: _ClassVar[Outcome]
    CANCELLED: _ClassVar[Outcome]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    PRICE: _ClassVar[Reason]
    NOT_NEEDED: _ClassVar[Reason]
    HAS_IT_ELSEWHERE: _ClassVar[Reason]
    BAD_MOMENT: _ClassVar[Reason]
    NOT_UNDERSTOOD: _ClassVar[Reason]
    OTHER: _ClassVar[Reason]
OUTCOME_UNSPECIFIED: Outcome
PRESENTED: Outcome
ACCEPTED: Outcome
DECLINED: Outcome
DEFERRED: Outcome
NO_RESPONSE: Outcome
SKIPPED: Outcome
FULFILLED: Outcome
CANCELLED: Outcome
REASON_UNSPECIFIED: Reason
PRICE: Reason
NOT_NEEDED: Reason
HAS_IT_ELSEWHERE: Reason
BAD_MOMENT: Reason
NOT_UNDERSTOOD: Reason
OTHER: Reason

class Value(_message.Message):
    __slots__ = ("number", "text", "flag")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    number: float
    text: str
    flag: bool
    def __init__(self, number: _Optional[float] = ..., text: _Optional[str] = ..., flag: _Optional[bool] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("event_id", "customer_id", "type", "at", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    customer_id: str
    type: str
    at: _timestamp_pb2.Timestamp
    attributes: _containers.MessageMap[str, Value]
    def __init__(self, event_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., type: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Mapping[str, Value]] = ...) -> None: ...
