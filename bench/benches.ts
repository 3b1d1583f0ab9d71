/** All benches, in the order of `all`. */
import { Option } from 'commander';
import { DELAY_BACKENDS, type DelayBackendChoice } from '../proto/bootstrap.ts';
import { measureAccuracy } from './accuracy/accuracy.ts';
import type { Bench, BenchOptions, Results } from './bench.ts';
import { measureContainers } from './containers/containers.ts';
import { measureCost } from './cost/cost.ts';
import { measureCpu } from './cpu/cpu.ts';
import { measureDashboard } from './dashboard/dashboard.ts';
import { measureEvents } from './events/events.ts';
import { FAULTS, measureFaults } from './faults/faults.ts';
import { measureFolding } from './folding/folding.ts';
import { measureImpairments } from './impairments/impairments.ts';
import { reportFromMachine } from './in-machine.ts';
import { machineBackend } from './measure/backend.ts';
import { measureMesh } from './mesh/mesh.ts';
import { measureMetadata } from './metadata/metadata.ts';
import { measureOverhead } from './overhead/overhead.ts';
import { measurePlacement } from './placement/placement.ts';
import { measureQueue } from './queue/queue.ts';
import { measureReaction } from './reaction/reaction.ts';
import { measureRecords } from './records/records.ts';
import { measureScale } from './scale/scale.ts';
import { measureSetup } from './setup/setup.ts';
import { measureShares } from './shares/shares.ts';
import { measureSoak } from './soak/soak.ts';
import { measureTraffic } from './traffic/traffic.ts';
import { NAMED_CAUSES } from './verdict/named.ts';
import { measureVerdict } from './verdict/verdict.ts';
import { measureWorkbench, PARTS } from './workbench/workbench.ts';

const SOAK_MINUTES = 60;

export const BENCHES: readonly Bench[] = [
  {
    name: 'shares',
    description: 'how long does it take to share links among 10,000 flows?',
    help: 'Needs no root.',
    hasLabs: false,
    minutes: { whole: 1, quick: 0.3 },
    measure: async ({ quick, say }) => measureShares(quick, say),
  },
  {
    name: 'folding',
    description: 'how long does it take to fold 4,000 nodes, in how much memory?',
    help: 'Needs no root.',
    hasLabs: false,
    minutes: { whole: 1, quick: 0.3 },
    measure: async ({ quick, say }) => measureFolding(quick, say),
  },
  {
    name: 'placement',
    description: 'how much less crosses between hosts than with endpoints in turn, and is it the best?',
    help: 'Needs no root. An hour of annealing for each case takes --steps 7000000000.',
    hasLabs: false,
    minutes: { whole: 4, quick: 1 },
    options: [
      new Option('--steps <count>', 'of annealing, for each of twenty cases')
        .argParser(Number)
        .default(2_000_000),
    ],
    measure: async ({ quick, own, say }) => {
      const { steps } = own as { steps: number };
      return measurePlacement({ quick, steps, say });
    },
  },
  {
    name: 'overhead',
    description: 'what do throughput and latency lose to netfold itself?',
    help: 'In turns with the same lab without netfold.',
    hasLabs: true,
    minutes: { whole: 6, quick: 1 },
    measure: measureOverhead,
  },
  {
    name: 'setup',
    description: 'how long do thousands of endpoints take to be there, and to be gone?',
    help: 'Scale-free topologies of 500, 1,000, 2,000 and 4,000 nodes, on one host: 332 to 2,668 endpoints, three times each.',
    hasLabs: true,
    minutes: { whole: 7, quick: 0.5 },
    sizes: 'nodes',
    canProfile: true,
    measure: ({ sizes, ...options }) => measureSetup({ ...options, nodes: sizes }),
  },
  {
    name: 'containers',
    description: 'how long does each of 200 containers take, beside docker run alone?',
    help: 'Needs an engine: that of DOCKER_HOST, or the usual one. Its images and other containers stay as they are.',
    hasLabs: true,
    minutes: { whole: 5, quick: 0.7 },
    measure: measureContainers,
  },
  {
    name: 'cpu',
    description: 'what do agents take of the processors while many applications send TCP?',
    help: 'Dumbbells of 10, 50, 100 and 200 nodes on two emulated hosts; half of the nodes send with iperf3.',
    hasLabs: true,
    minutes: { whole: 7, quick: 1.5 },
    sizes: 'nodes',
    canProfile: true,
    measure: ({ sizes, ...options }) => measureCpu({ ...options, nodes: sizes }),
  },
  {
    name: 'cost',
    description:
      'what does the whole machine spend on traffic, compared with HTB by hand and with no shaping?',
    help: 'A dumbbell of 200 nodes with TCP at a steady pace, and scale-free pings of 4,000 nodes, each in turns with the same traffic by hand and unshaped.',
    hasLabs: true,
    minutes: { whole: 25, quick: 2 },
    measure: measureCost,
  },
  {
    name: 'scale',
    description: 'what do thousands of endpoints that ping each other cost, and how exact are they?',
    help: 'Scale-free topologies of 500, 1,000, 2,000 and 4,000 nodes on one host; and the same pings without netfold.',
    hasLabs: true,
    minutes: { whole: 16, quick: 1 },
    sizes: 'nodes',
    canProfile: true,
    measure: ({ sizes, ...options }) => measureScale({ ...options, nodes: sizes }),
  },
  {
    name: 'mesh',
    description: 'what do 4 to 512 agents send to each other, and how soon do all know a change?',
    help: 'Agents in one process, on a network and a clock that are simulated. Needs no root.',
    hasLabs: false,
    minutes: { whole: 10, quick: 0.3 },
    sizes: 'hosts',
    measure: async ({ quick, sizes, say }) => measureMesh(quick, sizes, say),
  },
  {
    name: 'metadata',
    description: 'what does it cost on the wire that hosts know of each other?',
    help: 'Steady TCP on dumbbells of 10, 50, 100 and 200 nodes over four emulated hosts, compared with what others would have sent.',
    hasLabs: true,
    minutes: { whole: 10, quick: 1.5 },
    sizes: 'clients',
    measure: ({ sizes, ...options }) => measureMetadata({ ...options, clients: sizes }),
  },
  {
    name: 'reaction',
    description: 'how soon after an event does every flow have its new share?',
    help: 'Three TCP flows on two emulated hosts, while the topology changes: five runs of each of the two timelines.',
    hasLabs: true,
    minutes: { whole: 8, quick: 1 },
    measure: measureReaction,
  },
  {
    name: 'events',
    description: 'how late are events, and do they keep their times?',
    help: '200 events within 10 s, and a link that flaps every 100 ms for a minute, on two emulated hosts.',
    hasLabs: true,
    minutes: { whole: 1.5, quick: 0.7 },
    measure: measureEvents,
  },
  {
    name: 'verdict',
    description: 'is an undisturbed run faithful, a disturbance named within 3 s, and what do probes cost?',
    help: 'Twenty runs of the quickstart and of 100 endpoints; all disturbances twice; 200 flows of UDP. On two emulated hosts.',
    hasLabs: true,
    minutes: { whole: 16, quick: 4 },
    options: [new Option('--cause <codes...>', 'only how soon these are named').choices(NAMED_CAUSES)],
    isPart: ({ cause }) => cause !== undefined,
    measure: ({ own, ...options }) => {
      const { cause } = own as { cause?: readonly string[] };
      return measureVerdict({ ...options, causes: cause });
    },
  },
  {
    name: 'dashboard',
    description: 'how soon is a large network seen, and what does an open page cost server and browser?',
    help: `4,000 nodes with 500 flows whose rates all change: agents whose answers are played, a real server, and Chromium, which has to
be installed. A page is open for 16 minutes, of which ten count.`,
    hasLabs: true,
    minutes: { whole: 17, quick: 1.2 },
    measure: measureDashboard,
  },
  {
    name: 'faults',
    description: 'how soon do agents agree again after a fault, and on the truth?',
    help: 'Agents of four hosts that are killed, stopped, cut off, badly connected, given a wrong date, left without descriptors, files, room on the disk or memory, and robbed of what they have installed, during traffic, events and commands: 221 faults.',
    hasLabs: true,
    minutes: { whole: 20, quick: 3 },
    options: [
      new Option('--faults <count>', 'how many').argParser(Number),
      new Option('--seed <number>', 'which').argParser(Number).default(5),
    ],
    isPart: ({ faults }) => faults !== undefined && (faults as number) < FAULTS,
    measure: ({ own, ...options }) => {
      const { faults, seed } = own as { faults?: number; seed: number };
      return measureFaults({ ...options, seed, count: faults });
    },
  },
  {
    name: 'soak',
    description: 'does live control at five commands a second end, or anything grow by it?',
    help: 'An hour of commands of all kinds on three emulated hosts.',
    hasLabs: true,
    minutes: { whole: 61, quick: 3 },
    options: [
      new Option('--minutes <count>', 'how long').argParser(Number),
      new Option('--seed <number>', 'which commands').argParser(Number).default(3),
    ],
    isPart: ({ minutes }) => minutes !== undefined && (minutes as number) < SOAK_MINUTES,
    measure: ({ quick, own, interruption, say }) => {
      const { minutes = quick ? 2 : SOAK_MINUTES, seed } = own as { minutes?: number; seed: number };
      return measureSoak({ minutes, seed, interruption, say });
    },
  },
  {
    name: 'records',
    description: 'do recorded runs repeat, what does recording cost, and how soon is a record read?',
    help: 'Ten replays of a run of 50 s, and one with a slower path; 200 flows recorded and not; a record of a million samples.',
    hasLabs: true,
    minutes: { whole: 31, quick: 7 },
    measure: measureRecords,
  },
  {
    name: 'traffic',
    description: "what does netfold's own traffic cost, and does it keep rates, distributions and times?",
    help: '1,000 sources at a constant rate, then bursts with seeds, twice. Needs tcpdump.',
    hasLabs: true,
    minutes: { whole: 6, quick: 1.5 },
    measure: measureTraffic,
  },
  {
    name: 'queue',
    description: 'does the queue in front of a link do what that of a router does?',
    help: `TCP and UDP at 1, 12 and 100 Mb/s through queues of 10, 100 and 1,000 packets, beside a router made with tc by hand;
at one of them also BBR, IPv6, and TCP and UDP together.
  npm run bench -- queue --vm                      netem, on Debian's kernel in an emulated machine`,
    hasLabs: true,
    minutes: { whole: 16, quick: 4 },
    options: [new Option('--vm', "measure netem on Debian's kernel, in an emulated machine").default(false)],
    measure: queue,
  },
  {
    name: 'workbench',
    description:
      'how long do 420 runs of a study take, killed twice; are they as alone; templates, and simulated flows?',
    help: 'examples/studies/tcp.yaml; a template of 100 MB; 150 and 10,000 simulated flows beside a TCP connection.',
    hasLabs: true,
    minutes: { whole: 30, quick: 3 },
    options: [new Option('--part <name>', 'only this one').choices(PARTS)],
    isPart: ({ part }) => part !== undefined,
    measure: ({ own, quick, interruption, say }) => {
      const { part } = own as { part?: (typeof PARTS)[number] };
      return measureWorkbench({ quick, interruption, say, part });
    },
  },
  {
    name: 'impairments',
    description: 'do models of loss, copies, corruption, reordering and traces do what they say?',
    help: `Real labs with numbered packets; with each backend that the kernel has.
  npm run bench -- impairments --backend delay-line   only this one
  npm run bench -- impairments --vm                   netem, on Debian's kernel in an emulated machine`,
    hasLabs: true,
    minutes: { whole: 9, quick: 2 },
    options: [
      new Option(
        '--backend <name>',
        'what delays packets; auto: all that the kernel has, one after the other',
      )
        .choices(DELAY_BACKENDS)
        .default('auto'),
      new Option('--vm', "measure netem on Debian's kernel, in an emulated machine").default(false),
    ],
    measure: impairments,
  },
  {
    name: 'accuracy',
    description: 'are rates, delays, losses and jitter what the topology says?',
    help: `Real labs with real traffic; with each backend that the kernel has, 12 min each.
  npm run bench -- accuracy --backend delay-line   only this one
  npm run bench -- accuracy --vm                   netem, on Debian's kernel in an emulated machine (12 min)`,
    hasLabs: true,
    minutes: { whole: 12, quick: 1.5 },
    options: [
      new Option(
        '--backend <name>',
        'what delays packets; auto: all that the kernel has, one after the other',
      )
        .choices(DELAY_BACKENDS)
        .default('auto'),
      new Option('--vm', "measure netem on Debian's kernel, in an emulated machine").default(false),
    ],
    measure: accuracy,
  },
];

async function queue({ quick, own, interruption, say }: BenchOptions): Promise<Results> {
  if (!(own as { vm: boolean }).vm)
    return measureQueue({ backend: machineBackend(), quick, interruption, say });
  const words = ['queue', ...(quick ? ['--quick'] : [])];
  return reportFromMachine(words, interruption, (text) => process.stderr.write(text));
}

/** The delay line needs a processor that wakes up on time, so the emulated machine measures netem only. */
async function impairments({ quick, own, interruption, say }: BenchOptions): Promise<Results> {
  const { backend, vm } = own as { backend: DelayBackendChoice; vm: boolean };
  if (!vm) return measureImpairments({ backend, quick, interruption, say });
  const words = ['impairments', '--backend', 'netem', ...(quick ? ['--quick'] : [])];
  return reportFromMachine(words, interruption, (text) => process.stderr.write(text));
}

async function accuracy({ quick, own, interruption, say }: BenchOptions): Promise<Results> {
  const { backend, vm } = own as { backend: DelayBackendChoice; vm: boolean };
  if (!vm) return measureAccuracy({ backend, quick, interruption, say });
  const words = ['accuracy', '--backend', 'netem', ...(quick ? ['--quick'] : [])];
  return reportFromMachine(words, interruption, (text) => process.stderr.write(text));
}
