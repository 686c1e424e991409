"""The experiment language: YAML, checked into an `ExperimentConfig`."""
