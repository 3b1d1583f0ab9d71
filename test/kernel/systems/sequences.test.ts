/** Sequences in a lab of two hosts: programs, barriers, expectations, signals from inside endpoints, error branches, and timeouts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { logFile, outFolder } from '../../../controller/names.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import type { SequenceStatus } from '../../../proto/status.ts';
import { netfold } from '../../support/lab/cli.ts';
import { experimentName, place, run, startLab, until } from '../../support/lab/lab.ts';

const TEXT = `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 5ms }]
sequences:
  main:
    at: 1s
    steps:
      - run a b "echo first >$NETFOLD_OUT/f; echo first; sleep 0.$((NETFOLD_REPLICA + 2))"
      - set a--b latency=20ms
      - run a "${ROOT}/bin/netfold notify ready && echo told"
      - wait for ready from a
      - wait for log a b contains "first"
      - wait for go
      - run b "exit 3" exit 3
      - run a "sleep 60" timeout 500ms
      - crash b
  measured:
    at: 1s
    steps:
      - wait for rtt a b over 1s > 30ms
      - wait for rtt b a max over 1s < 20ms timeout 2s
  slow:
    after: measured fails
    steps:
      - wait for processes b = 0
  broken:
    after: main fails
    steps:
      - run b "echo branch"
`;

async function sequences({ agents }: Experiment): Promise<Map<string, SequenceStatus>[]> {
  const statuses = await Promise.all(agents.map((agent) => agent.status()));
  return statuses.map((status) => new Map((status?.sequences ?? []).map((one) => [one.name, one])));
}

const logOf = (lab: Experiment, endpoint: string): string =>
  readFileSync(logFile(lab.name, endpoint), 'utf8');

it('go on when programs end and applications notify, the same on both hosts', {
  timeout: 60_000,
}, async () => {
  const lab = await startLab(TEXT, { hosts: 2 });
  await lab.run();
  const main = async () => (await sequences(lab)).map((one) => one.get('main'));
  await until(async () => (await main()).every((one) => one?.step === 6), 'the wait for go', 20_000);
  expect(logOf(lab, 'a.0')).toContain('first\nok\ntold');
  expect(logOf(lab, 'b.0')).toContain('first');
  // A folder of its own for what each program leaves.
  expect(readFileSync(join(outFolder(lab.name, 'b.0'), 'main.1/f'), 'utf8')).toBe('first\n');
  const { out } = await run('ip', [
    'netns',
    'exec',
    place(lab, 'a').namespace,
    'ping',
    '-c',
    '5',
    '-i',
    '0.2',
    place(lab, 'b').address,
  ]);
  expect(Number(/= ([\d.]+)\//.exec(out)![1])).toBeGreaterThanOrEqual(40);

  // Before step 2 of main it was 10 ms.
  const named = async (name: string) => (await sequences(lab)).map((one) => one.get(name));
  await until(
    async () => (await named('slow')).every((one) => one?.state === 'done'),
    'expectations that hold and that do not',
    30_000,
  );
  for (const one of await named('measured')) expect(one).toMatchObject({ state: 'failed', step: 2 });

  const told = await netfold('notify', 'go', '--name', lab.name);
  expect(told.stderr).toBe('');
  await until(async () => (await main()).every((one) => one?.state === 'failed'), 'the timeout', 20_000);
  for (const one of await main()) expect(one).toMatchObject({ step: 8, about: ['a.0 was ended'] });
  await until(
    async () => (await sequences(lab)).every((one) => one.get('broken')?.state === 'done'),
    'the error branch',
    20_000,
  );
  expect(logOf(lab, 'b.0')).toContain('branch');
  // All hosts have decided alike.
  const [first, second] = await sequences(lab);
  expect([...first!]).toEqual([...second!]);

  const { stdout } = await netfold('history', lab.name);
  expect(stdout).toContain('ended main 1 a.0 0');
  expect(stdout).toContain('notify ready from a.0');
  const { stdout: status } = await netfold('status', lab.name);
  expect(status).toContain('sequence main: failed in step 8');
});

it('refuse a name that nobody waits for', async () => {
  const { code, stderr } = await netfold('notify', 'x', '--name', experimentName());
  expect(code).not.toBe(0);
  expect(stderr).not.toContain('bug');
});
