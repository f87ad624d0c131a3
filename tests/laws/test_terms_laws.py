"""Terms are a value: written down and read again they are the same, under one hash."""

from hashlib import sha256

import rfc8785
from hypothesis import given
from msgspec import json, msgpack

from domain.rules.terms import Terms
from tests.laws.phases import terms


@given(terms())
def test_what_was_sold_is_what_is_read(sold: Terms) -> None:
    assert json.decode(json.encode(sold), type=Terms) == sold
    assert msgpack.decode(msgpack.encode(sold), type=Terms) == sold


@given(terms())
def test_the_hash_is_that_of_the_canonical_json(sold: Terms) -> None:
    canonical = rfc8785.dumps(json.decode(json.encode(sold)))
    assert sold.hash == f"sha256:{sha256(canonical).hexdigest()}"
