/** What a service of Docker Compose says of its containers besides image, command and variables. */
import {
  DAY,
  fromSeconds,
  type Micros,
  parseContainerMemory,
  parseDuration,
  UnitError,
} from '../../../proto/units.ts';
import {
  type ContainerSettings,
  formatPort,
  type Healthcheck,
  MOST_PORTS,
  type PublishedPort,
  parsePorts,
  parseTest,
  parseVolume,
  type Read,
  type Volume,
} from '../../model/container-settings.ts';
import { quote } from '../../model/diagnostics.ts';
import type { Restart } from '../../model/model.ts';
import {
  commandWords,
  isMapping,
  leaveOut,
  type Mapping,
  type Told,
  textOfScalar,
} from '../../networks/containers.ts';

/** The keys that are read here. */
export const CONTAINER_KEYS = [
  ...['entrypoint', 'working_dir', 'user', 'volumes', 'ports', 'cpus', 'mem_limit', 'healthcheck', 'restart'],
] as const;

const MOST = 100;
const USER = /^(?!-)[^\s:\0]{1,256}(?::(?!-)[^\s:\0]{1,256})?$/;

/** What is left out is told. `replicas`: so many containers can't have one port of the machine. */
export function containerSettings(
  settings: Mapping,
  replicas: number,
  told: Told,
): ContainerSettings | undefined {
  const { deploy, cpus, mem_limit: memory } = settings;
  const limits = isMapping(deploy) && isMapping(deploy.resources) ? deploy.resources.limits : undefined;
  const bounds = isMapping(limits) ? limits : {};
  const entrypoint = commandWords(settings.entrypoint, told);
  const workingDir = folder(settings.working_dir, told);
  const volumes = listed(settings.volumes, 'volumes', readVolume, told);
  const ports = published(
    listed(settings.ports, 'ports', readPorts, told)?.flat().slice(0, MOST_PORTS),
    replicas,
    told,
  );
  const itsCpus = processors(cpus ?? bounds.cpus, told);
  const itsMemory = amount(memory ?? bounds.memory, told);
  const healthcheck = healthOf(settings.healthcheck, told);
  const found: ContainerSettings = {
    ...(entrypoint && entrypoint.length > 0 && { entrypoint }),
    ...(workingDir !== undefined && { workingDir }),
    ...(volumes && { volumes }),
    ...(ports && { ports }),
    ...(itsCpus !== undefined && { cpus: itsCpus }),
    ...(itsMemory !== undefined && { memory: itsMemory }),
    ...(healthcheck && { healthcheck }),
  };
  return Object.keys(found).length > 0 ? found : undefined;
}

/** `hasImage`: a machine's user has no group. */
export function userOf(value: unknown, hasImage: boolean, told: Told): string | undefined {
  const text = textOfScalar(value);
  if (text !== undefined && USER.test(text)) return hasImage ? text : text.split(':')[0];
  if (value !== undefined && value !== null)
    leaveOut('users that are none', `${quote(value)} is no user`, told);
  return undefined;
}

const RESTARTS: ReadonlyMap<string, Restart> = new Map([
  ['no', 'no'],
  ['false', 'no'],
  ['always', 'always'],
  ['unless-stopped', 'always'],
  ['on-failure', 'on-failure'],
]);

/** `unless-stopped` is `always`: nobody stops it but netfold. The most restarts of `on-failure:N` are left out. */
export function restartOf(value: unknown, told: Told): Restart | undefined {
  const text = textOfScalar(value);
  if (text === undefined) return undefined;
  const restart = RESTARTS.get(text.replace(/^on-failure:\d{1,9}$/, 'on-failure'));
  if (!restart) leaveOut('restart policies that are none', `${quote(text)} is no restart policy`, told);
  return restart === 'no' ? undefined : restart;
}

function folder(value: unknown, told: Told): string | undefined {
  const text = textOfScalar(value);
  if (text?.startsWith('/') && !text.includes('\0')) return text;
  if (value !== undefined && value !== null)
    leaveOut('folders that are none', `${quote(value)} is no absolute path`, told);
  return undefined;
}

function listed<T>(
  value: unknown,
  what: string,
  read: (value: unknown) => Read<T>,
  told: Told,
): T[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) {
    leaveOut(`${what} that are no list`, `the ${what} are no list`, told);
    return undefined;
  }
  if (value.length > MOST)
    leaveOut(`too many ${what}`, `of ${value.length} ${what}, more than ${MOST}`, told);
  const all = value.slice(0, MOST).flatMap((one: unknown) => {
    const found = read(one);
    if ('value' in found) return [found.value];
    leaveOut(`${what} that are none`, `of the ${what}, ${quote(shown(one))} ${found.problem}`, told);
    return [];
  });
  return all.length > 0 ? all : undefined;
}

const shown = (value: unknown): unknown => (isMapping(value) ? (value.target ?? 'a mapping') : value);

/** The short syntax, or the long one of binds and volumes. */
function readVolume(value: unknown): Read<Volume> {
  if (!isMapping(value)) return parseVolume(textOfScalar(value) ?? '');
  const { type, source, target, read_only: readOnly } = value;
  if (type !== 'bind' && type !== 'volume') return { problem: 'is neither a bind nor a volume' };
  const parts = [textOfScalar(source), textOfScalar(target) ?? ''].filter((part) => part !== undefined);
  return parseVolume([...parts, ...(readOnly === true && parts.length === 2 ? ['ro'] : [])].join(':'));
}

/** The short syntax, or the long one. */
function readPorts(value: unknown): Read<PublishedPort[]> {
  if (!isMapping(value)) return parsePorts(textOfScalar(value) ?? '');
  const [target, machine, address, protocol] = ['target', 'published', 'host_ip', 'protocol'].map((key) =>
    textOfScalar(value[key]),
  );
  const host = address?.includes(':') ? `[${address}]` : address;
  const before = host === undefined ? machine : `${host}:${machine ?? ''}`;
  return parsePorts(`${before === undefined ? '' : `${before}:`}${target ?? ''}/${protocol ?? 'tcp'}`);
}

function published(
  ports: readonly PublishedPort[] | undefined,
  replicas: number,
  told: Told,
): readonly PublishedPort[] | undefined {
  if (replicas === 1) return ports;
  return ports?.map((port) => {
    if (port.published === undefined) return port;
    const { published: _, ...free } = port;
    const message = `${quote(formatPort(port))} can't be the port of ${replicas} replicas: each gets one that is free`;
    const what = 'ports of several replicas';
    told.notes.tell({ code: 'VALUE_INVALID', what }, told.place, told.field, message, '');
    return free;
  });
}

function processors(value: unknown, told: Told): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = Number(textOfScalar(value));
  if (number > 0 && number <= 1024) return number;
  leaveOut('processors that are none', `${quote(value)} is no number of processors`, told);
  return undefined;
}

function amount(value: unknown, told: Told): number | undefined {
  if (value === undefined || value === null) return undefined;
  const bytes = tried(() => parseContainerMemory(textOfScalar(value) ?? ''));
  if (bytes === undefined) leaveOut('amounts that are none', `${quote(value)} is no amount of memory`, told);
  return bytes;
}

function healthOf(value: unknown, told: Told): Healthcheck | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isMapping(value)) {
    leaveOut('health checks that are none', 'the health check is no mapping', told);
    return undefined;
  }
  if (value.disable === true) return { test: ['NONE'] };
  const test = testOf(value.test, told);
  const [interval, timeout, startPeriod] = ['interval', 'timeout', 'start_period'].map((key) =>
    time(value[key], key, told),
  );
  const retries = Number(value.retries);
  const health: Healthcheck = {
    ...(test && { test }),
    ...(interval !== undefined && { interval }),
    ...(timeout !== undefined && { timeout }),
    ...(startPeriod !== undefined && { startPeriod }),
    ...(Number.isInteger(retries) && retries >= 1 && retries <= 1000 && { retries }),
  };
  return Object.keys(health).length > 0 ? health : undefined;
}

function testOf(value: unknown, told: Told): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const words = Array.isArray(value) ? value.map((one) => textOfScalar(one) ?? '') : textOfScalar(value);
  const read = words === undefined ? undefined : parseTest(words);
  if (read && 'value' in read) return read.value;
  leaveOut('tests that are none', "the health check's test is none", told);
  return undefined;
}

function time(value: unknown, key: string, told: Told): Micros | undefined {
  if (value === undefined || value === null) return undefined;
  const text = textOfScalar(value) ?? '';
  const micros = text === '0' ? fromSeconds(0) : tried(() => parseDuration(text));
  if (micros !== undefined && micros <= DAY) return micros;
  leaveOut('times that are none', `${key}: ${quote(value)} is no time`, told);
  return undefined;
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnitError) return undefined;
    throw error;
  }
}
