import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from nbo.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdentifyCustomerRequest(_message.Message):
    __slots__ = ("identity",)
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    identity: str
    def __init__(self, identity: _Optional[str] = ...) -> None: ...

class IdentifyCustomerResponse(_message.Message):
    __slots__ = ("matches",)
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[CustomerMatch]
    def __init__(self, matches: _Optional[_Iterable[_Union[CustomerMatch, _Mapping]]] = ...) -> None: ...

class CustomerMatch(_message.Message):
    __slots__ = ("customer_id", "kind", "likelihood")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    kind: str
    likelihood: float
    def __init__(self, customer_id: _Optional[str] = ..., kind: _Optional[str] = ..., likelihood: _Optional[float] = ...) -> None: ...

class GetCustomerRequest(_message.Message):
    __slots__ = ("customer_id", "at", "contacts")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    at: _timestamp_pb2.Timestamp
    contacts: int
    def __init__(self, customer_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., contacts: _Optional[int] = ...) -> None: ...

class GetCustomerResponse(_message.Message):
    __slots__ = ("customer_id", "facts", "contacts", "latest_event")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ...) -> None: ...
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    LATEST_EVENT_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    facts: _containers.MessageMap[str, _common_pb2.Value]
    contacts: _containers.RepeatedCompositeFieldContainer[Contact]
    latest_event: _common_pb2.Event
    def __init__(self, customer_id: _Optional[str] = ..., facts: _Optional[_Mapping[str, _common_pb2.Value]] = ..., contacts: _Optional[_Iterable[_Union[Contact, _Mapping]]] = ..., latest_event: _Optional[_Union[_common_pb2.Event, _Mapping]] = ...) -> None: ...

class Contact(_message.Message):
    __slots__ = ("at", "channel", "interaction_id", "decision_id", "offer_id", "outcome")
    AT_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    channel: str
    interaction_id: str
    decision_id: str
    offer_id: str
    outcome: _common_pb2.Outcome
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., channel: _Optional[str] = ..., interaction_id: _Optional[str] = ..., decision_id: _Optional[str] = ..., offer_id: _Optional[str] = ..., outcome: _Optional[_Union[_common_pb2.Outcome, str]] = ...) -> None: ...
