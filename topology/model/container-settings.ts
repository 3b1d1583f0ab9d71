/** What a service is where endpoints are containers, in the words of Docker Compose. Pure. */
import type { Micros } from '../../proto/units.ts';

/** Beside image and command, which stand in the service itself. */
export interface ContainerSettings {
  /** The program with its first arguments, instead of the image's. */
  readonly entrypoint?: readonly string[];
  /** A folder of the image, absolute. */
  readonly workingDir?: string;
  readonly volumes?: readonly Volume[];
  readonly ports?: readonly PublishedPort[];
  /** So many processors, also a part of one. */
  readonly cpus?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly healthcheck?: Healthcheck;
}

export interface Volume {
  /** A path of the machine, relative to the folder of the file unless absolute, or the name of a volume. Absent: a new volume. */
  readonly source?: string;
  /** A path in the container, absolute. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface PublishedPort {
  /** Port of the container. */
  readonly target: number;
  readonly protocol: 'tcp' | 'udp';
  /** Port of the machine. Absent: one that is free. */
  readonly published?: number;
  /** Address of the machine. Absent: all. */
  readonly address?: string;
}

export interface Healthcheck {
  /** `NONE`; `CMD` and words; or `CMD-SHELL` and a line. Absent: that of the image. */
  readonly test?: readonly string[];
  readonly interval?: Micros;
  readonly timeout?: Micros;
  readonly startPeriod?: Micros;
  readonly retries?: number;
}

/** What was read, or why it can't be, in words that follow the value. */
export type Read<T> = { readonly value: T } | { readonly problem: string };

const MAX_PORT = 65_535;
/** Of a service. */
export const MOST_PORTS = 1000;
const ADDRESS = String.raw`\[[0-9A-Fa-f:]{2,45}\]|\d{1,3}(?:\.\d{1,3}){3}`;
const RANGE = String.raw`\d{1,5}(?:-\d{1,5})?`;
const PORTS = new RegExp(`^(?:(?:(${ADDRESS}):)?(${RANGE})?:)?(${RANGE})(?:/(tcp|udp))?$`);

/** `[[ADDRESS:][PORT]:]PORT[/PROTOCOL]`, also with ranges: `8080:80`, `127.0.0.1:5000-5003:5000-5003/udp`. */
export function parsePorts(text: string): Read<PublishedPort[]> {
  const [, bracketed, machine, container, protocol = 'tcp'] = PORTS.exec(text) ?? [];
  if (container === undefined) return { problem: 'is no port' };
  const address = bracketed?.replace(/^\[|\]$/g, '');
  if (address !== undefined && !isAddress(address)) return { problem: 'has no address' };
  const targets = rangeOf(container);
  const published = machine === undefined ? undefined : rangeOf(machine);
  if (!targets || (machine !== undefined && !published))
    return { problem: `has a port outside of 1 to ${MAX_PORT}, or a range that is none` };
  if (published && published.length !== targets.length) return { problem: 'has ranges of different lengths' };
  return {
    value: targets.map((target, index) => ({
      ...{ target, protocol: protocol as 'tcp' | 'udp' },
      ...(published && { published: published[index]! }),
      ...(address !== undefined && { address }),
    })),
  };
}

/** The engine reads it once more. */
function isAddress(text: string): boolean {
  return text.includes(':') || text.split('.').every((part) => Number(part) <= 255);
}

function rangeOf(text: string): number[] | undefined {
  const [first = 0, last = first] = text.split('-').map(Number);
  if (first < 1 || last > MAX_PORT || last < first || last - first >= MOST_PORTS) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

export function formatPort({ target, protocol, published, address }: PublishedPort): string {
  const host = address?.includes(':') ? `[${address}]` : address;
  const before = host === undefined ? (published ?? '') : `${host}:${published ?? ''}`;
  return `${before === '' ? '' : `${before}:`}${target}${protocol === 'tcp' ? '' : `/${protocol}`}`;
}

const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;

/** `TARGET`, or `SOURCE:TARGET[:ro|rw]`. */
export function parseVolume(text: string): Read<Volume> {
  const parts = text.split(':');
  if (text.includes('\0') || text.length > 4096 || parts.length > 3) return { problem: 'is no volume' };
  const [first = '', second, mode = 'rw'] = parts;
  const [source, target] = second === undefined ? [undefined, first] : [first, second];
  if (!target.startsWith('/') || target === '/')
    return { problem: 'has no path in the container that begins with / and is not all of it' };
  if (mode !== 'rw' && mode !== 'ro') return { problem: `has ${mode || 'nothing'} where ro or rw belongs` };
  if (
    source !== undefined &&
    !/^\.{0,2}\//.test(source) &&
    !/^\.{1,2}$/.test(source) &&
    !VOLUME_NAME.test(source)
  )
    return {
      problem:
        'has a source that is neither a path with /, ./ or ../ at its beginning nor the name of a volume',
    };
  return { value: { ...(source !== undefined && { source }), target, readOnly: mode === 'ro' } };
}

export const formatVolume = ({ source, target, readOnly }: Volume): string =>
  source === undefined ? target : `${source}:${target}${readOnly ? ':ro' : ''}`;

/** Whether a volume's source is a path rather than a name. */
export const isPath = (source: string): boolean => /^[./]/.test(source);

/** A line for a shell, or a list that begins with `NONE`, `CMD` or `CMD-SHELL`. */
export function parseTest(test: string | readonly string[]): Read<readonly string[]> {
  const words = typeof test === 'string' ? ['CMD-SHELL', test] : test;
  if (words.some((word) => word.includes('\0'))) return { problem: 'has a NUL character' };
  const [kind, ...rest] = words;
  const isWhole =
    (kind === 'NONE' && rest.length === 0) ||
    (kind === 'CMD' && rest.length > 0) ||
    (kind === 'CMD-SHELL' && rest.length === 1 && rest[0] !== '');
  return isWhole ? { value: words } : { problem: 'is no test' };
}

/** Ports of the machine that a service would publish once for each of its replicas. */
export function fixedPort({
  replicas,
  container,
}: {
  readonly replicas: number;
  readonly container?: ContainerSettings;
}) {
  return replicas > 1 ? container?.ports?.find(({ published }) => published !== undefined) : undefined;
}
