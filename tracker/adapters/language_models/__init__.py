"""Language models: asked at an endpoint, or loaded here."""
