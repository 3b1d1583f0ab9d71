/**
 * Kubernetes, built from the source that Debian 12 has: its archives bring kubectl alone. Everything is in a cache below
 * node_modules and installed nowhere. What was begun is gone on with: Go keeps each package that it has compiled.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { capture, lastLines, ROOT } from '../../../../deploy/setup/processes.mjs';
import { sayDoing, sayDone } from '../../../../deploy/setup/report.mjs';

const CACHE = join(ROOT, 'node_modules', '.cache', 'netfold-kubernetes');
/** Debian 12 is the last whose archive has the source with all that it needs. */
const RELEASE = 'bookworm';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** The compiler, and programs that run as they are. */
const PACKAGES = ['golang-1.19-go', 'golang-1.19-src', 'etcd-server', 'kubernetes-client'];
const VERSION = 'v1.20.2';
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'] as const;
/** Without the clouds' own code and Docker's, which are a third of it. */
const TAGS = 'providerless dockerless';
const PROGRESS_EVERY_MS = 30_000;
/** What is part of no release, since its own build makes it: types as the API server describes them. */
const GENERATED = 'pkg/generated/openapi/zz_generated.openapi.go';

export interface Kubernetes {
  readonly programs: Readonly<Record<(typeof PROGRAMS)[number] | 'etcd' | 'kubectl', string>>;
}

/** Builds it unless the cache has it: some eight minutes of a processor, and 3 GB while it does. Rejects with what a program has said. */
export async function builtKubernetes(): Promise<Kubernetes> {
  const tools = join(CACHE, 'tools');
  const bin = join(CACHE, VERSION);
  await once(tools, fetchTools);
  await once(bin, (draft) => build(tools, draft));
  const own = PROGRAMS.map((name) => [name, join(bin, name)]);
  const packaged = ['etcd', 'kubectl'].map((name) => [name, join(tools, 'usr/bin', name)]);
  return { programs: Object.fromEntries([...own, ...packaged]) };
}

/** Makes a folder, whole or not at all. */
async function once(folder: string, make: (draft: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  await inDraft('draft', async (draft) => {
    await make(draft);
    renameSync(draft, folder);
  });
}

/** Uses a folder in the cache, which is removed. */
async function inDraft(kind: string, use: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE))
    if (isAbandoned(name)) rmSync(join(CACHE, name), { recursive: true, force: true });
  const folder = mkdtempSync(join(CACHE, `${kind}-${process.pid}-`));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A process that was killed has left it. */
function isAbandoned(name: string): boolean {
  const [, pid] = /^(?:draft|apt)-(\d+)-/.exec(name) ?? [];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

async function tool(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await capture(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${lastLines(output)}`);
  return output;
}

/** apt with lists of its own, so that the machine's lists need no sources, and may be of another release. */
async function aptIn(folder: string): Promise<(...args: readonly string[]) => Promise<string>> {
  const from = ['deb', 'deb-src'].flatMap((kind) =>
    [`debian ${RELEASE}`, `debian-security ${RELEASE}-security`].map((suite) => {
      const [archive, name] = suite.split(' ');
      return `${kind} [signed-by=${KEYRING}] http://deb.debian.org/${archive} ${name} main\n`;
    }),
  );
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'sources.list'), from.join(''));
  const options = [
    ...[`Dir::Etc::sourcelist=${folder}/sources.list`, 'Dir::Etc::sourceparts=-'],
    ...[`Dir::State::lists=${folder}/lists`, `Dir::Cache=${folder}/cache`, 'APT::Sandbox::User=root'],
  ].flatMap((option) => ['-o', option]);
  const apt = (...args: readonly string[]) => tool('apt-get', [...options, ...args], folder);
  await apt('update');
  return apt;
}

const withApt = (use: (apt: Awaited<ReturnType<typeof aptIn>>, folder: string) => Promise<void>) =>
  inDraft('apt', async (folder) => use(await aptIn(folder), folder));

const fetchTools = (draft: string): Promise<void> =>
  withApt(async (apt, folder) => {
    await apt('download', ...PACKAGES);
    for (const archive of readdirSync(folder).filter((name) => name.endsWith('.deb')))
      await tool('dpkg-deb', ['-x', archive, draft], folder);
  });

const fetchSource = (draft: string): Promise<void> =>
  withApt(async (apt, folder) => {
    await apt('source', '--download-only', 'kubernetes');
    const description = readdirSync(folder).find((name) => name.endsWith('.dsc'))!;
    rmSync(draft, { recursive: true });
    await tool('dpkg-source', ['--no-check', '--no-copy', '-x', description, draft], folder);
  });

async function build(tools: string, out: string): Promise<void> {
  const [source, work] = [join(CACHE, 'source'), join(CACHE, 'work')];
  await once(source, fetchSource);
  // Its vendor folder is found by the place of the source, as in its own build.
  const place = join(work, 'gopath/src/k8s.io/kubernetes');
  mkdirSync(join(work, 'tmp'), { recursive: true });
  mkdirSync(dirname(place), { recursive: true });
  if (!existsSync(place)) symlinkSync(source, place);
  const go = new Go(join(tools, 'usr/lib/go-1.19'), work, place);
  if (!existsSync(join(place, GENERATED))) await generate(go, work, place);
  const variables = { gitVersion: VERSION, gitMajor: '1', gitMinor: '20', gitTreeState: 'archive' };
  const set = Object.entries(variables).map(
    ([name, value]) => `-X k8s.io/kubernetes/vendor/k8s.io/component-base/version.${name}=${value}`,
  );
  const commands = PROGRAMS.map((name) => `./cmd/${name}`);
  const all = (await go.run('list', '-tags', TAGS, '-deps', ...commands)).split('\n').length;
  sayDoing(`compiling Kubernetes ${VERSION}: some ten minutes of a processor, once`);
  await go.build(
    ...['-p', `${2 * availableParallelism()}`, '-tags', TAGS, '-gcflags=k8s.io/kubernetes/...=-dwarf=false'],
    ...['-ldflags', `-s -w ${set.join(' ')}`, '-o', `${out}/`, ...commands],
  )((compiled) => sayDoing(`compiling Kubernetes: ${compiled} of at most ${all} packages`));
  // The source alone has 0.4 GB, what was compiled 1.5.
  for (const folder of [work, source]) rmSync(folder, { recursive: true, force: true });
  sayDone(`Kubernetes ${VERSION} is in ${CACHE}`);
}

class Go {
  readonly #program: string;
  readonly #options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv };

  constructor(root: string, work: string, cwd: string) {
    this.#program = join(root, 'bin/go');
    const own = { GOROOT: root, GOPATH: join(work, 'gopath'), GOCACHE: join(work, 'compiled') };
    const plain = { GOTMPDIR: join(work, 'tmp'), CGO_ENABLED: '0', GOPROXY: 'off', GO111MODULE: 'off' };
    // A shell's own folder, which Go finds the source by: without it, links are followed.
    this.#options = { cwd, env: { ...process.env, ...own, ...plain, GOFLAGS: '', PWD: cwd } };
  }

  /** Another program, with what Go's own find the source by. */
  async program(command: string, ...args: readonly string[]): Promise<string> {
    const { code, output } = await capture(command, args, this.#options);
    if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}:\n${lastLines(output)}`);
    return output.trim();
  }

  run(...args: readonly string[]): Promise<string> {
    return this.program(this.#program, ...args);
  }

  /** Tells now and then how many packages it has compiled. */
  build(...args: readonly string[]) {
    return (onProgress: (compiled: number) => void): Promise<void> =>
      new Promise((resolve, reject) => {
        const child = spawn(this.#program, ['build', '-v', ...args], {
          ...this.#options,
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        const lines: string[] = [];
        child.stderr.on('data', (text: Buffer) => lines.push(...`${text}`.trimEnd().split('\n')));
        const timer = setInterval(() => onProgress(lines.length), PROGRESS_EVERY_MS);
        child.once('error', reject);
        child.once('close', (code) => {
          clearInterval(timer);
          if (code === 0) resolve();
          else reject(new Error(`go build ended with ${code}:\n${lines.slice(-20).join('\n')}`));
        });
      });
  }
}

async function generate(go: Go, work: string, place: string): Promise<void> {
  const generator = join(work, 'openapi-gen');
  sayDoing('compiling what describes the types of Kubernetes');
  await go.run('build', '-o', generator, './vendor/k8s.io/kube-openapi/cmd/openapi-gen');
  const tagged = await go.program(
    ...(['grep', '-rl', '--include=*.go', '+k8s:openapi-gen='] as const),
    ...['staging/src/k8s.io', 'pkg', 'cmd', 'plugin'],
  );
  const folders = tagged
    .split('\n')
    .filter((file) => !/\/(code-generator|sample-apiserver)\/|_test\.go$|zz_generated/.test(file))
    .map((file) => `k8s.io/kubernetes/${dirname(file).replace(/^staging\/src\//, 'vendor/')}`);
  await go.program(
    ...[generator, '-i', [...new Set(folders)].sort().join(',')],
    ...['-p', `k8s.io/kubernetes/${dirname(GENERATED)}`, '-O', 'zz_generated.openapi'],
    ...['-h', join(place, 'vendor/k8s.io/code-generator/hack/boilerplate.go.txt')],
    ...['-r', join(work, 'violations'), '--output-base', join(work, 'gopath/src')],
  );
}
