/** What a script makes: nodes, links, LANs, queues, programs, traffic, and groups of events. */
import type { Bps, Micros, Ratio } from '../../../proto/units.ts';
import type { Place } from '../../networks/notes.ts';
import type { ScriptText } from '../../tcl/interpreter.ts';

interface Made {
  /** What the script calls it before it has a name. */
  readonly handle: string;
  readonly place: Place;
  /** Of the first variable that holds it: `node(1)` is `node-1`. */
  name?: string;
}

export interface Simulator extends Made {
  readonly kind: 'simulator';
}

export interface Node extends Made {
  readonly kind: 'node';
  /** `tb-set-node-startcmd`. */
  start?: string;
  readonly number: number;
}

/** One direction of a link, or of a leg of a LAN. */
export interface Direction {
  bandwidth: Bps;
  delay: Micros;
  loss: Ratio;
  /** Packets, or bytes. */
  limit?: number;
  isInBytes: boolean;
  /** Parameters of RED (`thresh_`); absent: it drops its tail. */
  readonly red?: Map<string, string>;
}

export interface Link extends Made {
  readonly kind: 'link';
  readonly ends: readonly [Node, Node];
  readonly forth: Direction;
  /** Absent: it is one-way. */
  readonly back?: Direction;
}

export interface Leg {
  readonly node: Node;
  /** From the node into the LAN. */
  readonly to: Direction;
  readonly from: Direction;
}

export interface Lan extends Made {
  readonly kind: 'lan';
  readonly legs: readonly Leg[];
}

/** `[$ns link $a $b]`: one direction of a link. */
export interface OneWay extends Made {
  readonly kind: 'one way';
  readonly link: Link;
  readonly direction: Direction;
}

/** `[[$ns link $a $b] queue]`. */
export interface Queue extends Made {
  readonly kind: 'queue';
  readonly direction: Direction;
}

export interface Program extends Made {
  readonly kind: 'program';
  node?: Node;
  readonly options: Map<string, string>;
}

/** An agent, a generator, a source of errors, or anything else with variables. */
export interface Other extends Made {
  readonly kind: 'other';
  readonly className: string;
  readonly values: Map<string, string>;
  node?: Node;
  /** Made within `make-simulated`. */
  readonly isSimulated: boolean;
  /** A sequence starts or stops it. */
  isInSequence?: boolean;
  /** The agent below a generator, or at the other end. */
  agent?: Other;
  peer?: Other;
  /** What happens to it: `start 1s`. */
  readonly events: string[];
  /** The same, in full, and when; some of them, if it is very much. */
  readonly actions: { readonly words: readonly string[]; readonly at: Micros }[];
}

export interface Group extends Made {
  readonly kind: 'group';
  readonly members: Thing[];
}

export interface Step {
  /** After the start of the timeline. */
  readonly after: Micros;
  readonly script: ScriptText;
}

export interface Sequence extends Made {
  readonly kind: 'sequence' | 'timeline';
  readonly steps: Step[];
  /** Instead, once a step has failed. */
  readonly errors: readonly Step[];
}

export type Thing = Simulator | Node | Link | Lan | OneWay | Queue | Program | Other | Group | Sequence;

export type ThingOf<K extends Thing['kind']> = Extract<Thing, { kind: K }>;

export const KIND_NAMES: Readonly<Record<Thing['kind'], string>> = {
  ...{
    simulator: 'simulator',
    node: 'node',
    link: 'link',
    lan: 'LAN',
    'one way': 'direction of a link',
    queue: 'queue',
  },
  ...{
    program: 'program',
    other: 'object',
    group: 'group of events',
    sequence: 'sequence of events',
    timeline: 'timeline',
  },
};

/** For messages. */
export function nameOf(thing: Thing): string {
  return thing.name ?? thing.handle;
}
