import { expect, it } from 'vitest';
import { verifyArguments } from '../../../deploy/setup/start-arguments.mjs';

const MAIN = '/src/netfold/controller/cli/main.ts';
const QUICKSTART = '/src/netfold/examples/quickstart.yaml';
const given = (...args: string[]) => verifyArguments(args, '/src/netfold');

it('runs the quickstart on two hosts, if it has so many endpoints', () => {
  expect(given()).toEqual([MAIN, 'verify', QUICKSTART, '--hosts-if-any', '2']);
});
it('runs the file that is given, as it is written', () => {
  expect(given('../my own.yaml')).toEqual([MAIN, 'verify', '../my own.yaml', '--hosts-if-any', '2']);
});
it('passes options on, with a file and without', () => {
  expect(given('a.xml', '--json')).toEqual([MAIN, 'verify', 'a.xml', '--hosts-if-any', '2', '--json']);
  expect(given('--json')).toEqual([MAIN, 'verify', QUICKSTART, '--hosts-if-any', '2', '--json']);
});
it.each([[['--hosts', '3']], [['--hosts=3']]])("leaves the number of hosts to the user's %j", (options) => {
  expect(given('a.yaml', ...options)).toEqual([MAIN, 'verify', 'a.yaml', ...options]);
});
