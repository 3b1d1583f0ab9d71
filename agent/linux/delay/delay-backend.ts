/** Which of the two delay backends this host uses: the one that was asked for, or the best one that its kernel supports. */
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import type { PacketImpairment } from '../../../proto/impairment.ts';
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

interface ImpairedLink {
  readonly from: string;
  readonly to: string;
  readonly up: PacketImpairment;
  readonly down?: PacketImpairment;
}

/** Throws `IMPAIRMENT_UNSUPPORTED` where a link has what this backend can't do. */
export function requireImpairments(name: DelayBackendName, links: readonly ImpairedLink[]): void {
  if (name !== 'netem') return;
  for (const { from, to, up, down } of links) {
    const refused = refusedByNetem(up) ?? (down && refusedByNetem(down));
    if (refused === undefined) continue;
    throw new AgentError(
      'IMPAIRMENT_UNSUPPORTED',
      `the kernel's netem can't do what the link ${from}--${to} has: ${refused}`,
      'use --delay-backend delay-line, or take it out of the file',
    );
  }
}

export function createDelayBackend(
  name: DelayBackendName,
  { tc, arrivalFd, attendedFd }: Programs,
  seed: number,
): DelayBackend {
  return name === 'netem' ? new Netem(tc, countsWithin()) : new DelayLine({ seed, arrivalFd, attendedFd });
}
