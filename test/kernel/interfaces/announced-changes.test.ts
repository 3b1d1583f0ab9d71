/** The kernel tells of what others change at endpoints' interfaces and in netfold's table, and of nothing else. */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OWN_MAJOR } from '../../../agent/enforce/interface-state.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { deleteRoot, setHtbClass, setHtbRoot } from '../../../agent/kernel/netlink/tc-messages.ts';
import { within } from '../../../agent/kernel/netns/namespaces.ts';
import { OWN_PORT } from '../../../agent/linux/objects/own-port.ts';
import { AnnouncedChanges } from '../../../agent/linux/watch/announced-changes.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { until } from '../../support/lab/lab.ts';

let cable: Cable;
let changes: AnnouncedChanges;
const opened: NetlinkSocket[] = [];

beforeEach(async () => {
  cable = await readyCable();
  changes = new AnnouncedChanges();
  changes.attach(cable.a);
  changes.attach(cable.b);
  expect(changes.problems).toEqual([]);
  changes.take();
});

/** That an interface has become ready the kernel tells up to a second later. */
async function readyCable(): Promise<Cable> {
  const laid = layCable();
  for (const end of [laid.a, laid.b])
    await until(() => at(end, 'ip -o link show eth0').includes('state UP'), `${end.name} is up`);
  return laid;
}

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
  changes.close();
  cable.remove();
});

function socketAt({ namespace }: LocalEndpoint, port?: number): NetlinkSocket {
  const socket = within(namespace, () => new NetlinkSocket(NETLINK_ROUTE, port));
  opened.push(socket);
  return socket;
}

const at = ({ namespace }: LocalEndpoint, words: string, input = ''): string =>
  execFileSync('ip', ['netns', 'exec', namespace.split('/').at(-1)!, ...words.split(' ')], {
    encoding: 'utf8',
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
  });

const taken = (): number[] => [...changes.take()].sort();

it('at an interface: qdiscs, classes, filters, and itself, each by its endpoint', () => {
  const { a, b } = cable;
  for (const change of [
    'tc qdisc add dev eth0 root handle 1: htb',
    'tc class add dev eth0 parent 1: classid 1:1 htb rate 1mbit',
    'tc class change dev eth0 parent 1: classid 1:1 htb rate 2mbit',
    'tc qdisc add dev eth0 clsact',
    'tc filter add dev eth0 egress u32 match u32 0 0 flowid 1:1',
    'tc filter del dev eth0 egress',
    'tc qdisc del dev eth0 root',
    'ip link set dev eth0 mtu 1400',
  ]) {
    at(a, change);
    expect([change, taken()]).toEqual([change, [0]]);
  }
  at(b, 'tc qdisc add dev eth0 root handle 1: pfifo');
  expect(taken()).toEqual([1]);
  at(a, 'ip link del eth0');
  expect(taken()).toEqual([0, 1]);
});

it("not: what netfold itself changes, other interfaces, and others' tables", () => {
  const { a } = cable;
  const own = socketAt(a, OWN_PORT);
  own.run([setHtbRoot(2, OWN_MAJOR, 1000)]);
  expect(taken()).toEqual([]);
  at(a, 'ip link add x0 type veth peer x1');
  at(a, 'tc qdisc add dev x0 root handle 1: htb');
  at(a, 'nft add table inet other');
  expect(taken()).toEqual([]);
  own.run([deleteRoot(2)]);
  // The kernel has not given another socket the port.
  socketAt(a, OWN_PORT).run([setHtbRoot(2, OWN_MAJOR, 1000)]);
  expect(taken()).toEqual([0]);
});

it("netfold's table, its chains and rules", () => {
  const { b } = cable;
  for (const change of [
    'nft add table inet netfold',
    'nft add chain inet netfold arrivals { type filter hook prerouting priority 0 ; }',
    'nft add rule inet netfold arrivals accept',
    'nft flush chain inet netfold arrivals',
    'nft flush ruleset',
  ]) {
    at(b, change);
    expect([change, taken()]).toEqual([change, [1]]);
  }
});

it('several endpoints in one namespace, and a namespace that comes again', async () => {
  const { a, b } = cable;
  changes.attach({ ...a, number: 2, ifindex: 1 });
  expect(changes.problems).toEqual([]);
  at(a, 'tc qdisc add dev lo root handle 1: pfifo');
  expect(taken()).toEqual([2]);
  changes.detach(a);
  at(a, 'tc qdisc add dev eth0 root handle 1: pfifo');
  expect(taken()).toEqual([]);
  changes.attach(a);
  changes.detach(b);
  cable.remove();
  cable = await readyCable();
  changes.attach(cable.b);
  changes.take();
  at(cable.b, 'tc qdisc add dev eth0 root handle 1: pfifo');
  expect(taken()).toEqual([1]);
  expect(changes.problems).toEqual([]);
});

it('changes that come too fast make all endpoints suspect once, and own ones never', () => {
  const { a } = cable;
  const own = socketAt(a, OWN_PORT);
  const rates = (count: number, port?: NetlinkSocket): void => {
    const by = port ?? socketAt(a);
    for (let start = 0; start < count; start += 1000)
      by.run(
        Array.from({ length: 1000 }, (_, n) =>
          setHtbClass(2, OWN_MAJOR, 2, { bytesPerSecond: 1e6 + n, burstBytes: 2000 }, 1514),
        ),
      );
  };
  own.run([setHtbRoot(2, OWN_MAJOR, 1000)]);
  rates(30_000, own);
  expect(taken()).toEqual([]);
  rates(30_000);
  expect(taken()).toEqual([0, 1]);
  expect(changes.overruns).toBe(1);
  expect(taken()).toEqual([]);
  at(a, 'tc qdisc del dev eth0 root');
  expect(taken()).toEqual([0]);
  expect(changes.overruns).toBe(1);
});
