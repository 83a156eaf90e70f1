"""How clients connect: one port for WebSocket subscribers and pages."""
