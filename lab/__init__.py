"""The experimenter's bench around nodes: launch, break, watch, check, replay."""
