"""Sign-in at an OpenID Connect provider; needs the extra ``team``.

Raises:
    Invalid: on import, when the extra is not installed.
"""

from tracker.domain.errors import Invalid

try:
    from tracker.adapters.security.oidc.sign_in import OidcIdentityProvider
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] not in {"authlib", "cryptography", "joserfc"}:
        raise
    raise Invalid.field(
        "OIDC_ISSUER", "sign-in at a provider needs its libraries: pip install 'tracker[team]'"
    ) from error

__all__ = ["OidcIdentityProvider"]
