/** Rules of links: parts of a path's traffic are dropped, reset, delayed or limited, of both families, and nothing else is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import type { RuleStatus } from '../../../proto/status.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, runIn, startLab, tell, until } from '../../support/lab/lab.ts';

/** The first retransmission of a SYN comes after so long (RFC 6298), less what the kernel's timers round. */
const RETRANSMISSION_MS = 900;

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

interface Pair {
  readonly lab: Experiment;
  readonly a: Place;
  readonly b: Place;
  /** Of `b`. */
  readonly addresses: readonly string[];
}

async function pair(rules: readonly string[], delayBackend: DelayBackendChoice = 'auto'): Promise<Pair> {
  const list = JSON.stringify(rules);
  const text = `services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, latency: 2ms${rules.length > 0 ? `, rules: ${list}` : ''} }\n`;
  const lab = await startLab(text, { delayBackend });
  await lab.run();
  const { addresses } = lab.plan.endpoints.find(({ name }) => name === 'b.0')!;
  return { lab, a: place(lab, 'a'), b: place(lab, 'b'), addresses };
}

const rulesOf = async (lab: Experiment): Promise<Map<string, Omit<RuleStatus, 'rule'>>> => {
  const all = (await lab.statuses()).flatMap(({ rules = [] }) => rules);
  return new Map(all.map(({ rule, matched, applied }) => [rule, { matched, applied }]));
};

function startIn({ namespace }: Place, ...words: string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: 'ignore' });
  children.add(child);
  return child;
}

function begin({ namespace }: Place, script: string): ChildProcess & { readonly said: () => string } {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', script]);
  children.add(child);
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  return Object.assign(child, { said: () => said });
}

/** Takes connections at these ports, of both families, and what comes over them. */
async function serve(at: Place, ...ports: number[]): Promise<void> {
  const server = begin(
    at,
    `let left = ${ports.length};
    for (const port of ${JSON.stringify(ports)})
      require('node:net').createServer((socket) => socket.on('error', () => {}).resume())
        .listen(port, '::', () => --left || console.log('listens'));`,
  );
  await until(() => server.said().includes('listens'), 'the server listens');
}

/** Connects to each of these, one after the other: how long it took, or the code of the error. */
async function connect(from: Place, ...ends: (readonly [string, number])[]): Promise<(number | string)[]> {
  const { out, err } = await runIn(
    from,
    process.execPath,
    '-e',
    `const found = [];
    const next = ([end, ...rest]) => {
      if (!end) return console.log(JSON.stringify(found));
      const start = performance.now();
      const done = (what) => { found.push(what); socket.destroy(); next(rest); };
      const socket = require('node:net').connect({ host: end[0], port: end[1], timeout: 8000 })
        .on('connect', () => done(performance.now() - start))
        .on('timeout', () => done('ETIMEDOUT'))
        .on('error', ({ code }) => done(code));
    };
    next(${JSON.stringify(ends)});`,
  );
  if (out === '') throw new Error(err);
  return JSON.parse(out);
}

/** Sends so many datagrams to each port of each address; how many have arrived, by port, of IPv4 and IPv6. */
async function datagrams(
  { a, b, addresses }: Pair,
  ports: readonly number[],
  count: number,
): Promise<Record<number, [v4: number, v6: number]>> {
  const last = 9;
  const receiver = begin(
    b,
    `const counts = {};
    let left = 0;
    for (const port of ${JSON.stringify([...ports, last])}) {
      left++;
      counts[port] = [0, 0];
      const socket = require('node:dgram').createSocket({ type: 'udp6', recvBufferSize: 4e6 })
        .on('message', (_, { address }) => {
          counts[port][address.startsWith('::ffff:') ? 0 : 1]++;
          if (port === ${last}) setTimeout(() => { console.log(JSON.stringify(counts)); process.exit(); }, 200);
        });
      socket.bind(port, '::', () => --left || console.log('ready'));
    }`,
  );
  await until(() => receiver.said().includes('ready'), 'the receiver is ready');
  await runIn(
    a,
    process.execPath,
    '-e',
    `const sockets = ['udp4', 'udp6'].map((type) => require('node:dgram').createSocket(type));
    const addresses = ${JSON.stringify(addresses)};
    const send = (port) => Promise.all(addresses.map((address) =>
      new Promise((resolve) => sockets[address.includes(':') ? 1 : 0].send('x', port, address, resolve))));
    (async () => {
      for (let sent = 0; sent < ${count}; sent++) {
        for (const port of ${JSON.stringify(ports)}) await send(port);
        if (sent % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await send(${last});
      process.exit();
    })();`,
  );
  await until(() => receiver.said().includes('{'), 'the last datagram has arrived');
  return JSON.parse(receiver.said().slice(receiver.said().indexOf('{')));
}

/** Replies of so many. */
async function replies(from: Place, to: string, ...more: string[]): Promise<number> {
  const { out } = await runIn(from, 'ping', '-n', '-c', '4', '-i', '0.2', '-W', '1', ...more, to);
  return Number(/(\d+) received/.exec(out)?.[1]);
}

describe.each(delayBackends(probeMachine()))('with %s', (backend) => {
  it('drop a part of what they select, the n-th of it, and every n-th', async () => {
    const all = await pair(
      ['drop 10% only udp:5300', 'drop 3rd only udp:61', 'drop every 5th only udp:62'],
      backend,
    );
    const count = 1000;
    const arrived = await datagrams(all, [5300, 5400, 61, 62], count);
    expect(arrived[5400]).toEqual([count, count]);
    // The path counts both families together.
    const sum = (port: number): number => arrived[port]![0] + arrived[port]![1];
    expect(sum(61)).toBe(2 * count - 1);
    expect(sum(62)).toBe(2 * count - (2 * count) / 5);
    const lost = 2 * count - sum(5300);
    // Five deviations of 2,000 draws.
    expect(Math.abs(lost - 200)).toBeLessThan(5 * Math.sqrt(2000 * 0.1 * 0.9));
    for (const one of arrived[5300]!) expect(one).toBeLessThan(count);
    expect(await rulesOf(all.lab)).toEqual(
      new Map([
        ['drop 10% only udp:5300', { matched: 2 * count, applied: lost }],
        ['drop 3rd only udp:61', { matched: 2 * count, applied: 1 }],
        ['drop every 5th only udp:62', { matched: 2 * count, applied: 400 }],
      ]),
    );
  });

  it('drop the third SYN: that connection takes a retransmission longer, and no other', async () => {
    const { lab, a, b, addresses } = await pair(['drop 3rd only syn:80'], backend);
    const [v4, v6] = addresses as [string, string];
    await serve(b, 80, 81);
    const times = await connect(a, [v4, 80], [v6, 80], [v4, 81], [v6, 80], [v4, 80], [v6, 81]);
    expect(times.map((time) => Number(time) > RETRANSMISSION_MS)).toEqual([
      ...[false, false, false, true, false, false],
    ]);
    // Four connections, of which one has sent twice.
    const counts = { matched: 5, applied: 1 };
    expect((await rulesOf(lab)).get('drop 3rd only syn:80')).toEqual(counts);
    // Another rule beside it does not let the third come again.
    await tell(lab, 'set', 'a--b', 'rules=drop only dscp:46; drop 3rd only syn:80');
    await until(async () => (await rulesOf(lab)).has('drop only dscp:46'), 'the rule is in force');
    expect((await rulesOf(lab)).get('drop 3rd only syn:80')).toEqual(counts);
    expect(Number((await connect(a, [v4, 80]))[0])).toBeLessThan(RETRANSMISSION_MS);
    expect([await replies(a, v4, '-Q', '184'), await replies(a, v4)]).toEqual([0, 4]);
  });

  it('reset connections that begin, and those that stand', async () => {
    const { lab, a, b, addresses } = await pair(['reset only tcp:22'], backend);
    const [v4, v6] = addresses as [string, string];
    await serve(b, 22, 23);
    const [first, second, third, fourth] = await connect(a, [v4, 22], [v6, 22], [v4, 23], [v6, 23]);
    expect([first, second]).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
    expect([third, fourth]).toEqual([expect.any(Number), expect.any(Number)]);
    expect((await rulesOf(lab)).get('reset only tcp:22')).toEqual({ matched: 2, applied: 2 });
    const sending = addresses.map((host) =>
      begin(
        a,
        `const socket = require('node:net').connect(23, ${JSON.stringify(host)}, () => {
          console.log('stands');
          setInterval(() => socket.write(Buffer.alloc(20_000)), 20);
        }).on('error', ({ code }) => { console.log(code); process.exit(); });`,
      ),
    );
    await until(() => sending.every((one) => one.said().includes('stands')), 'both connections stand');
    await tell(lab, 'set', 'a->b', 'rules=reset only tcp:23');
    await until(() => sending.every((one) => /E[A-Z]+/.test(one.said())), 'both connections have ended');
    for (const one of sending) expect(one.said()).toMatch(/ECONNRESET/);
    await tell(lab, 'set', 'a->b', 'rules=none');
    expect(await connect(a, [v4, 23])).toEqual([expect.any(Number)]);
  });

  it('are a black hole for one protocol, in one direction or both', async () => {
    const { lab, a, b, addresses } = await pair(['drop only icmp'], backend);
    await serve(b, 80);
    for (const address of addresses) expect(await replies(a, address)).toBe(0);
    for (const time of await connect(a, ...addresses.map((one) => [one, 80] as const)))
      expect(Number(time)).toBeLessThan(RETRANSMISSION_MS);
    const { matched, applied } = (await rulesOf(lab)).get('drop only icmp')!;
    expect([matched, applied]).toEqual([8, 8]);
    const { stdout } = await netfold('status', lab.name);
    expect(stdout).toContain('rule "drop only icmp": 8 of 8 packets');
    // Requests arrive, and answers do not.
    await tell(lab, 'set', 'a->b', 'rules=none');
    expect(await replies(a, addresses[0]!)).toBe(0);
    await tell(lab, 'set', 'b->a', 'rules=none');
    for (const address of addresses) expect(await replies(a, address)).toBe(4);
  });
});

describe.each(delayBackends(probeMachine()))('that limit, with %s', (backend) => {
  /** Goodput of TCP connections to these ports at the same time, bit/s. The first second does not count. */
  async function rates({ a, b, addresses }: Pair, ...ports: number[]): Promise<number[]> {
    const servers = ports.map((port) => startIn(b, 'iperf3', '-s', '-1', '-p', String(port)));
    const clients = ports.map(async (port) => {
      const words = [
        'iperf3',
        '-J',
        '-O',
        '1',
        '-t',
        '4',
        '-C',
        'cubic',
        '-c',
        addresses[0]!,
        '-p',
        String(port),
      ];
      let said = '';
      await until(async () => {
        said = (await runIn(a, ...words)).out;
        return said.includes('"sum_received"');
      }, `iperf3 at port ${port}`);
      return JSON.parse(said).end.sum_received.bits_per_second as number;
    });
    const found = await Promise.all(clients);
    for (const server of servers) server.kill('SIGKILL');
    return found;
  }
  /** Of a rate on the wire. */
  const GOODPUT = 1448 / 1514;
  const isAbout = (rate: number, wanted: number): boolean =>
    rate < 1.03 * GOODPUT * wanted && rate > 0.8 * GOODPUT * wanted;

  it('leave a part of the traffic its own rate, and the rest of the path to others', async () => {
    const text = `services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 5ms, bandwidth: 20Mbps, rules: ["limit 2Mbps only tcp:81, tcp:82", "limit 4Mbps only tcp:81, tcp:83"] }
`;
    const lab = await startLab(text, { delayBackend: backend });
    await lab.run();
    const { addresses } = lab.plan.endpoints.find(({ name }) => name === 'b.0')!;
    const all: Pair = { lab, a: place(lab, 'a'), b: place(lab, 'b'), addresses };
    // Of two rules, the slower one counts.
    const [both, fast, free] = await rates(all, 81, 83, 80);
    expect(isAbout(both!, 2e6), `${both} b/s of 2 Mb/s`).toBe(true);
    expect(isAbout(fast!, 4e6), `${fast} b/s of 4 Mb/s`).toBe(true);
    expect(isAbout(free!, 14e6), `${free} b/s of 14 Mb/s`).toBe(true);
    const { matched, applied } = (await rulesOf(lab)).get('limit 4Mbps only tcp:81, tcp:83')!;
    expect(matched).toBeGreaterThan(1000);
    expect(applied).toBe(matched);

    // A limit above what the path has is none, and a path's change holds for all of it.
    await tell(
      lab,
      'set',
      'a->b',
      'bandwidth=3Mbps',
      'rules=limit 8Mbps only tcp:80; limit 1Mbps only tcp:81',
    );
    const [most, little] = await rates(all, 80, 81);
    expect(isAbout(little!, 1e6), `${little} b/s of 1 Mb/s`).toBe(true);
    expect(isAbout(most!, 2e6), `${most} b/s of 2 Mb/s`).toBe(true);

    await tell(lab, 'set', 'a->b', 'rules=none');
    const [after] = await rates(all, 81);
    expect(isAbout(after!, 3e6), `${after} b/s of 3 Mb/s`).toBe(true);
    const { out } = await runIn(all.a, 'tc', 'class', 'show', 'dev', 'eth0');
    expect(out.split('\n').filter((line) => line.includes('parent'))).toEqual([]);
  });
});

it('count frames of TCP one by one, and have room for eight on a path, which is told', async () => {
  const text = `services: { a: {}, b: {} }
bridges: [s]
links: [{ from: a, to: s, rules: [drop 1000000th only tcp:80, drop only udp:1] }, { from: s, to: b }]
`;
  const lab = await startLab(text);
  await lab.run();
  const [a, b] = [place(lab, 'a'), place(lab, 'b')];
  await serve(b, 80);
  const bytes = 2_000_000;
  const { out } = await runIn(
    a,
    process.execPath,
    '-e',
    `require('node:net').connect(80, ${JSON.stringify(b.address)}).end(Buffer.alloc(${bytes})).on('close', () => console.log('sent'));`,
  );
  expect(out).toContain('sent');
  const { matched } = (await rulesOf(lab)).get('drop 1000000th only tcp:80')!;
  expect(matched).toBeGreaterThan(bytes / 1448);

  const degraded = async (): Promise<string> => (await lab.statuses())[0]!.degraded.join();
  expect(await degraded()).not.toContain('rules');
  await tell(lab, 'set', 's->b', `rules=${Array(7).fill('drop only udp:2').join('; ')}`);
  await until(async () => (await degraded()).includes('rules beyond the first 8'), 'too many rules are told');
  expect(await degraded()).toContain('of 1 path,');
  await tell(lab, 'set', 's->b', 'rules=none');
  await until(async () => !(await degraded()).includes('rules'), 'it is over');
});

it.runIf(delayBackends(probeMachine()).includes('delay-line'))(
  'delay what they select, and nothing else of the same path',
  async () => {
    const { lab, a, b, addresses } = await pair(['delay 150ms except icmp, udp'], 'delay-line');
    await serve(b, 80);
    for (const address of addresses) {
      const [time] = await connect(a, [address, 80]);
      expect(Number(time)).toBeGreaterThan(300);
      expect(Number(time)).toBeLessThan(RETRANSMISSION_MS);
      const { out } = await runIn(a, 'ping', '-n', '-c', '5', '-i', '0.2', '-q', address);
      expect(Number(/= ([\d.]+)\//.exec(out)![1])).toBeLessThan(100);
    }
    const { matched, applied } = (await rulesOf(lab)).get('delay 150ms except icmp, udp')!;
    expect(matched).toBeGreaterThan(4);
    expect(applied).toBe(matched);
    // The flags of TCP are farther behind in IPv6, and a part of what is received of a packet.
    await tell(lab, 'set', 'a--b', 'rules=delay 200ms only syn:80');
    for (const address of addresses) {
      const [time] = await connect(a, [address, 80]);
      expect(Number(time)).toBeGreaterThan(200);
      expect(Number(time)).toBeLessThan(RETRANSMISSION_MS);
    }
    await tell(lab, 'set', 'a--b', 'rules=none');
    const [after] = await connect(a, [addresses[0]!, 80]);
    expect(Number(after)).toBeLessThan(200);
  },
);
