/** Links, LANs and queues: what they are made of, and what a script does with them. */
import { type Bps, type Micros, type Ratio, ratio } from '../../../proto/units.ts';
import type { Change } from '../../model/events.ts';
import { TclError, wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { half, lossOfLeg, readBandwidth, readDelay, readLoss } from './quantities.ts';
import { isRedParameter, redParameters } from './red.ts';
import {
  type Direction,
  type Lan,
  type Leg,
  type Link,
  type Node,
  nameOf,
  type OneWay,
  type Queue,
  type Thing,
} from './things.ts';
import { callMethod, type Methods, perWorld, type World } from './world.ts';

const DRAWING = 'it is for drawings and traces of a simulation';

/** What `limit_` of `Queue` or of the kind of queue was set to. */
function defaultLimit(world: World, kind: string): number | undefined {
  const text = world.classValues.get(`Queue/${kind} limit_`) ?? world.classValues.get('Queue limit_');
  return text !== undefined && /^\d{1,7}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

function direction(world: World, bandwidth: Bps, delay: Micros, kind: string): Direction {
  const limit = defaultLimit(world, kind);
  const red = kind === 'RED' ? redParameters(world.classValues) : undefined;
  const queue = { ...(limit !== undefined && { limit }), ...(red && { red }) };
  return { bandwidth, delay, loss: ratio(0), isInBytes: false, ...queue };
}

/** `duplex-link $a $b 10Mb 5ms DropTail`. */
export function makeLink(world: World, method: string, args: readonly string[], call: Call): string {
  const [from, to, bandwidth, delay, kind = 'DropTail', ...rest] = args;
  if (bandwidth === undefined || delay === undefined)
    throw wrongArgs(`${method} node1 node2 bandwidth delay queueType`);
  const ends = [world.the(from, 'node'), world.the(to, 'node')] as const;
  if (ends[0] === ends[1])
    throw new TclError(`the link leads from ${nameOf(ends[0])} to itself`, 'link two different nodes');
  const [rate, time] = [readBandwidth(bandwidth), readDelay(delay)];
  if (!['DropTail', 'droptail', 'RED'].includes(kind))
    world.leaveOut(
      `queues of kind ${kind.slice(0, 40)}`,
      call.place,
      `a queue of kind ${kind.slice(0, 40)} is one that drops its tail here`,
    );
  if (rest.length > 0)
    world.leaveOut(
      `more arguments of ${method}`,
      call.place,
      'what comes after the kind of queue is left out',
    );
  const isDuplex = method !== 'simplex-link';
  return world.add(
    (handle): Link => ({
      kind: 'link',
      handle,
      place: call.place,
      ends,
      forth: direction(world, rate, time, kind),
      ...(isDuplex && { back: direction(world, rate, time, kind) }),
    }),
    (link, words, at) => callMethod(world, linkMethods(world), link as Link, words, at),
  );
}

/** `make-lan "$a $b $c" 100Mb 2ms`: half of the delay lies on each leg. */
export function makeLan(world: World, method: string, args: readonly string[], call: Call): string {
  const [list, bandwidth = '~', delay = '0', ...rest] = args;
  if (list === undefined) throw wrongArgs(`${method} nodes bandwidth delay`);
  const nodes = [...new Set(world.tcl.list(list).map((one) => world.the(one, 'node')))];
  if (nodes.length < 2)
    throw new TclError('a LAN has two nodes at least', 'write e.g. make-lan "$n0 $n1 $n2" 100Mb 0ms');
  const [rate, time] = [readBandwidth(bandwidth), half(readDelay(delay))];
  if (rest.length > 0)
    world.leaveOut(`more arguments of ${method}`, call.place, 'what comes after the delay is left out');
  const make = (): Direction => direction(world, rate, time, 'DropTail');
  return world.add(
    (handle): Lan => ({
      kind: 'lan',
      handle,
      place: call.place,
      legs: nodes.map((node): Leg => ({ node, to: make(), from: make() })),
    }),
    (lan, words, at) => callMethod(world, linkMethods(world), lan as Lan, words, at),
  );
}

/** `[$ns link $a $b]`. */
export function oneWay(world: World, from: Node, to: Node, call: Call): string {
  const link = world.linkBetween(from, to);
  return world.add(
    (handle): OneWay => ({
      kind: 'one way',
      handle,
      place: call.place,
      link,
      direction: directionOf(link, from),
    }),
    (thing, words, at) => callMethod(world, linkMethods(world), thing as OneWay, words, at),
  );
}

export function directionOf(link: Link, from: Node): Direction {
  return link.ends[0] === from ? link.forth : link.back!;
}

/** All directions that a change of the thing concerns. */
export function directionsOf(thing: Link | Lan | OneWay): Direction[] {
  if (thing.kind === 'one way') return [thing.direction];
  if (thing.kind === 'link') return thing.back ? [thing.forth, thing.back] : [thing.forth];
  return thing.legs.flatMap(({ to, from }) => [to, from]);
}

export function legOf(lan: Lan, node: Node): Leg {
  const leg = lan.legs.find((one) => one.node === node);
  if (leg) return leg;
  throw new TclError(`${nameOf(node)} is not in the LAN ${nameOf(lan)}`, 'name one of its nodes');
}

type Wire = Link | Lan | OneWay;

/** Now, if events are played; else of the topology. */
function change(
  world: World,
  wire: Wire,
  name: 'bandwidth' | 'delay' | 'plr',
  text: string,
  call: Call,
): void {
  const isLan = wire.kind === 'lan';
  const made = ((): { readonly apply: (of: Direction) => void; readonly change: Change } => {
    if (name === 'bandwidth') {
      const bandwidth = readBandwidth(text);
      return {
        apply: (of) => (of.bandwidth = bandwidth),
        change: { property: 'bandwidth', to: { kind: 'value', value: bandwidth } },
      };
    }
    if (name === 'delay') {
      const delay = isLan ? half(readDelay(text)) : readDelay(text);
      return {
        apply: (of) => (of.delay = delay),
        change: { property: 'latency', to: { kind: 'value', value: delay } },
      };
    }
    const loss: Ratio = isLan ? lossOfLeg(readLoss(text)) : readLoss(text);
    return {
      apply: (of) => (of.loss = loss),
      change: { property: 'loss', to: { kind: 'value', value: loss } },
    };
  })();
  if (world.now === undefined) for (const one of directionsOf(wire)) made.apply(one);
  else
    world.happen({
      place: call.place,
      field: nameOf(wire),
      of: wire,
      make: (targets) => ({ verb: 'set', targets, changes: [made.change] }),
    });
}

/** `DELAY=20ms BANDWIDTH=1000 PLR=0.1`: as Emulab's tevc has it, bare numbers are milliseconds and kb/s. */
function modify(world: World, wire: Wire, args: readonly string[], call: Call): void {
  for (const one of args) {
    const [, key, value] = /^([A-Za-z_-]{1,40})=(.{1,60})$/.exec(one) ?? [];
    const isBare = value !== undefined && /^[\d.]+$/.test(value);
    const name = key?.toUpperCase();
    if (name === 'BANDWIDTH') change(world, wire, 'bandwidth', isBare ? `${value}kb` : value!, call);
    else if (name === 'DELAY') change(world, wire, 'delay', isBare ? `${value}ms` : value!, call);
    else if (name === 'PLR' || name === 'LOSS') change(world, wire, 'plr', value!, call);
    else
      world.leaveOut(
        `modify ${(key ?? one).slice(0, 40)}`,
        call.place,
        `"modify" changes BANDWIDTH, DELAY and PLR here`,
      );
  }
}

const linkMethods = perWorld((world: World): Methods<Thing> => {
  const wire = (thing: Thing): Wire => thing as Wire;
  const move =
    (verb: 'join' | 'leave') =>
    (thing: Thing, _: readonly string[], call: Call): string => {
      world.happen({
        place: call.place,
        field: nameOf(thing),
        of: wire(thing),
        make: (targets) => ({ verb, targets }),
      });
      return '';
    };
  const changing =
    (name: 'bandwidth' | 'delay' | 'plr') =>
    (thing: Thing, [value]: readonly string[], call: Call): string => {
      if (value === undefined) throw wrongArgs(`${nameOf(thing)} ${name} value`);
      change(world, wire(thing), name, value, call);
      return '';
    };
  const ignored =
    (name: string) =>
    (_: Thing, _args: readonly string[], call: Call): string => {
      world.leaveOut(name, call.place, DRAWING);
      return '';
    };
  return {
    up: move('join'),
    down: move('leave'),
    bandwidth: changing('bandwidth'),
    delay: changing('delay'),
    plr: changing('plr'),
    loss: changing('plr'),
    modify: (thing, args, call) => {
      modify(world, wire(thing), args, call);
      return '';
    },
    queue: (thing, _, call) => makeQueue(world, wire(thing), call),
    ...Object.fromEntries(
      ['trace', 'trace-endnode', 'cost', 'orient', 'label', 'color', 'set', 'errormodule', 'head'].map(
        (name) => [name, ignored(name)],
      ),
    ),
  };
});

function makeQueue(world: World, wire: Wire, call: Call): string {
  if (wire.kind === 'lan') throw new TclError('a LAN has a queue for each node', 'there is none to set here');
  const of = wire.kind === 'link' ? wire.forth : wire.direction;
  return world.add(
    (handle): Queue => ({ kind: 'queue', handle, place: call.place, direction: of }),
    (queue, words, at) => callMethod(world, queueMethods(world), queue as Queue, words, at),
  );
}

const queueMethods = perWorld((world: World): Methods<Queue> => {
  return {
    set: ({ direction: of }, [name, value], call) => {
      if (value === undefined) return String(of.limit ?? '');
      if (world.now !== undefined)
        world.leaveOut(
          `${name} of a queue at run time`,
          call.place,
          'a queue keeps its size while an experiment runs',
        );
      else if (name === 'limit_') setLimit(of, value);
      else if (name === 'queue-in-bytes_' || name === 'queue_in_bytes_')
        of.isInBytes = /^(?:1|true|yes|on)$/i.test(value);
      else if (of.red && isRedParameter(name!)) of.red.set(name!, value);
      else
        world.leaveOut(
          `${name} of a queue`,
          call.place,
          `"${name}" is no parameter of ${of.red ? 'RED' : 'a queue that drops its tail'} here`,
        );
      return value;
    },
    trace: (_, _args, call) => {
      world.leaveOut('trace of a queue', call.place, DRAWING);
      return '';
    },
  };
});

/** Throws `TclError`. */
export function setLimit(of: Direction, text: string): void {
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new TclError(`"${text.slice(0, 40)}" is no size of a queue`, 'write packets, e.g. 50');
  of.limit = Number(text);
}
