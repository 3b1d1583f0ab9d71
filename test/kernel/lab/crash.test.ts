/** A crashed, left or restarted endpoint: no process and no socket of its former life is left. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { logFile } from '../../../controller/names.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, runIn, startLab, tell, until } from '../../support/lab/lab.ts';

const DOOMED = `${process.execPath} ${join(import.meta.dirname, '../../support/lab/doomed.mjs')}`;

const TOPOLOGY = `
services:
  client: {}
  server: { run: "exec ${DOOMED} serve" }
  forker: { run: "trap : TERM; echo begins; while :; do setsid sleep 1003 & sleep 0.02; done" }
  still: { run: "echo begins; exec sleep 1004" }
bridges: [s]
links:
  - { from: client, to: s, latency: 5ms }
  - { from: server, to: s, latency: 5ms, bandwidth: 500Kbps }
  - { from: forker, to: s, latency: 5ms }
  - { from: still, to: s, latency: 5ms }
events:
  - at 1s crash still
  - at 1s join still
`;

/** The command lines of what runs in an endpoint. */
function commandsIn(lab: Experiment, node: string): string[] {
  return processesIn([place(lab, node).namespace]).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      return '';
    }
  });
}

/** But for the name server of netfold's. */
const socketsIn = async (lab: Experiment, node: string): Promise<string> =>
  (await runIn(place(lab, node), 'ss', '-Htan', 'not', 'src', '127.0.0.53:53')).out.trim();

function log(lab: Experiment, node: string): string {
  const file = logFile(lab.name, `${node}.0`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** A question for the addresses of `client`, over TCP: its length (RFC 1035, section 4.2.2), header, name, type and class. */
const QUESTION = '\\0\\x18\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6client\\0\\0\\1\\0\\1';

/** Whether netfold's name server in an endpoint answers over TCP. */
async function answersNames(lab: Experiment, node: string): Promise<boolean> {
  const ask = `exec 3<>/dev/tcp/127.0.0.53/53 && printf '${QUESTION}' >&3 && timeout 2 head -c 2 <&3 | wc -c`;
  return (await runIn(place(lab, node), 'bash', '-c', ask)).out.trim() === '2';
}

async function status(lab: Experiment, node: string): Promise<string | undefined> {
  return (await lab.statuses())
    .map(({ processes }) => processes[`${node}.0`])
    .find((one) => one !== undefined);
}

const lines = (text: string, line: string): number => text.split('\n').filter((one) => one === line).length;

it('is gone with all that it has started, and its connections end as those of a rebooted host', async () => {
  const lab = await startLab(TOPOLOGY);
  await lab.run();
  await until(() => log(lab, 'server').includes('begins'), 'the server begins');
  const reading = runIn(place(lab, 'client'), ...`${DOOMED} read ${place(lab, 'server').address}`.split(' '));
  const executing = netfold('exec', 'server', '--name', lab.name, '--', 'sh', '-c', 'setsid sleep 1005');
  const daemons = ['sleep 1001', 'sleep 1002', 'sleep 1005'];
  await until(() => daemons.every((one) => commandsIn(lab, 'server').includes(one)), 'all have started');
  await until(
    async () => /ESTAB +\d+ +[1-9]\d{3}/.test(await socketsIn(lab, 'server')),
    'its buffers are full',
  );

  await tell(lab, 'crash', 'server');
  await until(() => commandsIn(lab, 'server').length === 0, 'its processes are gone');
  await until(async () => (await socketsIn(lab, 'server')) === '', 'its sockets are gone');
  expect(await status(lab, 'server')).toBe('ended by SIGKILL');
  expect((await executing).code).not.toBe(0);
  expect(await answersNames(lab, 'server')).toBe(true);

  await tell(lab, 'join', 'server');
  await until(() => lines(log(lab, 'server'), 'begins') === 2, 'it begins again');
  expect((await reading).out).toBe('connected\nECONNRESET after a part\n');

  // It ignores SIGTERM, so the next one has to wait for its end.
  await tell(lab, 'leave', 'server');
  await tell(lab, 'join', 'server');
  await until(() => lines(log(lab, 'server'), 'begins') === 3, 'it begins a third time');
  expect(log(lab, 'server')).toBe('begins\n'.repeat(3));
  expect(commandsIn(lab, 'server').filter((one) => one.endsWith(' serve'))).toHaveLength(1);
  expect(await status(lab, 'server')).toMatch(/^pid /);
  await tell(lab, 'leave', 'server');
  await until(() => commandsIn(lab, 'server').length === 0, 'it has left');
  await until(
    async () => (await status(lab, 'server')) === 'ended by SIGKILL: it ignored SIGTERM for 2 s',
    'status says how it has ended',
  );

  expect((await lab.statuses())[0]!.degraded).toEqual([]);

  // Somebody destroys the name server's own socket.
  const own = ['state', 'listening', 'src', '127.0.0.53:53'];
  await runIn(place(lab, 'client'), 'ss', '-K', ...own);
  await until(() => answersNames(lab, 'client'), 'names resolve again');

  // A restart at one instant: the topology is the same before and after it.
  expect(log(lab, 'still')).toBe('begins\n'.repeat(2));
  expect(commandsIn(lab, 'still')).toEqual(['sleep 1004']);

  // One that starts processes faster than they can be counted.
  await until(() => commandsIn(lab, 'forker').length > 20, 'it has started many');
  await tell(lab, 'crash', 'forker');
  await until(() => commandsIn(lab, 'forker').length === 0, 'all of them are gone');
  await sleep(200);
  expect(commandsIn(lab, 'forker')).toEqual([]);
});
