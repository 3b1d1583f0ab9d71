/** The labs of the verdict bench. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const HOSTS = 2;

/** Fifty pairs with TCP at a steady pace, which start by themselves. */
const HUNDRED = `
services:
  client: { replicas: 50, run: "sleep 1; until iperf3 -C cubic -c server.$NETFOLD_REPLICA -b 1M -t 60; do sleep 0.2; done" }
  server: { replicas: 50, run: "iperf3 -s" }
bridges: [left, right]
links:
  - { from: client, to: left, latency: 5ms, bandwidth: 20Mbps }
  - { from: left, to: right, latency: 10ms, bandwidth: 100Mbps }
  - { from: right, to: server, latency: 5ms, up: 20Mbps, down: 40Mbps }
`;

export const UNDISTURBED = [
  {
    name: 'the quickstart',
    text: () => readFileSync(join(import.meta.dirname, '../../examples/quickstart.yaml'), 'utf8'),
  },
  { name: '100 endpoints', text: () => HUNDRED },
] as const;

/** In turn on two hosts. UDP from the first to the second, which TCP says nothing of; to the last, more can be under way than its queue holds. */
export const DISTURBED = `
services: { a: {}, b: {}, c: {}, d: {}, e: {}, far: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, bandwidth: 10Mbps }
  - { from: b, to: s, latency: 20ms, bandwidth: 10Mbps }
  - { from: c, to: s, latency: 5ms, bandwidth: 50Mbps }
  - { from: d, to: s, latency: 5ms, bandwidth: 50Mbps }
  - { from: e, to: s, latency: 1ms, bandwidth: 1Gbps }
  - { from: far, to: s, latency: 8s, bandwidth: 1Gbps }
`;

export const SENDERS = 20;
export const RECEIVERS = 10;
export const PATH = '10Mbps';

/** Each sender sends to each receiver: 200 flows. */
export const FLOWS = `
services: { sender: { replicas: ${SENDERS} }, receiver: { replicas: ${RECEIVERS} } }
bridges: [s]
links:
  - { from: sender, to: s, latency: 10ms, bandwidth: ${PATH} }
  - { from: receiver, to: s, latency: 10ms, bandwidth: ${PATH} }
`;

/** Datagrams of 500 bytes to each address in turn, each ten times a second: 43 kb/s a flow. */
export const UDP_SENDER = `use Socket; use Time::HiRes "sleep"; socket(my $s, PF_INET, SOCK_DGRAM, 0);
my @to = map { pack_sockaddr_in(9, inet_aton($_)) } @ARGV;
while (1) { for (@to) { send($s, "x" x 500, 0, $_); } sleep(0.1); }`;
