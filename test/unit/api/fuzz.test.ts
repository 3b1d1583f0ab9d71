/** A short run of `npm run fuzz -- --requests N`. */
import { expect, test } from 'vitest';
import { fuzzApi } from '../../fuzz/api-requests.ts';
import { openApiLab, TOKEN } from '../../support/api-server.ts';

const REQUESTS = 1500;

test('the API answers every request that the document leads to, and hostile ones', {
  timeout: 120_000,
}, async () => {
  const api = await openApiLab();
  api.experiments.waits = false;
  const headers = { host: '127.0.0.1:4647', authorization: `Bearer ${TOKEN}` };
  const { faults, statuses } = await fuzzApi(api.server, headers, { seed: 1, requests: REQUESTS });
  await api.close();
  expect(faults).toEqual([]);
  // Requests that are all refused at once test nothing.
  expect((statuses[200] ?? 0) + (statuses[202] ?? 0)).toBeGreaterThan(REQUESTS / 10);
  expect(statuses[202]).toBeGreaterThan(0);
  expect(statuses[404]).toBeGreaterThan(0);
});
