"""Feast's online store as one Redis HASH per customer, one packed row per view.

A Feast plug-in: `feature_store.yaml` names it, Feast writes through it when materialising, and
`features.reader` reads the same bytes without Feast.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, cast

from feast import Entity, FeatureView
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from features import erasure
from features.feast_views import type_name, view_of
from features.keys import PREFIX, check_customer_id, features_key
from features.packing import Cell, Packing
from features.windows import from_us, to_us

if TYPE_CHECKING:
    import redis

REDIS_URL = "NBO_REDIS_URL"
"""Environment variable that overrides `connection`, so that an embedded Redis is found."""

_BATCH = 1000
_NO_TIME = -(2**63)
"""How Feast writes a missing time."""

_Rows = list[tuple[EntityKey, dict[str, Value], datetime, datetime | None]]
_FIELDS = {
    "f4": "float_val",
    "f8": "double_val",
    "i8": "int64_val",
    "bool": "bool_val",
    "text": "string_val",
    "time": "unix_timestamp_val",
}


class PackedOnlineStoreConfig(FeastConfigBaseModel):
    """The `online_store` part of `feature_store.yaml`.

    Attributes:
        connection: Redis URL; `NBO_REDIS_URL` overrides it.
        key_prefix: First part of every key.
    """

    type: Literal["features.packed_online.PackedOnlineStore"] = (
        "features.packed_online.PackedOnlineStore"
    )
    connection: str = "redis://127.0.0.1:6379/0"
    key_prefix: str = PREFIX


class PackedOnlineStore(OnlineStore):
    """Writes and reads packed rows; see `features.packing` for their bytes.

    Attributes:
        written: Rows written by this object, by view.
    """

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self._client: redis.Redis | None = None

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: _Rows,
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows; the last written row of a customer and view stands, also an older one."""
        view = view_of(table)
        packing, field = Packing(view), f"v:{view.name}"
        value_fields = [(column.name, _FIELDS[column.dtype]) for column in view.columns]
        prefix, client = config.online_store.key_prefix, self._redis(config)
        rows = iter(data)
        while batch := list(islice(rows, _BATCH)):
            pipe = client.pipeline(transaction=False)
            for entity, values, at, _ in batch:
                cells = {name: _cell(values.get(name), wire) for name, wire in value_fields}
                key = features_key(_customer_id(entity), prefix)
                pipe.hset(key, field, cast(str, packing.pack(to_us(_aware(at)), cells)))
            pipe.execute()
            self.written[view.name] += len(batch)
            if progress:
                progress(len(batch))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, Value] | None]]:
        """Read rows for Feast's own SDK; rows of another schema are not found."""
        view = view_of(table)
        packing, wire = Packing(view), {c.name: _FIELDS[c.dtype] for c in view.columns}
        types = {feature.name: type_name(feature) for feature in table.features}
        pipe = self._redis(config).pipeline(transaction=False)
        for entity in entity_keys:
            key = features_key(_customer_id(entity), config.online_store.key_prefix)
            pipe.hget(key, f"v:{view.name}")
        found: list[tuple[datetime | None, dict[str, Value] | None]] = []
        for data in pipe.execute():
            row = packing.unpack(data) if data is not None else None
            if row is None:
                found.append((None, None))
                continue
            wanted = requested_features or list(wire)
            values = {name: _value(row.cells.get(name), wire[name], types[name]) for name in wanted}
            found.append((from_us(row.at_us), values))
        return found

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Drop the rows of views that are no longer defined; nothing to create for new ones."""
        self._drop(config, [table.name for table in tables_to_delete])

    def teardown(
        self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]
    ) -> None:
        """Drop the rows of all views; windows and history stay."""
        self._drop(config, [table.name for table in tables])

    def delete_customer(self, config: RepoConfig, customer_id: str) -> bool:
        """Forget one customer; see `features.erasure`."""
        client, prefix = self._redis(config), config.online_store.key_prefix
        return erasure.delete_customer(client, customer_id, prefix)

    def _redis(self, config: RepoConfig) -> redis.Redis:
        if self._client is None:
            import redis

            url = os.environ.get(REDIS_URL) or config.online_store.connection
            self._client = redis.Redis.from_url(url)
        return self._client

    def _drop(self, config: RepoConfig, views: list[str]) -> None:
        if not views:
            return
        client, prefix = self._redis(config), config.online_store.key_prefix
        fields = [f"v:{view}" for view in views]
        keys = cast("Iterator[bytes]", client.scan_iter(features_key("*", prefix), count=1000))
        while batch := list(islice(keys, _BATCH)):
            pipe = client.pipeline(transaction=False)
            for key in batch:
                pipe.hdel(cast(str, key), *fields)
            pipe.execute()


def _customer_id(entity: EntityKey) -> str:
    """Give the one join key as text: tables may number their customers."""
    value = entity.entity_values[0]
    return check_customer_id(str(getattr(value, value.WhichOneof("val"))))


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _cell(value: Value | None, wire: str) -> Cell:
    """Unwrap the number, text or flag in Feast's value; None when it holds none."""
    if value is None:
        return None
    kind = value.WhichOneof("val")
    if kind is None or kind == "null_val":
        return None
    if kind == "unix_timestamp_val" and value.unix_timestamp_val == _NO_TIME:
        return None
    # Int32 fields come in their own member and share the packed type of Int64.
    return cast(Cell, getattr(value, "int32_val" if kind == "int32_val" else wire))


def _value(cell: Cell, wire: str, feast_type: str) -> Value:
    if cell is None:
        return Value()
    value = Value()
    setattr(value, "int32_val" if feast_type == "INT32" else wire, cell)
    return value
