/** A network shaped with tc by hand: the kernel's result without netfold. */
import { execFile, execFileSync } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { namespacePath, within } from '../../agent/kernel/netns/namespaces.ts';
import { inNamespace } from '../../controller/names.ts';
import type { Flow, Place } from '../../controller/verify/traffic.ts';

const run = promisify(execFile);

/** Room for the packets under way at 100 Gb/s. */
const NETEM_PACKETS = 100_000;

/**
 * The simplest set-up: one class for all traffic, in both directions, with the defaults of tc; and `delayMs` of netem
 * in each direction.
 */
export async function shapeByHand({ from, to }: Flow, rateBps: number, delayMs = 0): Promise<void> {
  for (const place of [from, to]) {
    await tc(place, 'qdisc add dev eth0 root handle 1: htb default 1');
    await tc(place, `class add dev eth0 parent 1: classid 1:1 htb rate ${rateBps}bit`);
    if (delayMs === 0) continue;
    await tc(place, `qdisc add dev eth0 parent 1:1 netem delay ${delayMs}ms limit ${NETEM_PACKETS}`);
  }
}

/** The same class at each of very many places, which one process each sets. */
export async function shapeEachByHand(places: readonly Place[], rateBps: number): Promise<void> {
  // With a quantum, the kernel does not complain that the one it derives is large.
  const each = `class add dev eth0 parent 1: classid 1:1 htb rate ${rateBps}bit quantum 1514`;
  const script = `qdisc add dev eth0 root handle 1: htb default 1\n${each}\n`;
  for (const { namespace } of places) {
    // fork() gives the child the namespace of the calling thread; `ip netns exec` would copy all mounts.
    within(namespacePath(namespace), () => execFileSync('tc', ['-batch', '-'], { input: script }));
    // So that signals are noticed between two of thousands.
    await setImmediate();
  }
}

/** netem delays all packets that leave `place`, with normal jitter. */
export async function delayByHand(place: Place, delayMs: number, jitterMs = 0): Promise<void> {
  const jitter = jitterMs === 0 ? '' : ` ${jitterMs}ms distribution normal`;
  await netemByHand(place, `delay ${delayMs}ms${jitter}`);
}

/** `words`: as tc-netem(8) has them, for all packets that leave `place`. */
export const netemByHand = (place: Place, words: string): Promise<void> =>
  tc(place, `qdisc add dev eth0 root netem ${words} limit ${NETEM_PACKETS}`);

async function tc({ namespace }: Place, words: string): Promise<void> {
  const [program, ...args] = inNamespace(namespace, ['tc', ...words.split(' ')]);
  await run(program!, args);
}
