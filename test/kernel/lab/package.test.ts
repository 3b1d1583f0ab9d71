/** What is installed runs without the checkout: compiled modules, its own Node, the files that modules read. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentFolder } from '../../../controller/names.ts';
import { experimentName, run } from '../../support/lab/lab.ts';
import { buildPackages, withoutCheckout } from '../../support/packages.ts';

let folder: string;
let files: string[];
const fileLike = (end: string): string => join(folder, 'out', files.find((name) => name.endsWith(end))!);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-package-'));
  await buildPackages(join(folder, 'out'), '077');
  files = readdirSync(join(folder, 'out'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function unpack(file: string, ...options: string[]): Promise<string> {
  const target = mkdtempSync(join(folder, 'tree-'));
  expect(await run('tar', ['-xf', file, '-C', target, ...options])).toMatchObject({ code: 0 });
  return target;
}

const TOPOLOGY =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 40ms, up: 10Mbps, down: 20Mbps }]\n';

describe('the tarball', () => {
  let tree: string;
  beforeAll(async () => {
    tree = await unpack(fileLike('.tar.gz'), '--strip-components=1');
  });

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
    const own = await unpack(fileLike('.tgz'), '--strip-components=1');
    expect(await run('mv', [own, join(modules, 'netfold')])).toMatchObject({ code: 0 });
    const script =
      '"$1/netfold/bin/netfold" doctor --json && "$1/netfold/bin/netfold" check "$1/netfold/examples/quickstart.yaml"';
    const { code, out, err } = await withoutCheckout(script, modules);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('"able": true');
  });
});

it('the Debian package has one owner and two modes, whatever the umask was, and a unit that nothing enables', async () => {
  const { out } = await run('dpkg-deb', ['-c', fileLike('.deb')]);
  const lines = out.trimEnd().split('\n');
  expect(
    lines.filter((line) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root\/root /.test(line)),
  ).toEqual([]);
  expect(out).toContain(' ./usr/bin/netfold -> ../lib/netfold/bin/netfold\n');
  expect(out).toContain(' ./lib/systemd/system/netfold@.service\n');
  expect(out).not.toContain('.wants/');
  const control = (await run('dpkg-deb', ['-f', fileLike('.deb')])).out;
  expect(control).toContain('Depends: iproute2, libbpf1');
});
