"""What happens, while it happens: server-sent events and a WebSocket."""
