/** The thread of a host's own traffic: however many sources, and whatever they send, they take no time of the agent's main thread. */
import { isIPv4 } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { fromMillis, micros, millisToNanos, toMillis } from '../../proto/units.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { clearEvent, createEvent, raiseEvent } from '../kernel/sys/events.ts';
import { Poller } from '../kernel/sys/poller.ts';
import { Connections } from './connections.ts';
import { Counters } from './counters.ts';
import type { FromTraffic, Known, Place, ToTraffic, TrafficStart } from './messages.ts';
import { monotonicMs } from './monotonic.ts';
import { Senders } from './senders.ts';
import { Sinks } from './sinks.ts';

const CONTROL = 0xffffffff;
/** Connections are looked after so often; and should the thread fail, it ends with its wait. */
const LONGEST_WAIT_MS = 100;

const { sources, counters: memory } = workerData as TrafficStart;
const counters = new Counters(sources.length, memory);
const poller = new Poller();
/** Ends the wait. */
const wakeFd = createEvent();
const senders = new Senders(sources, counters);
const sinks = new Sinks(poller, counters, sources.length);
const connections = new Connections(sources, counters);
const sending = new Set(sources.map(({ from }) => from));
const receiving = new Set(sources.map(({ to }) => to));
/** The experiment's time less the machine's, in microseconds; `undefined`: it has not begun. */
let offset: number | undefined;
let isRunning = true;

function tell(text: string): void {
  const message: FromTraffic = { kind: 'problem', text };
  parentPort!.postMessage(message);
}

function attach(place: Place): void {
  const { number, name } = place;
  try {
    if (sending.has(number))
      senders.attach(place, offset === undefined ? 0 : offset + fromMillis(monotonicMs()));
    if (sending.has(number)) connections.attach(place);
    if (receiving.has(number)) sinks.attach(place);
  } catch (error) {
    tell(`netfold's own traffic does not run in ${name}: ${(error as Error).message}`);
  }
}

function detach(number: number): void {
  senders.detach(number);
  connections.detach(number);
  sinks.detach(number);
}

function know(endpoints: readonly Known[]): void {
  const found = endpoints.flatMap(({ number, addresses }) => {
    const address = addresses.find((one) => isIPv4(one)) ?? addresses[0];
    return receiving.has(number) && address !== undefined ? [[number, address] as const] : [];
  });
  const addresses = new Map(found);
  senders.setAddresses(addresses);
  connections.setAddresses(addresses);
}

function obey(message: ToTraffic): void {
  if (message.kind === 'attach') message.places.forEach(attach);
  else if (message.kind === 'detach') detach(message.number);
  else if (message.kind === 'known') know(message.endpoints);
  else if (message.kind === 'time') offset = message.micros - fromMillis(message.monotonicMs);
  else stop();
  raiseEvent(wakeFd);
}

function stop(): void {
  isRunning = false;
  connections.close();
  senders.close();
  sinks.close();
  parentPort!.close();
}

const wallMs = (): number => performance.timeOrigin + performance.now();

/** Sends what is due, and returns how long nothing is, in milliseconds. */
function send(): number {
  if (offset === undefined) return LONGEST_WAIT_MS;
  const now = offset + fromMillis(monotonicMs());
  senders.send(now, wallMs());
  if (connections.isNeeded) connections.look(now, wallMs());
  const wait = toMillis(micros(senders.due - offset)) - monotonicMs();
  return Math.min(LONGEST_WAIT_MS, Math.max(0, wait));
}

/** Other work of the thread has its turn after each wait. */
async function run(): Promise<void> {
  poller.add(wakeFd, CONTROL);
  for (;;) {
    const wait = send();
    await poller.readable(Math.ceil(millisToNanos(wait)));
    if (!isRunning) break;
    const ready = poller.wait(0);
    const arrived = wallMs();
    for (let index = 0; index < ready; index++) {
      const token = poller.token(index);
      if (token === CONTROL) clearEvent(wakeFd);
      else sinks.read(token, arrived);
    }
  }
  poller.close();
  close(wakeFd);
}

parentPort!.on('message', obey);
await run();
