/** Emulab's own commands, `tb-…`: those about links, LANs and programs; the others mean nothing outside of a testbed. */
import { ratio } from '../../../proto/units.ts';
import { wrongArgs } from '../../tcl/errors.ts';
import type { Call, CommandFunction } from '../../tcl/interpreter.ts';
import { directionOf, directionsOf, legOf } from './links.ts';
import { bourneCommand } from './programs.ts';
import { lossOfLeg, readBandwidth, readDelay, readLoss } from './quantities.ts';
import type { Direction, Lan, Link, Node } from './things.ts';
import type { World } from './world.ts';

const ADDRESSES = [
  'tb-set-ip',
  'tb-set-ip-interface',
  'tb-set-ip-link',
  'tb-set-ip-lan',
  'tb-set-netmask',
  'tb-set-ip-routing',
];
const FILES = [
  'tb-set-node-tarfiles',
  'tb-set-tarfiles',
  'tb-set-node-rpms',
  'tb-set-node-startup',
  'tb-set-node-cmdline',
  'tb-set-node-deltas',
];
const MACHINES = [
  ...[
    'tb-set-hardware',
    'tb-set-node-os',
    'tb-set-node-loadlist',
    'tb-fix-node',
    'tb-set-node-failure-action',
    'tb-set-node-memory-size',
  ],
  ...[
    'tb-make-weighted-vtype',
    'tb-make-soft-vtype',
    'tb-make-hard-vtype',
    'tb-set-node-usesharednode',
    'tb-set-node-service',
  ],
  ...[
    'tb-set-jail-os',
    'tb-set-delay-os',
    'tb-set-delay-capacity',
    'tb-set-sync-server',
    'tb-set-mem-usage',
    'tb-set-cpu-usage',
  ],
  ...[
    'tb-set-colocate-factor',
    'tb-set-allowcolocate',
    'tb-set-multiplexed',
    'tb-set-useveth',
    'tb-set-link-encap',
    'tb-set-noshaping',
  ],
  ...[
    'tb-use-endnodeshaping',
    'tb-force-endnodeshaping',
    'tb-set-endnodeshaping',
    'tb-set-uselatestwadata',
    'tb-set-usewatunnels',
  ],
  ...[
    'tb-set-wasolver-weights',
    'tb-set-uselinkdelays',
    'tb-set-forcelinkdelays',
    'tb-set-security-level',
    'tb-set-node-inner-elab-role',
  ],
  ...[
    'tb-elab-in-elab',
    'tb-set-fw-style',
    'tb-set-node-plab-role',
    'tb-set-node-id',
    'tb-set-vlink-emulation',
    'tb-set-lan-protocol',
  ],
  ...[
    'tb-set-lan-accesspoint',
    'tb-set-lan-setting',
    'tb-set-node-lan-setting',
    'tb-set-switch-fabric',
    'tb-set-trunk-mode',
  ],
];
const ESTIMATES = [
  'tb-set-link-est-bandwidth',
  'tb-set-lan-est-bandwidth',
  'tb-set-node-lan-est-bandwidth',
  'tb-set-link-backfill',
  'tb-set-lan-backfill',
];

const IGNORED: ReadonlyMap<string, string> = new Map([
  ...ADDRESSES.map(
    (name) => [name, 'addresses are chosen by netfold: endpoints reach each other by their names'] as const,
  ),
  ...FILES.map(
    (name) =>
      [name, 'files are not installed here: name them in commands, by paths of this machine'] as const,
  ),
  ...MACHINES.map((name) => [name, 'it is about machines of a testbed'] as const),
  ...ESTIMATES.map((name) => [name, 'it is an estimate for choosing machines'] as const),
]);

/** The commands by name. */
export function testbedCommands(world: World): Record<string, CommandFunction> {
  const ignored = [...IGNORED].map(([name, why]): [string, CommandFunction] => [
    name,
    (_, { place }) => {
      world.isEmulab = true;
      world.leaveOut(name, place, why);
      return '';
    },
  ]);
  const used = Object.entries(COMMANDS).map(([name, { usage, run }]): [string, CommandFunction] => [
    name,
    (args, call) => {
      world.isEmulab = true;
      const words = usage.split(' ').length;
      const isShort = name === 'tb-set-link-loss' && args.length === 2;
      world.attempt(call.place, name, () => {
        if (args.length !== words && !isShort) throw wrongArgs(`${name} ${usage}`);
        run(world, args, call);
      });
      return '';
    },
  ]);
  return Object.fromEntries([...ignored, ...used]);
}

interface Used {
  readonly usage: string;
  readonly run: (world: World, args: readonly string[], call: Call) => void;
}

const node = (world: World, text: string | undefined): Node => world.the(text, 'node');
const lan = (world: World, text: string | undefined): Lan => world.the(text, 'lan');

function both(world: World, [of, on]: readonly string[], apply: (direction: Direction) => void): void {
  const leg = legOf(lan(world, on), node(world, of));
  apply(leg.to);
  apply(leg.from);
}

const COMMANDS: Readonly<Record<string, Used>> = {
  'tb-set-node-startcmd': {
    usage: 'node command',
    run: (world, [of, command], call) => {
      const one = node(world, of);
      if (one.start !== undefined)
        world.leaveOut('a second command of a node', call.place, 'the command before this one is left out');
      one.start = bourneCommand(command!);
    },
  },
  'tb-set-link-loss': {
    usage: 'node1 node2 loss',
    run: (world, args) => {
      const value = readLoss(args.at(-1)!);
      const link =
        args.length === 3
          ? world.linkBetween(node(world, args[0]), node(world, args[1]))
          : world.the(args[0], 'link', 'lan');
      for (const one of directionsOf(link)) one.loss = link.kind === 'lan' ? lossOfLeg(value) : value;
    },
  },
  'tb-set-lan-loss': {
    usage: 'lan loss',
    run: (world, [on, loss]) => {
      const value = lossOfLeg(readLoss(loss!));
      for (const one of directionsOf(lan(world, on))) one.loss = value;
    },
  },
  'tb-set-node-lan-delay': {
    usage: 'node lan delay',
    run: (world, args) => {
      const delay = readDelay(args[2]!);
      both(world, args, (one) => {
        one.delay = delay;
      });
    },
  },
  'tb-set-node-lan-bandwidth': {
    usage: 'node lan bandwidth',
    run: (world, args) => {
      const bandwidth = readBandwidth(args[2]!);
      both(world, args, (one) => {
        one.bandwidth = bandwidth;
      });
    },
  },
  'tb-set-node-lan-loss': {
    usage: 'node lan loss',
    run: (world, args) => {
      const loss = readLoss(args[2]!);
      both(world, args, (one) => {
        one.loss = loss;
      });
    },
  },
  'tb-set-node-lan-params': {
    usage: 'node lan delay bandwidth loss',
    run: (world, args) => {
      const values = parameters(args.slice(2));
      both(world, args, (one) => Object.assign(one, values));
    },
  },
  'tb-set-link-simplex-params': {
    usage: 'link source delay bandwidth loss',
    run: (world, [on, from, ...values]) => {
      const link: Link = world.the(on, 'link');
      const source = node(world, from);
      if (!link.ends.includes(source) || (!link.back && link.ends[0] !== source))
        throw wrongArgs(
          'tb-set-link-simplex-params link source delay bandwidth loss, where the source is an end of the link',
        );
      Object.assign(directionOf(link, source), parameters(values));
    },
  },
  'tb-set-lan-simplex-params': {
    usage: 'lan node toDelay toBandwidth toLoss fromDelay fromBandwidth fromLoss',
    run: (world, [on, of, ...values]) => {
      const leg = legOf(lan(world, on), node(world, of));
      Object.assign(leg.to, parameters(values));
      Object.assign(leg.from, parameters(values.slice(3)));
    },
  },
};

function parameters([delay, bandwidth, loss]: readonly string[]): Pick<
  Direction,
  'delay' | 'bandwidth' | 'loss'
> {
  return { delay: readDelay(delay!), bandwidth: readBandwidth(bandwidth!), loss: ratio(readLoss(loss!)) };
}
