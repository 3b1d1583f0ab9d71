/** Options of commands that shape interfaces which exist already, here and on other machines. */
import { InvalidArgumentError, Option } from 'commander';
import { formatMicros, micros, parseDuration } from '../../../proto/units.ts';
import { ANY_ADDRESS, parseListen, parsePeer } from '../../mesh-address.ts';
import { type Placement, parsePlacement } from '../../platform/site/site-plan.ts';

/** Long enough for a machine that is busy, short enough for somebody who has locked himself out. */
const DEFAULT_LEASE = micros(30e6);

/** `--at`, `--take-over`, `--lease`. `when`: for the help, e.g. `with --join`. */
export function siteOptions(when: string): Option[] {
  return [
    new Option(
      '--at <node=interface[@namespace]>',
      `${when}: an interface that exists already and what it is in the topology; once for each endpoint`,
    )
      .default([], 'none')
      .argParser((text: string, before: readonly Placement[]) => [...before, parsePlacement(text)]),
    new Option('--take-over', `${when}: replace somebody else's root qdisc, and put it back in the end`),
    new Option('--lease <time>', `${when}: shaping ends when the agent has not renewed it for so long`)
      .default(DEFAULT_LEASE, formatMicros(DEFAULT_LEASE))
      .argParser(parseDuration),
  ];
}

export function listenOption(when: string): Option {
  return new Option(
    '--listen <address[:port]>',
    `${when}: where the agent listens for others (default: every address, port ${ANY_ADDRESS.port})`,
  ).argParser(parseListen);
}

/** It is part of files' names, beside `controller`. */
const HOST = /^(?!controller$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function hostOption(description: string): Option {
  return new Option('--host <name>', description).argParser((text) => {
    if (HOST.test(text)) return text;
    throw new InvalidArgumentError('write letters, digits, ".", "_" and "-", at most 64; not "controller"');
  });
}

/** What a machine that others meet over a network has besides: `--identity`, `--allow`, `--announce`. */
export function meetingOptions(when?: string): Option[] {
  const only = when === undefined ? '' : `${when}: `;
  return [
    new Option(
      '--identity <folder>',
      `${only}where this agent's identity is kept, e.g. /var/lib/netfold/identity (\`netfold mesh identity\`)`,
    ),
    new Option('--allow <file>', `${only}who may take part: a line \`PEER [HOST]\` for each agent`),
    new Option(
      '--announce <address>',
      `${only}where others can reach it, if not where it listens (behind NAT), e.g. 203.0.113.7; several may be named`,
    ).argParser((text: string, before: readonly string[] = []) => [...before, parsePeer(text)]),
  ];
}

/** The words that bring the rest of an experiment, for other machines. `missing`: names of the endpoints to come. */
export function joinCommand(
  experiment: string,
  addresses: readonly string[],
  missing: readonly string[],
): string {
  const joins = addresses.map((address) => `--join ${address}`).join(' ');
  const places = missing.map((name) => `--at ${name}=INTERFACE`).join(' ');
  return `netfold agent ${joins} --experiment ${experiment} --mesh-key KEYFILE ${places}`;
}
