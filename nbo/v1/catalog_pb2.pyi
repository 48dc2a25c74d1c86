import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CatalogFile(_message.Message):
    __slots__ = ("name", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class CatalogProblem(_message.Message):
    __slots__ = ("file", "line", "column", "message")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    column: int
    message: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class ValidateCatalogRequest(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[CatalogFile]
    def __init__(self, files: _Optional[_Iterable[_Union[CatalogFile, _Mapping]]] = ...) -> None: ...

class ValidateCatalogResponse(_message.Message):
    __slots__ = ("problems", "warnings", "version", "sampled")
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[CatalogProblem]
    warnings: _containers.RepeatedCompositeFieldContainer[CatalogProblem]
    version: str
    sampled: int
    def __init__(self, problems: _Optional[_Iterable[_Union[CatalogProblem, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[CatalogProblem, _Mapping]]] = ..., version: _Optional[str] = ..., sampled: _Optional[int] = ...) -> None: ...

class PublishCatalogRequest(_message.Message):
    __slots__ = ("files", "author", "comment", "based_on")
    FILES_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    BASED_ON_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[CatalogFile]
    author: str
    comment: str
    based_on: str
    def __init__(self, files: _Optional[_Iterable[_Union[CatalogFile, _Mapping]]] = ..., author: _Optional[str] = ..., comment: _Optional[str] = ..., based_on: _Optional[str] = ...) -> None: ...

class PublishCatalogResponse(_message.Message):
    __slots__ = ("publication", "changed")
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    publication: Publication
    changed: bool
    def __init__(self, publication: _Optional[_Union[Publication, _Mapping]] = ..., changed: _Optional[bool] = ...) -> None: ...

class RollbackCatalogRequest(_message.Message):
    __slots__ = ("version", "author", "comment")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    version: str
    author: str
    comment: str
    def __init__(self, version: _Optional[str] = ..., author: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class GetCatalogRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class GetCatalogResponse(_message.Message):
    __slots__ = ("publication", "files")
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    publication: Publication
    files: _containers.RepeatedCompositeFieldContainer[CatalogFile]
    def __init__(self, publication: _Optional[_Union[Publication, _Mapping]] = ..., files: _Optional[_Iterable[_Union[CatalogFile, _Mapping]]] = ...) -> None: ...

class Publication(_message.Message):
    __slots__ = ("number", "version", "author", "comment", "at")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    number: int
    version: str
    author: str
    comment: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., version: _Optional[str] = ..., author: _Optional[str] = ..., comment: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPublicationsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListPublicationsResponse(_message.Message):
    __slots__ = ("publications",)
    PUBLICATIONS_FIELD_NUMBER: _ClassVar[int]
    publications: _containers.RepeatedCompositeFieldContainer[Publication]
    def __init__(self, publications: _Optional[_Iterable[_Union[Publication, _Mapping]]] = ...) -> None: ...

class DiffCatalogRequest(_message.Message):
    __slots__ = ("files", "version", "against")
    FILES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[CatalogFile]
    version: str
    against: str
    def __init__(self, files: _Optional[_Iterable[_Union[CatalogFile, _Mapping]]] = ..., version: _Optional[str] = ..., against: _Optional[str] = ...) -> None: ...

class DiffCatalogResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[CatalogChange]
    def __init__(self, changes: _Optional[_Iterable[_Union[CatalogChange, _Mapping]]] = ...) -> None: ...

class CatalogChange(_message.Message):
    __slots__ = ("kind", "id", "change", "fields")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    change: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., change: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ...) -> None: ...

class PreviewCatalogRequest(_message.Message):
    __slots__ = ("files", "sample", "by", "examples")
    FILES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[CatalogFile]
    sample: int
    by: str
    examples: int
    def __init__(self, files: _Optional[_Iterable[_Union[CatalogFile, _Mapping]]] = ..., sample: _Optional[int] = ..., by: _Optional[str] = ..., examples: _Optional[int] = ...) -> None: ...

class PreviewCatalogResponse(_message.Message):
    __slots__ = ("decisions", "changed", "offers", "groups", "examples")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    decisions: int
    changed: int
    offers: _containers.RepeatedCompositeFieldContainer[PreviewCount]
    groups: _containers.RepeatedCompositeFieldContainer[PreviewCount]
    examples: _containers.RepeatedCompositeFieldContainer[PreviewExample]
    def __init__(self, decisions: _Optional[int] = ..., changed: _Optional[int] = ..., offers: _Optional[_Iterable[_Union[PreviewCount, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[PreviewCount, _Mapping]]] = ..., examples: _Optional[_Iterable[_Union[PreviewExample, _Mapping]]] = ...) -> None: ...

class PreviewCount(_message.Message):
    __slots__ = ("key", "before", "after", "gained", "lost")
    KEY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    GAINED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    key: str
    before: int
    after: int
    gained: int
    lost: int
    def __init__(self, key: _Optional[str] = ..., before: _Optional[int] = ..., after: _Optional[int] = ..., gained: _Optional[int] = ..., lost: _Optional[int] = ...) -> None: ...

class PreviewExample(_message.Message):
    __slots__ = ("decision_id", "customer_id", "before", "after", "reason")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    customer_id: str
    before: _containers.RepeatedScalarFieldContainer[str]
    after: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, decision_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., before: _Optional[_Iterable[str]] = ..., after: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("at",)
    AT_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("at", "known", "caps", "budgets", "currency")
    AT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    CAPS_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    known: bool
    caps: _containers.RepeatedCompositeFieldContainer[CapUsage]
    budgets: _containers.RepeatedCompositeFieldContainer[BudgetUsage]
    currency: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known: _Optional[bool] = ..., caps: _Optional[_Iterable[_Union[CapUsage, _Mapping]]] = ..., budgets: _Optional[_Iterable[_Union[BudgetUsage, _Mapping]]] = ..., currency: _Optional[str] = ...) -> None: ...

class CapUsage(_message.Message):
    __slots__ = ("offer_id", "total_used", "total", "daily_used", "daily")
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DAILY_USED_FIELD_NUMBER: _ClassVar[int]
    DAILY_FIELD_NUMBER: _ClassVar[int]
    offer_id: str
    total_used: int
    total: int
    daily_used: int
    daily: int
    def __init__(self, offer_id: _Optional[str] = ..., total_used: _Optional[int] = ..., total: _Optional[int] = ..., daily_used: _Optional[int] = ..., daily: _Optional[int] = ...) -> None: ...

class BudgetUsage(_message.Message):
    __slots__ = ("incentive_id", "spent", "amount", "period", "starts", "ends", "elapsed", "shadow_price")
    INCENTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    SPENT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_PRICE_FIELD_NUMBER: _ClassVar[int]
    incentive_id: str
    spent: float
    amount: float
    period: str
    starts: _timestamp_pb2.Timestamp
    ends: _timestamp_pb2.Timestamp
    elapsed: float
    shadow_price: float
    def __init__(self, incentive_id: _Optional[str] = ..., spent: _Optional[float] = ..., amount: _Optional[float] = ..., period: _Optional[str] = ..., starts: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., elapsed: _Optional[float] = ..., shadow_price: _Optional[float] = ...) -> None: ...
