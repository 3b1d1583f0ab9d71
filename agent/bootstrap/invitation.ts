/** The invitation that an agent gives to a host that joins, and its use by that host. */
import { type Bootstrap, type Invitation, invitationSchema } from '../../proto/bootstrap.ts';
import { type Command, isQuit } from '../../proto/command.ts';
import { AgentError } from '../errors.ts';
import type { MeshView } from '../mesh/members/mesh-view.ts';
import type { Admission } from '../mesh/trust/admission.ts';
import { CommandGuard } from '../mesh/trust/command-guard.ts';
import { commandScope } from '../mesh/trust/command-signature.ts';
import { checked } from './check.ts';

export interface Inviting {
  readonly addresses: readonly string[];
  /** The present assignment. */
  readonly admission: Pick<Admission, 'assignment'>;
  /** The commands by which the experiment has ended; absent: it goes on. */
  readonly ended?: readonly Command[] | undefined;
}

/** Without the mesh's key: the asking host has it. */
export function invitationOf(
  { experiment, topology, tickMs, delayBackend, metadataBudgetBps, changeThreshold, mesh }: Bootstrap,
  view: Pick<MeshView, 'hosts' | 'endpoints'>,
  { addresses: ownAddresses, admission: { assignment }, ended }: Inviting,
): Invitation {
  const hosts = view.hosts();
  const endpoints = view.endpoints();
  const { allow, addresses, commands } = mesh;
  return {
    experiment,
    topology,
    tickMs,
    delayBackend,
    peers: [...ownAddresses, ...hosts.filter(({ self }) => !self).flatMap((host) => host.meshAddresses)],
    hosts: hosts.map(({ name, peer }) => ({
      name,
      peer,
      endpoints: endpoints.filter(({ host }) => host === name).map((endpoint) => endpoint.name),
    })),
    ...(metadataBudgetBps !== undefined && { metadataBudgetBps }),
    ...(changeThreshold !== undefined && { changeThreshold }),
    ...(allow && { allow }),
    ...(assignment && { assignment }),
    ...(addresses && { addresses }),
    ...(commands && { commands }),
    ...(ended && { ended: [...ended] }),
  };
}

export const encodeInvitation = (invitation: Invitation): Uint8Array =>
  Buffer.from(JSON.stringify(invitation));

/** `from`: the address that was asked. Throws what `checked` throws. */
export function decodeInvitation(bytes: Uint8Array, from: string): Invitation {
  let data: unknown;
  try {
    data = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new AgentError('BOOTSTRAP_INVALID', `${from} did not answer with JSON`, undefined, cause);
  }
  return checked(invitationSchema, data, from);
}

/** Throws `AgentError` (`JOIN_EXPERIMENT`) if the answering agent runs another experiment than `wanted`. */
export function requireExperiment({ experiment }: Invitation, wanted: string): void {
  if (experiment === wanted) return;
  throw new AgentError(
    'JOIN_EXPERIMENT',
    `the agent that answers runs the experiment ${experiment}, not ${wanted}`,
    `write --experiment ${experiment}, or --join with another address`,
  );
}

/**
 * Throws `AgentError` (`EXPERIMENT_ENDED`) if the invitation proves that the experiment has ended on all hosts: by a `quit` that one
 * of the users' keys in its rules has signed. What proves nothing is ignored.
 */
export function requireGoing({ experiment, ended = [], topology, commands }: Invitation): void {
  if (!commands) return;
  const guard = new CommandGuard({
    ...{ scope: commandScope(topology.hash, commands), commanders: commands.commanders },
    hostOf: () => undefined,
    lacking: (_, author) =>
      author.kind === 'user' && author.rights.includes('network') ? undefined : 'it may not end it',
  });
  const end = ended.find((command) => isQuit(command) && !guard.refuse(command));
  if (!end) return;
  throw new AgentError(
    'EXPERIMENT_ENDED',
    `${experiment} has ended on all hosts: ${guard.nameOf(end)} has ended it`,
    'nothing is left to do here; start it anew with `netfold up`',
  );
}

export interface Joining {
  readonly host: string;
  /** Own peer id on the mesh. */
  readonly peer: string;
  /** Names of the endpoints that the host brings. */
  readonly endpoints: readonly string[];
}

/**
 * Throws `AgentError` if the others would refuse this host: `HOST_CLAIMED`, `ENDPOINT_CLAIMED`. If two hosts claim
 * something at the same time, `netfold status` shows a conflict.
 */
export function requireRoom({ experiment, hosts, assignment }: Invitation, joining: Joining): void {
  const others = hosts.filter(({ peer }) => peer !== joining.peer);
  if (others.some(({ name }) => name === joining.host)) {
    throw new AgentError(
      'HOST_CLAIMED',
      `there is a host ${joining.host} in ${experiment} already`,
      'choose another name with --host',
    );
  }
  for (const name of joining.endpoints) {
    const owner = others.find(({ endpoints }) => endpoints.includes(name))?.name ?? assignment?.[name];
    if (owner !== undefined && owner !== joining.host) {
      throw new AgentError(
        'ENDPOINT_CLAIMED',
        `${name} is on ${owner} already`,
        `leave out its --at, or end it on ${owner} first`,
      );
    }
  }
}
