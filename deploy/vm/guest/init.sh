#!/bin/sh
# First program of a test machine, run by busybox in the initramfs: puts the host's file system together with a layer
# of memory for what is written, and goes over to it. /machine.sh says where things are on the host.
set -e
/bin/busybox --install -s /bin
. /machine.sh

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module"; done </modules/order

# Read-only, and nobody else's changes matter while the machine lives: everything may be cached.
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000,noxattr root /lower
mount -t tmpfs -o mode=755,size=60% layers /layers
mkdir /layers/upper /layers/work
mount -t overlay -o lowerdir=/lower,upperdir=/layers/upper,workdir=/layers/work overlay /root

# What lies below /tmp or /run on the host would vanish under their file systems.
mount --bind "/root$checkout" /checkout
mount --bind "/root$modules/$release" /modules
for folder in proc sys dev; do mount --move "/$folder" "/root/$folder"; done
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
mount -t tmpfs tmpfs /root/dev/shm
mount -t tmpfs -o mode=755 tmpfs /root/run
mount -t tmpfs -o mode=1777 tmpfs /root/tmp
mkdir -p "/root$checkout" "/root/lib/modules/$release"
mount --move /checkout "/root$checkout"
mount --move /modules "/root/lib/modules/$release"
for folder in results compiled; do
  mkdir -p "/root/$folder"
  mount -t 9p -o trans=virtio,version=9p2000.L,cache=mmap,msize=512000 "$folder" "/root/$folder"
done
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
mount -t bpf bpf /root/sys/fs/bpf
mount -t tracefs tracefs /root/sys/kernel/tracing
ln -sf /proc/self/fd /root/dev/fd

# Labs that run on the host have left their names there.
rm -rf /root/etc/netns
exec switch_root /root /bin/sh "$checkout/deploy/vm/guest/runner.sh"
