"""A real cluster on this machine: etcd and agents as processes."""
