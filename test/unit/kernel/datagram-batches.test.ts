/** Many datagrams with one system call, over the loopback. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ReceiveBatch, SendBatch } from '../../../agent/kernel/sys/datagrams.ts';
import { close } from '../../../agent/kernel/sys/descriptors.ts';
import { boundUdp, socketAddress } from '../../../agent/kernel/sys/inet-sockets.ts';
import { boundAddress } from '../../../agent/kernel/sys/sockets.ts';

const LOOPBACK = Uint8Array.from([127, 0, 0, 1]);
const HEAD = 16;
let [sender, receiver] = [-1, -1];
let address: Uint8Array;
beforeEach(() => {
  [sender, receiver] = [boundUdp(LOOPBACK, 0), boundUdp(LOOPBACK, 0)];
  address = socketAddress(LOOPBACK, boundAddress(receiver, 16).readUInt16BE(2));
});
afterEach(() => {
  close(sender);
  close(receiver);
});

const sizes = [16, 17, 1000, 1472];

it('arrive with their heads and their lengths, in their order', () => {
  const [out, back] = [new SendBatch(HEAD, 1472), new ReceiveBatch(HEAD)];
  const told: boolean[] = [];
  const found: [number, number][] = [];
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < SendBatch.most; index++)
      out.view.setUint32(out.add(address, sizes[index % sizes.length]!), round * SendBatch.most + index);
    out.flush(sender, (_, isTaken) => told.push(isTaken));
    for (let count = back.receive(receiver); count > 0; count = back.receive(receiver))
      for (let index = 0; index < count; index++)
        found.push([back.view.getUint32(back.headAt(index)), back.lengthOf(index)]);
  }
  expect(told).toEqual(Array(3 * SendBatch.most).fill(true));
  expect(found).toEqual(
    Array.from({ length: 3 * SendBatch.most }, (_, number) => [number, sizes[number % sizes.length]]),
  );
});

it('that are shorter than a head arrive as they are', () => {
  const [out, back] = [new SendBatch(HEAD, 100), new ReceiveBatch(HEAD)];
  out.view.setUint32(out.add(address, 4), 77);
  out.flush(sender, () => {});
  expect(back.receive(receiver)).toBe(1);
  expect([back.lengthOf(0), back.view.getUint32(back.headAt(0))]).toEqual([4, 77]);
  expect(back.receive(receiver)).toBe(0);
});

it('of which one is refused: it alone, and those after it leave', () => {
  const [out, back] = [new SendBatch(HEAD, 1472), new ReceiveBatch(HEAD)];
  // Port 0 is nobody's.
  const nowhere = socketAddress(LOOPBACK, 0);
  const told: [number, boolean][] = [];
  for (const to of [address, nowhere, address]) out.add(to, 100);
  out.flush(sender, (index, isTaken) => told.push([index, isTaken]));
  expect(told).toEqual([
    [0, true],
    [1, false],
    [2, true],
  ]);
  expect(back.receive(receiver)).toBe(2);
});

it('of a closed socket are an error', () => {
  expect(() => new ReceiveBatch(HEAD).receive(-1)).toThrow('EBADF');
});
