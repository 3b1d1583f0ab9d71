/** What a service says of its containers: what it means, and what is refused at which place. */
import { describe, expect, it } from 'vitest';
import { formatContainerMemory, parseContainerMemory } from '../../../../proto/units.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { formatDiagnostic, loadTopology } from '../../../../topology/load.ts';
import { formatPort, parsePorts } from '../../../../topology/model/container-settings.ts';
import { native, problems } from '../support.ts';

const file = (setting: string, more = ''): string =>
  `services:\n  a:\n    image: x\n    ${setting}\n${more && `    ${more}\n`}`;
const first = (setting: string, more = '') => native(file(setting, more)).services[0]!;
const containerOf = (setting: string) => first(setting).container;

describe('the container of a service', () => {
  it.each([
    ['command: serve --name "the api" $HOME', ['serve', '--name', 'the api', '$HOME']],
    ['command: [a, "b c"]', ['a', 'b c']],
    ['args: [x]', ['x']],
  ])('has arguments: %s', (setting, command) => {
    expect(first(setting).command).toEqual(command);
  });

  it('has the words of args after those of command', () => {
    expect(first('command: [serve, fast]', 'args: -v -v').command).toEqual(['serve', 'fast', '-v', '-v']);
  });

  it.each([
    ['environment: { PORT: 80, E: "" }', { PORT: '80', E: '' }],
    ['environment: ["PORT=80", "X=a=b", "E="]', { PORT: '80', X: 'a=b', E: '' }],
  ])('has variables, which are those of env: %s', (setting, env) => {
    expect(first(setting).env).toEqual(env);
  });

  it.each([
    ['entrypoint: /bin/run -x', { entrypoint: ['/bin/run', '-x'] }],
    ['entrypoint: [/bin/run]', { entrypoint: ['/bin/run'] }],
    ['working_dir: /srv', { workingDir: '/srv' }],
    ['volumes: [./data:/data]', { volumes: [{ source: './data', target: '/data', readOnly: false }] }],
    ['volumes: [/a:/b:ro]', { volumes: [{ source: '/a', target: '/b', readOnly: true }] }],
    [
      'volumes: [cache:/c, /d]',
      {
        volumes: [
          { source: 'cache', target: '/c', readOnly: false },
          { target: '/d', readOnly: false },
        ],
      },
    ],
    ['ports: [80]', { ports: [{ target: 80, protocol: 'tcp' }] }],
    ['resources: { cpu: 0.5 }', { cpus: 0.5 }],
    ['resources: { memory: 256m }', { memory: 256 * 1024 ** 2 }],
    ['resources: { memory: 268435456 }', { memory: 256 * 1024 ** 2 }],
    [
      'healthcheck: { test: "nc -z a 1", interval: 5s, timeout: 2s, start_period: 1m, retries: 4 }',
      {
        healthcheck: {
          test: ['CMD-SHELL', 'nc -z a 1'],
          interval: 5e6,
          timeout: 2e6,
          startPeriod: 60e6,
          retries: 4,
        },
      },
    ],
    ['healthcheck: { test: [CMD, "true"] }', { healthcheck: { test: ['CMD', 'true'] } }],
    ['healthcheck: { disable: true }', { healthcheck: { test: ['NONE'] } }],
  ])('has what %s says', (setting, container) => {
    expect(containerOf(setting)).toEqual(container);
  });

  it.each([
    ['8080:80', [{ target: 80, protocol: 'tcp', published: 8080 }]],
    ['127.0.0.1:8080:80/udp', [{ target: 80, protocol: 'udp', published: 8080, address: '127.0.0.1' }]],
    ['127.0.0.1::80', [{ target: 80, protocol: 'tcp', address: '127.0.0.1' }]],
    ['[::1]:8080:80', [{ target: 80, protocol: 'tcp', published: 8080, address: '::1' }]],
  ])('publishes the port %s', (text, value) => {
    expect(parsePorts(text)).toEqual({ value });
    expect(formatPort(value[0] as Parameters<typeof formatPort>[0])).toBe(text);
  });

  it('publishes ranges, one port each', () => {
    const [first, second, ...more] = containerOf('ports: ["7000-7001:80-81"]')!.ports!;
    expect([first, second]).toMatchObject([
      { target: 80, published: 7000 },
      { target: 81, published: 7001 },
    ]);
    expect(more).toEqual([]);
  });

  it.each(['1.5g', '512k', '6291457b', '1t'])('reads and writes the amount %s', (text) => {
    const bytes = text === '512k' ? 6 * 1024 ** 2 : parseContainerMemory(text);
    expect(parseContainerMemory(formatContainerMemory(bytes))).toBe(bytes);
  });

  it('reads amounts as Docker Compose does', () => {
    for (const text of ['16m', '16M', '16MB', '16mib', '16384k', `${16 * 1024 ** 2}`])
      expect(parseContainerMemory(text)).toBe(16 * 1024 ** 2);
  });

  it('may have a user with a group, which a machine has not', () => {
    expect(first('user: "1000:1000"').user).toMatchObject({ name: '1000:1000' });
    expect(problems('services: { a: { user: "1000:1000" } }')[0]).toMatchObject({ code: 'VALUE_INVALID' });
  });

  it('is written as it was read', () => {
    const { topology } = loadTopology(
      file(
        'command: [a, "1"]',
        'entrypoint: [/e]\n    working_dir: /w\n    volumes: ["./a:/b:ro", /c]\n    ports: ["127.0.0.1:80:81/udp", 90]\n' +
          '    resources: { cpu: 1.5, memory: 7m }\n    healthcheck: { test: [CMD, "x y", "80"], interval: 1m30s, retries: 2 }',
      ),
      'a.yaml',
    );
    const again = loadTopology(nativeText(topology), 'a.yaml').topology;
    expect(again.services[0]!.container).toEqual(topology.services[0]!.container);
    expect(again.services[0]!.command).toEqual(['a', '1']);
  });

  it.each([
    ['image: "a b"', '3:12', /"a b" is no name of an image/],
    ['command: "a \'b"', '4:14', /the text has an open quote/],
    ['args: ["a\\0"]', '4:11', /a word has a NUL character/],
    ['environment: ["PORT"]', '4:19', /"PORT" is no variable with a value \(write e.g. "PORT=8080"/],
    ['environment: { A-B: x }', '4:20', /"A-B" is no name of a variable/],
    ['working_dir: srv', '4:18', /"srv" is no folder of a container/],
    ['volumes: ["a:b"]', '4:15', /"a:b" has no path in the container/],
    ['volumes: ["~/a:/b"]', '4:15', /has a source that is neither a path/],
    ['volumes: ["/a:/b:rx"]', '4:15', /has rx where ro or rw belongs/],
    ['volumes: ["/"]', '4:15', /has no path in the container/],
    ['ports: ["80:"]', '4:13', /"80:" is no port/],
    ['ports: ["0:80"]', '4:13', /has a port outside of 1 to 65535/],
    ['ports: [70000]', '4:13', /70000/],
    ['ports: ["80-81:80"]', '4:13', /has ranges of different lengths/],
    ['ports: ["300.1.1.1:80:80"]', '4:13', /has no address/],
    ['resources: { cpu: 0 }', '4:23', /services.a.resources.cpu/],
    ['resources: { cpus: 1 }', '4:18', /there is no key "cpus" here \(did you mean "cpu"/],
    ['resources: { memory: 5 apples }', '4:26', /is not an amount of memory/],
    ['resources: { memory: 1m }', '4:26', /is outside of 6 MiB to 1 PiB/],
    ['healthcheck: { test: [] }', '4:26', /services.a.healthcheck.test/],
    ['healthcheck: { test: [RUN, x] }', '4:26', /the test is no test/],
    ['healthcheck: { test: x, disable: true }', '4:38', /a test stands beside disable/],
    ['healthcheck: { interval: 5 }', '4:30', /has no unit/],
  ])('refuses %s at %s', (setting, place, message) => {
    const text = setting.startsWith('image') ? `services:\n  a:\n    ${setting}\n` : file(setting);
    const [problem] = problems(text);
    expect(formatDiagnostic(problem!)).toMatch(message);
    expect(`${problem!.line}:${problem!.column}`).toBe(place);
  });

  it('refuses variables twice, and one port of the machine for several replicas', () => {
    expect(problems(file('env: { A: x }', 'environment: { B: y }'))[0]!.message).toContain(
      'stands beside env',
    );
    expect(problems(file('replicas: 2', 'ports: ["80:80"]'))[0]).toMatchObject({
      message: "the machine's port 80 can't be that of 2 replicas",
      line: 5,
    });
    expect(native(file('replicas: 2', 'ports: ["80"]')).services[0]!.container!.ports).toHaveLength(1);
  });

  it('is warned of where there is no image', () => {
    const { warnings } = loadTopology(
      'services: { a: { ports: [80], run: x }, b: {} }\nlinks: [{ from: a, to: b }]',
      'a.yaml',
    );
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "KEY_IGNORED ports is a container's, and the service has no image",
    ]);
  });

  it('gives restart, ready and after a meaning without run', () => {
    const { warnings } = loadTopology(
      'services: { a: { image: x, restart: always, ready: { port: 1 }, after: b }, b: {} }\nlinks: [{ from: a, to: b }]',
      'a.yaml',
    );
    expect(warnings).toEqual([]);
  });
});
