/**
 * Multicast between two endpoints: prints how many datagrams came.
 *
 *   node multicast.ts receive GROUP%PLACE PORT COUNT     PLACE: own address (IPv4), or name of the interface (IPv6)
 *   node multicast.ts send GROUP%PLACE PORT COUNT
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 3000;
const [role, group = '', port = '', count = ''] = process.argv.slice(2);
const [address = '', scope = ''] = group.split('%');
const place = isIPv6(address) ? `::%${scope}` : scope;
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
socket.bind(role === 'receive' ? Number(port) : 0, async () => {
  if (role === 'receive') receive();
  else await send();
});

function receive(): void {
  let came = 0;
  const finish = (): void => {
    console.log(came);
    socket.close();
  };
  const patience = setTimeout(finish, WAIT_MS + Number(count) * 10);
  socket.on('message', () => {
    came++;
    if (came < Number(count)) return;
    clearTimeout(patience);
    finish();
  });
  socket.addMembership(address, place);
  console.log('listening');
}

async function send(): Promise<void> {
  socket.setMulticastInterface(place);
  for (let sent = 0; sent < Number(count); sent++) {
    await new Promise((resolve) => socket.send('x', Number(port), address, resolve));
    await sleep(10);
  }
  socket.close();
}
