/** What netfold has made in an engine, found by its labels, and removed. No file is needed, and no client's package is loaded. */
import { z } from 'zod';
import { AtMost } from '../../../agent/containers/at-most.ts';
import { EngineRequests, isStatus } from '../../../agent/containers/engine-requests.ts';
import { ContainerError } from '../containers/errors.ts';
import { coded } from './errors.ts';
import { LABELS } from './made-names.ts';
import { PAUSE_IMAGE } from './pause-image.ts';

const AT_ONCE = 8;
/** A container that the engine is removing already. */
const AGAIN_MS = 200;
const ATTEMPTS = 150;

export interface LabelledThing {
  readonly kind: 'container' | 'network';
  readonly id: string;
  readonly name: string;
  readonly experiment: string;
  /** Whether others use its network. */
  readonly holdsNetwork: boolean;
}

const labels = z.record(z.string(), z.string()).nullish();
const containersSchema = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()).nullish(), Labels: labels }),
);
const networksSchema = z.array(z.object({ Id: z.string(), Name: z.string(), Labels: labels }));

/** Of one experiment, or of all. Throws `ContainerError`. */
export async function findMade(
  socket: string,
  experiment?: string,
  deadlineMs = 5000,
): Promise<LabelledThing[]> {
  const requests = new EngineRequests(socket);
  const label = experiment === undefined ? LABELS.experiment : `${LABELS.experiment}=${experiment}`;
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const [containers, networks] = await coded(socket, () =>
    Promise.all([
      requests.send('GET', `/containers/json?all=1&filters=${filters}`, { deadlineMs }),
      requests.send('GET', `/networks?filters=${filters}`, { deadlineMs }),
    ]),
  );
  return [
    ...containersSchema.parse(containers).map(
      ({ Id, Names, Labels }): LabelledThing => ({
        ...{ kind: 'container', id: Id, name: (Names?.[0] ?? Id).replace(/^\//, '') },
        experiment: Labels?.[LABELS.experiment] ?? '',
        holdsNetwork: Labels?.[LABELS.network] !== undefined,
      }),
    ),
    ...networksSchema.parse(networks).map(
      ({ Id, Name, Labels }): LabelledThing => ({
        ...{ kind: 'network', id: Id, name: Name, experiment: Labels?.[LABELS.experiment] ?? '' },
        holdsNetwork: false,
      }),
    ),
  ];
}

/** Removes all of an experiment's; returns how many containers there were. May run twice at once. Throws `ContainerError`. */
export async function removeMade(
  socket: string,
  experiment: string,
  onProgress?: (done: number, of: number) => void,
): Promise<number> {
  const all = await findMade(socket, experiment);
  const containers = all.filter(({ kind }) => kind === 'container');
  // Applications first: they use the networks of the others.
  const [holders, applications] = [true, false].map((holds) =>
    containers.filter(({ holdsNetwork }) => holdsNetwork === holds),
  ) as [LabelledThing[], LabelledThing[]];
  const turns = new AtMost(AT_ONCE);
  let done = 0;
  const remove = async (thing: LabelledThing): Promise<void> => {
    await turns.run(() => removeThing(socket, thing));
    onProgress?.(++done, containers.length);
  };
  await allOf(applications.map(remove));
  await allOf(holders.map(remove));
  await allOf(all.filter(({ kind }) => kind === 'network').map((one) => removeThing(socket, one)));
  await removePauseImage(socket);
  return containers.length;
}

/** With the volumes that have no name. Throws `ContainerError`. */
export async function removeThing(socket: string, { kind, id }: LabelledThing): Promise<void> {
  const requests = new EngineRequests(socket);
  const path = kind === 'container' ? `/containers/${id}?force=1&v=1` : `/networks/${id}`;
  for (let attempt = 1; ; attempt++) {
    try {
      await coded(socket, () => requests.send('DELETE', path));
      return;
    } catch (error) {
      const { cause } = error as Error;
      if (isStatus(cause, 404)) return;
      // Another removes it at the same time, or a container in a network is just ending.
      if (!isStatus(cause, 403, 409)) throw error;
      if (attempt === ATTEMPTS) throw stuck(kind, error as Error);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** Engines that were very busy were seen to count containers in a network that are gone, until they are started again. */
const stuck = (kind: LabelledThing['kind'], error: Error): ContainerError =>
  new ContainerError(
    'ENGINE_FAILED',
    error.message,
    `see what uses the ${kind}; if nothing does, start the engine again (systemctl restart docker), then repeat this`,
    error,
  );

/** The engine keeps it while another experiment uses it. */
async function removePauseImage(socket: string): Promise<void> {
  await new EngineRequests(socket).send('DELETE', `/images/${PAUSE_IMAGE}`).catch(() => {});
}

/** Waits for all, also if one fails. */
async function allOf(actions: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(actions)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}
