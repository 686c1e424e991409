"""What the experiment language is, told from its models and registries: to people, to schemas and to an editor."""
