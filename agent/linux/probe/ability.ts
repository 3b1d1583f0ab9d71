/** The abilities of this machine, and what they mean for a local lab. Pure. */
import { type Machine, PLATFORM_NAMES, type Platform } from './platform.ts';

export type AbilityId =
  | 'platform'
  | 'root'
  | 'cpus'
  | 'memory'
  | 'capacity'
  | 'iproute2'
  | 'util-linux'
  | 'libbpf'
  | 'network-namespaces'
  | 'routing'
  | 'veth'
  | 'htb'
  | 'bpf-socket-filter'
  | 'bpf-classifier'
  | 'clsact'
  | 'netem'
  | 'nfqueue'
  | 'ipv6'
  | 'pids'
  | 'docker'
  | 'ssh'
  | 'clock';

/**
 * - `lab`: a local lab needs it
 * - `one of`: one of the abilities with this value is enough (netem and the delay line do the same)
 * - `optional`: only some topologies or environments need it
 * - `advice`: without it the lab runs, but may be slow or inexact
 */
export type Need = 'lab' | 'one of' | 'optional' | 'advice';

export interface Remedy {
  readonly platform: Platform;
  /** A shell command for root; empty where no command helps and the note says what does. */
  readonly command: string;
  /** Additional information. */
  readonly note?: string;
}

/** The description of an ability, known before it is tried. */
export interface Subject {
  readonly id: AbilityId;
  readonly name: string;
  readonly neededFor: string;
  readonly need: Need;
  readonly remedies: readonly Remedy[];
  /** Its source: packages of the distribution, or the kernel. */
  readonly from: 'packages' | 'kernel';
}

/** One line of `netfold doctor`, and one element of `abilities` in its JSON. */
export interface Ability {
  readonly id: AbilityId;
  readonly name: string;
  readonly neededFor: string;
  readonly need: Need;
  readonly ok: boolean;
  /** False where an ability that it needs is missing, so that it was not tried. */
  readonly tried: boolean;
  /** The result, where there is more to say than that it exists, e.g. a version or a number of bytes. */
  readonly found: string;
  /** The error of the attempt; empty on success. */
  readonly reason: string;
  /** Remedies where it is missing: one for this machine, or one per platform where this one is unknown. */
  readonly remedy: string;
  /** For all platforms, this machine's first. */
  readonly remedies: readonly Remedy[];
}

export type Outcome = { readonly found: string } | { readonly reason: string; readonly tried?: boolean };

export function judge(subject: Subject, outcome: Outcome, machine: Machine): Ability {
  const { id, name, neededFor, need, from } = subject;
  const here = (from === 'kernel' ? machine.kernel : machine.distribution) ?? 'any';
  const mine = subject.remedies.filter(({ platform }) => platform === here || platform === 'any');
  const others = subject.remedies.filter((remedy) => !mine.includes(remedy));
  const ok = 'found' in outcome;
  return {
    id,
    name,
    neededFor,
    need,
    ok,
    tried: ok || outcome.tried !== false,
    found: ok ? outcome.found : '',
    reason: ok ? '' : outcome.reason,
    remedy: remedyText(mine, others, from === 'kernel' && machine.container),
    remedies: [...mine, ...others],
  };
}

function remedyText(mine: readonly Remedy[], others: readonly Remedy[], onHost: boolean): string {
  const where = onHost ? 'on the host of this container' : '';
  if (mine.length > 0) return mine.map((remedy) => remedyLine(remedy, where)).join('\n');
  return others.map((remedy) => platformLine(remedy, where)).join('\n');
}

/** `Debian: modprobe … # …` */
export function platformLine(remedy: Remedy, where = ''): string {
  return `${PLATFORM_NAMES[remedy.platform]}: ${remedyLine(remedy, where)}`;
}

/** Notes are appended as shell comments, so that the whole line can be pasted. */
function remedyLine({ command, note = '' }: Remedy, where: string): string {
  if (command === '') return note;
  const comment = [where, note].filter((part) => part !== '').join('; ');
  return comment === '' ? command : `${command}  # ${comment}`;
}

/**
 * The causes why a local lab can't run here; empty when it can. Abilities that were not tried because of a cause are left
 * out.
 */
export function blockers(abilities: readonly Ability[]): Ability[] {
  const missing = abilities.filter(({ ok }) => !ok);
  const alternatives = abilities.filter(({ need }) => need === 'one of');
  const noAlternative = alternatives.every(({ ok }) => !ok);
  return missing.filter(
    ({ need, tried }) => tried && (need === 'lab' || (need === 'one of' && noAlternative)),
  );
}

export type DelayBackendName = 'netem' | 'delay-line';

/** The delay backends that this machine supports, the best first. */
export function delayBackends(abilities: readonly Ability[]): readonly DelayBackendName[] {
  const has = (id: AbilityId): boolean => abilities.some((ability) => ability.id === id && ability.ok);
  return [...(has('netem') ? ['netem' as const] : []), ...(has('nfqueue') ? ['delay-line' as const] : [])];
}
