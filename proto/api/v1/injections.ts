/** Hosts over SSH, as the server's machine reaches them: `netfold inject`. */
import { z } from 'zod';
import { execSchema, MAX_TAIL_LINES } from './endpoints.ts';
import { experimentName } from './names.ts';
import { lease, never, takeOver } from './standing.ts';

/** A thousand hosts with all their settings take 300 kB. */
const MAX_INVENTORY_LENGTH = 400_000;

const inventory = z
  .string()
  .min(1)
  .max(MAX_INVENTORY_LENGTH)
  .describe("The text of an inventory of hosts, netfold's own or Ansible's.");

export const injectSchema = z
  .strictObject({
    inventory,
    install: z.boolean().default(true).describe('netfold is copied to hosts that lack it.'),
    takeOver,
    names: z.boolean().default(false).describe("The topology's names resolve on the hosts until the end."),
    record: z.boolean().default(false).describe('Each host keeps its part of a record.'),
    lease,
    never,
  })
  .describe("Hosts that the server's machine reaches by its own OpenSSH, keys and configuration.");

export const INJECTION_ACTIONS = ['check', 'install', 'status', 'stop', 'uninstall'] as const;

export const injectionParams = z.strictObject({
  action: z.enum(INJECTION_ACTIONS).describe('As `netfold inject` has it; start is POST /starts.'),
});

const which = {
  inventory,
  name: experimentName
    .optional()
    .describe('Of the experiment on the hosts; without, that of the one which they have.'),
};

export const injectionRequestSchema = z
  .strictObject({
    ...which,
    topology: z.string().min(1).max(900_000).optional().describe('With check, and only there.'),
  })
  .describe('About which hosts, and which experiment on them.');

const hostErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string().nullable().describe('What to do about it.'),
});

export const injectedHostSchema = z
  .object({
    host: z.string().describe('As the inventory calls it.'),
    ok: z.boolean(),
    result: z
      .string()
      .nullable()
      .describe('What was done there, or what it is: a.0 on eth0 (192.0.2.7); stopped.'),
    state: z
      .string()
      .nullable()
      .describe('With status: of its agent, such as running; ended, absent, unreachable.'),
    endpoints: z.array(z.string()).readonly().describe('With status: those that it is.'),
    problems: z.array(z.string()).readonly().describe('With status: what its agent complains of.'),
    errors: z.array(hostErrorSchema).readonly().describe('Why it has failed.'),
  })
  .describe('A host over SSH, and how it went there.');

export const injectionAnswerSchema = z.object({
  experiment: z.string().nullable(),
  hosts: z.array(injectedHostSchema).readonly(),
  ok: z.boolean().describe('Whether it went well on all hosts.'),
});

/** As an inventory calls it; or an endpoint or a service. */
const hostOrEndpoint = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/);
const MOST_NAMED = 1000;

export const injectionLogsRequestSchema = z
  .strictObject({
    ...which,
    of: z
      .array(hostOrEndpoint)
      .max(MOST_NAMED)
      .default([])
      .describe('Hosts, or endpoints for the hosts which they are; none: all hosts.'),
    tail: z
      .number()
      .int()
      .min(0)
      .max(MAX_TAIL_LINES)
      .default(1000)
      .describe('Of each log, so many of the last lines.'),
  })
  .describe('About the logs of which hosts.');

export const injectionLogsSchema = z.object({
  text: z.string().describe('Each line begins with its host and its log. The first mebibyte.'),
  truncated: z.boolean().describe('There is more.'),
  errors: z.array(hostErrorSchema).readonly().describe('Why some hosts are not among them.'),
});

const { command, stdin, timeout } = execSchema.shape;

export const injectionExecSchema = z
  .strictObject({
    ...which,
    on: hostOrEndpoint.describe('A host, as the user that logs in there; or an endpoint, as exec does.'),
    ...{ command, stdin, timeout },
  })
  .describe('A command to be run on a host over SSH, or in an endpoint there.');

export const injectionNetworkRequestSchema = z
  .strictObject({ inventory })
  .describe('Between which hosts the real network is measured.');

export const injectionNetworkSchema = z.object({
  ways: z
    .array(
      z.object({
        between: z.array(z.string()).length(2).readonly().describe('Two hosts.'),
        roundTrip: z.string().describe('The least: 41.5ms.'),
        loss: z.string().optional().describe('Of a direction: 0.1%. Absent: it was not measured.'),
      }),
    )
    .readonly()
    .describe(
      'As `netfold place --network` reads it. Two hosts that do not reach each other are not among them.',
    ),
  errors: z.array(hostErrorSchema).readonly().describe('Why some hosts were not asked.'),
});
