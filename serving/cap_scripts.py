"""The Lua that counts caps and budgets: each script is atomic, and repeating it changes nothing.

Whatever a slot takes stands in its counter's own hash, so taking twice is taking once and the
counter is the sum of its hash at any time. A slot that is reserved stands in ``open`` too; a
slot that is in a counter and not in ``open`` was accepted, for good.

KEYS of all: ready, open, held. ARGV of all: the prefixes of counters and of their slots, then
the script's own. Every key carries one hash tag.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import lru_cache
from typing import Any

import redis

from serving.keys import CAPS_HELD, CAPS_OPEN, CAPS_READY, CAPS_TAKEN, CAPS_USED

KEPT = timedelta(days=400)
"""How long the counters of a day or a period are kept after their last change."""

LAPSES = 200
"""At most so many lapsed reservations are released on the way; a worker releases the others."""

KEYS = (CAPS_READY, CAPS_OPEN, CAPS_HELD)
PREFIXES = (CAPS_USED, CAPS_TAKEN)

_SHARED = f"""
local ready, open, held = KEYS[1], KEYS[2], KEYS[3]
local used, taken = ARGV[1], ARGV[2]

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function keep(counter)
  if string.sub(counter, 1, 2) ~= 't|' then
    redis.call('EXPIRE', used .. counter, {int(KEPT.total_seconds())})
    redis.call('EXPIRE', taken .. counter, {int(KEPT.total_seconds())})
  end
end

local function take(slot, counter, amount)
  if redis.call('HSETNX', taken .. counter, slot, amount) == 0 then return 0 end
  redis.call('INCRBY', used .. counter, amount)
  keep(counter)
  return 1
end

local function release(slot)
  local items = redis.call('HGET', held, slot)
  redis.call('ZREM', open, slot)
  redis.call('HDEL', held, slot)
  for _, item in ipairs(cjson.decode(items or '[]')) do
    local amount = redis.call('HGET', taken .. item[2], slot)
    if amount then
      redis.call('HDEL', taken .. item[2], slot)
      redis.call('DECRBY', used .. item[2], amount)
      keep(item[2])
    end
  end
end

local function lapse(most)
  local due = redis.call('ZRANGEBYSCORE', open, '-inf', now(), 'LIMIT', 0, most)
  for _, slot in ipairs(due) do release(slot) end
  return #due
end
"""

LAPSE = _SHARED + "return lapse(ARGV[3])\n"
"""ARGV: at most how many. Returns how many reservations lapsed and were released."""

RESERVE = (
    _SHARED
    + f"""
lapse({LAPSES})
local before, wanted, exceeded = {{}}, {{}}, false
for i = 4, #ARGV, 2 do
  for _, item in ipairs(cjson.decode(ARGV[i + 1])) do
    local scope, counter, amount, limit = item[1], item[2], item[3], item[4]
    if redis.call('HGET', ready, scope) ~= '1' then return {{0}} end
    if redis.call('HEXISTS', taken .. counter, ARGV[i]) == 0 then
      before[counter] = before[counter] or tonumber(redis.call('GET', used .. counter) or 0)
      wanted[counter] = (wanted[counter] or before[counter]) + amount
      if limit >= 0 and wanted[counter] > limit then exceeded = true end
    end
  end
end
if exceeded then
  local reply = {{1}}
  for counter, count in pairs(before) do
    reply[#reply + 1] = counter
    reply[#reply + 1] = count
  end
  return reply
end
local till = now() + tonumber(ARGV[3])
for i = 4, #ARGV, 2 do
  for _, item in ipairs(cjson.decode(ARGV[i + 1])) do
    take(ARGV[i], item[2], string.format('%d', item[3]))
  end
  redis.call('ZADD', open, till, ARGV[i])
  redis.call('HSET', held, ARGV[i], ARGV[i + 1])
end
return {{1}}
"""
)
"""ARGV: milliseconds, then slot and what it takes (JSON), for each slot. All or nothing.

Returns 0 when something is not counted yet, else 1 and, where not enough is left of one of them,
each counter that was asked for and what is used of it.
"""

SETTLE = (
    _SHARED
    + """
local slot = ARGV[4]
if redis.call('EXISTS', ready) == 0 and redis.call('EXISTS', open) == 0 then return 0 end
if ARGV[3] == 'release' then
  if redis.call('ZSCORE', open, slot) then release(slot) end
  return 0
end
local was_reserved = redis.call('ZREM', open, slot)
redis.call('HDEL', held, slot)
local new = 0
for _, item in ipairs(cjson.decode(ARGV[5])) do
  if redis.call('HEXISTS', ready, item[1]) == 1 then
    new = new + take(slot, item[2], string.format('%d', item[3]))
  end
end
if was_reserved == 0 and new > 0 then return 1 end
return 0
"""
)
"""ARGV: ``commit`` or ``release``, slot, what it takes (JSON).

Returns 1 for an acceptance that had no reservation any more and was counted now.
"""

COMMIT = (
    _SHARED
    + """
for i = 3, #ARGV, 2 do
  redis.call('ZREM', open, ARGV[i])
  redis.call('HDEL', held, ARGV[i])
  for _, item in ipairs(cjson.decode(ARGV[i + 1])) do
    if redis.call('HEXISTS', ready, item[1]) == 1 then
      take(ARGV[i], item[2], string.format('%d', item[3]))
    end
  end
end
"""
)
"""ARGV: slot and what it takes (JSON), for each accepted slot. For rebuilding."""

RESTORE = (
    _SHARED
    + """
local function restore(till, slot, taking)
  if till <= now() then return end
  local items = cjson.decode(taking)
  local waits = redis.call('ZSCORE', open, slot)
  if not waits then
    for _, item in ipairs(items) do
      if redis.call('HEXISTS', taken .. item[2], slot) == 1 then return end
    end
  end
  local counted = false
  for _, item in ipairs(items) do
    if redis.call('HEXISTS', ready, item[1]) == 1 then
      take(slot, item[2], string.format('%d', item[3]))
      counted = true
    end
  end
  if counted then
    redis.call('HSET', held, slot, taking)
    if not waits then redis.call('ZADD', open, till, slot) end
  end
end
for i = 3, #ARGV, 3 do restore(tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]) end
"""
)
"""ARGV: epoch milliseconds at which it lapses, slot, what it takes (JSON), each. For rebuilding."""

READY = """
local done = 0
for i = 4, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[3] then
    redis.call('HSET', KEYS[1], ARGV[i], '1')
    done = done + 1
  end
end
return done
"""
"""ARGV: token of a rebuild, scopes. Ends it where it still runs; returns for how many."""


ANSWERING = (LAPSE, RESERVE)
"""What answers need. They are sent by name alone, which a Redis that was just started does not
know: its counters may lack its last second, and are not used until the keeper compared them with
the ledger and loaded these."""


def call(script: str, *arguments: str | int) -> tuple[Any, ...]:
    """Arguments of EVAL; the text is sent each time, so a restart of Redis needs no care."""
    return (script, len(KEYS), *KEYS, *PREFIXES, *arguments)


def call_loaded(script: str, *arguments: str | int) -> tuple[Any, ...]:
    """Arguments of EVALSHA, for the scripts of `ANSWERING`."""
    return (_name(script), *call(script, *arguments)[1:])


def answering(live: redis.Redis) -> bool:
    """Whether Redis was found whole since it was started."""
    found: Any = live.script_exists(*map(_name, ANSWERING))
    return all(found)


@lru_cache
def _name(script: str) -> str:
    """What Redis calls a script."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
