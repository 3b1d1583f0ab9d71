/** Which of the two delay backends this host uses: the one that was asked for, or the best one that its kernel supports. */
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import { type Impairment, impairment, type PacketImpairment } from '../../../proto/impairment.ts';
import { count } from '../../../proto/words.ts';
import { CHANGEABLE } from '../../../topology/events/changes.ts';
import type { EventAction, TopologyEvent } from '../../../topology/model/events.ts';
import type { Sequence } from '../../../topology/model/sequences.ts';
import { refusedByNetem } from '../../enforce/netem-losses.ts';
import type { DelayBackend } from '../../enforce/ports.ts';
import { AgentError } from '../../errors.ts';
import { DelayLine } from '../delay-line/delay-line.ts';
import { countsWithin } from '../probe/netem-within.ts';
import { type Ability, type DelayBackendName, delayBackends } from '../probe/probe.ts';
import type { Programs } from '../programs/programs.ts';
import { Netem } from './netem.ts';

/** The ability in `netfold doctor` that a backend needs. */
const ABILITY: Readonly<Record<DelayBackendName, Ability['id']>> = {
  netem: 'netem',
  'delay-line': 'nfqueue',
};

/** Throws `DELAY_BACKEND_MISSING`, with the kernel's answer and a remedy. */
export function chooseDelayBackend(
  choice: DelayBackendChoice,
  abilities: readonly Ability[],
): DelayBackendName {
  const able = delayBackends(abilities);
  const chosen = choice === 'auto' ? able[0] : able.find((name) => name === choice);
  if (chosen) return chosen;
  const lacking = abilities.filter(({ id, ok }) => !ok && (choice === 'auto' || id === ABILITY[choice]));
  const reasons = lacking.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const remedies = lacking.map(({ remedy }) => remedy);
  const instead = able[0] ? [`use --delay-backend ${able[0]}, which this kernel has`] : [];
  throw new AgentError(
    'DELAY_BACKEND_MISSING',
    `this kernel can't delay packets with ${choice === 'auto' ? 'anything that netfold knows' : choice} (${reasons})`,
    [...instead, ...remedies].join('\nor: '),
  );
}

type OfLink = PacketImpairment & Pick<Impairment, 'rules'>;

interface ImpairedLink {
  readonly from: string;
  readonly to: string;
  readonly up: OfLink;
  readonly down?: OfLink;
}

/** A topology, as far as impairments stand in it. */
export interface Impaired {
  readonly links: readonly ImpairedLink[];
  readonly events?: readonly Pick<TopologyEvent, 'action' | 'position'>[];
  readonly sequences?: readonly Pick<Sequence, 'steps'>[];
}

/** Throws `IMPAIRMENT_UNSUPPORTED` where a link has, or an event gives it, what this backend can't do. */
export function requireImpairments(name: DelayBackendName, { links, events, sequences }: Impaired): void {
  if (name !== 'netem') return;
  for (const { from, to, up, down } of links) {
    const refused = refusedByNetem(up) ?? (down && refusedByNetem(down));
    if (refused !== undefined)
      throw unsupported(`the link ${from}--${to} has: ${refused}`, 'take it out of the file');
  }
  const steps = (sequences ?? []).flatMap((one) => one.steps);
  for (const one of [...(events ?? []), ...steps]) {
    const refused = 'action' in one ? refusedChange(one.action) : undefined;
    if (refused === undefined) continue;
    const { file, line } = one.position;
    throw unsupported(`line ${line} of ${file} sets: ${refused}`, 'take it out of the file');
  }
}

/** Throws `IMPAIRMENT_UNSUPPORTED` for a command that gives a link what this backend can't do. */
export function requireChange(name: DelayBackendName, action: EventAction | undefined): void {
  const refused = name === 'netem' && action ? refusedChange(action) : undefined;
  if (refused !== undefined) throw unsupported(`this sets: ${refused}`, 'leave it out');
}

function unsupported(what: string, otherwise: string): AgentError {
  return new AgentError(
    'IMPAIRMENT_UNSUPPORTED',
    `the kernel's netem can't do what ${what}`,
    `use --delay-backend delay-line, or ${otherwise}`,
  );
}

/** What of the values that it gives netem can't do. A difference is judged as if there was nothing before. */
function refusedChange(action: EventAction): string | undefined {
  if (action.verb !== 'set') return undefined;
  for (const { property, to } of action.changes) {
    const value = to.kind === 'value' ? to.value : to.kind === 'difference' ? to.difference : undefined;
    if (value === undefined) continue;
    const refused = refusedByNetem(impairment({ [CHANGEABLE.get(property)!.name]: value }));
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** What links have now that this backend can't do, since a command of another host gave it: `degraded` says so. */
export class UnsupportedNow {
  readonly #name: DelayBackendName;
  #links: readonly NamedLink[] | undefined;
  #found: readonly string[] = [];

  constructor(name: DelayBackendName) {
    this.#name = name;
  }

  /** At most one line; the same list of links is looked at once. */
  of(links: readonly NamedLink[]): readonly string[] {
    if (this.#name !== 'netem' || links === this.#links) return this.#found;
    this.#links = links;
    const refused = links.flatMap((link) => {
      const what = refusedByNetem(link);
      return what === undefined ? [] : [`${link.name} has: ${what}`];
    });
    const others = refused.length > 1 ? `, and ${count(refused.length - 1, 'more link')}` : '';
    this.#found = refused.slice(0, 1).map((first) => `the kernel's netem can't do what ${first}${others}`);
    return this.#found;
  }
}

type NamedLink = OfLink & { readonly name: string };

export function createDelayBackend(
  name: DelayBackendName,
  { tc, arrivalFd, attendedFd }: Programs,
  seed: number,
  spreadSeed?: number,
): DelayBackend {
  if (name === 'netem') return new Netem(tc, countsWithin());
  return new DelayLine({
    ...{ seed, arrivalFd, attendedFd },
    ...(spreadSeed !== undefined && { spreadSeed }),
  });
}
