/** What a record has that was joined of several machines: traffic and packets from a.0 to b.0, of which each machine saw one end. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readTraffic } from '../../../controller/record/traffic-file.ts';
import { readPcapng } from '../pcapng.ts';
import { LATE_MS } from '../speed.ts';
import type { Machine } from './machines.ts';
import { expectSuccess } from './succeeds.ts';

/** Of a topology file: traffic of netfold's own, 40 datagrams a second. */
export const VOICE = `
traffic:
  - { from: a, to: b, name: voice, rate: 64Kbps, size: 200B }
`;
/** With the headers of Ethernet, IP and UDP. */
const FRAME_BYTES = 14 + 28 + 200;
/** Of the path. */
const LATENCY_MS = 30;

/** Each machine takes its own end of the path; the third has none. `file`: what is not written. */
export async function takeEnds(
  machines: readonly Machine[],
  names: readonly string[],
  file: string,
): Promise<void> {
  const path = (machine: number): string[] => ['capture', 'a', 'b', '--name', names[machine]!];
  const how = ['--record', '--duration', '3s', '--wait', '1s'];
  const taken = [0, 1].map((machine) => machines[machine]!.netfold(...path(machine), ...how));
  for (const one of await Promise.all(taken)) expectSuccess(one);
  const nowhere = await machines[2]!.netfold(...path(2), '-w', file);
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('there is no endpoint "a"')]);
}

export function expectVoice(record: string): void {
  const [voice, ...others] = readTraffic(record);
  expect(others).toEqual([]);
  expect(voice).toMatchObject({ name: 'voice', from: 'a.0', to: 'b.0' });
  expect(voice!.sent).toBeGreaterThan(100);
  expect(voice!.received).toBeGreaterThan(50);
  // The part of a ends where its controller was killed, which may be long before that of b.
  expect([null, Math.max(0, voice!.sent + voice!.refused - voice!.received)]).toContain(voice!.lost);
}

/** `file`: of `netfold export --pcapng`. */
export function expectVoicePackets(record: string, file: string): void {
  expect(readdirSync(join(record, 'captures'))).toEqual(['a.0--b.0.pcapng', 'a.0--b.0~2.pcapng']);
  const { packets } = readPcapng(file);
  const seconds = packets.map((one) => one.seconds);
  expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
  const ofVoice = packets.filter(({ bytes }) => bytes.length === FRAME_BYTES);
  const delays = ofVoice.flatMap(({ comment, direction }) => {
    const found = /^(?:delivered|arrived) at b\.0 after ([\d.]+)ms/.exec(comment ?? '');
    return direction === 'out' && found ? [Number(found[1])] : [];
  });
  expect(delays.length).toBeGreaterThan(40);
  const median = delays.toSorted((a, b) => a - b)[Math.floor(delays.length / 2)]!;
  expect(median).toBeGreaterThan(LATENCY_MS - 3 - LATE_MS);
  expect(median).toBeLessThan(LATENCY_MS + 10 + 4 * LATE_MS);
  expect(ofVoice.filter(({ comment }) => comment?.startsWith('sent by a.0 ')).length).toBeGreaterThan(40);
}
