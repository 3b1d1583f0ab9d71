/**
 * The thread of the name servers and of the segments: an application that asks or sends without end takes no time of the agent's
 * main thread. Both share a thread because each thread has a cost of its own, whether it is used or not.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { close } from '../kernel/sys/descriptors.ts';
import { createEvent, raiseEvent } from '../kernel/sys/events.ts';
import { Poller } from '../kernel/sys/poller.ts';
import { Relay } from '../segments/relay.ts';
import { SegmentMap } from '../segments/segment-map.ts';
import type { FromNames, NamesStart, Place, ToNames } from './messages.ts';
import { NameTable } from './name-table.ts';
import { Serving } from './serving.ts';

const CONTROL = 0xffffffff;
/** Should the thread fail, it ends with its wait. */
const LONGEST_WAIT_NS = 1e9;

const { names, segments } = workerData as NamesStart;
const table = new NameTable(readFileSync(names.hostsFile, 'utf8'));
const served = new Map<number, Serving>();
const poller = new Poller();
/** Ends the wait. */
const endFd = createEvent();
const relay = openRelay();
let isRunning = true;

function openRelay(): Relay | undefined {
  if (!segments) return undefined;
  return attempt('broadcast and multicast reach nobody', () => new Relay(segments.firstPort, poller));
}

function attempt<T>(problem: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    tell({ kind: 'problem', text: `${problem}: ${(error as Error).message}` });
    return undefined;
  }
}

function tell(message: FromNames): void {
  parentPort!.postMessage(message);
}

function attach(place: Place): void {
  const { number, name, namespace } = place;
  detach(number);
  const serving = attempt(
    `names don't resolve by DNS in ${name}`,
    () => new Serving(namespace, names.listen, table),
  );
  if (serving) served.set(number, serving);
  attempt(`broadcast and multicast don't reach ${name}`, () => relay?.attach(place));
}

function detach(number: number): void {
  served.get(number)?.close();
  served.delete(number);
  relay?.detach(number);
}

function stop(): void {
  isRunning = false;
  raiseEvent(endFd);
  for (const number of [...served.keys()]) detach(number);
  relay?.close();
  parentPort!.close();
}

function obey(message: ToNames): void {
  if (message.kind === 'attach') message.places.forEach(attach);
  else if (message.kind === 'detach') detach(message.number);
  else if (message.kind === 'known') relay?.setAddresses(message.endpoints);
  else if (message.kind === 'edges') relay?.setSegments(new SegmentMap(message.endpoints, message.edges));
  else stop();
  if ('request' in message) tell({ kind: 'done', request: message.request });
}

/** Other work of the thread has its turn after each wait. */
async function carry(relay: Relay): Promise<void> {
  poller.add(endFd, CONTROL);
  for (;;) {
    await poller.readable(LONGEST_WAIT_NS);
    if (!isRunning) break;
    const ready = poller.wait(0);
    for (let index = 0; index < ready; index++) relay.serve(poller.token(index));
  }
  poller.close();
  close(endFd);
}

parentPort!.on('message', obey);
if (relay) await carry(relay);
