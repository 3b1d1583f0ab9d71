/** A host that joins a running experiment through any of its agents, with endpoints of this machine. */
import { dirname, resolve } from 'node:path';
import {
  decodeInvitation,
  requireExperiment,
  requireGoing,
  requireRoom,
} from '../../agent/bootstrap/invitation.ts';
import { runAgentWith, type Stopped } from '../../agent/daemon/main.ts';
import { makeFolder, PRIVATE_FOLDER } from '../../agent/files/own-files.ts';
import { chooseDelayBackend, requireImpairments } from '../../agent/linux/delay/delay-backend.ts';
import { probeMachine } from '../../agent/linux/probe/probe.ts';
import { type AskOptions, askForInvitation } from '../../agent/mesh/libp2p/invitations.ts';
import { readAllowList } from '../../agent/mesh/trust/admission.ts';
import { openIdentity, peerIdOf } from '../../agent/mesh/trust/identity.ts';
import { readMeshKey } from '../../agent/mesh/trust/mesh-key.ts';
import { withCommanders } from '../../agent/mesh/trust/security.ts';
import { replaceMessengers } from '../../agent/messenger/leave.ts';
import type { MetricsAddress } from '../../agent/metrics/listen.ts';
import type { Bootstrap, Invitation } from '../../proto/bootstrap.ts';
import { micros } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Topology } from '../../topology/model/model.ts';
import { graphAt } from '../../topology/timeline/graph-at.ts';
import { requireAbilities } from '../machine/abilities.ts';
import { recordAgent } from '../machine/agent-records.ts';
import { neededRoom, requireDiskRoom } from '../machine/disk-room.ts';
import { kernelFacts } from '../machine/facts.ts';
import { removeFolder } from '../machine/folders.ts';
import {
  agentSocket,
  dataFolder,
  experimentFolder,
  identityFolder,
  logFolderOf,
  RUN_FOLDER,
} from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';
import type { Platform } from '../platform/port/platform.ts';
import { joinAtEnd } from '../record/parts/at-end.ts';
import { OwnPart } from '../record/parts/own-part.ts';
import { makeBootstraps } from './bootstraps.ts';
import { makeDataFolders } from './data-folders.ts';
import { keepSettings, requireAccounts } from './service-settings.ts';
import { reserveJoined, stateOf, writeState } from './state.ts';
import { keepLogsOf } from './teardown.ts';

export interface JoinOptions {
  /** Multiaddrs of running agents. */
  readonly peers: readonly string[];
  readonly experiment: string;
  /** The experiment's name on this machine. */
  readonly name: string;
  readonly host: string;
  /** Where its endpoints are, with the platform's own options. */
  readonly platform: Platform;
  readonly placement: unknown;
  /** Files with the mesh's key and the allow-list, and folder of the identity. */
  readonly meshKey?: string;
  readonly allow?: string;
  /** File with users' keys that may give commands, instead of those of the invitation. */
  readonly commanders?: string;
  readonly identity?: string;
  /** Multiaddrs to announce instead of where it listens. */
  readonly announce?: readonly string[];
  readonly logLevel: string;
  /** Keep this host's part of the record, in this folder or among the records of this machine; absent: none. */
  readonly record?: { readonly folder?: string };
  /** Where the agent's metrics are served over TCP. */
  readonly metrics?: MetricsAddress;
  /** Called for each step when it is done. */
  readonly onStep: (step: string) => void;
}

/**
 * Resolves when the agent was asked to end, or the experiment has quit, and everything is removed. Throws, and leaves
 * nothing: `MeshError` (no answer, a wrong key), `AgentError` (another experiment, a claimed endpoint or host, a topology with another hash),
 * `PlacementError`, `ControllerError`.
 */
export async function joinExperiment(options: JoinOptions): Promise<Stopped> {
  const abilities = probeMachine();
  requireAbilities(abilities);
  const { name, host } = options;
  // What a killed agent has left stays known until it is removed.
  let isClean = await reserveJoined(name);
  let part: OwnPart | undefined;
  let hasStarted = false;
  try {
    recordAgent(agentSocket(name, host), process.pid);
    const identity = options.identity ?? identityFolder(name, host);
    const privateKey = await openIdentity(identity);
    const meshKey = options.meshKey === undefined ? undefined : readMeshKey(options.meshKey);
    const asking = { addresses: options.peers, privateKey, ...(meshKey !== undefined && { meshKey }) };
    await replaceMessengers(options.experiment);
    const { invitation, from } = await goingOn(await askOne(asking, options), options, asking);
    const delayBackend = chooseDelayBackend(invitation.delayBackend, abilities);
    const topology = topologyOf(invitation);
    requireImpairments(delayBackend, topology);
    const plan = await planJoining(topology, options);
    const accounts = requireAccounts(topology, plan);
    const endpoints = plan.endpoints.map((endpoint) => endpoint.name);
    requireRoom(invitation, { host, endpoints, peer: peerIdOf(privateKey) });
    const size = { hosts: 1, endpoints: endpoints.length, text: invitation.topology.text };
    requireDiskRoom(RUN_FOLDER, neededRoom(size));
    writeState({ ...stateOf(plan, invitation.topology.file), joined: true });
    makeFolder(logFolderOf(name), PRIVATE_FOLDER);
    makeDataFolders(plan, topology, accounts);
    keepSettings(name, topology);
    const bootstrap = bootstrapOf(plan, invitation, options, { identity, key: meshKey });
    isClean = true;
    if (options.record) part = beginPart(plan, bootstrap, options);
    const drained = async (): Promise<void> => part?.drain();
    const running = { ...options, socket: agentSocket(name, host), onStopping: drained };
    return await runAgentWith(bootstrap, running, () => {
      hasStarted = true;
      options.onStep(`joined ${invitation.experiment} through ${from}: ${endpoints.join(', ')}`);
    });
  } finally {
    await (hasStarted ? endPart(part, options) : part?.forget());
    if (isClean) {
      keepLogsOf(name);
      removeFolder(experimentFolder(name));
    }
  }
}

interface Invited {
  readonly invitation: Invitation;
  /** Whom it is from. */
  readonly from: string;
}

async function askOne(asking: AskOptions, { experiment }: JoinOptions): Promise<Invited> {
  const { bytes, from } = await askForInvitation(asking);
  const invitation = decodeInvitation(bytes, from);
  requireExperiment(invitation, experiment);
  return { invitation, from };
}

/**
 * The invitation, or that of another start of the experiment, which goes on. Throws `EXPERIMENT_ENDED` if it has ended, when all who may
 * wait for this host have heard that it knows.
 */
async function goingOn(first: Invited, options: JoinOptions, asking: AskOptions): Promise<Invited> {
  const require = ({ invitation }: Invited): void =>
    requireGoing({ ...invitation, ...withCommanders(invitation.commands, options.commanders) });
  try {
    require(first);
    return first;
  } catch (error) {
    // To be asked is what they wait for.
    const others = [...new Set([...options.peers, ...first.invitation.peers])];
    const answers = await Promise.allSettled(
      others.map(async (address) => {
        const answer = await askOne({ ...asking, addresses: [address], patienceMs: 0 }, options);
        require(answer);
        return answer;
      }),
    );
    const going = answers.find((answer) => answer.status === 'fulfilled');
    if (!going) throw error;
    return going.value;
  }
}

/** Whoever is the last on this machine to end joins all parts. */
async function endPart(part: OwnPart | undefined, { onStep }: JoinOptions): Promise<void> {
  await part?.complete();
  const folder = await part?.folder;
  if (folder !== undefined) await joinAtEnd(folder, onStep);
}

/** What this host does, it keeps itself: nobody else may reach it while the run goes on. */
function beginPart(plan: Plan, bootstrap: Bootstrap, { name, host, record, onStep }: JoinOptions): OwnPart {
  const { topology: source, delayBackend, experiment, mesh, seed, platform = plan.platform } = bootstrap;
  const start = mesh.commands?.id;
  const abilities = probeMachine();
  const run = {
    ...{ experiment: name, platform, source, hosts: [host], seeds: { [host]: seed } },
    ...(start !== undefined && { run: { experiment, start } }),
    delayBackend: chooseDelayBackend(delayBackend, abilities),
    kernel: kernelFacts(abilities),
    endpoints: plan.endpoints.length,
    placement: Object.fromEntries(plan.endpoints.map((endpoint) => [endpoint.name, host])),
  };
  return new OwnPart({ run, wanted: record?.folder }, onStep);
}

function topologyOf({ topology: { text, file, script } }: Invitation): Topology {
  return loadTopology(text, file, script).topology;
}

async function planJoining(topology: Topology, options: JoinOptions): Promise<Plan> {
  const { platform, placement, name: experiment } = options;
  const { endpoints } = graphAt(topology, micros(0));
  return platform.plan({ experiment, topology, endpoints, options: placement });
}

function bootstrapOf(
  plan: Plan,
  // An end that proves nothing does not go on to others.
  { hosts: _, ended: __, peers, allow, assignment, addresses, commands, ...told }: Invitation,
  options: JoinOptions,
  security: { readonly identity: string; readonly key: string | undefined },
): Bootstrap {
  const { host, name } = options;
  const logFolder = logFolderOf(name);
  const folders = { logFolder, dataFolder: dirname(dataFolder(name, 'any')) };
  const settings = { delayBackend: told.delayBackend, ...folders, partial: true };
  const made = makeBootstraps(plan, told.topology, settings).get(host)!;
  const allowed = options.allow === undefined ? allow : readAllowList(options.allow);
  return {
    ...{ ...made, ...told, seed: seedOf(host) },
    mesh: {
      ...made.mesh,
      ...security,
      ...(options.meshKey !== undefined && { keyFile: resolve(options.meshKey) }),
      peers: [...new Set([...options.peers, ...peers])],
      ...(options.announce && { announce: [...options.announce] }),
      ...(allowed && { allow: allowed }),
      ...(assignment && { assignment }),
      ...(addresses && { addresses }),
      ...withCommanders(commands, options.commanders),
    },
  };
}

/** Hosts draw jitter and loss of their own. */
function seedOf(host: string): number {
  return [...host].reduce((seed, letter) => (Math.imul(seed, 31) + letter.codePointAt(0)!) | 0, 17);
}
