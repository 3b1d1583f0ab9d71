/** A ThunderStorm script's text → `Script`: one declaration or event a line. */

import { type LineError, reportingLineErrors, Words } from '../../events/words.ts';
import type { Findings } from '../../model/diagnostics.ts';
import { MAX_EVENTS } from '../../model/limits.ts';
import type { Bridge, LinkPair, Service } from '../../model/model.ts';
import type { Position } from '../../model/position.ts';
import { parseBridge, parseBridges, parseLink, parseService } from './declarations.ts';
import { parseScriptEvent } from './event-lines.ts';
import type { Script, ScriptEvent } from './model.ts';
import { takeWord } from './values.ts';
import { splitScriptLine } from './words.ts';

/** Errors go to `findings`, and the line is left out. */
export function parseScript(text: string, file: string, findings: Findings): Script {
  const reader = new Reader(file, findings);
  text.split(/\r\n|\n|\r/).forEach((line, index) => {
    reader.read(line, { file, line: index + 1, column: 1 });
  });
  return reader;
}

class Reader implements Script {
  readonly file: string;
  readonly services: Service[] = [];
  readonly bridges: Bridge[] = [];
  readonly links: LinkPair[] = [];
  readonly supervisors = new Set<string>();
  readonly events: ScriptEvent[] = [];
  readonly #findings: Findings;
  #bootstrapper: Position | undefined;
  #isNetworkReported = false;

  constructor(file: string, findings: Findings) {
    this.file = file;
    this.#findings = findings;
  }

  read(line: string, start: Position): void {
    const field = /^\s*(bootstrapper|service|bridges?|link)\b/.exec(line)?.[1] ?? 'event';
    reportingLineErrors(field, this.#findings, () => {
      const words = new Words(line, start, splitScriptLine);
      if (words.atEnd()) return;
      this.#line(words, field, words.position);
      if (!words.atEnd()) throw this.#trailing(words);
    });
  }

  #trailing(words: Words): LineError {
    return words.unexpected('the end of the line', 'write one event a line, its name before its action');
  }

  #line(words: Words, field: string, position: Position): void {
    if (field !== 'event') words.take(field);
    switch (field) {
      case 'bootstrapper':
        this.#readBootstrapper(words, position);
        return;
      case 'service': {
        const { service, isSupervisor } = parseService(words, position);
        if (isSupervisor) this.#leaveOut(service);
        else this.services.push(service);
        return;
      }
      case 'bridges':
        this.bridges.push(...parseBridges(words, position));
        return;
      case 'bridge':
        this.bridges.push(parseBridge(words, position));
        return;
      case 'link':
        this.#readLink(words, position);
        return;
      default:
        this.#readEvent(words, position);
    }
  }

  #readBootstrapper(words: Words, position: Position): void {
    takeWord(words, 'an image', 'bootstrapper kollaps:2.0');
    if (this.#bootstrapper) {
      const message = `there is a bootstrapper in line ${this.#bootstrapper.line} already`;
      this.#findings.error('KEY_DUPLICATE', position, 'bootstrapper', message, 'keep one of them');
    }
    this.#bootstrapper = position;
    const message = "a bootstrapper is Kollaps' own image and is left out";
    this.#findings.warning('KEY_IGNORED', position, 'bootstrapper', message, 'netfold needs none');
  }

  #readLink(words: Words, position: Position): void {
    const { link, network } = parseLink(words, position);
    this.links.push(link);
    if (!network || this.#isNetworkReported) return;
    this.#isNetworkReported = true;
    const message = 'networks of containers are not used, here and in the lines after it';
    this.#findings.warning('KEY_IGNORED', network.position, 'link', message, 'netfold needs none');
  }

  #leaveOut({ name, position }: Service): void {
    this.supervisors.add(name);
    const message = `${name} is a supervisor of Kollaps and is left out`;
    this.#findings.warning('SUPERVISOR_LEFT_OUT', position, 'service', message, 'netfold needs none');
  }

  #readEvent(words: Words, position: Position): void {
    const event = parseScriptEvent(words, position);
    if (this.events.push(event) !== MAX_EVENTS + 1) return;
    const message = `there are more than ${MAX_EVENTS} events`;
    this.#findings.error('LIMIT', position, 'event', message, 'use flap or churn for what repeats');
  }
}
