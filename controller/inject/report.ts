/** Results of hosts, as lines and as JSON. Pure. */
import type { NetfoldError } from '../../proto/errors.ts';
import { gigabytes } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Checked } from './check.ts';
import type { Outcome } from './each-host.ts';
import type { UninstallResult } from './install.ts';
import type { Shaped } from './judge-host.ts';
import type { InjectedStatus } from './running.ts';

/** A line: how it went, and what; or a further line of the one before. */
export interface Line {
  readonly tone: 'good' | 'bad' | 'quiet';
  readonly text: string;
}

export function outcomeLines<T>({ host, value, error }: Outcome<T>, textOf: (value: T) => string): Line[] {
  return error ? errorLines(error) : [{ tone: 'good', text: `${host}: ${textOf(value!)}` }];
}

/** The message names the host. */
function errorLines({ message, remedy }: NetfoldError): Line[] {
  const more: Line[] = remedy === undefined ? [] : [{ tone: 'quiet', text: `→ ${remedy}` }];
  return [{ tone: 'bad', text: message }, ...more];
}

/** One line for a host that can, with what it is; one for each problem of another. */
export function checkedLines(checked: Checked): Line[] {
  const { name, facts, shaped, clock, notes, all } = checked;
  const problems = all.flatMap(errorLines);
  if (problems.length > 0 || !facts) return problems;
  const takes = shaped.flatMap((one) => (one.endpoint === undefined ? [] : [placeText(one.endpoint, one)]));
  const parts = [
    ...(takes.length === 0 ? ['takes no part'] : takes),
    `Linux ${facts.kernel} ${facts.machine}`,
    count(facts.cores, 'core'),
    `${gigabytes(facts.memoryBytes).toFixed(1)} GB`,
    ...(clock ? [`clock ${signed(clock.offsetSeconds)} ± ${clock.errorSeconds.toFixed(2)} s`] : []),
    facts.installed.length > 0 ? `netfold ${facts.installed.join(', ')}` : 'netfold not installed',
    ...facts.injections.map((one) => `${one} runs there`),
  ];
  const more = notes.map((text): Line => ({ tone: 'quiet', text }));
  return [{ tone: 'good', text: `${name}: ${parts.join(', ')}` }, ...more];
}

export const placeText = (
  endpoint: string,
  { ifname, address }: Pick<Shaped, 'ifname' | 'address'>,
): string => `${endpoint} on ${ifname} (${address})`;

const signed = (seconds: number): string => `${seconds < 0 ? '−' : '+'}${Math.abs(seconds).toFixed(2)}`;

export function statusText({ state, endpoints, known, expected, problems }: InjectedStatus): string {
  if (state === 'absent') return 'nothing of it is there';
  const facts = [
    state === 'ended' ? 'its agent has ended' : state,
    ...endpoints,
    ...(known === undefined ? [] : [`knows ${known}/${expected}`]),
    ...problems,
  ];
  return facts.join(', ');
}

export function uninstalledText({ removed, differences }: UninstallResult): string {
  const what = removed.length === 0 ? 'netfold was not installed' : `${removed.join(', ')} removed`;
  if (differences.length > 0) return `${what}; not as before: ${differences.join('; ')}`;
  return removed.length === 0 ? what : `${what}; files, tc, nftables and hosts file are as before`;
}

export interface HostJson {
  readonly host: string;
  readonly ok: boolean;
  readonly result?: unknown;
  readonly errors?: readonly {
    readonly code: string;
    readonly message: string;
    readonly remedy: string | null;
  }[];
}

export function outcomeJson({ host, value, error }: Outcome<unknown>): HostJson {
  return error ? { host, ok: false, errors: [errorJson(error)] } : { host, ok: true, result: value };
}

export function checkedJson({ name, facts, shaped, clock, notes, all }: Checked): HostJson {
  const result = facts && {
    ...{ kernel: facts.kernel, machine: facts.machine, cores: facts.cores, memoryBytes: facts.memoryBytes },
    ...{ spaceBytes: facts.spaceBytes, installed: facts.installed, injections: facts.injections },
    sshPort: facts.ssh?.port ?? null,
    shaped: shaped[0] ?? null,
    interfaces: shaped,
    clock: clock ?? null,
    notes,
  };
  return {
    ...{ host: name, ok: all.length === 0 },
    ...(result && { result }),
    ...(all.length > 0 && { errors: all.map(errorJson) }),
  };
}

const errorJson = ({ code, message, remedy }: NetfoldError) => ({ code, message, remedy: remedy ?? null });
