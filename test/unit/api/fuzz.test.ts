/** A short run of `npm run fuzz -- --requests N`. */
import { expect, test } from 'vitest';
import { fuzzApi, injected } from '../../fuzz/api-fuzz.ts';
import { openApiLab, TOKEN } from '../../support/api-server.ts';
import { NAME } from '../../support/fakes/fake-experiments.ts';

const REQUESTS = 1500;

test('the API answers every request that the document leads to, and hostile ones', {
  timeout: 120_000,
}, async () => {
  const api = await openApiLab();
  api.experiments.waits = false;
  const headers = { host: '127.0.0.1:4647', authorization: `Bearer ${TOKEN}` };
  const asked = injected(api.server, headers);
  const { faults, statuses } = await fuzzApi(asked, { seed: 1, requests: REQUESTS, experiment: NAME });
  await api.close();
  expect(faults).toEqual([]);
  // Requests that are all refused at once test nothing.
  expect((statuses[200] ?? 0) + (statuses[202] ?? 0)).toBeGreaterThan(REQUESTS / 10);
  expect(statuses[202]).toBeGreaterThan(0);
  expect(statuses[404]).toBeGreaterThan(0);
});
