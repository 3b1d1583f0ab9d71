/** Records of real runs: while they go on, after everything was killed, when they are taken over, and run again. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { experimentFolder } from '../../../controller/names.ts';
import { readDescription, writeDescription } from '../../../controller/record/description.ts';
import { continueRecord } from '../../../controller/record/open.ts';
import type { RecordSummary } from '../../../controller/record/read.ts';
import { pointerOf, thisWriter } from '../../../controller/record/writer.ts';
import { loadTopology } from '../../../topology/load.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { experimentName, run, until } from '../../support/lab/lab.ts';
import { labFile, NETFOLD, netfold } from '../../support/lab/lab-file.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { NOTHING, processesOf, tracesOf } from '../../support/lab/traces.ts';
import { makeRecord } from '../../support/records.ts';

const TOPOLOGY = `
services:
  client: { run: "echo hello from $NETFOLD_NODE; echo 42 >$NETFOLD_OUT/answer; ln -s /etc/shadow $NETFOLD_OUT/link; while :; do ping -q -c 100 -i 0.01 -s 1400 server; done" }
  server: {}
links:
  - { from: client, to: server, latency: 3ms, bandwidth: 20Mbps }
events:
  - at 1s set client--server latency=5ms
`;

const lab = labFile(TOPOLOGY);

/** The first result of `look` that is one. */
async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  let found: T | undefined;
  await until(
    async () => {
      found = await look();
      return found !== undefined;
    },
    what,
    30_000,
  );
  return found!;
}

async function shown(record: string): Promise<RecordSummary> {
  const { out, err, code } = await netfold('records', 'show', record, '--json');
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as RecordSummary;
}

/** An editor that does this with the file. */
const edited = (command: string): NodeJS.ProcessEnv => ({ ...process.env, VISUAL: command });

const texts = ({ events }: RecordSummary): string[] =>
  events.map(({ origin, text }) => `${origin === 'file' ? 'file' : 'hand'}: ${text}`);

const EVENTS = ['file: at 1s set client--server latency=5ms', 'hand: set client--server latency=30ms'];

it('a run is recorded while it goes on, past the end of its controller, and to its own end; and runs again', {
  timeout: 120_000,
}, async () => {
  const name = experimentName();
  expectSuccess(await netfold('up', lab.file, '--hosts', '2', '--name', name, '--detach'));
  const set = await netfold('set', 'client--server', 'latency=30ms', '--name', name, '--at', '3s');
  expect(set).toMatchObject({ code: 0 });

  const going = await eventually('both events are recorded', async () => {
    const found = await shown(name);
    return found.events.length === 2 && found.lastMs > 5000 ? found : undefined;
  });
  expect(going).toMatchObject({
    state: 'recording',
    description: { hosts: ['host0', 'host1'], endpoints: 2 },
  });
  expect(texts(going)).toEqual(EVENTS);
  expect(going.events[1]).toMatchObject({ dueMs: 3000, outcome: 'done' });
  expect(going.flows).toContainEqual(
    expect.objectContaining({ source: 'client.0', destination: 'server.0' }),
  );
  expect(going.agents.map(({ host }) => host)).toEqual(['host0', 'host1']);

  const killedAt = Date.now();
  for (const pid of processesOf(name)) killIfThere(pid);
  const cut = await shown(name);
  expect(cut.state).toBe('cut off');
  // A second, and what a busy machine takes for a round.
  expect(cut.lastMs).toBeGreaterThan(killedAt - Date.parse(cut.description.beganAt!) - 1000 - 2000);
  expect(texts(cut)).toEqual(EVENTS);
  const page = join(lab.folder, 'cut.html');
  expectSuccess(await netfold('report', name, '-o', page));
  expect(readFileSync(page, 'utf8')).toContain('; cut off');

  expectSuccess(await netfold('resume', name, '--detach'));
  await eventually('it is recorded again', async () => {
    const { state, lastMs } = await shown(name);
    return state === 'recording' && lastMs > cut.lastMs ? true : undefined;
  });
  expectSuccess(await netfold('down', name));
  // The daemon ends when the record is complete.
  await eventually('the end of all', async () => (processesOf(name).length === 0 ? true : undefined));
  expect(await tracesOf(name)).toEqual(NOTHING);
  const whole = await eventually('the record is complete', async () => {
    const found = await shown(name);
    return found.state === 'complete' ? found : undefined;
  });
  expect(texts(whole)).toEqual(EVENTS);
  expect(Object.keys(whole.description.files)).toEqual([
    'events.ndjson',
    'logs/client.0.log',
    'logs/host0.log',
    'logs/host1.log',
    'out-omitted.txt',
    'out/client.0/answer',
    'run.sqlite',
    'topology.yaml',
  ]);
  expect(readFileSync(join(whole.folder, 'topology.yaml'), 'utf8')).toBe(TOPOLOGY);
  expect(readFileSync(join(whole.folder, 'logs/client.0.log'), 'utf8')).toContain('hello from client');
  expect(readFileSync(join(whole.folder, 'out/client.0/answer'), 'utf8')).toBe('42\n');
  expect(readFileSync(join(whole.folder, 'out-omitted.txt'), 'utf8')).toBe(
    'client.0/link: no regular file\n',
  );
  const { clocks, placement, processes, kernel } = whole.description;
  expect(kernel!.queueing).toContain('htb');
  expect(kernel!.settings['net.ipv4.tcp_congestion_control']).toMatch(/^\w+$/);
  expect(placement).toEqual({ 'client.0': 'host0', 'server.0': 'host1' });
  expect(Object.keys(clocks!).sort()).toEqual(['host0', 'host1']);
  expect(processes).toEqual({ 'client.0': 'ran until the end' });
  expectSuccess(await netfold('records', 'verify', name));

  const timeline = await netfold('events', name);
  expect(timeline.out).toContain('events:\n  - at 3s set client--server latency=30ms\n');
  const tables = join(lab.folder, 'tables');
  expectSuccess(await netfold('export', name, '--csv', '-o', tables));
  const rows = readFileSync(join(tables, 'flow_sample.csv'), 'utf8').split('\r\n');
  expect(rows[0]).toBe('t_ms,source,destination,rate_bps,share_bps,limited_by');
  expect(rows.length).toBeGreaterThan(5);

  const artifact = join(lab.folder, 'artifact');
  expect(await netfold('export', name, '--artifact', '--license', 'CC0-1.0', '-o', artifact)).toMatchObject({
    code: 0,
  });

  const again = experimentName();
  const elsewhere = join(lab.folder, 'again');
  const replay = ['replay', name, '--name', again, '--duration', '5s', '--record', elsewhere, '--edit'];
  const nonsense = await run(NETFOLD, replay, edited(`echo nonsense >>`));
  expect([nonsense.code, nonsense.err]).toEqual([
    1,
    expect.stringContaining('line 2 of the commands, "nonsense", is none'),
  ]);
  expect(existsSync(elsewhere)).toBe(false);
  expectSuccess(await run(NETFOLD, replay, edited(`echo 'at 4s set client--server latency=20ms' >>`)));
  const second = await shown(elsewhere);
  expect(second.description).toMatchObject({ state: 'complete', hosts: ['host0', 'host1'] });
  expect(second.description.topology.hash).toBe(whole.description.topology.hash);
  expect(texts(second)).toEqual([...EVENTS, 'hand: set client--server latency=20ms']);
  expect(second.events.map(({ dueMs }) => dueMs)).toEqual([...whole.events.map(({ dueMs }) => dueMs), 4000]);
  const expected = join(artifact, 'expected.json');
  const checked = await netfold('records', 'check', join(artifact, 'record'), expected, '--json');
  expect(JSON.parse(checked.out)).toContainEqual(
    expect.objectContaining({ kind: 'flow', what: 'client.0 → server.0', holds: true }),
  );

  writeFileSync(join(elsewhere, 'events.ndjson'), 'changed');
  const changed = await netfold('records', 'verify', elsewhere);
  expect(changed.code).toBe(1);
  expect(changed.err).toContain('events.ndjson was changed');
});

it('a record is kept where it is asked for, in a folder of its own, or not at all', async () => {
  const name = experimentName();
  const refused = await netfold('up', lab.file, '--name', name, '--record', lab.folder, '--duration', '1s');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('a record needs a folder of its own');
  expect(await tracesOf(name)).toEqual(NOTHING);
  expect(await netfold('up', lab.file, '--name', name, '--no-record', '--duration', '1s')).toMatchObject({
    code: 0,
  });
  expect((await netfold('records', 'show', name)).err).toContain(`there is no record "${name}"`);
  const unwritable = '/proc/self/record';
  const gone = await netfold('up', lab.file, '--name', name, '--record', unwritable, '--duration', '1s');
  expect(gone).toMatchObject({ code: 0 });
  expect(gone.err).toContain('the run is not recorded');
  expect(existsSync(unwritable)).toBe(false);
});

it('has one writer: whoever else would go on with a record is refused', async () => {
  const experiment = experimentName();
  const folder = await makeRecord(join(lab.folder, 'busy'), { description: { experiment } });
  mkdirSync(experimentFolder(experiment), { recursive: true });
  writeFileSync(pointerOf(experiment), JSON.stringify({ folder }));
  const topology = loadTopology(TOPOLOGY, 'lab.yaml').topology;
  const goOn = () =>
    continueRecord(
      {
        ...{ experiment, platform: 'lab', delayBackend: 'netem', hosts: ['host0'], endpoints: 2, seeds: {} },
        ...{ placement: {}, source: { file: 'lab.yaml', text: TOPOLOGY }, topology },
      },
      { tell: () => {} },
    );
  const busy = (message: RegExp) =>
    expect.objectContaining({ code: 'RECORD_BUSY', message: expect.stringMatching(message) });
  expect(goOn).toThrow(busy(/is complete, and does not change any more/));
  const description = readDescription(folder);
  writeDescription(folder, { ...description, state: 'recording', writer: thisWriter() });
  expect(goOn).toThrow(busy(new RegExp(`process ${process.pid} writes its record`)));
  rmSync(experimentFolder(experiment), { recursive: true });
});

it('what verify measures is recorded, without a timeline', async () => {
  const name = experimentName();
  const record = join(lab.folder, 'verified');
  const verified = await netfold('verify', lab.file, '--name', name, '--record', record, '--json');
  // A busy machine may not be faithful.
  expect([0, 4], verified.err).toContain(verified.code);
  const { description, events, flows, lastMs } = await shown(record);
  expect(description).toMatchObject({ state: 'complete', hosts: ['host0'] });
  expect(JSON.parse(readFileSync(join(record, 'verify.json'), 'utf8'))).toEqual(JSON.parse(verified.out));
  expect(description.files['verify.json']).toBeDefined();
  expect(events).toEqual([]);
  expect(flows.map(({ source }) => source)).toContain('client.0');
  expect(lastMs).toBeGreaterThan(1000);
});
