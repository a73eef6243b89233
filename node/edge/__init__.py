"""The real world: the only folder of a node with sockets, files, signals and servers."""

import os

# gRPC reads this when it is imported. What goes wrong with a call is an exception here, and told in
# words; gRPC's own lines on stderr would only get between those for people.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
