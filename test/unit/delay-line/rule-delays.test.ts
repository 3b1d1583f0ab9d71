/** Rules that delay: which packets, by how much, and in which order. */
import { describe, expect, it } from 'vitest';
import { PathTable } from '../../../agent/linux/delay-line/path-table.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';
import { type PacketHead, RuleDelays } from '../../../agent/linux/delay-line/treatment/rule-delays.ts';
import { treatmentOf } from '../../../agent/linux/delay-line/treatment/treatment.ts';

const TCP = 6;
const UDP = 17;

interface Made {
  readonly protocol: number;
  readonly ports?: readonly [number, number];
  readonly flags?: number;
  readonly dscp?: number;
  /** In units of 8 bytes. */
  readonly fragmentAt?: number;
}

/** The copy that the kernel hands over begins somewhere in a buffer. */
const OFFSET = 7;

function transport(data: Uint8Array, at: number, { ports = [1000, 2000], flags = 0x10 }: Made): void {
  const [source, destination] = ports;
  data.set([source >> 8, source & 0xff, destination >> 8, destination & 0xff], at);
  data[at + 13] = flags;
}

/** With an option of four bytes. */
function v4(of: Made): PacketHead {
  const data = new Uint8Array(OFFSET + 64);
  const { protocol, dscp = 0, fragmentAt = 0 } = of;
  data.set([0x46, dscp << 2, 0, 64, 0, 0, fragmentAt >> 8, fragmentAt & 0xff, 64, protocol], OFFSET);
  transport(data, OFFSET + 24, of);
  return { data, offset: OFFSET, present: 64 };
}

function v6(of: Made): PacketHead {
  const data = new Uint8Array(OFFSET + 64);
  const { protocol, dscp = 0, fragmentAt } = of;
  data.set(
    [0x60 | (dscp >> 2), (dscp & 3) << 6, 0, 0, 0, 24, fragmentAt === undefined ? protocol : 44],
    OFFSET,
  );
  const at = OFFSET + 40;
  if (fragmentAt === undefined) transport(data, at, of);
  else {
    data.set([protocol, 0, (fragmentAt << 3) >> 8, ((fragmentAt << 3) & 0xff) | 1], at);
    transport(data, at + 8, of);
  }
  return { data, offset: OFFSET, present: 64 };
}

const delayOf = (rules: string, packet: PacketHead): number =>
  Math.max(0, new RuleDelays(rules).release(packet, 100, 0) - 100);

describe.each([
  ['IPv4', v4, 1],
  ['IPv6', v6, 58],
] as const)('of %s', (_, made, icmp) => {
  it.each<[string, Made, number]>([
    ['delay 20ms only tcp', { protocol: TCP }, 20],
    ['delay 20ms only tcp', { protocol: UDP }, 0],
    ['delay 20ms except icmp', { protocol: UDP }, 20],
    ['delay 20ms except icmp', { protocol: icmp }, 0],
    ['delay 5ms only udp:53', { protocol: UDP, ports: [53, 4000] }, 5],
    ['delay 5ms only udp:53', { protocol: UDP, ports: [4000, 53] }, 5],
    ['delay 5ms only udp:53', { protocol: UDP, ports: [4000, 54] }, 0],
    ['delay 5ms only tcp:513', { protocol: TCP, ports: [513, 1] }, 5],
    ['delay 5ms only syn:80', { protocol: TCP, ports: [4000, 80], flags: 0x02 }, 5],
    ['delay 5ms only syn:80', { protocol: TCP, ports: [80, 4000], flags: 0x12 }, 0],
    ['delay 5ms only dscp:46', { protocol: TCP, dscp: 46 }, 5],
    ['delay 5ms only dscp:46', { protocol: TCP, dscp: 45 }, 0],
    ['delay 5ms only udp:53', { protocol: UDP, ports: [53, 53], fragmentAt: 0 }, 5],
    ['delay 5ms only udp:53', { protocol: UDP, ports: [53, 53], fragmentAt: 185 }, 0],
    ['delay 5ms only udp', { protocol: UDP, ports: [53, 53], fragmentAt: 185 }, 5],
    ['delay 5ms; delay 7ms only tcp', { protocol: TCP }, 12],
  ])('%s, %o: %i ms', (rules, of, expected) => {
    expect(delayOf(rules, made(of))).toBe(expected);
  });

  it('nothing is known of what is not there', () => {
    const packet = made({ protocol: TCP });
    expect(delayOf('delay 5ms only tcp', { ...packet, present: 0 })).toBe(0);
    expect(delayOf('delay 5ms only tcp:1000', { ...packet, present: icmp === 1 ? 26 : 42 })).toBe(0);
    expect(delayOf('delay 5ms only tcp', { ...packet, present: icmp === 1 ? 26 : 42 })).toBe(5);
  });
});

it('packets of one kind keep their order and distance, and those of others pass them', () => {
  const delays = new RuleDelays('delay 20ms only tcp; delay 5ms only tcp:80');
  const plain = v4({ protocol: TCP });
  const web = v4({ protocol: TCP, ports: [4000, 80] });
  expect(delays.release(web, 0, 1)).toBe(25);
  expect(delays.release(plain, 1, 1)).toBe(21);
  expect(delays.release(plain, 1, 1)).toBe(22);
  // Jitter made this one earlier.
  expect(delays.release(web, -3, 1)).toBe(26);
  expect(delays.lastRelease).toBe(26);
});

it('goes on as it was while the rules are the same', () => {
  const settings = { ruleDelays: 'delay 20ms only tcp' };
  const before = treatmentOf(settings, undefined)!;
  expect(treatmentOf(settings, before)).toBe(before);
  expect(before.needsFrames).toBe(false);
  expect(treatmentOf({ ruleDelays: 'delay 21ms only tcp' }, before)).not.toBe(before);
  expect(treatmentOf({}, before)).toBeUndefined();
});

it('a path that goes is kept until the last of what rules delay has left', () => {
  const table = new PathTable();
  const source = new Uint8Array(16).fill(1);
  const random = new Random(1);
  const path = table.set(
    { sources: [source], latencyMs: 0, jitterMs: 0, loss: 0, ruleDelays: 'delay 20ms' },
    random,
  );
  expect([table.needsHeaders, table.needsContent, table.needsFrames]).toEqual([true, false, false]);
  table.treatments.get(path)!.delays!.release(v4({ protocol: UDP }), 100, 0);
  table.remove(path, 110);
  expect([table.isGone[path], table.lastRelease[path]]).toEqual([1, 120]);
  expect(table.needsHeaders).toBe(false);
});
