/** A network shaped with tc by hand: the kernel's result without netfold. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
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

/** netem delays all packets that leave `place`, with normal jitter. */
export async function delayByHand(place: Place, delayMs: number, jitterMs = 0): Promise<void> {
  const jitter = jitterMs === 0 ? '' : ` ${jitterMs}ms distribution normal`;
  await tc(place, `qdisc add dev eth0 root netem delay ${delayMs}ms${jitter} limit ${NETEM_PACKETS}`);
}

async function tc({ namespace }: Place, words: string): Promise<void> {
  const [program, ...args] = inNamespace(namespace, ['tc', ...words.split(' ')]);
  await run(program!, args);
}
