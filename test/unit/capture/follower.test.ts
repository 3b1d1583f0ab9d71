/** What is said of packets that are seen at two interfaces and a stack. Times are milliseconds here. */
import { describe, expect, it } from 'vitest';
import { type Followed, Follower } from '../../../controller/capture/follower.ts';
import { parseFrame } from '../../../controller/capture/format/packet.ts';
import { fromMillis, micros, toMillis } from '../../../proto/units.ts';
import { A4, B4, type FrameParts, udpFrame } from '../../support/frames.ts';

const WAIT_MS = 1000;
const LONG_AFTER = 100_000;

class Scene {
  readonly follower: Follower;

  constructor({ isWitnessed = true } = {}) {
    const endpoint = (name: string, address: readonly number[]) => ({
      ...{ name, addresses: [address.join('.')], isWitnessed },
    });
    this.follower = new Follower([endpoint('a.0', A4), endpoint('b.0', B4)], fromMillis(WAIT_MS));
  }

  #see(endpoint: number, ms: number, isOutgoing: boolean, parts: Partial<FrameParts>): void {
    const bytes = udpFrame({ source: A4, destination: B4, ...parts });
    this.follower.see({ endpoint, at: fromMillis(ms), bytes, length: bytes.length, isOutgoing });
  }
  sent(ms: number, parts: Partial<FrameParts> = {}): this {
    this.#see(0, ms, true, parts);
    return this;
  }
  arrived(ms: number, parts: Partial<FrameParts> = {}): this {
    this.#see(1, ms, false, parts);
    return this;
  }
  delivered(ms: number, parts: Partial<FrameParts> = {}): this {
    const { key } = parseFrame(udpFrame({ source: A4, destination: B4, ...parts }))!;
    this.follower.delivered(1, key, fromMillis(ms));
    return this;
  }
  /** `ENDPOINT MS COMMENT` of each packet that comes out. */
  said(nowMs = LONG_AFTER, isEnd = false): string[] {
    return this.follower.take(fromMillis(nowMs), isEnd).map(lineOf);
  }
}

const lineOf = ({ endpoint, at, comment }: Followed): string =>
  `${'ab'[endpoint]} ${toMillis(micros(Math.round(at)))} ${comment ?? '-'}`;

describe('a packet', () => {
  it('that waits behind the interface stands where it is delivered', () => {
    expect(new Scene().sent(10).arrived(11).delivered(41).said()).toEqual([
      'a 10 delivered at b.0 after 31ms',
      'b 41 sent by a.0 31ms before, at the interface 30ms before',
    ]);
  });

  it('that is not delivered is lost, at the interface or before', () => {
    const scene = new Scene().sent(10).arrived(11).sent(20, { id: 8 });
    expect(scene.said()).toEqual([
      'a 10 lost at b.0: at its interface after 1ms, not delivered within 1s',
      'b 11 lost here: not delivered within 1s',
      'a 20 lost: not at the interface of b.0 within 1s',
    ]);
    expect(scene.follower.ends).toEqual({ sent: 2, delivered: 0, lost: 2, duplicated: 0, unknown: 0 });
  });

  it('that is delivered twice has a copy', () => {
    const scene = new Scene().sent(10).arrived(11).delivered(41).delivered(45);
    expect(scene.said()).toEqual([
      'a 10 delivered at b.0 after 31ms, and again after 35ms: duplicated',
      'b 41 sent by a.0 31ms before, at the interface 30ms before',
      'b 45 a copy, delivered again',
    ]);
    expect(scene.follower.ends).toMatchObject({ sent: 1, delivered: 1, duplicated: 1 });
  });

  it('whose stack is not watched has arrived, or is lost', () => {
    const scene = new Scene({ isWitnessed: false }).sent(10).arrived(40).sent(20, { id: 8 });
    expect(scene.said()).toEqual([
      'a 10 arrived at b.0 after 30ms',
      'a 20 lost: not at the interface of b.0 within 1s',
      'b 40 sent by a.0 30ms before',
    ]);
  });

  it('that comes from elsewhere is followed from its arrival on', () => {
    const here = { name: 'b.0', addresses: [B4.join('.')], isWitnessed: true };
    const follower = new Follower([here], fromMillis(WAIT_MS));
    const see = (ms: number, id: number, isOutgoing = false): string => {
      const [source, destination] = isOutgoing ? [B4, A4] : [A4, B4];
      const bytes = udpFrame({ source, destination, id });
      follower.see({ endpoint: 0, at: fromMillis(ms), bytes, length: bytes.length, isOutgoing });
      return parseFrame(bytes)!.key;
    };
    follower.delivered(0, see(11, 1), fromMillis(41));
    see(50, 2);
    see(60, 3, true);
    expect(
      follower.take(fromMillis(LONG_AFTER)).map((one) => `${toMillis(one.at)} ${one.comment ?? '-'}`),
    ).toEqual(['41 at the interface 30ms before', '50 lost here: not delivered within 1s', '60 -']);
    expect(follower.ends.sent).toBe(0);
  });

  it('of others, or of another protocol, is there without a word', () => {
    const scene = new Scene().sent(10, { destination: [10, 0, 0, 9] });
    const bytes = Buffer.alloc(60);
    scene.follower.see({ endpoint: 1, at: fromMillis(5), bytes, length: 60, isOutgoing: true });
    expect(scene.said()).toEqual(['b 5 -', 'a 10 -']);
    expect(scene.follower.ends.sent).toBe(0);
  });
});

describe('one does not say that a packet is lost', () => {
  const unknown = (scene: Scene, nowMs?: number, isEnd?: boolean): string[] => {
    const lines = scene.said(nowMs, isEnd);
    expect(scene.follower.ends).toMatchObject({ lost: 0 });
    expect(scene.follower.ends.unknown).toBeGreaterThan(0);
    return lines;
  };

  it('if several are alike: some of them were delivered', () => {
    const scene = new Scene().sent(10).sent(20).arrived(11).arrived(21).delivered(51);
    expect(unknown(scene)).toEqual([
      'a 10 one of 2 that are alike, of which 1 delivered at b.0',
      'a 20 one of 2 that are alike, of which 1 delivered at b.0',
      'b 21 one of several that are alike',
      'b 51 one of several that are alike, at the interface 40ms before',
    ]);
  });

  it('if the capture ends before its time is over', () => {
    expect(unknown(new Scene().sent(10), 100, true)[0]).toContain('its time was not over');
  });

  it('if the capture has missed packets', () => {
    const scene = new Scene().sent(10);
    scene.follower.hasMissed = true;
    expect(unknown(scene)[0]).toContain('this capture has missed packets');
  });

  it('if it is of a protocol for which stacks are not watched', () => {
    const gre = { protocol: 47 };
    expect(unknown(new Scene().sent(10, gre).arrived(11, gre))).toEqual([
      'a 10 at the interface of b.0 after 1ms; whether it was delivered is not known',
      'b 11 sent by a.0 1ms before',
    ]);
  });

  it('if it is a fragment, or a train of packets', () => {
    expect(unknown(new Scene().sent(10, { fragment: 0x2000 }))[0]).toContain('a fragment');
    expect(unknown(new Scene().sent(10, { length: 30_000 }))[0]).toContain('a train of packets');
  });
});

it('packets come out in the order of their times, once all is known of them', () => {
  const scene = new Scene().sent(10).arrived(11).delivered(900);
  scene.sent(500, { id: 8 }).arrived(501, { id: 8 }).delivered(530, { id: 8 });
  expect(scene.said(1009)).toEqual([]);
  expect(scene.said(1010)).toEqual(['a 10 delivered at b.0 after 890ms']);
  expect(scene.said(1540)).toEqual([
    'a 500 delivered at b.0 after 30ms',
    'b 530 sent by a.0 30ms before, at the interface 29ms before',
  ]);
  expect(scene.follower.held).toBe(1);
  expect(scene.said(1900)).toHaveLength(1);
  expect(scene.follower.held).toBe(0);
});

it('in whichever order they are told', () => {
  expect(new Scene().delivered(41).arrived(11).sent(10).said()).toEqual(
    new Scene().sent(10).arrived(11).delivered(41).said(),
  );
});
