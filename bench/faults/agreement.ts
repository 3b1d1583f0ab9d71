/**
 * Whether all agents have the same view of the mesh, and the correct one. Pure. Agents are asked one after the other
 * while flows and epochs change, so a difference may be a message on its way: `Sticking` finds the lasting ones.
 */
import type { AgentView, ViewEndpoint, ViewFlow, ViewMember, ViewShare } from '../../proto/view.ts';

export interface Truth {
  readonly hosts: readonly string[];
  /** In the order of the topology. */
  readonly endpoints: readonly ViewEndpoint[];
  readonly commands: number;
  /**
   * The shares of the flows of all hosts, computed for `epoch` by a process that knows all `flows`; `undefined`: it
   * is not in that epoch.
   */
  readonly sharesOfAll: (flows: readonly ViewFlow[], epoch: number) => readonly ViewShare[] | undefined;
}

/** After the end of a fault, or the start of the killed agents' successors. */
export const BOUND_MS = 5000;

/** One line for each wrong item, and for each item in which agents differ. */
export interface Disagreement {
  /** Hosts and endpoints with their properties, which change only by a fault. */
  readonly lasting: readonly string[];
  /** Items that change all the time. */
  readonly fleeting: readonly string[];
}

/** Status tells of these for a while after they have ended. */
const TOLD =
  /somebody removes what|ms late on average|passed neither delayed nor lost|had not passed the endpoint's queue/;

/**
 * `views`: one of each of `hosts`, in their order, taken at about the same time; `undefined` if a host doesn't
 * answer.
 */
export function findDisagreement(views: readonly (AgentView | undefined)[], truth: Truth): Disagreement {
  const silent = truth.hosts.filter((_, index) => views[index] === undefined);
  const answered = views.filter((view) => view !== undefined);
  if (silent.length > 0) return { lasting: silent.map((host) => `${host} doesn't answer`), fleeting: [] };
  const members = membersOf(answered);
  const lasting = answered.flatMap((view) => [
    ...(view.state === 'running' ? [] : [`${view.host} is ${view.state}`]),
    ...(view.shaped ? [] : [`${view.host} has not shaped everything`]),
    ...view.degraded.filter((what) => !TOLD.test(what)).map((what) => `${view.host}: ${what}`),
    ...differences(`members of ${view.host}`, view.members, members),
    ...differences(`endpoints of ${view.host}`, view.endpoints, truth.endpoints),
  ]);
  return { lasting, fleeting: lasting.length > 0 ? [] : fleetingOf(answered, truth) };
}

/** Whether any of them says in its status that it can't do what it should; that packets are late, a busy machine says all the time. */
export const isTold = (views: readonly AgentView[]): boolean =>
  views.some(({ degraded }) => degraded.some((what) => !LATE.test(what)));

const LATE = /ms late on average/;

/** From each host's data about itself. */
function membersOf(views: readonly AgentView[]): ViewMember[] {
  return views.flatMap(({ host, members }) => members.filter(({ name }) => name === host));
}

function fleetingOf(views: readonly AgentView[], truth: Truth): string[] {
  const announced = announcedFlows(views);
  const latest = Math.max(...views.map(({ epoch }) => epoch));
  return views.flatMap((view) => [
    ...(view.commands.count === truth.commands
      ? []
      : [`${view.host} has ${view.commands.count} of ${truth.commands} commands`]),
    ...differences(`commands of ${view.host}`, [view.commands], [views[0]!.commands]),
    ...differences(`epoch of ${view.host}`, [view.epoch], [latest]),
    ...differences(`flows of ${view.host}`, view.flows, announced),
    ...wrongShares(view, truth),
  ]);
}

/** From each host's data about its own endpoints. */
function announcedFlows(views: readonly AgentView[]): ViewFlow[] {
  const hostOf = new Map(views[0]!.endpoints.map(({ name, host }) => [name, host]));
  return views.flatMap(({ host, flows }) => flows.filter(({ from }) => hostOf.get(from) === host));
}

/**
 * Computed from the flows that the agent knows at the same instant. Whether these are all flows is checked
 * separately.
 */
function wrongShares({ host, epoch, flows, shares, endpoints }: AgentView, truth: Truth): string[] {
  const known = new Set(flows.map(({ from, to }) => `${from} ${to}`));
  // Flows too small to be announced: their own host keeps their ceiling.
  const idle = shares
    .filter(({ from, to, rateBps }) => rateBps === 0 && !known.has(`${from} ${to}`))
    .map(({ from, to }) => ({ from, to, rateBps: 0, greedy: false }));
  const all = truth.sharesOfAll([...flows, ...idle], epoch);
  if (all === undefined) return [`no agent but ${host} is in epoch ${epoch}`];
  const own = new Set(endpoints.filter((endpoint) => endpoint.host === host).map(({ name }) => name));
  return differences(
    `shares of ${host}`,
    shares,
    all.filter(({ from }) => own.has(from)),
  );
}

/** A line for each superfluous element (`+`), and for each missing one (`-`). */
export function differences(what: string, has: readonly unknown[], should: readonly unknown[]): string[] {
  const left = should.map((one) => JSON.stringify(one));
  const extra = has
    .map((one) => JSON.stringify(one))
    .filter((text) => {
      const at = left.indexOf(text);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  return [...extra.map((text) => `${what}: +${text}`), ...left.map((text) => `${what}: -${text}`)];
}

/**
 * A difference that stays the same for this long is not a message on its way: ten times the time in which gossip
 * reaches all hosts.
 */
export const STICKS_MS = 250;
/** On a busy machine, one reading takes long. */
export const STICKS_LOOKS = 3;

/** Which lines each reading has. */
export class Sticking {
  #since = new Map<string, { readonly at: number; readonly looks: number }>();

  /** Takes the lines of a reading at `now`. Returns those that were present for a while without a break. */
  look(lines: readonly string[], now: number): string[] {
    const before = this.#since;
    this.#since = new Map(
      lines.map((line) => {
        const { at, looks } = before.get(line) ?? { at: now, looks: 0 };
        return [line, { at, looks: looks + 1 }];
      }),
    );
    return [...this.#since]
      .filter(([, { at, looks }]) => now - at >= STICKS_MS && looks >= STICKS_LOOKS)
      .map(([line]) => line);
  }
}
