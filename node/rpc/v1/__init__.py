"""Generated from proto/node/rpc/v1/: do not edit."""
