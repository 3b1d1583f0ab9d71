/** What a command loads: its start is most of its time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

vi.setConfig({ testTimeout: 60_000 });

const YAML = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 1ms }]\n';
const GRAPHML = `<graphml><graph edgedefault="undirected">
<node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>`;
/** Prints the modules of this process at its end, without those of Node. */
const SPY = `import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
process.on('exit', () => console.error('LOADED ' + loaded.filter((url) => url.startsWith('file:')).join(' ')));`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-loaded-'));
  vi.stubEnv('NODE_OPTIONS', `--import=data:text/javascript,${encodeURIComponent(SPY)}`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Paths from the folders of the checkout and of packages on: `topology/read.ts`, `yaml/dist/index.js`. */
async function loadedBy(name: string, text: string, ...words: string[]): Promise<string[]> {
  const file = join(folder, name);
  writeFileSync(file, text);
  const { code, stdout, stderr } = await netfold(words[0] ?? 'check', file, ...words.slice(1));
  expect(code, stdout + stderr).toBe(0);
  const urls = /^LOADED (.*)$/m.exec(stderr)?.[1]?.split(' ') ?? [];
  return urls.map((url) =>
    url.replace(/^.*\/node_modules\//, '').replace(/^.*\/(?=(?:topology|controller|agent|proto)\/)/, ''),
  );
}

/** `topology/formats/NAME` of those whose readers are loaded, not only what recognises them. */
const readersIn = (loaded: readonly string[]): string[] => [
  ...new Set(loaded.flatMap((path) => /^(topology\/formats\/[^/]+)\/(?!format\.ts)/.exec(path)?.[1] ?? [])),
];

it('is for simple YAML its reader alone, without what reads all of YAML and expands', async () => {
  const loaded = await loadedBy('simple.yaml', YAML);
  expect(readersIn(loaded)).toEqual(['topology/formats/native']);
  expect(loaded).toContain('topology/formats/native/plain.ts');
  const others =
    /^(?:yaml|fast-xml-parser)\/|\/expand\/expand\.ts$|^topology\/(?:tcl|export)\/|^agent\/(?!files\/)/;
  expect(loaded.filter((path) => others.test(path))).toEqual([]);
  expect(loaded.filter((path) => /^controller\/(?:workbench|experiment|api)\//.test(path))).toEqual([]);
});

it('is all that YAML may need where a file is not simple', async () => {
  const loaded = await loadedBy('anchors.yaml', YAML.replace('a: {}', 'a: &a {}').replace('b: {}', 'b: *a'));
  expect(loaded).toContain('topology/formats/native/parse.ts');
  expect(loaded.some((path) => path.startsWith('yaml/'))).toBe(true);
});

it('is for another format the reader of that one', async () => {
  expect(readersIn(await loadedBy('net.graphml', GRAPHML))).toEqual(['topology/formats/graphml']);
});
