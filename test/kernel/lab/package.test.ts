/** What is installed runs without the checkout: compiled modules, its own Node, the files that modules read. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentFolder } from '../../../controller/names.ts';
import { makeTrees } from '../../../deploy/package/build.ts';
import { NODE_24, ROOT } from '../../../deploy/setup/processes.mjs';
import { experimentName, run } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { withoutCheckout } from '../../support/packages.ts';

let folder: string;
let forNpm: string;
let tree: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-package-'));
  const umask = process.umask(0o077);
  try {
    const runtime = { packages: join(ROOT, 'node_modules'), node: realpathSync(NODE_24) };
    ({ forNpm, tree } = makeTrees(folder, { cpu: process.arch, epoch: 1_700_000_000, ...runtime }));
  } finally {
    process.umask(umask);
  }
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TOPOLOGY =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 40ms, up: 10Mbps, down: 20Mbps }]\n';

describe('the tree', () => {
  it('runs a lab with a strict umask, and leaves nothing', async () => {
    const name = experimentName();
    const script = `
umask 077
netfold=$1/bin/netfold name=$2
printf '${TOPOLOGY.replaceAll('\n', '\\n')}' > "$1/lab.yaml"
trap '"$netfold" down "$name" >/dev/null 2>&1' EXIT
"$netfold" check "$1/lab.yaml" && "$netfold" up "$1/lab.yaml" --name "$name" --detach || exit
"$netfold" exec a --name "$name" -- ping -c 5 -i 0.2 b || exit
"$netfold" status "$name" --json || exit
"$netfold" down "$name"`;
    const lab = await withoutCheckout(script, tree, name);
    expect(lab, lab.err).toMatchObject({ code: 0 });
    const average = Number(/= [\d.]+\/([\d.]+)\//.exec(lab.out)![1]);
    expect(average).toBeGreaterThan(79);
    expect(average).toBeLessThan(120);
    expect(lab.out).toContain(`${name} is down`);
    expect(existsSync(experimentFolder(name))).toBe(false);
  }, 60_000);

  it('says what the machine can do', async () => {
    const { code, out } = await withoutCheckout('exec "$1/bin/netfold" doctor --json', tree);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ able: true });
  });

  it("npm's package runs below node_modules, on the Node that npm has put beside it", async () => {
    const modules = join(mkdtempSync(join(folder, 'user-')), 'node_modules');
    mkdirSync(modules);
    for (const entry of readdirSync(join(tree, 'node_modules')))
      symlinkSync(join(tree, 'node_modules', entry), join(modules, entry));
    expectSuccess(await run('cp', ['-a', forNpm, join(modules, 'netfold')]));
    const script =
      '"$1/netfold/bin/netfold" doctor --json && "$1/netfold/bin/netfold" check "$1/netfold/examples/quickstart.yaml"';
    const { code, out, err } = await withoutCheckout(script, modules);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('"able": true');
  });
});
