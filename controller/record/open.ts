/** The record of a run that begins, of one whose controller was killed, and of one whose writer is gone. */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PRIVATE_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { topologyHash } from '../../proto/bootstrap.ts';
import { toMillis } from '../../proto/units.ts';
import { eventLine } from '../../topology/events/write.ts';
import { native } from '../../topology/formats/native/format.ts';
import { nativeText } from '../../topology/formats/native/write.ts';
import { formatOf } from '../../topology/formats/registry.ts';
import type { Topology } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';
import { hardwareFacts, type KernelFacts } from '../machine/facts.ts';
import { netfoldCommit, netfoldVersion } from '../machine/version.ts';
import { RunDatabase } from './database.ts';
import {
  DATABASE,
  type Description,
  FORMAT,
  type Origin,
  readDescription,
  TOPOLOGY,
  writeDescription,
} from './description.ts';
import { makeRecordFolder, makeRoom, recordId } from './folders.ts';
import type { FileEvent } from './happened.ts';
import { complete, Recorder, type RecorderOptions, takeFiles } from './recorder.ts';
import { hasWriter, pointerOf, recordOf, thisWriter } from './writer.ts';

/** Texts that agents read. */
export interface SourceTexts {
  readonly file: string;
  readonly text: string;
  readonly script?: { readonly file: string; readonly text: string };
  readonly origin?: Origin;
}

export interface RecordedRun {
  readonly experiment: string;
  readonly platform: string;
  readonly delayBackend: string;
  readonly hosts: readonly string[];
  readonly endpoints: number;
  readonly seeds: Readonly<Record<string, number>>;
  readonly kernel?: KernelFacts;
  /** As in `Description`; absent: commands are not signed, and nothing tells two starts apart. */
  readonly run?: NonNullable<Description['run']>;
  /** Endpoint → host, of those of these hosts. */
  readonly placement: Readonly<Record<string, string>>;
  readonly source: SourceTexts;
  readonly topology: Topology;
}

export type RecordPorts = Pick<RecorderOptions, 'beganAt' | 'tell' | 'images'>;

/** Begins the record of a run that has been made. `wanted`: its folder. Throws `ControllerError` and system errors. */
export async function beginRecord(run: RecordedRun, ports: RecordPorts, wanted?: string): Promise<Recorder> {
  const startedAt = new Date().toISOString();
  const folder = makeRecordFolder(recordId(run.experiment, startedAt), wanted);
  const description = await describe(run, startedAt, folder);
  writeTexts(folder, run);
  writeDescription(folder, description);
  replaceFile(pointerOf(run.experiment), JSON.stringify({ folder }), { mode: PRIVATE_FILE });
  return new Recorder({ folder, description, fileEvents: fileEventsOf(run), ...ports });
}

/** A run that goes on where one with another record ended: of the same topology, so made from the same. `before`: that record's folder. */
export function fromWhere(run: RecordedRun, before: string): RecordedRun {
  try {
    const { origin } = readDescription(before);
    return { ...run, source: { ...run.source, ...(origin && { origin }) } };
  } catch {
    // It was removed meanwhile.
    return run;
  }
}

/** Goes on with the record of an experiment that is taken over; `undefined` if it has none. Throws like `beginRecord`. */
export function continueRecord(run: RecordedRun, ports: RecordPorts): Recorder | undefined {
  const folder = recordOf(run.experiment);
  if (folder === undefined) return undefined;
  const found = readDescription(folder);
  if (found.state === 'complete' || hasWriter(found))
    throw new ControllerError(
      'RECORD_BUSY',
      found.state === 'complete'
        ? `its record ${folder} is complete, and does not change any more`
        : `process ${found.writer?.pid} writes its record ${folder}`,
      'one process alone writes a record; see who it is: ps -fp PID',
    );
  const description = { ...found, writer: thisWriter() };
  writeDescription(folder, description);
  return new Recorder({ folder, description, fileEvents: fileEventsOf(run), ...ports });
}

/**
 * What a removal does: logs are taken before they go. A record that nobody writes any more is completed, one that somebody
 * does completes itself. Returns what went wrong, in words.
 */
export async function endRecordOf(experiment: string): Promise<string[]> {
  const folder = recordOf(experiment);
  if (folder === undefined) return [];
  try {
    takeFiles(folder, experiment);
    const description = readDescription(folder);
    if (description.state === 'complete' || hasWriter(description)) return [];
    new RunDatabase(join(folder, DATABASE)).complete();
    const problems = [
      ...description.problems,
      'its writer was killed: up to a second before that is missing',
    ];
    await complete(folder, { ...description, problems });
    makeRoom();
    return [];
  } catch (error) {
    return [`its record ${folder} is not complete: ${(error as Error).message}`];
  }
}

/** How long a removal waits for another process to complete the record. */
const COMPLETION_MS = 5000;
const LOOK_MS = 20;

/** Until the record is complete, or nobody writes it any more; not for ever. */
export async function untilRecordEnds(folder: string): Promise<void> {
  const deadline = performance.now() + COMPLETION_MS;
  while (performance.now() < deadline && isWrittenElsewhere(folder)) await sleep(LOOK_MS);
}

function isWrittenElsewhere(folder: string): boolean {
  try {
    const description = readDescription(folder);
    return (
      description.state !== 'complete' && description.writer?.pid !== process.pid && hasWriter(description)
    );
  } catch {
    // It was removed.
    return false;
  }
}

async function describe(run: RecordedRun, startedAt: string, folder: string): Promise<Description> {
  const { experiment, platform, delayBackend, hosts, endpoints, seeds, placement, source, kernel } = run;
  const optional = {
    ...(run.run && { run: run.run }),
    ...(kernel && { kernel: { queueing: [...kernel.queueing], settings: { ...kernel.settings } } }),
  };
  const [machine, commit] = await Promise.all([hardwareFacts(), netfoldCommit()]);
  return {
    ...{ format: FORMAT, id: basename(folder), experiment, state: 'recording', writer: thisWriter() },
    ...{ startedAt, beganAt: null, endedAt: null, machine, platform, delayBackend },
    versions: { netfold: netfoldVersion(), commit, node: process.versions.node },
    ...{ hosts: [...hosts], endpoints, seeds, placement, ...optional },
    topology: {
      file: source.file,
      hash: topologyHash(source),
      texts: textsOf(source).map(({ name }) => name),
    },
    ...(source.origin && { origin: source.origin }),
    ...{ problems: [], files: {} },
  };
}

/** What agents read, under names of the record's own: the user's may lead anywhere. */
function textsOf({ file, text, script }: SourceTexts): { name: string; text: string }[] {
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(file)?.[0] ?? '.txt';
  const name = formatOf({ file, text }) === native ? TOPOLOGY : `source${extension}`;
  return [{ name, text }, ...(script ? [{ name: 'events.script', text: script.text }] : [])];
}

/** A foreign format also as netfold's own, without its events. */
function writeTexts(folder: string, { source, topology }: RecordedRun): void {
  const texts = textsOf(source);
  for (const { name, text } of texts) writeFileSync(join(folder, name), text);
  if (texts[0]!.name === TOPOLOGY) return;
  const heading = [`From ${texts[0]!.name}, which has the events as well.`];
  writeFileSync(join(folder, TOPOLOGY), nativeText(topology, heading));
}

/**
 * Each as the file's language has it: positions are those of the user's file, and `source` is what came out of its variables and the
 * files that it includes. What no line says, a script's action for instance, is the line of the script.
 */
export function fileEventsOf({ source, topology }: Pick<RecordedRun, 'source' | 'topology'>): FileEvent[] {
  const linesOf = new Map(
    [source, ...(source.script ? [source.script] : [])].map(({ file, text }) => [file, text.split('\n')]),
  );
  return topology.events.map((event) => {
    const { at, until, position } = event;
    const line = (): string => linesOf.get(position.file)?.[position.line - 1] ?? '';
    return {
      dueMs: toMillis(at),
      untilMs: until === undefined ? null : toMillis(until),
      text: eventLine(event) ?? line().trim().replace(/^- +/, ''),
    };
  });
}
