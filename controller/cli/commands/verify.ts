/** `netfold verify`: runs a topology, measures it with real traffic, and compares it with the file. */
import type { Command } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { formatRate, formatRatio } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { Serving } from '../../api/serve.ts';
import { EXIT_INTERRUPTED } from '../../errors.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import type { MeshAddress } from '../../mesh-address.ts';
import { writeFindings } from '../../record/findings.ts';
import type { Finding } from '../../verify/judge.ts';
import { Verification } from '../../verify/verify.ts';
import { machineTcpBuffers } from '../options/files.ts';
import { addRecordOptions, tellRecord } from '../options/record-options.ts';
import { addTlsOptions, serveOption, type TlsFlags } from '../options/serve-options.ts';
import { type Interruption, type LabOptions, withExperiment } from '../options/with-experiment.ts';
import { print, printJson, step, styled, table, warn } from '../terminal/output.ts';
import { checkBeside, serveBeside } from './serve.ts';
import { addLabOptions } from './up.ts';

interface VerifyOptions extends LabOptions, TlsFlags {
  readonly json?: boolean;
  readonly serve?: MeshAddress | true;
}

export function addVerifyCommand(program: Command): void {
  addTlsOptions(addRecordOptions(addLabOptions(program.command('verify <file>'))), 'with --serve: ')
    .description(
      'run a topology without its applications, measure it with real traffic, and say whether it is faithful',
    )
    .option('--json', 'print JSON')
    .addOption(serveOption())
    .addHelpText(
      'after',
      '\nWith --serve, the applications start when it has been measured, and the dashboard stays open until Ctrl-C; no record is kept.',
    )
    .action(verify);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  await checkBeside(options);
  // Applications that start later have a timeline of their own, of which this is no record.
  const lab = options.serve ? { ...options, record: false as const } : { ...options, isMeasured: true };
  if (options.serve && typeof options.record === 'string')
    warn('with --serve, no record is kept: --record has no effect');
  let record: string | undefined;
  const findings = await withExperiment(file, lab, async (experiment, interruption) => {
    const serving = await serveBeside(options);
    try {
      if (serving) step(`the dashboard is at ${serving.link(experiment.name)}`);
      const measuring = measure(new Verification(experiment, windowBytes()));
      const found = await Promise.race([measuring, interruption.promise]);
      if (found) report(found, options);
      record = found && keepFindings(experiment, found);
      if (found && serving) await keepOpen(experiment, serving, interruption);
      return found;
    } finally {
      await serving?.close();
    }
  });
  if (!findings) {
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  tellRecord(record);
  if (!isFaithful(findings)) process.exitCode = EXIT_CODE.internal;
}

/** In the record, before it is complete. Returns where it is. */
function keepFindings({ record }: Experiment, findings: readonly Finding[]): string | undefined {
  if (record === undefined) return undefined;
  try {
    writeFindings(record, { faithful: isFaithful(findings), findings: [...findings] });
  } catch (error) {
    warn(`what was measured is not in the record: ${(error as Error).message}`);
  }
  return record;
}

const isFaithful = (findings: readonly Finding[]): boolean => findings.every(({ ok }) => ok);

function report(findings: readonly Finding[], { json }: VerifyOptions): void {
  const faithful = isFaithful(findings);
  if (json) printJson({ faithful, findings });
  else printFindings(findings, faithful);
}

/** With something to see: the applications and the timeline. */
async function keepOpen(experiment: Experiment, serving: Serving, interruption: Interruption): Promise<void> {
  await experiment.run();
  step('its applications run, and the dashboard stays open, until Ctrl-C');
  // The first one may have been used meanwhile; a browser that has is in already.
  step(`open it in a browser: ${serving.link(experiment.name)}`);
  await interruption.promise;
}

/** A window is half of the receive buffer, and no more than the send buffer; `undefined`: not known. */
function windowBytes(): number | undefined {
  const buffers = machineTcpBuffers();
  return buffers && Math.min(buffers.sendBytes, buffers.receiveBytes / 2);
}

async function measure(verification: Verification): Promise<Finding[]> {
  const { paths, alone, competing, leftOut } = verification.choice;
  for (const what of leftOut) step(`not measured: ${what}`);
  step(`measuring round trip and loss of ${count(paths.length, 'path')}`);
  const findings = await verification.roundTrips();
  if (alone) {
    step('measuring the bandwidth of one flow alone');
    findings.push(...(await verification.alone()));
  }
  if (competing.length > 0) {
    step(`measuring the shares of ${competing.length} flows that compete for a link`);
    findings.push(...(await verification.competing()));
  }
  findings.push(...(await verification.releases()));
  return findings;
}

function printFindings(findings: readonly Finding[], faithful: boolean): void {
  const rows = findings.map((finding) => {
    const { what, path, ok, tolerance, tries } = finding;
    const verdict = ok ? styled('green', '✓') : styled('red', '✗ outside');
    const effort = tries > 1 ? ` (try ${tries})` : '';
    return [
      what,
      path,
      format(finding, finding.target),
      format(finding, finding.measured),
      deviation(finding),
      `± ${tolerance}`,
      `${verdict}${effort}`,
    ];
  });
  print('');
  print(table(['', 'path', 'target', 'measured', 'off by', 'allowed', ''], rows, [2, 3, 4]));
  print('');
  const failed = findings.filter(({ ok }) => !ok).length;
  if (faithful)
    print(`${styled('green', 'faithful:')} all ${findings.length} measurements are what the topology says`);
  else
    print(
      `${styled('red', 'not faithful:')} ${failed} of ${findings.length} measurements are outside of their tolerance`,
    );
}

function format({ unit }: Finding, value: number): string {
  if (Number.isNaN(value)) return 'none';
  if (unit === 'ms') return `${value.toFixed(2)} ms`;
  return unit === 'ratio' ? formatRatio(value) : formatRate(value);
}

function deviation({ unit, target, measured }: Finding): string {
  if (Number.isNaN(measured)) return '';
  const sign = measured >= target ? '+' : '−';
  const difference = Math.abs(measured - target);
  if (unit === 'ms') return `${sign}${difference.toFixed(2)} ms`;
  return `${sign}${((unit === 'ratio' ? difference : difference / target) * 100).toFixed(2)} %`;
}
