/** `restart`, `ready` and `after` of services: what the schema can't say about them. */
import { fromSeconds } from '../../../proto/units.ts';
import { type DiagnosticCode, type Findings, quote } from '../../model/diagnostics.ts';
import type { ReadyCheck, Service } from '../../model/model.ts';
import { Suggestions } from '../../model/names.ts';
import type { NativeFile } from './schema.ts';
import type { NativeDocument, Path } from './yaml/placed.ts';

type NativeServices = NativeFile['services'];
type NativeService = NativeServices[string];
type NativeReady = NonNullable<NativeService['ready']>;
type Life = Pick<Service, 'restart' | 'ready' | 'after'>;

const TIMEOUT = fromSeconds(60);
const CHECKS = ['command', 'port', 'log'] as const;

export class LifeReader {
  readonly #document: NativeDocument;
  readonly #findings: Findings;
  readonly #services: NativeServices;
  readonly #suggestions = new Suggestions();
  #names: readonly string[] | undefined;

  constructor(document: NativeDocument, findings: Findings, services: NativeServices) {
    this.#document = document;
    this.#findings = findings;
    this.#services = services;
  }

  /** Of one service. What is wrong is in the findings. */
  read(name: string): Life {
    const { run, image, restart, ready, after } = this.#services[name]!;
    if (run === undefined && image === undefined) this.#warnOfIdle(name);
    const check = ready && this.#check(name, ready);
    if (ready?.timeout === 0)
      this.#refuse([name, 'ready', 'timeout'], 'a timeout of nothing', 'write a time, e.g. 30s');
    after?.forEach((other, index) => {
      this.#requireService(name, other, index);
    });
    return {
      ...(restart !== undefined && { restart }),
      ...(ready && check && { ready: { check, timeout: ready.timeout ?? TIMEOUT } }),
      ...(after && after.length > 0 && { after: [...new Set(after)] }),
    };
  }

  /** Refuses services that wait for themselves, through whatever others. A circle is told once. */
  checkCircles(): void {
    const done = new Set<string>();
    for (const start of Object.keys(this.#services)) {
      for (const circle of this.#circlesFrom(start, done)) {
        const remedy = 'remove one of these: none of them would ever start';
        this.#refuse([circle[0]!, 'after'], `a circle: ${circle.join(' after ')}`, remedy, 'AFTER_CIRCLE');
      }
    }
  }

  /** Depth first, without recursion: a file may have a chain of thousands. */
  #circlesFrom(start: string, done: Set<string>): string[][] {
    const path: { readonly name: string; readonly left: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string): void => {
      onPath.add(name);
      path.push({ name, left: [...(this.#services[name]?.after ?? [])] });
    };
    if (!done.has(start)) enter(start);
    const circles: string[][] = [];
    for (let last = path.at(-1); last; last = path.at(-1)) {
      const next = last.left.pop();
      if (next === undefined) {
        done.add(last.name);
        onPath.delete(last.name);
        path.pop();
        continue;
      }
      if (onPath.has(next)) {
        const names = path.map(({ name }) => name);
        circles.push([...names.slice(names.indexOf(next)), next]);
      } else if (!done.has(next)) enter(next);
    }
    return circles;
  }

  #check(name: string, ready: NativeReady): ReadyCheck | undefined {
    const given = CHECKS.filter((key) => ready[key] !== undefined);
    const { command, port, log } = ready;
    if (given.length !== 1)
      this.#refuse(
        [name, 'ready'],
        given.length === 0 ? 'nothing is checked' : `${given.join(' and ')} stand beside each other`,
        'write one of command, port and log, e.g. ready: { port: 6379 }',
      );
    else if (command !== undefined) {
      if (!this.#hasNul([name, 'ready', 'command'], command)) return { kind: 'command', command };
    } else if (port !== undefined) return { kind: 'port', port };
    else if (log?.includes('\n'))
      this.#refuse([name, 'ready', 'log'], 'the text has more than one line', 'write a part of one line');
    else if (log !== undefined) return { kind: 'log', text: log };
    return undefined;
  }

  #hasNul(path: Path, text: string): boolean {
    if (!text.includes('\0')) return false;
    this.#refuse(
      path,
      'the command has a NUL character, which no argument of a program can have',
      'leave it out',
    );
    return true;
  }

  #requireService(name: string, other: string, index: number): void {
    if (Object.hasOwn(this.#services, other)) return;
    this.#names ??= Object.keys(this.#services);
    const names = this.#names;
    const isList = Array.isArray(
      (this.#document.value as { services: NativeServices }).services[name]?.after,
    );
    const path = isList && this.#document.source(['services', name, 'after', index]) !== undefined;
    const remedy = this.#suggestions.of(
      other,
      () => names,
      `name a service: ${names.slice(0, 10).join(', ')}`,
    );
    const message = `there is no service ${quote(other)}`;
    this.#refuse([name, 'after', ...(path ? [index] : [])], message, remedy, 'NAME_UNKNOWN');
  }

  #warnOfIdle(name: string): void {
    const meanings = [
      ['restart', 'the service has no command that could be started again'],
      ['ready', 'the service has no command that could become ready'],
      ['after', 'the service has no command that could wait'],
    ] as const;
    for (const [key, message] of meanings) {
      if (this.#services[name]![key] === undefined) continue;
      const path = ['services', name, key];
      const remedy = `add run, or remove ${key}`;
      this.#findings.warning(
        'KEY_IGNORED',
        this.#document.at(path),
        this.#document.field(path),
        message,
        remedy,
      );
    }
  }

  /** `path`: below `services`. */
  #refuse(path: Path, message: string, remedy: string, code: DiagnosticCode = 'VALUE_INVALID'): void {
    const whole = ['services', ...path];
    this.#findings.error(code, this.#document.at(whole), this.#document.field(whole), message, remedy);
  }
}
