/** A short run of `npm run fuzz -- --requests N --real`. */
import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { experimentFolder } from '../../../controller/names.ts';
import { fuzzApi } from '../../fuzz/api-fuzz.ts';
import { openRealApi } from '../../fuzz/real-api.ts';
import { experimentName } from '../../support/lab/lab.ts';

const REQUESTS = 400;
/** What a run of this length leaves open: nothing that grows with it. */
const MORE_DESCRIPTORS = 30;

it('a real server and a real lab answer all that the document leads to, go on, and keep nothing of it', {
  timeout: 300_000,
}, async () => {
  const experiment = experimentName();
  const api = await openRealApi(experiment);
  let isOpen = true;
  onTestFinished(() => (isOpen ? api.close() : undefined));
  const before = api.samples();
  const { faults, statuses, requests } = await fuzzApi(api, { ...api.options, seed: 7, requests: REQUESTS });
  expect(faults).toEqual([]);
  expect(requests).toBe(REQUESTS);
  // Requests that are all refused at once test nothing.
  expect(statuses[200]).toBeGreaterThan(REQUESTS / 10);
  expect(statuses[202]).toBeGreaterThan(0);
  expect(statuses[404]).toBeGreaterThan(0);
  expect(statuses[429]).toBeUndefined();
  const after = api.samples();
  expect(after.agents).toHaveLength(before.agents.length);
  for (const [index, { descriptors }] of [after.server, ...after.agents].entries())
    expect(descriptors).toBeLessThan(
      [before.server, ...before.agents][index]!.descriptors + MORE_DESCRIPTORS,
    );
  for (const host of ['host0', 'host1']) expect((await agentStatus(experiment, host)).state).toBe('running');
  await api.close();
  isOpen = false;
  expect(existsSync(experimentFolder(experiment))).toBe(false);
});
