/**
 * The thread of a host's own traffic: however many sources, and whatever they send, they take no time of the agent's main thread.
 *
 * Without TCP it never returns to Node's event loop: it sleeps in one poll, for what is due, for datagrams and for messages of the main
 * thread. A turn does all that is due, and begins 0.4 ms after the one before it at the earliest, so that many sources share
 * the cost of waking.
 */
import { isIPv4 } from 'node:net';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { fromMillis, micros, millisToNanos, toMillis } from '../../proto/units.ts';
import { clearEvent } from '../kernel/sys/events.ts';
import { Poller } from '../kernel/sys/poller.ts';
import { Conversations } from './conversations.ts';
import { Counters } from './counters.ts';
import {
  type FromTraffic,
  isTcp,
  type Known,
  type Place,
  type ToTraffic,
  type TrafficStart,
} from './messages.ts';
import { monotonicMs } from './monotonic.ts';
import { Senders } from './senders.ts';
import { Sinks } from './sinks.ts';

const CONTROL = 0xffffffff;
/** Descriptors that are read in one turn. */
const MOST_READY = 256;
/** Should the thread fail to be woken, its wait ends so. */
const LONGEST_WAIT_MS = 100;
/** From turn to turn at least: what is due is sent so much later at most, of the millisecond that seeded runs may differ. */
const TURN_MS = 0.4;

const { sources, counters: memory, wakeFd } = workerData as TrafficStart;
const counters = new Counters(sources.length, memory);
const poller = new Poller(MOST_READY);
/** A call of the system less for each turn: both clocks are the same but for their beginning. */
const offsetMs = monotonicMs() - performance.now();
const wallMs = (): number => performance.timeOrigin + performance.now();
const conversations = new Conversations(sources, counters, wallMs);
const senders = new Senders(sources, counters, conversations);
const sinks = new Sinks(poller, counters, sources);
const sending = new Set(sources.map(({ from }) => from));
const receiving = new Set(sources.map(({ to }) => to));
const hasConnections = sources.some(isTcp);
/** The experiment's time less that of `performance`, in microseconds; `undefined`: it has not begun. */
let offset: number | undefined;
let isRunning = true;

const now = (): number => (offset === undefined ? 0 : offset + fromMillis(performance.now()));

function tell(text: string): void {
  const message: FromTraffic = { kind: 'problem', text };
  parentPort!.postMessage(message);
}

function attach(place: Place): void {
  const { number, name } = place;
  try {
    if (sending.has(number)) senders.attach(place, now());
    if (sending.has(number)) conversations.attach(place);
    if (receiving.has(number)) sinks.attach(place);
  } catch (error) {
    tell(`netfold's own traffic does not run in ${name}: ${(error as Error).message}`);
  }
}

function detach(number: number): void {
  senders.detach(number);
  conversations.detach(number);
  sinks.detach(number);
}

function know(endpoints: readonly Known[]): void {
  const found = endpoints.flatMap(({ number, addresses }) => {
    const address = addresses.find((one) => isIPv4(one)) ?? addresses[0];
    return receiving.has(number) && address !== undefined ? [[number, address] as const] : [];
  });
  const addresses = new Map(found);
  senders.setAddresses(addresses);
  conversations.setAddresses(addresses);
}

function obey(message: ToTraffic): void {
  switch (message.kind) {
    case 'attach':
      message.places.forEach(attach);
      break;
    case 'detach':
      detach(message.number);
      break;
    case 'known':
      know(message.endpoints);
      break;
    case 'windows':
      senders.setWindows(message.windows, now());
      conversations.setWindows(message.windows);
      break;
    case 'time':
      offset = message.micros - fromMillis(message.monotonicMs - offsetMs);
      break;
    case 'stop':
      isRunning = false;
  }
}

function readMessages(): void {
  clearEvent(wakeFd);
  for (;;) {
    const received = receiveMessageOnPort(parentPort!) as { message: ToTraffic } | undefined;
    if (!received) return;
    obey(received.message);
  }
}

/** Sends what is due, and returns how long nothing is, in milliseconds. */
function send(): number {
  if (offset === undefined) return LONGEST_WAIT_MS;
  const instant = now();
  if (hasConnections) conversations.look(instant);
  senders.send(instant, wallMs());
  const due = hasConnections ? Math.min(senders.due, conversations.due) : senders.due;
  return Math.min(LONGEST_WAIT_MS, Math.max(0, toMillis(micros(due - offset)) - performance.now()));
}

function receive(ready: number): void {
  const arrived = wallMs();
  for (let index = 0; index < ready; index++) {
    const token = poller.token(index);
    if (token === CONTROL) readMessages();
    else sinks.read(token, arrived);
  }
}

/** Where there are connections, the event loop goes on while the thread sleeps. */
async function run(): Promise<void> {
  poller.add(wakeFd, CONTROL);
  let [waitMs, beganMs] = [0, 0];
  while (isRunning) {
    const nanos = Math.ceil(millisToNanos(waitMs));
    if (hasConnections) await poller.readable(nanos);
    let ready = poller.wait(hasConnections ? 0 : nanos);
    const earlyMs = beganMs + TURN_MS - performance.now();
    if (earlyMs > 0) {
      poller.pause(Math.ceil(millisToNanos(earlyMs)));
      ready = poller.wait(0);
    }
    beganMs = performance.now();
    receive(ready);
    waitMs = send();
  }
  conversations.close();
  senders.close();
  sinks.close();
  poller.close();
}

await run();
