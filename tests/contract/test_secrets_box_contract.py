"""What every box keeps that seals secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.factories import new_id
from tracker.adapters.security.secrets_box import AesGcmSecretsBox
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.evaluation.secrets import PlainSecret, bound_to
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import UserId
from tracker.ports.evaluation.secrets import SecretsBox

VALUE = "sk-very-secret"
PLAIN = PlainSecret(value=VALUE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secret-keys.json"


@pytest.fixture
def box(path: Path) -> SecretsBox:
    return AesGcmSecretsBox(path)


class TestSecretsBox:
    @pytest.mark.parametrize("value", ["x", "é中😀 \n'\"", "x" * 1024])
    def test_a_sealed_value_is_opened_again(self, box: SecretsBox, value: str) -> None:
        sealed = box.seal(LOCAL_USER, "key", PlainSecret(value=value))
        assert (sealed.name, sealed.key_id) == ("key", box.key_id)
        assert box.open(LOCAL_USER, sealed).value == value
        assert value.encode() not in sealed.ciphertext or len(value) == 1

    def test_nothing_is_sealed_the_same_way_twice(self, box: SecretsBox) -> None:
        sealed = [box.seal(LOCAL_USER, "key", PLAIN) for _ in range(50)]
        assert len({each.nonce for each in sealed}) == len({each.ciphertext for each in sealed}) == 50

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "other"},
            {"nonce": b"n" * 12},
            {"nonce": b"n" * 16},
            {"ciphertext": b"c" * 30},
        ],
    )
    def test_what_was_changed_is_not_opened(self, box: SecretsBox, changes: dict[str, Any]) -> None:
        sealed = box.seal(LOCAL_USER, "key", PLAIN)
        with pytest.raises(Unavailable, match="is not what was stored") as caught:
            box.open(LOCAL_USER, sealed.evolve(**changes))
        assert VALUE not in repr(caught.value)

    def test_each_bit_is_authenticated(self, box: SecretsBox) -> None:
        sealed = box.seal(LOCAL_USER, "key", PLAIN)
        for place in range(len(sealed.ciphertext)):
            changed = bytearray(sealed.ciphertext)
            changed[place] ^= 1
            with pytest.raises(Unavailable):
                box.open(LOCAL_USER, sealed.evolve(ciphertext=bytes(changed)))

    def test_a_row_moved_to_somebody_else_is_not_opened(self, box: SecretsBox) -> None:
        sealed = box.seal(LOCAL_USER, "key", PLAIN)
        with pytest.raises(Unavailable):
            box.open(UserId(new_id()), sealed)

    def test_a_new_key_seals_and_the_older_ones_still_open(self, box: SecretsBox) -> None:
        old = box.seal(LOCAL_USER, "key", PLAIN)
        first = box.key_id
        second = box.add_key()
        assert box.key_id == second != first
        assert box.seal(LOCAL_USER, "key", PLAIN).key_id == second
        assert box.open(LOCAL_USER, old).value == VALUE
        assert box.open(LOCAL_USER, box.seal(LOCAL_USER, "key", PLAIN)).value == VALUE

    def test_only_older_keys_are_dropped(self, box: SecretsBox) -> None:
        old = box.seal(LOCAL_USER, "key", PLAIN)
        second = box.add_key()
        new = box.seal(LOCAL_USER, "key", PLAIN)
        third = box.add_key()
        assert box.drop_keys(second) == 1
        assert (box.key_id, box.drop_keys(second), box.drop_keys("0123abcd")) == (third, 0, 0)
        assert box.open(LOCAL_USER, new).value == VALUE
        with pytest.raises(Unavailable, match=f"key {old.key_id} of the secret key is not in"):
            box.open(LOCAL_USER, old)

    def test_another_process_sees_the_same_keys(self, box: SecretsBox, path: Path) -> None:
        sealed = box.seal(LOCAL_USER, "key", PLAIN)
        other = AesGcmSecretsBox(path)
        assert other.open(LOCAL_USER, sealed).value == VALUE
        assert other.add_key() == box.key_id


def test_the_cipher_is_aes_256_gcm_over_what_the_file_says(box: SecretsBox, path: Path) -> None:
    """Read by hand, so that a change of the format is noticed: what is sealed must stay readable."""
    import json
    from base64 import b64decode

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = box.seal(LOCAL_USER, "key", PLAIN)
    (key,) = json.loads(path.read_text())["keys"]
    secret = b64decode(key["secret"])
    assert (len(secret), key["id"], len(sealed.nonce)) == (32, sealed.key_id, 12)
    bound = bound_to(LOCAL_USER, "key", key["id"])
    assert AESGCM(secret).decrypt(sealed.nonce, sealed.ciphertext, bound) == VALUE.encode()


def test_only_its_owner_may_read_the_keys(box: SecretsBox, path: Path) -> None:
    assert box.key_id
    assert path.stat().st_mode & 0o777 == 0o600
    box.add_key()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(Invalid, match=f"chmod 600 {path}"):
            box.seal(LOCAL_USER, "key", PLAIN)


def test_what_a_killed_process_left_of_keys_is_removed(box: SecretsBox, path: Path) -> None:
    assert box.key_id
    (path.parent / ".secret-keys-x7").write_text("half a file")
    box.add_key()
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "{}", '{"keys": []}', '{"keys": [3]}', '{"keys": [{"id": "0123abcd"}]}',
        '{"keys": [{"id": "0123abcd", "secret": "c2hvcnQ="}]}',
        '{"keys": [{"id": 3, "secret": "' + "A" * 43 + '="}]}',
        '{"keys": [{"id": "0123abcd", "secret": "' + "A" * 42 + '!="}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_file_that_holds_no_keys_is_left_alone(box: SecretsBox, path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    path.chmod(0o600)
    for use in (lambda: box.key_id, box.add_key, lambda: box.drop_keys("0123abcd")):
        with pytest.raises(Invalid, match="key") as caught:
            use()
        assert "AAAA" not in repr(caught.value) and caught.value.__cause__ is None
    assert path.read_text() == content


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    box = AesGcmSecretsBox(tmp_path / "file" / "secret-keys.json")
    with pytest.raises(Unavailable, match=r"secret-keys\.json"):
        box.seal(LOCAL_USER, "key", PLAIN)


def test_without_its_package_nothing_is_sealed_and_no_key_made(
    box: SecretsBox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = box.seal(LOCAL_USER, "key", PLAIN)
    before = path.read_bytes()
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    for use in (
        lambda: box.seal(LOCAL_USER, "key", PLAIN),
        lambda: box.open(LOCAL_USER, sealed),
        box.add_key,
    ):
        with pytest.raises(Unavailable, match=r"pip install 'tracker\[evaluation\]'"):
            use()
    assert path.read_bytes() == before


_FIRST_START = """
import sys
from pathlib import Path
from tracker.adapters.security.secrets_box import AesGcmSecretsBox
print("ready", flush=True)
sys.stdin.readline()
print(AesGcmSecretsBox(Path(sys.argv[1])).key_id)
"""


@pytest.mark.slow
def test_racing_first_starts_make_one_key(path: Path) -> None:
    command = [sys.executable, "-c", _FIRST_START, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racers = [subprocess.Popen(command, **pipes) for _ in range(6)]  # type: ignore[call-overload]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    ids = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert ids == {AesGcmSecretsBox(path).key_id}
