import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReleaseQueue } from '../../../agent/linux/delay-line/release-queue.ts';

interface Packet {
  readonly time: number;
  readonly queue: number;
  readonly id: number;
  readonly mark: number;
}

function drain(queue: ReleaseQueue): Packet[] {
  const packets: Packet[] = [];
  while (queue.size > 0) {
    const { nextTime: time, nextQueue, nextId: id, nextMark: mark } = queue;
    packets.push({ time, queue: nextQueue, id, mark });
    queue.pop();
  }
  return packets;
}

test('an empty queue is due never', () => {
  const queue = new ReleaseQueue();
  expect([queue.size, queue.nextTime]).toEqual([0, Number.POSITIVE_INFINITY]);
  queue.push(5, 1, 2, 3);
  queue.pop();
  expect([queue.size, queue.nextTime]).toEqual([0, Number.POSITIVE_INFINITY]);
});

test('packets leave by time, those of one time in the order of their arrival', () => {
  const queue = new ReleaseQueue(2);
  for (const [time, id] of [
    [20, 1],
    [10, 2],
    [20, 3],
    [10, 4],
    [20, 5],
    [10, 6],
    [15, 7],
  ] as const)
    queue.push(time, 0, id, 0);
  expect(drain(queue).map(({ id }) => id)).toEqual([2, 4, 6, 7, 1, 3, 5]);
});

test('the largest ids and queue numbers come out as they went in', () => {
  const queue = new ReleaseQueue();
  queue.push(1.25, 0xffffffff, 0xfffffffe, 0xfffffffd);
  expect(drain(queue)).toEqual([{ time: 1.25, queue: 0xffffffff, id: 0xfffffffe, mark: 0xfffffffd }]);
});

test('the packets of one queue are taken in their order, and the others keep theirs', () => {
  const queue = new ReleaseQueue(2);
  for (const [time, number, id] of [
    [30, 7, 1],
    [10, 8, 2],
    [20, 7, 3],
    [10, 8, 4],
    [20, 7, 5],
    [5, 9, 6],
  ] as const)
    queue.push(time, number, id, id + 100);
  const taken: [number, number][] = [];
  queue.take(7, (id, mark) => taken.push([id, mark]));
  expect(taken).toEqual([
    [3, 103],
    [5, 105],
    [1, 101],
  ]);
  queue.take(1, () => expect.unreachable());
  expect(drain(queue).map(({ id, queue: number }) => [id, number])).toEqual([
    [6, 9],
    [2, 8],
    [4, 8],
  ]);
});

/** Few different times, so that ties are frequent; `undefined` removes the first packet. */
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 0, max: 12 }), fc.nat(3)) },
    { weight: 2, arbitrary: fc.constant(undefined) },
  ),
  { maxLength: 200 },
);

test('is always the same as a sorted array, at any capacity', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (operations, capacity) => {
      const queue = new ReleaseQueue(capacity);
      const model: Packet[] = [];
      for (const [id, operation] of operations.entries()) {
        if (operation) {
          const packet = { time: operation[0] / 4, queue: operation[1], id, mark: 7 * id };
          queue.push(packet.time, packet.queue, packet.id, packet.mark);
          const place = model.findIndex(({ time }) => time > packet.time);
          model.splice(place < 0 ? model.length : place, 0, packet);
        } else if (model.length > 0) {
          queue.pop();
          model.shift();
        }
        expect(queue.size).toBe(model.length);
        expect(queue.nextTime).toBe(model[0]?.time ?? Number.POSITIVE_INFINITY);
        if (model[0]) expect([queue.nextQueue, queue.nextId]).toEqual([model[0].queue, model[0].id]);
      }
      expect(drain(queue)).toEqual(model);
    }),
    { seed: 13, numRuns: 500 },
  );
});
