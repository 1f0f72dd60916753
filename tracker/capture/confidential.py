"""What is never captured: files that hold secrets by their name or first line, and secret values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate

__all__ = ["MASK", "has_key_block", "is_secret_file", "is_secret_name", "masked", "without_password"]

MASK = "***"

_FILES = (
    ".env", ".env.*", "*.env", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.p8", "*.ppk",
    "*.jks", "*.keystore", "*.kdbx", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
    "credentials*", "*credentials.json", "service-account*.json", "service_account*.json",
    "client_secret*", "secrets.json", "secrets.toml", "secrets.y*ml", "secrets.ini", "secrets.txt",
    ".secrets*", ".netrc", "_netrc", ".pypirc", ".npmrc", ".yarnrc.yml", ".git-credentials",
    ".pgpass", ".my.cnf", ".htpasswd", "kubeconfig*", "kaggle.json", ".vault*", ".boto", ".s3cfg",
    ".dockercfg", "*.tfvars", "*.tfstate", "*.ovpn",
)  # fmt: skip
_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".azure", ".gcloud", ".kaggle", ".secrets"})
_SECRET = re.compile("|".join(map(translate, _FILES)))
_HARMLESS = re.compile("|".join(map(translate, (".env.dist", "*.example", "*.sample", "*.template"))))

_CODE = (
    ".py",
    ".pyi",
    ".pyx",
    ".c",
    ".cc",
    ".cpp",
    ".cu",
    ".h",
    ".hpp",
    ".rs",
    ".go",
    ".js",
    ".ts",
    ".md",
    ".rst",
)

_WORDS = frozenset(
    {"token", "secret", "secrets", "password", "passwd", "passphrase", "pwd", "pass", "credential",
     "credentials", "apikey", "authtoken", "accesskey", "secretkey", "privatekey", "jwt", "bearer",
     "dsn", "cookie"}
)  # fmt: skip
_KEYS = frozenset(
    {"api", "access", "private", "secret", "auth", "account", "encryption", "signing", "license"}
)
# What stands before "token" where it is a symbol of a text: `pad_token`, `max_token`.
_SYMBOLS = frozenset(
    {"pad", "eos", "bos", "unk", "mask", "sep", "cls", "special", "num", "max", "min", "per", "image", "stop",
     "start", "end", "first", "last", "class", "by", "new", "prefix", "suffix"}
)  # fmt: skip
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_VALUES = re.compile(
    r"\b(?:sk-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_\w{16,}|pat_\w{16,}|AKIA\w{12,}"
    r"|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|npm_\w{30,}|pypi-[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_USER = re.compile(r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)[^\s/?#]*@")
_QUERY = re.compile(r"(?P<name>[?&;][\w.-]+)=[^&;#\s]*")
_BLOCK = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_OPTION = re.compile(r"(?P<name>[+~]{0,2}-{0,2}[A-Za-z][\w.\-/]*)(?P<sign>[=:])(?P<value>.*)", re.DOTALL)


def is_secret_file(path: str, *, is_tracked: bool = False) -> bool:
    """Whether a file of this relative path may hold a secret, by what it is called.

    Source code that git tracks is no secret, and nothing would run without it: ``credentials.py``.
    """
    if is_tracked and path.endswith(_CODE):
        return False
    *folders, name = path.lower().split("/")
    if not _FOLDERS.isdisjoint(folders) or name in _FOLDERS:
        return True
    return _SECRET.match(name) is not None and _HARMLESS.match(name) is None


def has_key_block(content: bytes) -> bool:
    """Whether this is, or begins with, a private key in the form of RFC 7468."""
    return _BLOCK.match(content.lstrip()[:64]) is not None


def is_secret_name(name: str) -> bool:
    """Whether an option or a variable of this name holds a secret: ``--wandb-api-key``, ``DB_PASSWORD``.

    ``--max-tokens``, ``--pad-token`` and ``--tokenizer`` do not.
    """
    words = [word.lower() for word in _PARTS.findall(name)]
    for before, word in zip(["", *words], words, strict=False):
        if word == "key" and before in _KEYS:
            return True
        if word in _WORDS and not (word in {"token", "pass"} and before in _SYMBOLS):
            return True
    return False


def without_password(url: str) -> str:
    """`url` without user, password, and values of secret names in its query."""

    def hidden(match: re.Match[str]) -> str:
        return f"{match['name']}={MASK}" if is_secret_name(match["name"]) else match[0]

    return _QUERY.sub(hidden, _USER.sub(r"\g<scheme>", url))


def masked(arguments: Sequence[str]) -> list[str]:
    """A command's arguments with :data:`MASK` in the place of secret values."""
    return list(_masked(arguments))


def _masked(arguments: Iterable[str]) -> Iterable[str]:
    is_value = False
    for argument in arguments:
        option = _OPTION.fullmatch(argument)
        if is_value and not argument.startswith("--"):
            yield MASK
            is_value = False
        elif option is not None and is_secret_name(option["name"]) and not _is_address(argument):
            yield f"{option['name']}{option['sign']}{MASK}"
            is_value = False
        else:
            is_value = argument.startswith("-") and "=" not in argument and is_secret_name(argument)
            yield _VALUES.sub(MASK, without_password(argument))


def _is_address(argument: str) -> bool:
    return re.match(r"[\w+.-]+://", argument) is not None
