/** The network of a test, from the test: `import { lab } from 'netfold'` where netfold is installed as a package. */
import { expect, test } from 'vitest';
import { lab } from '../../sdk/index.ts';

test('a client notices that its server has moved away', { timeout: 60_000 }, async () => {
  await using net = await lab(
    'services: { client: {}, server: {} }\nlinks: [{ from: client, to: server, latency: 10ms }]\n',
  );
  expect((await net.measure('client', 'server')).medianMs).toBeGreaterThan(19);
  await net.command('set client--server latency=100ms');
  expect((await net.measure('client', 'server')).medianMs).toBeGreaterThan(199);
});
