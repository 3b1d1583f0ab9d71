/** The small parts of an agent whose applications are containers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AtMost } from '../../../agent/containers/at-most.ts';
import { OutputFrames } from '../../../agent/containers/output-frames.ts';
import { OWN_CONTAINER, withContainers } from '../../../agent/containers/own-container.ts';
import { loadTopology } from '../../../topology/load.ts';

describe('the output of a container', () => {
  it('is the same however it is cut', () => {
    const texts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(40), { maxLength: 8 }), (all, cuts) => {
        const frames = all.map((text) => {
          const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]);
          return Buffer.concat([header, text]);
        });
        const whole = Buffer.concat(frames);
        const reader = new OutputFrames();
        const read: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, whole.length]) {
          read.push(reader.take(whole.subarray(at, at + cut)));
          at = Math.min(whole.length, at + cut);
        }
        expect(Buffer.concat(read)).toEqual(Buffer.concat(all));
      }),
    );
  });
});

it('only so many go on at a time, and all of them in the end', async () => {
  const turns = new AtMost(2);
  let [now, most] = [0, 0];
  const all = Array.from({ length: 7 }, (_, index) =>
    turns.run(async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
      if (index === 3) throw new Error('one fails');
      return index;
    }),
  );
  const settled = await Promise.allSettled(all);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
  expect(most).toBe(2);
});

it('a service with an image runs that, and no command of the lab', () => {
  const { topology } = loadTopology(
    'services: { a: { image: x, run: "sleep 1" }, b: { run: y } }\nlinks: [{ from: a, to: b }]',
    'a.yaml',
  );
  const [a, b] = withContainers(topology).services;
  expect(a!.run).toBe(OWN_CONTAINER);
  expect(b).not.toHaveProperty('run');
});
