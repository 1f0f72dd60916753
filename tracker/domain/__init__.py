"""The pure core: entities, rules and use cases. Everything not named ``service.py`` does no I/O."""
