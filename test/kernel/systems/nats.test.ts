/** examples/nats.yaml: replicated streams on emulated distances, cut, crashed and restarted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { netfold } from '../../support/lab/cli.ts';
import { place, runIn, startLab, tell, until } from '../../support/lab/lab.ts';
import { expectRoundTrips, provide } from '../../support/systems/systems.ts';

const EXAMPLE = readFileSync(join(ROOT, 'examples/nats.yaml'), 'utf8');
const REQUEST = join(ROOT, 'test/support/systems/nats-request.mjs');
/** Round trips between servers, ms. */
const BETWEEN: Readonly<Record<string, number>> = { 'n1 n2': 30, 'n1 n3': 50, 'n2 n3': 60 };
const SERVERS = ['n1', 'n2', 'n3'];
const between = (a: string, b: string): number => BETWEEN[[a, b].sort().join(' ')] ?? 0;

beforeAll(() => provide('nats'));

interface Answer {
  readonly error?: unknown;
  readonly cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly name: string; readonly current: boolean }[];
  };
}

/** Of a server, asked by the client; `undefined`: none in time. */
async function request(lab: Experiment, host: string, subject: string, body = '', count = 1) {
  const words = [process.execPath, REQUEST, host, subject, body, `${count}`];
  const { code, out } = await runIn(place(lab, 'client'), ...words);
  if (code !== 0) return undefined;
  const { answer, times } = JSON.parse(out) as { answer: string; times: number[] };
  return { answer: JSON.parse(answer) as Answer, times };
}

async function leader(lab: Experiment, host: string): Promise<string | undefined> {
  return (await request(lab, host, '$JS.API.STREAM.INFO.orders'))?.answer.cluster?.leader;
}

async function publish(lab: Experiment, host: string): Promise<boolean> {
  const found = await request(lab, host, 'orders.new', 'one');
  return found !== undefined && found.answer.error === undefined;
}

it('writes take what round trips say, a minority refuses, and a crashed server comes back with its data', async () => {
  const lab = await startLab(EXAMPLE, { file: 'nats.yaml' });
  await lab.run();
  const stream = JSON.stringify({ name: 'orders', subjects: ['orders.*'], num_replicas: 3, storage: 'file' });
  await until(
    async () => {
      const made = await request(lab, 'n1', '$JS.API.STREAM.CREATE.orders', stream);
      return made !== undefined && made.answer.error === undefined;
    },
    'a stream with three replicas',
    40_000,
  );
  await until(() => publish(lab, 'n1'), 'an acknowledged message', 20_000);

  const at = (await leader(lab, 'n1'))!;
  const { times } = (await request(lab, 'n1', 'orders.new', 'one', 40))!;
  // To the first server, from there to the leader, and from the leader to the nearer of the others.
  const nearest = Math.min(...SERVERS.filter((one) => one !== at).map((one) => between(at, one)));
  expectRoundTrips(times, 12 + between('n1', at) + nearest);

  await tell(lab, 'partition', 'n1 | n2 n3');
  await until(async () => ['n2', 'n3'].includes((await leader(lab, 'n2')) ?? ''), 'a leader of two', 40_000);
  await until(() => publish(lab, 'n2'), 'the majority to acknowledge', 20_000);
  expect(await publish(lab, 'n1')).toBe(false);

  await tell(lab, 'heal');
  await until(() => publish(lab, 'n1'), 'n1 to go on', 40_000);

  await tell(lab, 'crash', 'n3');
  await until(() => publish(lab, 'n1'), 'two of three to go on', 40_000);
  await tell(lab, 'join', 'n3');
  // What it had, before it asks the others.
  await until(
    async () =>
      /Restored [1-9]\d* messages for stream/.test((await netfold('logs', 'n3', '--name', lab.name)).stdout),
    'n3 to find its data',
    40_000,
  );
  const isCurrent = async (): Promise<boolean> => {
    const cluster = (await request(lab, 'n1', '$JS.API.STREAM.INFO.orders'))?.answer.cluster;
    return cluster?.leader === 'n3' || cluster?.replicas?.find(({ name }) => name === 'n3')?.current === true;
  };
  await until(isCurrent, 'n3 to catch up', 40_000);
}, 300_000);
