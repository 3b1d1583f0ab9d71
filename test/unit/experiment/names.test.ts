import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agentSocket,
  controllerSocket,
  experimentFolder,
  hostName,
  logFile,
  stateFile,
} from '../../../controller/names.ts';
import {
  endpointNamespace,
  experimentOf,
  fabricNamespace,
  hostNamespace,
  hostsFile,
  resolverFile,
  switchFile,
} from '../../../controller/platform/lab/lab-names.ts';

test.each([
  [endpointNamespace('x', 'client.0'), 'netfold.x.client.0'],
  [hostNamespace('x', hostName(7)), 'netfold.x+host7'],
  [fabricNamespace('my-lab_2'), 'netfold.my-lab_2+fabric'],
])('%s', (name, expected) => expect(name).toBe(expected));

describe('the experiment of a namespace', () => {
  test.each([
    ['netfold.x.client.0', 'x'],
    ['netfold.x+host0', 'x'],
    ['netfold.x+fabric', 'x'],
    ['netfold.my-lab_2.a-b.13', 'my-lab_2'],
    [`netfold.${'n'.repeat(40)}.c.0`, 'n'.repeat(40)],
  ])('%s is of %s', (namespace, experiment) => expect(experimentOf(namespace)).toBe(experiment));

  test.each([
    'netfold',
    'netfold.',
    'netfold.x',
    'netfold.x.',
    'netfold.x+',
    'netfold..client.0',
    'netfold.+host0',
    'netfold.-x.client.0',
    'netfold._x.client.0',
    `netfold.${'n'.repeat(41)}.c.0`,
    'netfold.x y.client.0',
    'netfold.x/y.client.0',
    'netfold-x.client.0',
    'netfoldx.client.0',
    'mynetfold.x.client.0',
    ' netfold.x.client.0',
    'Netfold.x.client.0',
    'cni-1234',
    'client.0',
    '',
  ])('"%s" is nobody\'s', (namespace) => expect(experimentOf(namespace)).toBeUndefined());

  test('is found again for every name that an experiment can have', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/), fc.nat(253), (experiment, index) => {
        expect(experimentOf(endpointNamespace(experiment, `server.${index}`))).toBe(experiment);
        expect(experimentOf(hostNamespace(experiment, hostName(index)))).toBe(experiment);
        expect(experimentOf(fabricNamespace(experiment))).toBe(experiment);
      }),
      { seed: 16 },
    );
  });
});

test('everything of an experiment lies in its own folder, each thing by itself', () => {
  const files = [
    stateFile('x'),
    controllerSocket('x'),
    agentSocket('x', 'host0'),
    agentSocket('x', 'host1'),
    logFile('x', 'client.0'),
    logFile('x', 'host0'),
    hostsFile('x'),
    resolverFile('x'),
    switchFile('x'),
  ];
  expect(experimentFolder('x')).toBe('/run/netfold/x');
  for (const file of files) expect(file.startsWith('/run/netfold/x/')).toBe(true);
  expect(new Set(files).size).toBe(files.length);
});
