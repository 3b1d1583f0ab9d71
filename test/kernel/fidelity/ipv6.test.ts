/** IPv6 between endpoints of the lab: the same paths, the same counters, the same shares as IPv4. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { addressBytes, addressKey } from '../../../agent/kernel/netlink/addresses.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespaces.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { ENDPOINT_INTERFACE } from '../../../controller/platform/lab/lab-plan.ts';
import { tcpGoodput } from '../../../controller/verify/goodput.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import type { FlowStatus } from '../../../proto/status.ts';
import { endpointName } from '../../../topology/model/names.ts';
import { experimentName, place, receivedBytes, run, runIn, startLab, until } from '../../support/lab/lab.ts';
import { oneWayDelayMs } from '../../support/traffic/one-way-delay.ts';

/** A shared machine may pause for 100 ms, which spoils a measurement of seconds; what is wrong fails twice. */
const MEASURED = { retry: 1 };

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
/** Payload of a full-sized TCP segment with timestamps, over the frame that carries it. */
const GOODPUT4 = 1448 / 1514;
const GOODPUT6 = 1428 / 1514;

/** An endpoint by its IPv6 address. */
function place6(lab: Experiment, name: string): Place {
  const endpoint = lab.plan.endpoints.find((one) => one.name === endpointName(name, 0))!;
  return { ...endpoint, address: endpoint.addresses[1]! };
}

/** A counter of the endpoint's namespace. */
async function snmp6(at: Place, name: string): Promise<number> {
  const { out } = await runIn(at, 'cat', '/proc/net/snmp6');
  return Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(out)![1]);
}

describe('a path gives IPv6', () => {
  it('its latency each way, to datagrams, pings and TCP', MEASURED, async () => {
    const lab = await startLab(
      `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 7ms, oneway: true }
  - { from: b, to: a, latency: 21ms, oneway: true }
`,
      { hosts: 2 },
    );
    const [a, b] = [place6(lab, 'a'), place6(lab, 'b')];
    expect(Math.abs((await oneWayDelayMs(a, b)) - 7)).toBeLessThan(1);
    expect(Math.abs((await oneWayDelayMs(b, a)) - 21)).toBeLessThan(1);
    // In parallel, so that a busy machine delays both.
    const [four, six] = await Promise.all([ping(a, place(lab, 'b'), 150, 20), ping(a, b, 150, 20)]);
    expect(six.received).toBe(150);
    expect(Math.abs(six.meanMs - four.meanMs)).toBeLessThan(0.5);
    expect(Math.abs((await tcpHandshakeMs(a, b)) - 28)).toBeLessThan(1);
    // Nothing had to be asked for, of neighbours or routers.
    for (const at of [a, b])
      for (const name of ['NeighborSolicits', 'RouterSolicits'])
        expect(await snmp6(at, `Icmp6Out${name}`), name).toBe(0);
  });

  it('its bandwidth each way', MEASURED, async () => {
    const lab = await startLab(
      `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 5ms, up: 20Mbps, down: 4Mbps }
`,
      { hosts: 2 },
    );
    const [a, b] = [place6(lab, 'a'), place6(lab, 'b')];
    const up = await tcpGoodput({ from: a, to: b }, { seconds: 5, settleSeconds: 1, rateBps: 20e6 });
    expect(Math.abs(up / (20e6 * GOODPUT6) - 1)).toBeLessThan(0.02);
    const down = await tcpGoodput({ from: b, to: a }, { seconds: 5, settleSeconds: 1, rateBps: 4e6 });
    expect(Math.abs(down / (4e6 * GOODPUT6) - 1)).toBeLessThan(0.02);
  });

  it('its loss, in the direction that the file says', async () => {
    const lab = await startLab(`
services: { a: {}, b: {}, c: {}, d: {} }
links:
  - { from: a, to: b, loss: 2%, oneway: true }
  - { from: b, to: a, latency: 1ms, oneway: true }
  - { from: c, to: d, latency: 1ms, oneway: true }
  - { from: d, to: c, loss: 10%, oneway: true }
`);
    const losses: [Place, Place, number][] = [
      [place6(lab, 'a'), place6(lab, 'b'), 0.02],
      [place6(lab, 'c'), place6(lab, 'd'), 0.1],
    ];
    const counts = await Promise.all(losses.map(([from, to]) => ping(from, to, 3000, 3)));
    for (const [index, { sent, received }] of counts.entries()) {
      const loss = losses[index]![2];
      // Four standard errors: a faithful run fails once in 16,000.
      const allowed = 4 * Math.sqrt(loss * (1 - loss) * sent);
      expect(Math.abs(sent - received - loss * sent)).toBeLessThan(allowed);
    }
    // Lost on their way there: requests of a → b, answers of c → d.
    expect(await snmp6(losses[1]![1], 'Icmp6InEchos')).toBe(3000);
    expect(await snmp6(losses[0]![1], 'Icmp6InEchos')).toBe(counts[0]!.received);
  });

  it('nothing where the topology has none', async () => {
    const lab = await startLab(
      `
services: { a: {}, b: {}, c: {}, d: {} }
links:
  - { from: a, to: b, latency: 1ms, bandwidth: 10Mbps }
  - { from: a, to: d, latency: 1ms, oneway: true }
`,
      { hosts: 2 },
    );
    const [a, b, c, d] = [place6(lab, 'a'), place6(lab, 'b'), place6(lab, 'c'), place6(lab, 'd')];
    expect((await ping(a, b, 3, 50)).received).toBe(3);
    expect((await ping(a, c, 3, 50)).received).toBe(0);
    expect((await ping(a, d, 3, 50)).received).toBe(0);
    expect(await snmp6(c, 'Icmp6InEchos')).toBe(0);
    expect(await snmp6(d, 'Icmp6InEchos')).toBe(3);
  });
});

/** Time until a TCP connection stands, the best of ten: one round trip. */
async function tcpHandshakeMs(from: Place, to: Place): Promise<number> {
  const address = JSON.stringify(to.address);
  const listen = `
    let left = 10;
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => {}).on('close', () => --left || process.exit()).resume();
    });
    server.listen(5201, ${address});
    setTimeout(() => process.exit(), 10_000);`;
  const connect = `
    const times = [];
    const next = () => {
      if (times.length === 10) return console.log(Math.min(...times));
      const start = performance.now();
      const socket = require('node:net').connect(5201, ${address}, () => {
        times.push(performance.now() - start);
        socket.destroy();
        next();
      });
    };
    next();`;
  const ended = runIn(to, process.execPath, '-e', listen);
  await until(async () => (await runIn(to, 'ss', '-ltn')).out.includes(':5201'), 'the server listens');
  const { out, err } = await runIn(from, 'timeout', '8', process.execPath, '-e', connect);
  await ended;
  if (out === '') throw new Error(`no connection: ${err}`);
  return Number(out);
}

it(
  'shares a path of two endpoints with their IPv4: one bandwidth, one flow in each direction',
  MEASURED,
  async () => {
    const lab = await startLab(
      `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 5ms, up: 20Mbps, down: 8Mbps }
`,
      { hosts: 2 },
    );
    const both = { seconds: 6, settleSeconds: 2, rateBps: 10e6 };
    const four = tcpGoodput({ from: place(lab, 'a'), to: place(lab, 'b') }, both);
    const six = tcpGoodput({ from: place6(lab, 'a'), to: place6(lab, 'b') }, { ...both, port: 5202 });
    await sleep(5000);
    const flows = (await lab.statuses()).flatMap((status) => status.flows);
    const [goodput4, goodput6] = await Promise.all([four, six]);

    expect(Math.abs((goodput4 / GOODPUT4 + goodput6 / GOODPUT6) / 20e6 - 1)).toBeLessThan(0.03);
    for (const goodput of [goodput4, goodput6]) expect(goodput).toBeGreaterThan(2e6);
    const there = flows.filter(({ from }) => from === 'a.0');
    expect(there).toMatchObject([
      { to: 'b.0', greedy: true, limitedBy: 'a.0->b.0' },
    ] as Partial<FlowStatus>[]);
    expect(Math.abs(there[0]!.rateBps / 20e6 - 1)).toBeLessThan(0.03);
    // Acknowledgements.
    expect(flows.filter(({ from }) => from === 'b.0').length).toBeLessThanOrEqual(1);
  },
);

describe('counters', () => {
  let programs: Programs | undefined;

  afterEach(async () => {
    await programs?.close();
    programs = undefined;
  });

  /** Gives the bytes that `from` has sent to `to` since now, counted beside the agent. */
  function countFrom(from: Place, to: Place): () => number {
    programs = loadPrograms(1);
    programs.countTraffic({
      number: 0,
      name: from.name,
      namespace: namespacePath(from.namespace),
      ifname: ENDPOINT_INTERFACE.name,
      ifindex: ENDPOINT_INTERFACE.index,
      addresses: [from.address],
    });
    const { usage } = programs;
    usage.setEndpoints(
      new Map([from, to].map(({ address }, number) => [addressKey(addressBytes(address)), number])),
    );
    return () => {
      const { count, source, destination, bytes } = usage.read();
      for (let row = 0; row < count; row++)
        if (source[row] === 0 && destination[row] === 1) return bytes[row]!;
      return 0;
    };
  }

  it('hold every fragment of a packet, and fragments have the path’s delay', MEASURED, async () => {
    const lab = await startLab(
      `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 12ms, oneway: true, bandwidth: 400Mbps }
  - { from: b, to: a, latency: 4ms, oneway: true, bandwidth: 300Mbps }
`,
      { hosts: 2 },
    );
    const [a, b] = [place6(lab, 'a'), place6(lab, 'b')];
    const counted = countFrom(a, b);
    const { out } = await runIn(a, 'ping', '-6', '-q', '-c', '100', '-i', '0.02', '-s', '4000', b.address);
    expect(out).toContain('100 packets transmitted, 100 received');
    // 1,500 bytes hold IPv6 header (40), fragment header (8) and 1,448 of the 4,008 bytes: three frames.
    expect(counted()).toBe(100 * (4008 + 3 * (14 + 40 + 8)));
    expect(await snmp6(b, 'Ip6ReasmReqds')).toBe(300);
    // The fastest: the others show the machine.
    expect(Math.abs(Number(/= ([\d.]+)\//.exec(out)![1]) - 16)).toBeLessThan(0.7);
  });

  it('count GSO packets of TCP as the frames that they become', MEASURED, async () => {
    const lab = await startLab(
      `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 2ms, up: 100Mbps, down: 60Mbps }
`,
      { hosts: 2 },
    );
    const [a, b] = [place6(lab, 'a'), place6(lab, 'b')];
    const counted = countFrom(a, b);
    const before = { shaped: await shapedBytes(a), received: receivedBytes(b) };
    await tcpGoodput({ from: a, to: b }, { seconds: 4, settleSeconds: 0 });
    const shaped = (await shapedBytes(a)) - before.shaped;
    const received = receivedBytes(b) - before.received;
    expect(shaped).toBeGreaterThan(40e6);
    // tc counts frames; the interface counts the header of a GSO packet once, so that there must be fewer.
    expect(received / shaped).toBeLessThan(0.97);
    expect(Math.abs(counted() / shaped - 1)).toBeLessThan(0.01);
  });
});

/** Bytes that have left through the endpoint's root qdisc, as tc counts them. */
async function shapedBytes(at: Place): Promise<number> {
  const { out } = await runIn(at, 'tc', '-s', '-j', 'qdisc', 'show', 'dev', 'eth0', 'root');
  return (JSON.parse(out) as { kind: string; bytes: number }[]).find(({ kind }) => kind === 'htb')!.bytes;
}

it('is left out on a kernel without it, which `up` says once, and all else works', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  try {
    const file = join(folder, 'lab.yaml');
    const result = join(folder, 'result');
    const command = `(ip -o address show dev eth0; cat /etc/hosts; ping -c 3 -i 0.1 b; echo 6:$NETFOLD_ADDRESS6.) > ${result}`;
    writeFileSync(
      file,
      `
services: { a: { run: ${JSON.stringify(command)} }, b: {} }
links:
  - { from: a, to: b, latency: 3ms, up: 10Mbps, down: 5Mbps }
`,
    );
    const up = `exec ${NETFOLD} up ${file} --hosts 2 --name ${experimentName()} --duration 2s`;
    const hidden = `mount -t tmpfs none /proc/sys/net/ipv6 && ${up}`;
    const { code, err } = await run('unshare', ['--mount', 'sh', '-c', hidden]);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(err.match(/IPv6/g)).toHaveLength(1);
    const text = readFileSync(result, 'utf8');
    expect(text).toContain('3 packets transmitted, 3 received');
    expect(text).toMatch(/inet 10\.1\.0\.1\/32/);
    expect(text).not.toMatch(/fd6e:/);
    expect(text).toContain('6:.\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
