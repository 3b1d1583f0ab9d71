/** The report of `netfold doctor`, as data and as lines. Pure. */
import {
  type Ability,
  type AbilityId,
  blockers,
  type DelayBackendName,
  delayBackends,
  platformLine,
} from '../../agent/linux/probe/ability.ts';
import { type Machine, PLATFORM_NAMES } from '../../agent/linux/probe/platform.ts';

export interface MachineReport {
  /** Whether a local lab can run here. */
  readonly able: boolean;
  /** The delay backends of this machine, the best first. */
  readonly delayBackends: readonly DelayBackendName[];
  readonly machine: Machine;
  readonly abilities: readonly Ability[];
}

/** The machine, then what the lab needs, then what only some need. */
const ORDER: readonly AbilityId[] = [
  'platform',
  'root',
  'cpus',
  'memory',
  'capacity',
  'iproute2',
  'util-linux',
  'libbpf',
  'network-namespaces',
  'routing',
  'veth',
  'htb',
  'bpf-socket-filter',
  'bpf-classifier',
  'clsact',
  'netem',
  'nfqueue',
  'ipv6',
  'pids',
  'docker',
  'ssh',
  'clock',
];

export function reportOf(machine: Machine, abilities: readonly Ability[]): MachineReport {
  return {
    able: blockers(abilities).length === 0,
    delayBackends: delayBackends(abilities),
    machine,
    abilities: abilities.toSorted((a, b) => ORDER.indexOf(a.id) - ORDER.indexOf(b.id)),
  };
}

/** The kind of a line: present, prevents the lab, may harm, not needed here, not known. */
export type Tone = 'good' | 'bad' | 'warning' | 'quiet';

const MARKS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✗', warning: '!', quiet: '–' };

export interface ReportOptions {
  /** Remedies for all platforms, not only for this machine's. */
  readonly allPlatforms?: boolean;
  /** Colours a mark or the verdict. */
  readonly style?: (tone: Tone, text: string) => string;
}

export function reportLines(report: MachineReport, options: ReportOptions = {}): string[] {
  const { allPlatforms = false, style = (_, text) => text } = options;
  const blocking = new Set(blockers(report.abilities));
  const lines = report.abilities.flatMap((ability) => {
    const tone = toneOf(ability, blocking);
    return abilityLines(ability, style(tone, ability.ok || ability.tried ? MARKS[tone] : '?'), allPlatforms);
  });
  return [headline(report.machine), ...lines, style(report.able ? 'good' : 'bad', verdict(report))];
}

function toneOf(ability: Ability, blocking: ReadonlySet<Ability>): Tone {
  if (ability.ok) return 'good';
  if (blocking.has(ability)) return 'bad';
  return ability.need === 'advice' ? 'warning' : 'quiet';
}

function headline({ name, kernelRelease, kernel, container }: Machine): string {
  const builder = PLATFORM_NAMES[kernel];
  return `${name}${container ? ', in a container' : ''}; Linux ${kernelRelease} (${builder})`;
}

function abilityLines(ability: Ability, mark: string, allPlatforms: boolean): string[] {
  const { name, ok, tried, found, neededFor, reason, remedy, remedies } = ability;
  if (ok) return [`${mark} ${name}${found === '' ? '' : `: ${found}`}`];
  const line = `${mark} ${name} (for ${neededFor}): ${reason}`;
  if (!tried) return [line];
  const texts = allPlatforms ? remedies.map((one) => platformLine(one)) : remedy.split('\n');
  return [line, ...texts.map((text) => `    → ${text}`)];
}

function verdict({ able, delayBackends: backends }: MachineReport): string {
  if (!able) return "this machine can't run a local lab yet";
  const [best, ...others] = backends.map((backend) => (backend === 'netem' ? 'netem' : 'the delay line'));
  const rest = others.length === 0 ? '' : `, or ${others.join(', or ')}`;
  return `this machine can run a local lab; packets are delayed by ${best}${rest}`;
}

/** The missing abilities for a lab, for an error message: two lines for each. */
export function blockerLines(abilities: readonly Ability[]): string[] {
  return blockers(abilities).flatMap((ability) => abilityLines(ability, MARKS.bad, false));
}
