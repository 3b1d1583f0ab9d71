/** What an agent says of itself, as schemas; `AgentStatus` has the meanings. */
import { z } from 'zod';
import type { AgentStatus } from '../../status.ts';

const names = z.array(z.string()).readonly();
const milliseconds = z.number();

export const flowSchema = z.object({
  from: z.string(),
  to: z.string(),
  rateBps: z.number().describe('Measured, as Ethernet frames.'),
  shareBps: z.number().nullable().describe('What it may use now; null: nothing limits it.'),
  greedy: z.boolean().describe('It uses all of its share.'),
  limitedBy: z.string().nullable().describe('The link that limits it; null: its own demand does.'),
  paths: z
    .array(
      z.object({
        path: z.number().describe('Its place among the paths of the pair, from 1 on.'),
        links: z.array(z.string()).readonly().describe('Names of its links, in order.'),
        rateBps: z.number(),
        shareBps: z.number().nullable(),
        limitedBy: z.string().nullable(),
      }),
    )
    .readonly()
    .optional()
    .describe('Of a pair with several paths (ecmp), those that carry something.'),
});

const clockSchema = z.object({
  state: z.enum(['unset', 'waiting', 'running']),
  reference: z.string().nullable(),
  offsetMs: z.number().nullable(),
  errorMs: z.number().nullable(),
  peers: z
    .array(
      z.object({
        host: z.string(),
        offsetMs: z.number().nullable(),
        errorMs: z.number().nullable(),
        rttMs: z.number().nullable(),
      }),
    )
    .readonly(),
});

const delaySchema = z.object({
  backend: z.string(),
  packets: z.number(),
  lost: z.number(),
  held: z.number(),
  overflowed: z.number().optional(),
  unattended: z.number().optional(),
  latestMs: milliseconds,
  work: z
    .object({
      turns: z.number(),
      receiveMs: milliseconds,
      passMs: milliseconds,
      released: z.number(),
      lateMs: milliseconds,
      lateMs2: z.number(),
    })
    .optional(),
});

const underlaySchema = z.object({
  hosts: z
    .array(z.object({ host: z.string(), roundTripMs: z.number().nullable(), subtractedMs: milliseconds }))
    .readonly(),
  tooSlow: z.object({
    count: z.number(),
    worst: z
      .array(
        z.object({
          from: z.string(),
          to: z.string(),
          latencyMs: milliseconds,
          realMs: milliseconds,
          byMs: milliseconds,
        }),
      )
      .readonly(),
  }),
});

export const faultSchema = z.object({
  what: z.enum(['away', 'setting', 'partition', 'running']),
  verb: z.string(),
  names,
  count: z.number(),
  sinceMs: milliseconds,
  untilMs: z.number().nullable(),
  by: z.string().describe('The line of the file, or the command.'),
  givenBy: z.string().optional(),
});

const causeSchema = z
  .object({
    code: z.string().describe('docs/fidelity.md has all of them.'),
    weight: z.enum(['degraded', 'invalid']),
    since: z.string().describe('A date (ISO 8601).'),
    until: z.string().nullable().describe('null: it goes on.'),
    host: z.string(),
    path: z.string().nullable().describe('`a.0 > b.0`, or with a star; null: all of the host.'),
    message: z.string(),
    measured: z.number().describe('The worst so far.'),
    bound: z.number(),
    unit: z.string(),
  })
  .describe('Why a run, or a part of it, is not what the topology says.');

const sequenceSchema = z
  .object({
    name: z.string(),
    state: z.enum(['waits', 'runs', 'done', 'failed']),
    step: z.number().nullable().describe('From 1; null: it has none now.'),
    sinceMs: milliseconds.nullable(),
    about: names.describe('Whom, or what, it waits for; what has failed.'),
  })
  .describe('Where a sequence of the file is.');

export const verdictState = z.enum(['faithful', 'degraded', 'invalid']);

export const verdictSchema = z
  .object({
    verdict: verdictState.describe('Of the whole run so far.'),
    now: verdictState.describe('Of what goes on.'),
    since: z
      .string()
      .nullable()
      .describe('The first cause; else the start of the judgement; null before it.'),
    causes: z.array(causeSchema).readonly(),
    forgotten: z.number().describe('How many older causes are no longer kept.'),
  })
  .describe('Whether a run is what its topology says.');

export const trafficSchema = z.object({
  name: z.string(),
  kind: z.string(),
  protocol: z.string(),
  from: z.string(),
  to: z.string(),
  sources: z.number(),
  sent: z.number(),
  sentBytes: z.number(),
  refused: z.number(),
  late: z.number(),
  received: z.number(),
  receivedBytes: z.number(),
  delaySumMs: milliseconds,
  mostDelayMs: milliseconds,
});

const ruleSchema = z.object({
  rule: z.string().describe('As in the topology file.'),
  matched: z.number().describe('Packets that it is about, of the endpoints of this host.'),
  applied: z.number().describe('Of these, those that it dropped, answered, delayed or limited.'),
});

const agentStatusSchema = z
  .object({
    host: z.string(),
    state: z.enum(['starting', 'waiting', 'ready', 'running', 'stopping']),
    shaped: z.boolean().describe('Everything is in force, and was read back.'),
    endpoints: names,
    known: z.number(),
    expected: z.number(),
    hosts: z
      .array(z.object({ name: z.string(), endpoints: z.number(), self: z.boolean() }))
      .readonly()
      .describe('Hosts of the experiment that this agent hears of.'),
    conflicts: names,
    flows: z.array(flowSchema).readonly(),
    mesh: z.object({
      messagesSent: z.number(),
      bytesSent: z.number(),
      messagesReceived: z.number(),
      flowAnnouncements: z.number(),
      rejected: z.record(z.string(), z.number()).readonly(),
      unreachable: names,
    }),
    metadata: z.object({
      bytesPerSecond: z.number(),
      budgetBytesPerSecond: z.number().nullable(),
      threshold: z.number(),
      intervalMs: milliseconds,
      level: z.number(),
    }),
    underlay: underlaySchema,
    delay: delaySchema,
    ticks: z.object({ count: z.number(), meanMs: milliseconds, latestMs: milliseconds }),
    cpuSeconds: z.number(),
    memoryBytes: z.number(),
    degraded: names.describe('What could not be done, in words.'),
    verdict: verdictSchema.optional(),
    probes: z
      .object({
        paths: z.number(),
        everyMs: z.number().nullable(),
        sent: z.number(),
        lost: z.number(),
        workMs: milliseconds,
        budget: z.number(),
        behind: z.boolean(),
      })
      .optional()
      .describe('What netfold probes by itself, and what that costs.'),
    corrected: z.number().optional(),
    epoch: z.number(),
    faults: z.array(faultSchema).readonly(),
    sequences: z.array(sequenceSchema).readonly().optional(),
    nowMs: z.number().nullable().describe('Since the start of the experiment; null before it.'),
    nextEventMs: z.number().nullable(),
    events: z.object({
      count: z.number(),
      latestMs: milliseconds,
      meanMs: milliseconds,
      p99Ms: milliseconds,
      mostMs: milliseconds,
    }),
    clock: clockSchema,
    processes: z.record(z.string(), z.string()).readonly().describe('Endpoint → pid, or how it ended.'),
    unbounded: z.string().optional(),
    rules: z
      .array(ruleSchema)
      .readonly()
      .optional()
      .describe('Rules of links and what they have done; those that met most packets.'),
    traffic: z
      .array(trafficSchema)
      .readonly()
      .optional()
      .describe("Traffic of netfold's own, as far as it begins or ends on this host."),
    simulated: z
      .object({ flows: z.number(), competing: z.number(), rateBps: z.number() })
      .optional()
      .describe('Flows that no packet carries, and the rate of those that compete with flows of this host.'),
  })
  .describe('What an agent says of itself.');

/** An agent's answer is one of these; further fields are no error. */
const fits = (status: AgentStatus): z.infer<typeof agentStatusSchema> => status;
void fits;

export const agentReportSchema = z.union([
  agentStatusSchema,
  z
    .object({ host: z.string(), state: z.literal('unreachable'), reason: z.string() })
    .describe('An agent that does not answer.'),
]);
