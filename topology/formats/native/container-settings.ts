/** The settings of a service that concern containers: what the schema can't say about them. */
import {
  type ContainerSettings,
  fixedPort,
  type Healthcheck,
  MOST_PORTS,
  parsePorts,
  parseTest,
  parseVolume,
  type Read,
} from '../../model/container-settings.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { Service } from '../../model/model.ts';
import { splitWords } from '../../model/shell-words.ts';
import type { NativeFile } from './schema.ts';
import type { NativeDocument, Path } from './yaml/placed.ts';

type NativeService = NativeFile['services'][string];
type Words = string | readonly string[] | undefined;

const EXAMPLES = {
  ports: 'write e.g. "8080:80", "127.0.0.1:5432:5432" or "53/udp"',
  volumes: 'write e.g. "./data:/data", "/srv/www:/www:ro" or "cache:/cache"',
  test: 'write e.g. test: "nc -z localhost 80", or a list that begins with CMD or CMD-SHELL',
} as const;

/** Those that mean nothing without an image. */
const OF_IMAGES = [
  ...['entrypoint', 'args', 'working_dir', 'volumes', 'ports', 'resources', 'healthcheck'],
] as const satisfies readonly (keyof NativeService)[];

export class ContainerReader {
  readonly #document: NativeDocument;
  readonly #findings: Findings;

  constructor(document: NativeDocument, findings: Findings) {
    this.#document = document;
    this.#findings = findings;
  }

  /** What is wrong with them is in the findings. */
  read(name: string, service: NativeService): Pick<Service, 'image' | 'command' | 'container'> {
    const path = ['services', name] as const;
    const { image } = service;
    if (image !== undefined && !/^\S{1,500}$/.test(image))
      this.#refuse(
        [...path, 'image'],
        `${quote(image)} is no name of an image`,
        'write e.g. image: "nginx:1"',
      );
    if (image === undefined) this.#warnWithoutImage(path, service);
    const command = this.#words([...path, 'command'], service.command);
    const args = this.#words([...path, 'args'], service.args);
    const container = this.#container(path, service);
    this.#refuseFixedPort(path, { replicas: service.replicas, container });
    return {
      ...(image !== undefined && { image }),
      ...((command || args) && { command: [...(command ?? []), ...(args ?? [])] }),
      ...(Object.keys(container).length > 0 && { container }),
    };
  }

  /** `environment` as `env` has it; `undefined`: there is none. */
  environment(
    name: string,
    { env, environment }: NativeService,
  ): Readonly<Record<string, string>> | undefined {
    if (environment === undefined) return undefined;
    const path = ['services', name, 'environment'] as const;
    if (env !== undefined)
      this.#refuse(
        path,
        'environment stands beside env, which is the same',
        'write all variables in one of them',
      );
    if (!Array.isArray(environment)) return environment as Record<string, string>;
    const variables: Record<string, string> = {};
    for (const [index, line] of environment.entries()) {
      const equals = line.indexOf('=');
      if (equals > 0) variables[line.slice(0, equals)] = line.slice(equals + 1);
      else
        this.#refuse(
          [...path, index],
          `${quote(line)} is no variable with a value`,
          'write e.g. "PORT=8080"',
        );
    }
    return variables;
  }

  #container(path: Path, service: NativeService): ContainerSettings {
    const { working_dir: workingDir, resources, healthcheck } = service;
    const entrypoint = this.#words([...path, 'entrypoint'], service.entrypoint);
    if (workingDir !== undefined && (!workingDir.startsWith('/') || workingDir.includes('\0')))
      this.#refuse(
        [...path, 'working_dir'],
        `${quote(workingDir)} is no folder of a container`,
        'write a path from / on, e.g. /srv',
      );
    const ports = this.#all(
      [...path, 'ports'],
      service.ports?.map(String),
      EXAMPLES.ports,
      parsePorts,
    )?.flat();
    if (ports && ports.length > MOST_PORTS)
      this.#refuse([...path, 'ports'], `these are ${ports.length} ports`, `publish ${MOST_PORTS} at most`);
    const volumes = this.#all([...path, 'volumes'], service.volumes, EXAMPLES.volumes, parseVolume);
    const health = healthcheck && this.#healthcheck([...path, 'healthcheck'], healthcheck);
    return {
      ...(entrypoint && { entrypoint }),
      ...(workingDir !== undefined && { workingDir }),
      ...(volumes && { volumes }),
      ...(ports && { ports }),
      ...(resources?.cpu !== undefined && { cpus: resources.cpu }),
      ...(resources?.memory !== undefined && { memory: resources.memory }),
      ...(health && { healthcheck: health }),
    };
  }

  #healthcheck(path: Path, written: NonNullable<NativeService['healthcheck']>): Healthcheck {
    const { disable, interval, timeout, start_period: startPeriod, retries } = written;
    const read = written.test === undefined ? undefined : parseTest(written.test);
    if (read && 'problem' in read) this.#refuse([...path, 'test'], `the test ${read.problem}`, EXAMPLES.test);
    if (disable && written.test !== undefined)
      this.#refuse([...path, 'disable'], 'a test stands beside disable', 'remove one of them');
    const test = disable ? ['NONE'] : read && 'value' in read ? read.value : undefined;
    return {
      ...(test && { test }),
      ...(interval !== undefined && { interval }),
      ...(timeout !== undefined && { timeout }),
      ...(startPeriod !== undefined && { startPeriod }),
      ...(retries !== undefined && { retries }),
    };
  }

  #words(path: Path, words: Words): readonly string[] | undefined {
    if (words === undefined) return undefined;
    const all = typeof words === 'string' ? splitWords(words) : words;
    if (!all) this.#refuse(path, 'the text has an open quote', 'close it, or write a list of words');
    else if (all.some((word) => word.includes('\0')))
      this.#refuse(
        path,
        'a word has a NUL character, which no argument of a program can have',
        'leave it out',
      );
    return all;
  }

  #all<T>(
    path: Path,
    texts: readonly string[] | undefined,
    remedy: string,
    parse: (text: string) => Read<T>,
  ): T[] | undefined {
    return texts?.flatMap((text, index) => {
      const read = parse(text);
      if ('value' in read) return [read.value];
      this.#refuse([...path, index], `${quote(text)} ${read.problem}`, remedy);
      return [];
    });
  }

  /** Only one container can have a port of the machine. */
  #refuseFixedPort(path: Path, service: Parameters<typeof fixedPort>[0]): void {
    const fixed = fixedPort(service);
    if (!fixed) return;
    const message = `the machine's port ${fixed.published} can't be that of ${service.replicas} replicas`;
    this.#refuse([...path, 'ports'], message, `write "${fixed.target}" alone: each gets a port that is free`);
  }

  #warnWithoutImage(path: Path, service: NativeService): void {
    for (const key of OF_IMAGES) {
      if (service[key] === undefined) continue;
      const place = this.#document.at([...path, key]);
      const message = `${key} is a container's, and the service has no image`;
      const remedy = `add image, or remove ${key}`;
      this.#findings.warning('KEY_IGNORED', place, this.#document.field([...path, key]), message, remedy);
    }
  }

  #refuse(path: Path, message: string, remedy: string): void {
    this.#findings.error(
      'VALUE_INVALID',
      this.#document.at(path),
      this.#document.field(path),
      message,
      remedy,
    );
  }
}
