#!/bin/sh
# Process 1 of a test machine: runs the commands that come in on the virtio port "commands", one per line, and sends
# back what they print. command-port.ts is the other side and says what the lines mean.
export HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

serve() {
  echo "netfold-vm ready $(uname -r)"
  while :; do
    # Nothing can be read before the host has opened its end.
    if ! read -r mark command; then
      sleep 0.1
      continue
    fi
    sh -c "$(echo "$command" | base64 -d)" </dev/null 2>&1
    printf '\n%s %d\n' "$mark" "$?"
  done
}

hostname "$(sed -n 's/.*netfold\.hostname=\([^ ]*\).*/\1/p' /proc/cmdline)"
ip link set lo up
modprobe -a virtio_net
for port in /sys/class/virtio-ports/*; do
  if [ "$(cat "$port/name")" = commands ]; then exec 3<>"/dev/${port##*/}"; fi
done

# One pipe for everything keeps the mark behind the output; programs that open /dev/stdout anew can, unlike the port.
serve <&3 3<&- | cat >&3 &
# Waiting for any child, process 1 reaps those that lost their parents, too.
wait
