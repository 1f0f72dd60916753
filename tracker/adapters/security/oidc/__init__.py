"""Sign-in at an OpenID Connect provider; needs the extra ``team``.

Raises:
    Unavailable: on import, when the extra is not installed.
"""

from tracker.adapters.security.extra import from_extra

with from_extra():
    from tracker.adapters.security.oidc.sign_in import OidcIdentityProvider

__all__ = ["OidcIdentityProvider"]
