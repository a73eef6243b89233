"""Generated from proto/node/rpc/: do not edit."""
