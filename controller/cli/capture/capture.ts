/** `netfold capture`: packets of a path, at both ends, as pcapng. */
import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import { micros, parseBytes, parseDuration } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { after, type Captured, capture, everyMs } from '../../capture/capture.ts';
import { type FileLimits, FileSink, type Sink } from '../../capture/capture-files.ts';
import { placeInRecord, type RecordPlace } from '../../capture/into-record.ts';
import { ControllerError } from '../../errors.ts';
import { isEnding } from '../../experiment/teardown.ts';
import { nameOption } from '../options/name-option.ts';
import { wholeNumber } from '../options/whole-number.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { printBytes, printJson, step, warn } from '../terminal/output.ts';
import { type CaptureOptions, planCapture } from './plan.ts';

const HELP = `
  netfold capture client.0 server -w path.pcapng          both ends of a path, until Ctrl-C
  netfold capture client.0 server | tshark -r -           read while it is taken
  netfold capture client.0 -w all.pcapng                  all that passes the interface of one endpoint
  netfold capture --all --size 10MB --files 5 -w all.pcapng   of all endpoints, the last 50 MB
  netfold capture client.0 server --record --duration 10s     into the record of the run

Each packet has a comment: when it was delivered, or that it was lost. docs/capture.md says what is known, and what is not.`;

export function addCaptureCommand(program: Command): void {
  program
    .command('capture [from] [to]')
    .description('take the packets of a path at both ends, with what became of each, as pcapng')
    .addOption(nameOption('which experiment, if several are running'))
    .option('--all', 'of all endpoints of this machine')
    .option('-w, --write <file>', 'write there; with -, or without, on stdout')
    .option('--record', 'put the file into the record of the run')
    .option('--filter <expression>', "only these packets, in tcpdump's language (needs tcpdump)")
    .addOption(
      new Option('--size <bytes>', 'begin another file when one is so large, e.g. 10MB').argParser(
        parseBytes,
      ),
    )
    .addOption(new Option('--files <number>', 'with --size: keep the last ones alone').argParser(wholeNumber))
    .addOption(new Option('--duration <time>', 'end after this time, e.g. 30s').argParser(parseDuration))
    .addOption(new Option('--count <number>', 'end after so many packets').argParser(wholeNumber))
    .addOption(
      new Option('--wait <time>', 'a packet that is not delivered within this time is lost')
        .default(micros(3e6), '3s')
        .argParser(parseDuration),
    )
    .option('--no-comments', 'do not say of each packet what became of it')
    .option('--json', 'at the end, print what was taken as JSON')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(from: string | undefined, to: string | undefined, options: CaptureOptions): Promise<void> {
  const toStdout = options.record !== true && (options.write ?? '-') === '-';
  refuseUsage(from, options, toStdout);
  const { experiment, title, plan } = await planCapture(from, to, options);
  const place = options.record ? placeInRecord(experiment) : undefined;
  const name = options.write === undefined || options.write === '-' ? `${title}.pcapng` : options.write;
  const file = place ? new FileSink(join(place.draft, basename(name)), options) : undefined;
  const sink = file ?? (toStdout ? new OutputSink() : new FileSink(name, options));
  const aborting = new AbortController();
  const abort = (): void => aborting.abort();
  for (const signal of SIGNALS) process.on(signal, abort);
  const isPast = after(options.duration);
  const isGone = everyMs(100, () => isEnding(experiment));
  const end = {
    isOver: () => isPast() || isGone() || (sink instanceof OutputSink && sink.isClosed),
    mostPackets: options.count ?? Number.POSITIVE_INFINITY,
    signal: aborting.signal,
  };
  let captured: Captured;
  let files: readonly string[] = [];
  try {
    captured = await capture(plan, sink, limitsOf(options), end, () =>
      step(`taking packets of ${plan.endpoints.map((one) => one.name).join(', ')}; Ctrl-C ends it`),
    );
  } finally {
    if (sink instanceof FileSink) files = settled(sink, place);
    for (const signal of SIGNALS) process.off(signal, abort);
  }
  tell(captured, files, options);
}

const limitsOf = ({ size, files }: CaptureOptions): FileLimits => ({ size, files });

function refuseUsage(
  from: string | undefined,
  { all, files, size, write, record, json }: CaptureOptions,
  toStdout: boolean,
): void {
  const example = 'for example: netfold capture client.0 server -w path.pcapng';
  const wrong = (what: string): ControllerError => new ControllerError('CAPTURE_USAGE', what, example);
  if (all && from !== undefined) throw wrong('--all is of all endpoints, and needs none');
  if (!all && from === undefined) throw wrong('capture needs an endpoint, two of them, or --all');
  if (files !== undefined && size === undefined) throw wrong('--files needs --size');
  if (record && write === '-') throw wrong('--record keeps a file, and -w - writes none');
  if (!toStdout) return;
  if (size !== undefined) throw wrong('--size needs a file: -w FILE');
  if (json) throw wrong('--json needs a file: -w FILE');
  if (process.stdout.isTTY) throw wrong('packets are nothing for a terminal: -w FILE, or pipe them');
}

/** On stdout, for programs that read while packets come. */
class OutputSink implements Sink {
  size = 0;
  isClosed = false;

  begin(): void {}

  write(bytes: Uint8Array): void {
    this.size += bytes.length;
    void printBytes(bytes).then((isTaken) => {
      this.isClosed ||= !isTaken;
    });
  }

  flush(): void {}
  close(): void {}
}

function settled(sink: FileSink, place: RecordPlace | undefined): readonly string[] {
  sink.close();
  if (!place) return sink.files;
  const files = place.settle(sink.files);
  const outside = files.filter((file) => !place.isInside(file));
  for (const file of outside) warn(`the record was complete already, so the packets are in ${file}`);
  return files;
}

function tell(
  { packets, ends, dropped, unseen }: Captured,
  files: readonly string[],
  { json }: CaptureOptions,
): void {
  const missed = dropped + unseen;
  if (missed > 0)
    warn(
      `${count(missed, 'packet')} had no room in the capture: take fewer with --filter, or one path alone`,
    );
  if (json) printJson({ files, packets, ...ends, missed });
  const { sent, delivered, lost, duplicated, unknown } = ends;
  const fates = [
    ...[`${delivered} delivered`, `${lost} lost`],
    ...(duplicated > 0 ? [`${duplicated} of them more than once`] : []),
    ...(unknown > 0 ? [`${unknown} not known`] : []),
  ];
  const where = files.length === 0 ? '' : ` in ${files.join(', ')}`;
  step(
    `${count(packets, 'packet')}${where}${sent === 0 ? '' : `; of ${sent} sent from one to another ${fates.join(', ')}`}`,
  );
}
