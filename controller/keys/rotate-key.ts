/** Gives a running experiment another mesh key: signed by a user's key, sealed for each host, and spread as commands are. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedStart } from '../../agent/mesh/trust/command-signature.ts';
import { generateMeshKey } from '../../agent/mesh/trust/mesh-key.ts';
import type { SigningKey } from '../../agent/mesh/trust/peer-id.ts';
import { peerTag, sealKey } from '../../agent/mesh/trust/sealed-key.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { MOST_REKEYED_HOSTS, rekeyTexts } from '../../proto/command.ts';
import type { ControlStanding, KnownMember } from '../../proto/control.ts';
import { callJson } from '../../proto/http-json.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import { controlAgents, firstAnswer } from '../experiment/control.ts';

const POLL_MS = 100;
/** A host that does not know by then is named. */
const TOLD_WITHIN_MS = 5000;

export interface Rotation {
  readonly experiment: string;
  readonly key: SigningKey;
  /** How long the key before still counts for the hosts of the experiment, in microseconds. */
  readonly overlap: number;
  /** Names of hosts that are not to get the new one. */
  readonly without: readonly string[];
  /** Also if the agent receives from no other. */
  readonly alone: boolean;
}

export interface Rotated {
  /** Hosts that have the new key, those that get it when they are back in time, and those that were left out. */
  readonly told: readonly string[];
  readonly away: readonly string[];
  readonly without: readonly string[];
  /** Where the agent that was asked has it. */
  readonly keyFile: string | undefined;
  /** When the key before counts no more, in microseconds since the start. */
  readonly until: number;
}

/** Throws the agent's refusal, and `ControllerError`: nothing has changed then. */
export async function rotateKey({ experiment, key, overlap, without, alone }: Rotation): Promise<Rotated> {
  const { answer, address } = await firstAnswer(experiment, undefined, async (agent) => ({
    bootstrap: (await callJson(agent, '/bootstrap')) as Bootstrap,
    members: (await callJson(agent, '/members')) as KnownMember[],
  }));
  const before = presentKey(answer.bootstrap);
  const hosts = membersOf(answer.members, without);
  const sealed = sealKey(
    generateMeshKey(),
    before,
    hosts.map(({ peer }) => peer),
  );
  requireAll(hosts, sealed.hosts);
  const { host } = answer.bootstrap;
  const giving = { ...(alone && { alone }) };
  let standing: ControlStanding | undefined;
  let until = 0;
  for (const text of rekeyTexts({ ...sealed, overlap }, sealed.hosts)) {
    const accepted = await controlAgents(experiment, host, { text, ...giving }, key);
    standing = accepted.answer;
    until = Math.max(until, accepted.answer.command.at + overlap);
  }
  const deadline = performance.now() + TOLD_WITHIN_MS;
  const isWaiting = ({ now, inStep }: ControlStanding): boolean =>
    (now ?? 0) < until - overlap || hosts.some(({ name, isPresent }) => isPresent && !inStep.includes(name));
  while (isWaiting(standing!) && performance.now() < deadline) {
    await sleep(POLL_MS);
    standing = (await callJson(address, '/control')) as ControlStanding;
  }
  const told = hosts.map(({ name }) => name).filter((name) => standing!.inStep.includes(name));
  const away = hosts.map(({ name }) => name).filter((name) => !told.includes(name));
  return { told, away, without, keyFile: answer.bootstrap.mesh.keyFile, until };
}

function presentKey({ experiment, mesh: { key, commands } }: Bootstrap): string {
  if (key === undefined || commands === undefined)
    throw new ControllerError('KEY_FIXED', `${experiment} has no mesh key`, 'start it with `netfold up`');
  if (commands.id !== sharedStart(experiment, key)) return key;
  throw new ControllerError(
    'KEY_FIXED',
    `all hosts of ${experiment} start alike, from a key that the orchestrator keeps`,
    'make other files with `netfold deploy`, and deploy them',
  );
}

function membersOf(members: readonly KnownMember[], without: readonly string[]): KnownMember[] {
  const names = members.map(({ name }) => name);
  const unknown = without.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new ControllerError(
      'HOST_UNKNOWN',
      `there is no host "${unknown}"`,
      suggest(unknown, names, `there are: ${names.join(' ')}`),
    );
  return members.filter(({ name }) => !without.includes(name));
}

function requireAll(hosts: readonly KnownMember[], sealed: readonly { readonly peer: string }[]): void {
  const tags = new Set(sealed.map(({ peer }) => peer));
  const missing = hosts.find(({ peer }) => !tags.has(peerTag(peer)));
  if (missing)
    throw new ControllerError(
      'KEY_FIXED',
      `nothing can be sealed for the identity of ${missing.name}, ${missing.peer}`,
      `leave it out with --without ${missing.name}`,
    );
  if (hosts.length > MOST_REKEYED_HOSTS)
    throw new ControllerError('KEY_FIXED', `there are ${hosts.length} hosts, at most ${MOST_REKEYED_HOSTS}`);
}
