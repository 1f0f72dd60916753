"""What is secret by its name is not captured, and what only looks alike is."""

from __future__ import annotations

import pytest

from tracker.capture.confidential import (
    has_key_block,
    is_secret_file,
    is_secret_name,
    masked,
    without_password,
)


@pytest.mark.parametrize(
    "path",
    [
        ".env", "a/.env", ".env.production", "prod.env", "server.pem", "A/Server.PEM", "id_rsa", "id_rsa.pub",
        "id_ed25519", "credentials", "credentials.json", "a/credentials.yaml", ".aws/config",
        "home/.ssh/known_hosts",
        ".netrc", ".pypirc", "kaggle.json", "tls.key", "gcp-credentials.json", "secrets.toml",
        "client_secret_1.json",
        "terraform.tfstate",
    ],
)  # fmt: skip
def test_a_file_of_secrets_is_known_by_its_name(path: str) -> None:
    assert is_secret_file(path)
    assert is_secret_file(path, is_tracked=True)


@pytest.mark.parametrize(
    "path", ["train.py", ".env.example", "environment.yml", "keys.py", "tokenizer.json", "monkey.txt",
    "envs/a.py"]
)  # fmt: skip
def test_other_files_are_none(path: str) -> None:
    assert not is_secret_file(path)


def test_source_code_that_git_tracks_is_kept_whatever_it_is_called() -> None:
    assert is_secret_file("credentials.py")
    assert not is_secret_file("credentials.py", is_tracked=True)


@pytest.mark.parametrize(
    "name",
    ["token", "--api-key", "WANDB_API_KEY", "hf_token", "dbPassword", "--auth-token", "SLURM_JWT", "secret",
     "AWS_SECRET",
     "accessKey", "client.secret", "passphrase"],
)  # fmt: skip
def test_a_secret_is_known_by_the_name_of_its_option(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["--max-tokens", "--tokenizer", "pad_token", "--eos-token", "num_tokens", "--author", "key", "--keys",
     "lr",
     "SLURM_JOB_ID", "monkey", "--sort-key", "passes", "bypass_norm"],
)  # fmt: skip
def test_words_of_the_field_are_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["--token", "abc"], ["--token", "***"]),
        (["--token=abc", "--lr", "0.1"], ["--token=***", "--lr", "0.1"]),
        (["wandb.api_key=abc"], ["wandb.api_key=***"]),
        (["+secret=abc"], ["+secret=***"]),
        (["--token", "--lr"], ["--token", "--lr"]),
        (["--use-token", "-x"], ["--use-token", "***"]),
        (["--max-tokens", "100"], ["--max-tokens", "100"]),
        (["sk-abcdefghijklmnopqrstu"], ["***"]),
        (["x", "ghp_abcdefghijklmnopqrstuv"], ["x", "***"]),
        (["--db=postgresql://u:p@host/d"], ["--db=postgresql://host/d"]),
        (["https://h/a?token=abc&b=1"], ["https://h/a?token=***&b=1"]),
    ],
)
def test_secret_arguments_are_masked(given: list[str], shown: list[str]) -> None:
    assert masked(given) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@example.org/a.git", "https://example.org/a.git"),
        ("https://ghp_token@example.org/a.git", "https://example.org/a.git"),
        ("https://example.org/a.git", "https://example.org/a.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("ssh://git@example.org/a.git", "ssh://example.org/a.git"),
        ("https://h/x?access_token=abc&y=2#z", "https://h/x?access_token=***&y=2#z"),
    ],
)
def test_an_address_has_no_credentials(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_a_private_key_is_known_by_its_first_line() -> None:
    assert has_key_block(b"-----BEGIN RSA PRIVATE KEY-----\nabc")
    assert has_key_block(b"\n\n-----BEGIN PRIVATE KEY-----")
    assert not has_key_block(b"-----BEGIN CERTIFICATE-----")
    assert not has_key_block(b"a = '-----BEGIN PRIVATE KEY-----'")
