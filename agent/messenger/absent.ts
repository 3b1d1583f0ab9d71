/** The end of an experiment, for hosts that are away while it ends. */
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { isQuit } from '../../proto/command.ts';
import { toMillis } from '../../proto/units.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import { sharedStart } from '../mesh/trust/command-signature.ts';
import type { ExperimentEnd } from '../timeline/experiment-end.ts';
import { leaveMessenger } from './leave.ts';
import { type Message, WAITS_MS } from './message.ts';

/** A host that is there, and does not know, is given so long: a silent one is dropped by then (`SILENT_AFTER_MS`). */
export const SETTLE_MS = 3500;

export interface EndedAgent {
  readonly bootstrap: Bootstrap;
  readonly mesh: Pick<Mesh, 'commands' | 'view' | 'onChange'>;
  readonly end: Pick<ExperimentEnd, 'isLate'>;
  readonly time: Pick<ExperimentClock, 'now'>;
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly log: Record<'info' | 'warn', (facts: object, text: string) => void>;
}

/** Leaves a messenger behind where one is needed. Never rejects. */
export async function tellAbsent(agent: EndedAgent): Promise<void> {
  if (messageOf(agent) !== undefined) await settled(agent);
  const message = messageOf(agent);
  if (!message) return;
  const hosts = message.untold.map(({ name }) => name);
  try {
    leaveMessenger(message);
    agent.log.info(
      { hosts },
      'a messenger waits for these hosts, to tell them that the experiment has ended',
    );
  } catch (error) {
    const { message: reason } = error as Error;
    agent.log.warn({ hosts }, `nobody here will tell these hosts that the experiment has ended: ${reason}`);
  }
}

/**
 * Resolves when each host that is there knows, has ended, or turned out to be away; after `SETTLE_MS` in any case. On a busy machine, one
 * that ends like all others is heard of a little later: nobody should wait for it for a week.
 */
async function settled({ mesh, timers }: EndedAgent): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (mesh.view.hosts().every(({ inStep }) => inStep)) resolve();
  };
  const forget = mesh.onChange(look);
  const cancel = timers.after(SETTLE_MS, resolve);
  look();
  await promise;
  forget();
  cancel();
}

/**
 * `undefined`: nobody has to be told, or can be. Not of an end that is in the file, which all have; nor on a host that was away itself, which
 * takes those that have ended for absent.
 */
export function messageOf({ bootstrap, mesh, end, time, clock }: EndedAgent): Message | undefined {
  const commands = mesh.commands.all();
  const untold = mesh.view.untold();
  const now = time.now();
  if (!bootstrap.partial || end.isLate || now === undefined) return undefined;
  if (untold.length === 0 || !commands.some(isQuit) || !isOfThisStart(bootstrap)) return undefined;
  const wallNow = clock.wallNow();
  // Who wait for the same host tell each other when it knows, also one that has lost its port.
  const peers = [...new Set([...bootstrap.mesh.peers, ...mesh.view.addressesEver()])];
  return {
    bootstrap: { ...bootstrap, endpoints: [], mesh: { ...bootstrap.mesh, peers } },
    ...{ commands, untold },
    startAt: wallNow - toMillis(now),
    until: wallNow + WAITS_MS,
  };
}

/** Whether no later start of the experiment would take its commands for its own. */
const isOfThisStart = ({ experiment, mesh: { commands, key = '' } }: Bootstrap): boolean =>
  commands !== undefined && commands.id !== sharedStart(experiment, key);
