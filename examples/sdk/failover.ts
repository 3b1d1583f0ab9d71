/**
 * Runs two servers and a client, waits for traffic, crashes one of the servers, and says how long the client was without an
 * answer. As root: node examples/sdk/failover.ts
 */
import { lab } from '../../sdk/index.ts';

const TOPOLOGY = `
name: failover
services:
  client: { run: "while :; do for s in server.0 server.1; do ping -q -i 0.01 -s 1000 -w 1 $s && break; done; done" }
  server: { replicas: 2 }
links:
  - { from: client, to: server, latency: 20ms, bandwidth: 10Mbps }
`;

await using net = await lab(TOPOLOGY);
await net.wait(({ flows }) => flows.has('client.0>server.0'));
console.log('the client asks server.0');

const crashed = await net.command('crash server.0');
const { nowMs } = await net.wait(({ flows }) => flows.has('client.0>server.1'));
console.log(
  `server.0 is gone since ${crashed.atMs.toFixed(0)} ms; server.1 was asked by ${nowMs!.toFixed(0)} ms`,
);

console.log((await net.logs('client.0', { tail: 3 })).trim());
