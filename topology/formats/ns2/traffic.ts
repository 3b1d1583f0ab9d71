/**
 * Agents, generators of traffic, sources of errors, and whatever else a script makes with `new`. Errors become the loss of a link,
 * generators traffic of netfold's own (generators.ts). What has no counterpart is told with all that the script says about it.
 */
import { formatMicros } from '../../../proto/units.ts';
import { isName } from '../../model/names.ts';
import { TclError, wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { directionOf } from './links.ts';
import { readLoss } from './quantities.ts';
import { type Node, nameOf, type Other } from './things.ts';
import type { World } from './world.ts';

/** Of one object. */
const MOST_ACTIONS = 10_000;

const TRAFFIC = /^(?:Agent|Application|Traffic|Source)\//;
/** What is not told: it is part of something that is. */
const SILENT = /^(?:ErrorModel|Agent\/(?:Null|LossMonitor|TCPSink))/;

/** An object of a class that has no counterpart here. */
export function makeOther(world: World, className: string, call: Call): string {
  if (!TRAFFIC.test(className) && !SILENT.test(className) && !/^(?:RNG|RandomVariable)\b/.test(className))
    world.leaveOut(
      `new ${className.slice(0, 40)}`,
      call.place,
      `objects of the class ${className.slice(0, 40)} are left out`,
    );
  return world.add(
    (handle): Other => ({
      kind: 'other',
      handle,
      place: call.place,
      className,
      isSimulated: world.isSimulating,
      values: new Map(),
      events: [],
      actions: [],
    }),
    (thing, words, at) => callOther(world, thing as Other, words, at),
  );
}

function callOther(world: World, thing: Other, args: readonly string[], call: Call): string {
  const [method, ...rest] = args;
  if (method === undefined) throw new TclError(`nothing is asked of ${nameOf(thing)}`);
  if (Object.hasOwn(METHODS, method)) return METHODS[method]!(thing, rest, world);
  if (/^(?:RNG|RandomVariable)\b/.test(thing.className)) return random(world, thing, method, rest, call);
  // Objects of ns-2 have hundreds of methods.
  if (world.collecting && (method === 'start' || method === 'stop')) {
    thing.isInSequence = true;
    const traffic = [{ name: sequencedName(world, thing), position: { file: '', ...call.place } }];
    world.happen({ place: call.place, field: nameOf(thing), make: () => ({ verb: method, traffic }) });
  } else if (world.now !== undefined) {
    if (thing.actions.length < MOST_ACTIONS) thing.actions.push({ words: [method, ...rest], at: world.now });
    note(world, thing, [method, ...rest].join(' '));
  }
  return '';
}

/** Of the traffic of a generator that sequences start: no other one has it. */
export function sequencedName(world: World, thing: Other): string {
  const name = nameOf(thing);
  const number = thing.handle.replace(/\D/g, '');
  if (!isName(name)) return `traffic-${number}`;
  return world.thing(name) === thing ? name : `${name}-${number}`;
}

const METHODS: Readonly<Record<string, (thing: Other, args: readonly string[], world: World) => string>> = {
  set: (thing, [name, value], world) => {
    if (name === undefined) throw wrongArgs('object set variable ?value?');
    if (value === undefined)
      return thing.values.get(name) ?? world.classValues.get(`${thing.className} ${name}`) ?? '0';
    if (world.now === undefined) thing.values.set(name, value);
    else note(world, thing, `set ${name} ${value}`);
    return value;
  },
  'attach-agent': (thing, [agent], world) => {
    thing.agent = world.the(agent, 'other');
    return '';
  },
  unit: (thing, [unit = '']) => {
    thing.values.set('unit_', unit);
    return '';
  },
};

function note(world: World, thing: Other, what: string): void {
  if (thing.events.length < 20) thing.events.push(`${what.slice(0, 60)} at ${formatMicros(world.now ?? 0)}`);
}

/** Uniform, or what the distribution says; the same numbers in each reading of the file. */
function random(world: World, thing: Other, method: string, args: readonly string[], call: Call): string {
  const value = (name: string, otherwise: number): number => Number(thing.values.get(name) ?? otherwise);
  const next = (): number => Number(world.tcl.expressionText('rand()', call.place));
  if (method === 'seed' || method === 'next-substream' || method === 'use-rng') return '';
  world.leaveOut(
    'random numbers',
    call.place,
    'random numbers are others than in ns-2, and the same in each reading',
  );
  if (method === 'integer') return String(Math.floor(next() * Number(args[0] ?? 1)));
  if (method === 'uniform')
    return String(Number(args[0] ?? 0) + next() * (Number(args[1] ?? 1) - Number(args[0] ?? 0)));
  if (method === 'exponential') return String(-Math.log(1 - next()) * Number(args[0] ?? 1));
  if (method !== 'value') return String(next());
  switch (thing.className) {
    case 'RandomVariable/Constant':
      return String(value('val_', 1));
    case 'RandomVariable/Exponential':
      return String(-Math.log(1 - next()) * value('avg_', 1));
    case 'RandomVariable/Pareto': {
      const shape = value('shape_', 1.5);
      return String((value('avg_', 1) * (shape - 1)) / shape / (1 - next()) ** (1 / shape));
    }
    default:
      return String(value('min_', 0) + next() * (value('max_', 1) - value('min_', 0)));
  }
}

/** `$ns attach-agent $node $agent`. */
export function attach(world: World, [node, agent]: readonly string[]): void {
  world.the(agent, 'other').node = world.the(node, 'node');
}

/** `$ns connect $a $b`. */
export function connect(world: World, [from, to]: readonly string[]): void {
  const [a, b] = [world.the(from, 'other'), world.the(to, 'other')];
  a.peer = b;
  b.peer = a;
}

/** `$ns create-connection TCP $a TCPSink $b 1`. */
export function createConnection(
  world: World,
  [kind, from, sink, to]: readonly string[],
  call: Call,
): string {
  const ends = [world.the(from, 'node'), world.the(to, 'node')] as const;
  const [a, b] = [kind, sink].map((one) => {
    const handle = makeOther(world, `Agent/${one ?? 'UDP'}`, call);
    return world.the(handle, 'other');
  }) as [Other, Other];
  [a.node, b.node, a.peer, b.peer] = [ends[0], ends[1], b, a];
  return a.handle;
}

/** `$ns lossmodel $errors $a $b`: its rate is read at the end, as it may be set later. */
export function loseBetween(world: World, [model, from, to]: readonly string[], call: Call): () => void {
  const errors = world.the(model, 'other');
  const [a, b] = [world.the(from, 'node'), world.the(to, 'node')];
  const direction = directionOf(world.linkBetween(a, b), a);
  return () => {
    const unit = errors.values.get('unit_') ?? 'pkt';
    if (!/^p/i.test(unit)) {
      world.leaveOut('errors by bytes or time', call.place, 'errors count packets here: these are left out');
      return;
    }
    world.attempt(call.place, 'lossmodel', () => {
      direction.loss = readLoss(errors.values.get('rate_') ?? '0');
    });
  };
}

/** One warning for each generator that is not among `made`, with its parameters, and for each agent that has none. */
export function tellOfTraffic(world: World, made: ReadonlySet<Other>): void {
  const below = new Set(world.others.map(({ agent }) => agent));
  for (const thing of world.others) {
    if (!TRAFFIC.test(thing.className) || SILENT.test(thing.className)) continue;
    if (below.has(thing) || made.has(thing)) continue;
    const agent = thing.agent ?? thing;
    const kind = thing.agent ? `${thing.className} over ${agent.className}` : thing.className;
    const parameters = [...thing.values].slice(0, 10).map(([name, value]) => `${name} ${value.slice(0, 40)}`);
    const parts = [kind, `from ${at(agent.node)} to ${at(agent.peer?.node)}`, ...parameters, ...thing.events];
    world.notes.tell(
      { code: 'KEY_IGNORED', what: 'generators of traffic', shown: 100 },
      thing.place,
      nameOf(thing),
      `traffic is left out: ${parts.join(', ')}`,
      'run a program that makes it, e.g. iperf3, with tb-set-node-startcmd or in the converted file',
    );
  }
}

const at = (node: Node | undefined): string => (node ? nameOf(node) : 'nowhere');
