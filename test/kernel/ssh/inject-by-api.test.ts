/** Hosts over SSH by the API and the SDK: checked, started, asked, ended, and left as they were. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../support/lab/lab.ts';
import { type SshHosts, startSshHosts } from '../../support/lab/ssh-hosts.ts';

const DRIVER = join(import.meta.dirname, '../../support/lab/inject-by-api.ts');
const TOPOLOGY = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 50ms }]\n';

let lab: SshHosts;

beforeAll(async () => {
  lab = await startSshHosts([22, 22]);
});

afterAll(() => lab?.remove());

it('an experiment is started on two hosts, and what one of them refuses is told of it alone', {
  timeout: 400_000,
}, async () => {
  const file = (name: string, text: string): string => {
    const path = join(lab.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const [one, two] = lab.hosts.map(({ address }) => address);
  const inventory = `hosts:
  one: { address: ${one}, user: root, is: a }
  two: { address: ${two}, user: root, is: b }
`;
  const words = [DRIVER, lab.config, file('wan.yaml', TOPOLOGY), file('hosts.yaml', inventory)];
  const { code, out, err } = await run('ip', [
    ...['netns', 'exec', lab.here.namespace, process.execPath, '--no-wasm-tier-up', ...words],
  ]);
  expect(code, err).toBe(0);
  const seen = JSON.parse(out);
  expect(seen.refused).toMatchObject({
    ...{ state: 'failed', error: { code: 'HOSTS_FAILED' } },
    hosts: [
      { host: 'one', ok: true },
      { host: 'two', ok: false, errors: [{ message: expect.stringMatching(/^two: /) }] },
    ],
  });
  expect(seen.wrong).toMatchObject({
    ...{ state: 'failed', error: { blame: 'input', message: expect.stringMatching(/^inventory\.yaml:1/) } },
    hosts: [],
  });
  expect(seen.checked).toMatchObject({ ok: true, hosts: [{ ok: true }, { ok: true }] });
  expect(seen.name).toBe('wan');
  expect(seen.status.hosts).toMatchObject([
    { host: 'one', state: 'running', endpoints: ['a.0'], problems: [] },
    { host: 'two', state: 'running', endpoints: ['b.0'], problems: [] },
  ]);
  const { logs, onHost, inEndpoint, tooLong, unknown, network } = seen.inside;
  expect(logs).toMatchObject({ text: expect.stringMatching(/^two +\| daemon: /), errors: [] });
  expect(logs.text).not.toMatch(/^one/m);
  expect(onHost.stdout).toMatch(new RegExp(`^over SSH \\S+ \\d+ ${one} 22\n$`));
  expect(inEndpoint).toMatchObject({ code: 7, stdout: 'b.0 -n\n', timedOut: false });
  expect(tooLong).toMatchObject({ timedOut: true });
  expect(unknown).toEqual({ code: 'HOST_UNKNOWN' });
  expect(network).toMatchObject({
    ways: [{ between: ['one', 'two'], roundTrip: expect.stringMatching(/^[\d.]+(us|ms)$/) }],
    errors: [],
  });
  expect(seen.stopped).toMatchObject([{ result: 'stopped' }, { result: 'stopped' }]);
  expect(seen.none).toEqual({ code: 'INJECTION_UNKNOWN' });
  expect(seen.removed).toMatchObject({ ok: true });
  for (const index of lab.hosts.keys())
    expect((await lab.sh(index, 'ls -A /opt; tc qdisc; ls -d /run/netfold*')).out).not.toMatch(
      /4e46|\/run\/netfold|^netfold/m,
    );
});
