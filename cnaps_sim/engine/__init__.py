"""The engine: the clock that runs control events and advances the fed flows in between, and the recorder."""
