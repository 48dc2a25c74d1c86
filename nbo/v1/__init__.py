"""Generated from proto/nbo/v1; never edited."""
