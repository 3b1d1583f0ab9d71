/**
 * Loaded into agents before everything else (`node --import`). The date is off by the number of milliseconds in the
 * file `NETFOLD_FAULT_DATES`/HOST, as soon as the file contains it. The kernel has one date for all processes, but
 * all code in Node reads it here. The monotonic clock does not change, as on a machine whose date is set.
 */
import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const { NETFOLD_FAULT_DATES: folder } = process.env;
const host = process.argv[process.argv.indexOf('--host') + 1];

if (isMainThread && folder !== undefined && process.argv.includes('--host') && host !== undefined) {
  const file = join(folder, host);
  let offMs = readOffset(file);
  // Polled instead of a signal, because a signal would end an agent that has not loaded this file yet.
  watch(file, { persistent: false }, () => {
    offMs = readOffset(file) ?? offMs;
  });
  stepDate(() => offMs ?? 0);
}

/** `undefined` while it is being written. */
function readOffset(path: string): number | undefined {
  const text = readFileSync(path, 'utf8');
  return text.endsWith('\n') ? Number(text) : undefined;
}

function stepDate(offMs: () => number): void {
  const RealDate = Date;
  const now = (): number => RealDate.now() + Math.round(offMs());
  globalThis.Date = new Proxy(RealDate, {
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
    construct: (target, args: unknown[], self) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, self as new () => Date),
    apply: () => new RealDate(now()).toString(),
  });
}
