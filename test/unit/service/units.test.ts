import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scriptText } from '../../../controller/service/openrc.ts';
import { ownProgram, unitText } from '../../../controller/service/units.ts';
import { DEFAULT_CAPABILITIES } from '../../../topology/model/capabilities.ts';

it('starts this installation, whatever its path is', () => {
  expect(existsSync(ownProgram())).toBe(true);
  expect(unitText('/usr/lib/netfold/bin/netfold')).toContain(
    '\nExecStart=/usr/lib/netfold/bin/netfold service run %i\n',
  );
  expect(unitText('/opt/my tools/100%/netfold')).toContain(
    '\nExecStart="/opt/my tools/100%%/netfold" service run %i\n',
  );
});

it('leaves the agent what applications may have', () => {
  const lines = unitText('/x').matchAll(/^CapabilityBoundingSet=(.*)$/gm);
  const bound = [...lines].flatMap((match) => match[1]!.split(' '));
  for (const name of DEFAULT_CAPABILITIES) expect(bound).toContain(`CAP_${name}`);
});

it('has a script for OpenRC, whose shell divides paths at blanks', () => {
  const text = scriptText('wan', '/usr/lib/netfold/bin/netfold');
  expect(text).toMatch(/^#!\/sbin\/openrc-run\n/);
  expect(text).toContain('\ncommand="/usr/lib/netfold/bin/netfold"\ncommand_args="service run wan"\n');
  expect(text).not.toContain('@');
  expect(() => scriptText('wan', '/opt/my tools/netfold')).toThrow(
    expect.objectContaining({ code: 'SERVICE_FAILED' }),
  );
});
