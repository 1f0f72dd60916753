from __future__ import annotations

import pickle
import traceback

import pytest

from tests.factories import NOON, new_id
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.secrets import PlainSecret, SealedSecret, Secret
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import UserId

VALUE = "sk-very-secret"


def test_the_case_of_a_name_does_not_matter() -> None:
    one, other = (
        Secret(name=name, created_at=NOON, updated_at=NOON) for name in ("OpenAI_Key", " openai_KEY ")
    )
    assert one == other and one.name == "openai_key"
    Secret(name="a" * 255, created_at=NOON, updated_at=NOON)
    for wrong in ("", "  ", "a" * 256, "a\x00", "İ" * 200):  # the last grows when it is lowered
        with pytest.raises(Invalid, match="name"):
            Secret(name=wrong, created_at=NOON, updated_at=NOON)


def test_a_value_shows_in_no_text() -> None:
    secret = PlainSecret(value=VALUE)
    assert VALUE not in f"{secret} {secret!r} {[secret]} {secret.__repr_args__()}"
    assert pickle.loads(pickle.dumps(secret)).value == VALUE


@pytest.mark.parametrize("value", ["", VALUE + "\x00", VALUE * 100, VALUE + "\ud800"])
def test_a_refused_value_shows_in_no_error(value: str) -> None:
    with pytest.raises(Invalid, match="value") as caught:
        PlainSecret(value=value)
    told = "".join(traceback.format_exception(caught.value))
    # The line of this test that made it is no value.
    assert VALUE[:8] not in told


def test_the_longest_value_is_taken() -> None:
    assert len(PlainSecret(value="x" * 1024).value) == 1024


def test_a_sealed_value_is_bound_to_its_owner_name_and_key() -> None:
    sealed = SealedSecret(name="KEY", key_id="0123abcd", nonce=b"n" * 12, ciphertext=b"c" * 20)
    other = sealed.evolve(name="other")
    assert sealed.bound_to(LOCAL_USER) == f"tracker-secret-1\n0123abcd\n{LOCAL_USER}\nkey".encode()
    somebody = UserId(new_id())
    assert len({one.bound_to(user) for one in (sealed, other) for user in (LOCAL_USER, somebody)}) == 4
    assert sealed.is_under("0123abcd") and not sealed.is_under("4567abcd")
    assert "nnnn" not in repr(sealed) and "cccc" not in repr(sealed)
