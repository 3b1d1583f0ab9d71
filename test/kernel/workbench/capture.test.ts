/** Packets of a path at both ends, beside what ping and iperf3 say of the same packets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { findRecord } from '../../../controller/record/folders.ts';
import { experimentName, type Finished, run, until } from '../../support/lab/lab.ts';
import { labFile, NETFOLD, netfold } from '../../support/lab/lab-file.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { type PcapngPacket, readPcapng } from '../../support/pcapng.ts';

/** One way; far above what a busy machine takes for its own. */
const LATENCY_MS = 40;
const TOPOLOGY = `
services: { a: {}, b: {}, c: { run: "iperf3 -s -1" } }
bridges: [s]
links:
  - { from: a, to: s, latency: ${LATENCY_MS / 2}ms, bandwidth: 50Mbps }
  - { from: b, to: s, latency: ${LATENCY_MS / 2}ms, bandwidth: 50Mbps, loss: 20%, duplicate: 20% }
  - { from: c, to: s, latency: 2ms, bandwidth: 50Mbps }
`;
const PINGS = 60;

const lab = labFile(TOPOLOGY);

interface Taking {
  /** When it has ended by itself. */
  readonly ended: Promise<Finished>;
  /** Ends it, and gives what it has printed. */
  end(): Promise<Finished>;
}

/** Resolves when packets are taken. */
async function taking(...args: string[]): Promise<Taking> {
  const child: ChildProcess = spawn(NETFOLD, ['capture', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout!.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr!.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  await until(() => err.includes('taking packets') || child.exitCode !== null, 'packets are taken', 30_000);
  expect(child.exitCode, err).toBeNull();
  const whole = ended.then((code) => ({ code, out, err }));
  return {
    ended: whole,
    end: () => {
      child.kill('SIGINT');
      return whole;
    },
  };
}

const ECHO = { request: 8, reply: 0 } as const;
const icmpType = ({ bytes }: PcapngPacket): number => bytes[14 + 20]!;
const msAfter = (comment: string): number => {
  const [, number, unit] = /after ([\d.]+)(us|ms|s)\b/.exec(comment)!;
  return Number(number) * { us: 1e-3, ms: 1, s: 1e3 }[unit as 'us' | 'ms' | 's'];
};

it('packets are followed to their end, put into the record, and found there again', {
  timeout: 90_000,
}, async () => {
  const name = experimentName();
  const up = ['up', lab.file, '--name', name, '--detach', '--delay-backend', 'delay-line'];
  expectSuccess(await netfold(...up));

  // A packet may be late on a busy machine, and then is not lost.
  const both = await taking(
    'a',
    'b',
    '--name',
    name,
    '--record',
    '--json',
    '--filter',
    'icmp',
    '--wait',
    '2s',
  );
  const ping = ['ping', '-4', '-c', `${PINGS}`, '-i', '0.03', '-W', '2', 'b'];
  const pinged = await netfold('exec', 'a', '--name', name, '--', ...ping);
  const [, received] = /, (\d+) received/.exec(pinged.out)!;
  const copies = Number(/\+(\d+) duplicates/.exec(pinged.out)?.[1] ?? 0);
  // So long, until the last of them is said to be lost.
  await sleep(2500);
  const ended = await both.end();
  expectSuccess(ended);
  const told = JSON.parse(ended.out);
  expect(told.missed).toBe(0);

  const captures = join(findRecord(name), 'captures');
  expect(told.files.map(dirname)).toEqual([captures]);
  const { interfaces, packets, statistics } = readPcapng(told.files[0]);
  expect(interfaces).toEqual([
    { name: 'a.0', filter: 'icmp' },
    { name: 'b.0', filter: 'icmp' },
  ]);
  expect(statistics.map(({ dropped }) => dropped)).toEqual([0n, 0n]);
  const times = packets.map(({ seconds }) => seconds);
  expect(times).toEqual(times.toSorted((one, other) => one - other));

  const at = (end: string, type: number, direction: 'in' | 'out'): PcapngPacket[] =>
    packets.filter((one) => one.interface === end && icmpType(one) === type && one.direction === direction);
  const is = (text: string) => (one: PcapngPacket) => one.comment?.startsWith(text) === true;
  const requests = at('a.0', ECHO.request, 'out');
  expect(requests).toHaveLength(PINGS);
  const arrived = requests.filter(is('delivered at b.0 after'));
  const lost = requests.filter(is('lost at b.0: at its interface after'));
  expect(arrived.length + lost.length).toBe(PINGS);
  expect(lost.length).toBeGreaterThan(0);
  expect(at('b.0', ECHO.request, 'in').filter(is('lost here'))).toHaveLength(lost.length);
  const delays = arrived.map(({ comment }) => msAfter(comment!)).sort((one, other) => one - other);
  expect(delays[0]).toBeGreaterThan(LATENCY_MS - 1);
  // Read somewhat late, on a busy machine by more; without the delay line it is less than a millisecond.
  expect(delays[Math.floor(delays.length / 2)]).toBeLessThan(LATENCY_MS + 30);
  // b answers whatever is delivered, copies as well.
  const doubled = requests.filter(({ comment }) => comment!.endsWith('duplicated'));
  const copied = at('b.0', ECHO.request, 'in').filter(is('a copy, delivered again'));
  expect(copied).toHaveLength(doubled.length);
  expect(doubled.length).toBeGreaterThan(0);
  expect(at('b.0', ECHO.reply, 'out')).toHaveLength(arrived.length + copied.length);
  const back = at('a.0', ECHO.reply, 'in').filter((one) => !is('lost here')(one));
  expect(back).toHaveLength(Number(received) + copies);

  // Whoever reads pcapng reads it.
  const dumped = await run('tcpdump', ['-nn', '-r', told.files[0], 'icmp[icmptype] == icmp-echo']);
  expect(dumped.out.trim().split('\n')).toHaveLength(PINGS + at('b.0', ECHO.request, 'in').length);

  await expectNoFalseLoss(name);
  await expectEnd(name);
  await until(async () => (await netfold('records', 'verify', name)).code === 0, 'it is complete', 20_000);
  const tables = join(lab.folder, 'tables');
  expectSuccess(await netfold('export', name, '--csv', '-o', tables));
  const index = readFileSync(join(tables, 'capture_flow.csv'), 'utf8').split('\r\n');
  const isFlow = (cells: readonly string[]): boolean => cells[1] === 'a.0' && cells[7] === `${PINGS}`;
  const columns = index.map((line) => line.split(',')).find(isFlow)!;
  expect(Number(columns[9])).toBe(lost.length);
  expect(readFileSync(told.files[0]).readUInt32LE(Number(columns[12]))).toBe(6);
});

/** A stream of TCP over a path that loses nothing, in files of which the last two stay. */
async function expectNoFalseLoss(name: string): Promise<void> {
  const ring = join(lab.folder, 'ring.pcapng');
  const how = ['-w', ring, '--size', '100KB', '--files', '2', '--json', '--wait', '1s'];
  const path = await taking('a', 'c', '--name', name, ...how);
  const sent = await netfold('exec', 'a', '--name', name, '--', 'iperf3', '-n', '2M', '-c', 'c');
  expectSuccess(sent);
  const ended = await path.end();
  expectSuccess(ended);
  const told = JSON.parse(ended.out);
  expect(told.missed).toBe(0);
  expect(told.lost).toBe(0);
  expect(told.delivered).toBeGreaterThan(20);
  expect(told.files).toHaveLength(2);
  for (const one of told.files) expect(readPcapng(one).packets.length).toBeGreaterThan(0);
}

/** An experiment that ends, ends its captures. */
async function expectEnd(name: string): Promise<void> {
  const wrong = await netfold('capture', 'a', 'b', '--name', name, '-w', 'x', '--filter', 'nonsense (');
  expect([wrong.code, wrong.err]).toEqual([
    1,
    expect.stringContaining('tcpdump does not understand the filter'),
  ]);
  const file = join(lab.folder, 'all.pcapng');
  const all = await taking('--all', '--name', name, '-w', file);
  expectSuccess(await netfold('down', name));
  expectSuccess(await all.ended);
  expect(readPcapng(file).interfaces.map((one) => one.name)).toEqual(['a.0', 'b.0', 'c.0']);
}
