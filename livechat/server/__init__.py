"""The serving side: one port for WebSocket subscribers and pages."""
