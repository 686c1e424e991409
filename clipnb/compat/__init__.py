"""Other tools' names over clipnb, so that their users' scripts run with the import changed."""
