"""The composition root, the gRPC services and the background workers."""
