"""What agent and server share: command line, configuration, logs, SQLite, MQTT, health pages."""
