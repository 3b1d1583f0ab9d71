import { describe, expect, it } from 'vitest';
import { type Ability, type AbilityId, judge, type Need } from '../../../agent/linux/probe/ability.ts';
import type { Machine } from '../../../agent/linux/probe/platform.ts';
import { requireAbilities } from '../../../controller/machine/abilities.ts';
import { reportLines, reportOf } from '../../../controller/machine/report.ts';

const MACHINE: Machine = {
  name: 'Fixture 1',
  kernelRelease: '6.1.0-9-amd64',
  distribution: 'alpine',
  kernel: 'debian',
  container: false,
};

interface Facts {
  readonly need: Need;
  readonly missing?: string;
  readonly found?: string;
  readonly tried?: boolean;
}

function ability(id: AbilityId, { need, missing, found = '', tried = true }: Facts): Ability {
  const subject = {
    id,
    name: id.toUpperCase(),
    neededFor: `${id}s`,
    need,
    from: 'kernel' as const,
    remedies: [
      { platform: 'alpine' as const, command: `apk ${id}` },
      { platform: 'debian' as const, command: `modprobe ${id}`, note: 'then look again' },
    ],
  };
  return judge(subject, missing === undefined ? { found } : { reason: missing, tried }, MACHINE);
}

const LAB = ability('htb', { need: 'lab' });
const NETEM = ability('netem', { need: 'one of' });
const QUEUE = ability('nfqueue', { need: 'one of' });
const NO_NETEM = ability('netem', { need: 'one of', missing: 'ENOENT' });
const NO_QUEUE = ability('nfqueue', { need: 'one of', missing: 'EOPNOTSUPP' });

describe('the report', () => {
  it('marks what is there, what is not needed, what may harm, what is unknown, and says how packets are delayed', () => {
    const abilities = [
      ability('docker', { need: 'optional', missing: 'no daemon' }),
      QUEUE,
      NO_NETEM,
      LAB,
      ability('memory', { need: 'advice', missing: '90 MB' }),
      ability('iproute2', { need: 'lab', found: '6.1.0' }),
      ability('ipv6', { need: 'optional', missing: 'not tried: it needs HTB', tried: false }),
    ];
    expect(reportLines(reportOf(MACHINE, abilities)).join('\n')).toBe(
      `Fixture 1; Linux 6.1.0-9-amd64 (Debian)
! MEMORY (for memorys): 90 MB
    → modprobe memory  # then look again
✓ IPROUTE2: 6.1.0
✓ HTB
– NETEM (for netems): ENOENT
    → modprobe netem  # then look again
✓ NFQUEUE
? IPV6 (for ipv6s): not tried: it needs HTB
– DOCKER (for dockers): no daemon
    → modprobe docker  # then look again
this machine can run a local lab; packets are delayed by the delay line`,
    );
  });

  it('says that a lab can not run, and of which lines that is the fault', () => {
    const abilities = [ability('htb', { need: 'lab', missing: 'ENOENT' }), NETEM, QUEUE];
    const report = reportOf(MACHINE, abilities);
    expect(report.able).toBe(false);
    expect(reportLines(report)).toEqual([
      expect.any(String),
      '✗ HTB (for htbs): ENOENT',
      '    → modprobe htb  # then look again',
      '✓ NETEM',
      '✓ NFQUEUE',
      "this machine can't run a local lab yet",
    ]);
  });

  it('blames both alternatives when neither is there', () => {
    const report = reportOf(MACHINE, [LAB, NO_NETEM, NO_QUEUE]);
    expect(report).toMatchObject({ able: false, delayBackends: [] });
    expect(reportLines(report).filter((line) => line.startsWith('✗'))).toHaveLength(2);
  });

  it('prefers netem', () => {
    const report = reportOf(MACHINE, [LAB, QUEUE, NETEM]);
    expect(report.delayBackends).toEqual(['netem', 'delay-line']);
    expect(reportLines(report).at(-1)).toMatch(/delayed by netem, or the delay line$/);
  });

  it('lists all platforms when asked, this machine first', () => {
    const lines = reportLines(reportOf(MACHINE, [LAB, NO_NETEM, QUEUE]), { allPlatforms: true });
    expect(lines.filter((line) => line.includes('→'))).toEqual([
      '    → Debian: modprobe netem  # then look again',
      '    → Alpine: apk netem',
    ]);
  });

  it('styles marks and verdict by how bad they are', () => {
    const style = (tone: string, text: string): string => `[${tone} ${text}]`;
    const lines = reportLines(reportOf(MACHINE, [LAB, NO_NETEM, QUEUE]), { style });
    expect(lines[1]).toBe('[good ✓] HTB');
    expect(lines[2]).toMatch(/^\[quiet –\] NETEM/);
    expect(lines.at(-1)).toMatch(/^\[good this machine can/);
  });

  it('names a container and its host', () => {
    const machine = { ...MACHINE, container: true, kernel: 'wsl2' as const };
    expect(reportLines(reportOf(machine, [LAB, QUEUE]))[0]).toBe(
      'Fixture 1, in a container; Linux 6.1.0-9-amd64 (WSL2)',
    );
  });
});

describe('starting an experiment', () => {
  it('is not refused for what it does not need', () => {
    const docker = ability('docker', { need: 'optional', missing: 'no daemon' });
    expect(() => requireAbilities([LAB, NO_NETEM, QUEUE, docker])).not.toThrow();
  });

  it('is not refused in a container for what only a lab needs', () => {
    const none = ability('util-linux', { need: 'lab', missing: 'ENOENT' });
    expect(() => requireAbilities([LAB, QUEUE, none], true)).not.toThrow();
    expect(() => requireAbilities([LAB, QUEUE, none])).toThrow(/util-linux/i);
    const htb = ability('htb', { need: 'lab', missing: 'ENOENT' });
    expect(() => requireAbilities([htb, QUEUE, none], true)).toThrow(
      /can't shape containers:\n {2}✗ HTB[^✗]*$/,
    );
  });

  it('is refused with everything that is missing, and nothing else', () => {
    const abilities = [
      ability('htb', { need: 'lab', missing: 'ENOENT' }),
      ability('clsact', { need: 'lab', missing: 'not tried', tried: false }),
      ability('docker', { need: 'optional', missing: 'no daemon' }),
      NO_NETEM,
      NO_QUEUE,
    ];
    expect(() => requireAbilities(abilities)).toThrow(
      expect.objectContaining({
        code: 'MACHINE_CANNOT',
        blame: 'machine',
        message: `this machine can't run a local lab:
  ✗ HTB (for htbs): ENOENT
      → modprobe htb  # then look again
  ✗ NETEM (for netems): ENOENT
      → modprobe netem  # then look again
  ✗ NFQUEUE (for nfqueues): EOPNOTSUPP
      → modprobe nfqueue  # then look again`,
      }),
    );
  });
});
