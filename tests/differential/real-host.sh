# Inside fresh namespaces: make a tree the root folder of a host at 192.168.65.2, and be its Docker engine.
#
#   sh real-host.sh TREE SHARED CGROUP       SHARED is a folder outside, for the socket and the log
#
# The tree itself stays as it is: what is written goes into memory. All mounts, devices and processes are in namespaces of
# this process, and go when it ends.
set -e
tree=$1 shared=$2 cgroup=$3

mount -t tmpfs scratch "$shared/scratch"
cd "$shared/scratch"
mkdir root upper work
mount -t overlay host -o "lowerdir=$tree,upperdir=upper,workdir=work" root
cd root
mkdir -p shared var/lib/docker
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
for folder in run tmp var/lib/docker; do mount -t tmpfs tmpfs "$folder"; done
mount --bind "$shared" shared
: >etc/resolv.conf

# The host's way out is a cable whose other end nobody answers.
ip link set lo up
ip link add eth0 type veth peer name cable
ip link set cable up
ip link set eth0 up
ip address add 192.168.65.2/24 broadcast + dev eth0
ip route add default via 192.168.65.1
echo node-1 >/proc/sys/kernel/hostname

pivot_root . tmp
busybox umount -l /tmp
exec dockerd --host unix:///shared/docker.sock --storage-driver overlay2 \
    --cgroup-parent "/$cgroup" --default-cgroupns-mode private >/shared/engine.log 2>&1
