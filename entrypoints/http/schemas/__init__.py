"""The shapes on the wire: what validates requests and documents answers."""
