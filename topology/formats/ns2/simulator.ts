/** What a script asks of the simulator, `$ns`, and of nodes. */
import { type Micros, micros, toSeconds } from '../../../proto/units.ts';
import { TclError, TclStop, wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { splitElement } from '../../tcl/variables.ts';
import { directionOf, makeLan, makeLink, oneWay, setLimit } from './links.ts';
import { bourneCommand, makeProgram } from './programs.ts';
import { readInstant } from './quantities.ts';
import { makeGroup, makeSequence } from './sequences.ts';
import { type Node, nameOf, type Simulator } from './things.ts';
import { attach, connect, createConnection, loseBetween } from './traffic.ts';
import { callMethod, type Methods, perWorld, SETTINGS, type World } from './world.ts';

const OF_SIMULATIONS = [
  ...[
    'trace-all',
    'namtrace-all',
    'namtrace-all-wireless',
    'trace-queue',
    'namtrace-queue',
    'monitor-queue',
    'flush-trace',
    'color',
  ],
  ...[
    'use-scheduler',
    'node-config',
    'use-newtrace',
    'detach-agent',
    'duplex-link-op',
    'simplex-link-op',
    'cost',
    'multicast',
  ],
  ...[
    'mrtproto',
    'get-ns-traceall',
    'trace-annotate',
    'create-trace',
    'eventtrace-all',
    'initial_node_pos',
    'compute-routes',
  ],
  ...[
    'rtmodel',
    'queue-op',
    'tcl-at',
    'addr-type',
    'set-address-format',
    'trace-for',
    'stabilize',
    'msg',
    'message',
    'log',
    'report',
  ],
  ...[
    'cleanlogs',
    'linktest',
    'make-path',
    'blockstore',
    'console',
    'clearMemTrace',
    'drop-trace',
    'puts-nam-config',
    'gen-map',
  ],
];
const OF_NODES = [
  ...[
    'color',
    'shape',
    'label',
    'add-mark',
    'delete-mark',
    'attach',
    'add-desire',
    'get-desire',
    'add-attribute',
    'console',
    'topography',
  ],
  ...[
    'set',
    'add-route',
    'random-motion',
    'setdest',
    'snapshot-to',
    'reload',
    'trace',
    'namattach',
    'cost',
    'ip',
    'hardware',
    'tb-set-os',
  ],
  ...['disk-agent', 'add-portmap', 'set_scenario', 'bridge-links', 'topo', 'unknown'],
];

export const simulatorMethods = perWorld((world: World): Methods<Simulator> => {
  const ignored = OF_SIMULATIONS.map((name): [string, Methods<Simulator>[string]] => [
    name,
    (_, _args, call) => {
      world.leaveOut(`$ns ${name}`, call.place, 'it concerns the simulator or the testbed alone');
      return '';
    },
  ]);
  return {
    ...Object.fromEntries(ignored),
    ...topologyMethods(world),
    ...eventMethods(world),
    ...trafficMethods(world),
  };
});

function topologyMethods(world: World): Methods<Simulator> {
  const tried =
    (name: string, run: (args: readonly string[], call: Call) => string): Methods<Simulator>[string] =>
    (_, args, call) => {
      let made = '';
      if (world.tcl.catches > 0) return run(args, call);
      world.attempt(call.place, name, () => {
        made = run(args, call);
      });
      return made;
    };
  const node = tried('node', (_, call) => makeNode(world, call));
  const lan = (name: string): Methods<Simulator>[string] =>
    tried(name, (args, call) => makeLan(world, name, args, call));
  const link = (name: string): Methods<Simulator>[string] =>
    tried(name, (args, call) => makeLink(world, name, args, call));
  return {
    node,
    nsenode: node,
    bridge: node,
    'duplex-link': link('duplex-link'),
    'simplex-link': link('simplex-link'),
    'make-lan': lan('make-lan'),
    newLan: lan('newLan'),
    'make-cloud': tried('make-cloud', ([nodes = ''], call) => makeLan(world, 'make-cloud', [nodes], call)),
    'make-san': lan('make-san'),
    link: (_, [from, to], call) => oneWay(world, world.the(from, 'node'), world.the(to, 'node'), call),
    'queue-limit': tried('queue-limit', ([from, to, limit]) => {
      const [a, b] = [world.the(from, 'node'), world.the(to, 'node')];
      setLimit(directionOf(world.linkBetween(a, b), a), limit ?? '');
      return '';
    }),
    rtproto: (_, [kind = '', ...rest], call) => {
      if (rest.length > 0) world.leaveOut('arguments of rtproto', call.place, 'it holds for all nodes here');
      world.routing = kind;
      return '';
    },
    'define-template-parameter': (_, [name, value = '']) => {
      if (name === undefined) throw wrongArgs('$ns define-template-parameter name value ?description?');
      const { base, index } = splitElement(name);
      const { variables } = world.tcl;
      world.parameters.add(name);
      variables.set(base, index, setting(world, name) ?? value);
      return '';
    },
    'make-simulated': (_, args, call) => {
      world.leaveOut(
        'make-simulated',
        call.place,
        'nodes made in it are endpoints as the others; constant and greedy traffic made in it takes its shares of links, and sends nothing',
      );
      const script =
        args.length === 1 ? call.script(1) : { text: args.join(' '), base: { ...call.place, isMade: true } };
      const before = world.isSimulating;
      world.isSimulating = true;
      try {
        return world.tcl.evaluate(script);
      } finally {
        world.isSimulating = before;
      }
    },
  };
}

/** What was given instead of the default. */
function setting({ tcl: { variables } }: World, name: string): string | undefined {
  const before = variables.frame;
  variables.frame = variables.global;
  const found = variables.find(SETTINGS, name)?.value;
  variables.frame = before;
  return found;
}

function eventMethods(world: World): Methods<Simulator> {
  // Who plays the events makes a quit of it.
  const quit = (): string => {
    throw new TclStop('exit', 'the experiment ends');
  };
  return {
    at: (_, [time, script, ...rest], call) => {
      if (time === undefined || script === undefined || rest.length > 0) throw wrongArgs('$ns at time event');
      schedule(world, time, call);
      return '';
    },
    'at-now': (_, _args, call) => {
      world.schedule({ at: world.now ?? micros(0), script: call.script(1), place: call.place });
      return '';
    },
    'rtmodel-at': (_, [time, verb, from, to], call) => {
      const a = world.the(from, 'node');
      const happens = to === undefined ? nodeMove(verb) : linkMove(verb);
      const at = readInstant(time ?? '');
      const of = to === undefined ? a : world.linkBetween(a, world.the(to, 'node'));
      const before = world.now;
      world.now = at;
      world.happen({
        place: call.place,
        field: 'rtmodel-at',
        of,
        make: (targets) => ({ verb: happens, targets }),
      });
      world.now = before;
      return '';
    },
    now: () => String(toSeconds(world.now ?? micros(0))),
    run: () => '',
    halt: quit,
    terminate: quit,
    stop: quit,
    swapout: quit,
    'event-sequence': (_, args, call) => makeSequence(world, 'sequence', args, call),
    'event-timeline': (_, args, call) => makeSequence(world, 'timeline', args, call),
    'event-group': (_, args, call) => makeGroup(world, args, call),
  };
}

function linkMove(verb: string | undefined): 'leave' | 'join' {
  if (verb === 'down' || verb === 'up') return verb === 'down' ? 'leave' : 'join';
  throw new TclError(
    `rtmodel-at knows down and up, not "${verb?.slice(0, 40) ?? ''}"`,
    'write $ns rtmodel-at 1.0 down $n0 $n1',
  );
}

/** A node that is down passes nothing on, and its programs go on. */
function nodeMove(verb: string | undefined): 'disconnect' | 'reconnect' {
  return linkMove(verb) === 'leave' ? 'disconnect' : 'reconnect';
}

function schedule(world: World, time: string, call: Call): void {
  world.attempt(call.place, '$ns at', () => {
    // Scripts compute times as well.
    const at: Micros = readInstant(
      /^[\d.\seEhms+-]+$/.test(time) ? time : world.tcl.expressionText(time, call.place),
    );
    if (at < (world.now ?? 0))
      throw new TclError(`the time ${time.slice(0, 40)} is over then`, 'give a later one');
    world.schedule({ at, script: call.script(2), place: call.place });
  });
}

function trafficMethods(world: World): Methods<Simulator> {
  return {
    'attach-agent': (_, args) => {
      attach(world, args);
      return '';
    },
    connect: (_, args) => {
      connect(world, args);
      return '';
    },
    'create-connection': (_, args, call) => createConnection(world, args, call),
    lossmodel: (_, args, call) => {
      world.atEnd.push(loseBetween(world, args, call));
      return '';
    },
    'link-lossmodel': (_, args, call) => {
      world.atEnd.push(loseBetween(world, args, call));
      return '';
    },
  };
}

function makeNode(world: World, call: Call): string {
  return world.add(
    (handle): Node => ({ kind: 'node', handle, place: call.place, number: world.nodes.length }),
    (node, words, at) => callMethod(world, nodeMethods(world), node as Node, words, at),
  );
}

const nodeMethods = perWorld((world: World): Methods<Node> => {
  const ignored = OF_NODES.map((name): [string, Methods<Node>[string]] => [
    name,
    (_, [first = ''], call) => {
      world.leaveOut(
        `${name} of a node`,
        call.place,
        name === 'add-route'
          ? 'routes are the shortest ones here'
          : 'it concerns the simulator or the testbed alone',
      );
      return name === 'set' ? first : '';
    },
  ]);
  return {
    ...Object.fromEntries(ignored),
    id: ({ number }) => String(number),
    'node-addr': ({ number }) => String(number),
    'program-agent': (node, args, call) => makeProgram(world, node, args, call),
    'start-command': (node, [command], call) => {
      if (command === undefined) throw wrongArgs('$node start-command command');
      if (node.start !== undefined)
        world.leaveOut('a second command of a node', call.place, 'the command before this one is left out');
      node.start = bourneCommand(command);
      return '';
    },
    reboot: (node, _, call) => {
      for (const verb of ['crash', 'join'] as const)
        world.happen({
          place: call.place,
          field: nameOf(node),
          of: node,
          make: (targets) => ({ verb, targets }),
        });
      return '';
    },
  };
});
