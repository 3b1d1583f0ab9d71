/** The machine of a report. Nothing in it identifies the machine or its user. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type HardwareFacts, hardwareFacts } from '../../controller/machine/facts.ts';
import { netfoldVersion } from '../../controller/machine/version.ts';

export interface MachineFacts extends HardwareFacts {
  /** Name → version of each program that took part. */
  readonly versions: Readonly<Record<string, string>>;
}

const run = promisify(execFile);

export async function readMachineFacts(): Promise<MachineFacts> {
  return {
    ...(await hardwareFacts()),
    versions: {
      netfold: netfoldVersion(),
      node: process.versions.node,
      iproute2: await version('ip', '-V'),
      iperf3: await version('iperf3', '--version'),
      iputils: await version('ping', '-V'),
    },
  };
}

/** The first text in the output that looks like a version. */
async function version(command: string, argument: string): Promise<string> {
  const { stdout, stderr } = await run(command, [argument]);
  return /\d[\w.-]*/.exec(`${stdout}${stderr}`.replace(/iperf3?|iproute2/g, ''))?.[0] ?? 'unknown';
}
