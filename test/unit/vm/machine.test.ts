import { describe, expect, it } from 'vitest';
import { parseKernelPackage } from '../../../deploy/vm/distribution-kernel.ts';
import { parseDepends } from '../../../deploy/vm/initramfs.ts';
import { qemuArguments } from '../../../deploy/vm/qemu-arguments.ts';
import { judgeReport } from '../../vm/machine/inner-tests.ts';

const OPTIONS = {
  image: '/k/vmlinuz',
  initramfs: '/t/initramfs',
  memoryMb: 2048,
  hostname: 'host1',
  results: '/t/a,b',
  compiled: '/c',
  console: '/t/console',
  cable: undefined,
};

const valuesOf = (args: readonly string[], name: string): string[] =>
  args.flatMap((arg, index) => (args[index - 1] === name ? [arg] : []));

describe('the command line of QEMU', () => {
  const args = qemuArguments(OPTIONS);

  it('gives what is asked for', () => {
    expect(valuesOf(args, '-m')).toEqual(['2048M']);
    expect(valuesOf(args, '-kernel')).toEqual(['/k/vmlinuz']);
    expect(valuesOf(args, '-initrd')).toEqual(['/t/initramfs']);
    expect(valuesOf(args, '-append')[0]).toContain(' netfold.hostname=host1');
  });
  it('never lets the root of the host be written to', () => {
    const shares = valuesOf(args, '-fsdev');
    expect(shares.filter((one) => one.includes(',path=/,'))).toEqual([
      expect.stringContaining('readonly=on'),
    ]);
    expect(shares.filter((one) => one.includes('readonly'))).toHaveLength(1);
  });
  it('doubles commas in paths', () => {
    expect(valuesOf(args, '-fsdev')).toContainEqual(expect.stringContaining('path=/t/a,,b,security'));
  });
  const cable = { socket: '/t/1.sock', peerSocket: '/t/0.sock', mac: '52:54:00:00:00:02' };
  const onCable = qemuArguments({ ...OPTIONS, cable });

  it('gives a clock of its own to a machine by itself, and the clock of the host to machines on a cable', () => {
    expect(valuesOf(args, '-icount')).toEqual(['shift=1,sleep=on']);
    expect(valuesOf(onCable, '-icount')).toEqual([]);
  });
  it('has a network card on a cable only', () => {
    expect(valuesOf(args, '-netdev')).toEqual([]);
    expect(valuesOf(onCable, '-netdev')).toEqual([
      'dgram,id=cable,local.type=unix,local.path=/t/1.sock,remote.type=unix,remote.path=/t/0.sock',
    ]);
    expect(onCable.join(' ')).toContain('mac=52:54:00:00:00:02');
  });
});

describe('the kernel package', () => {
  it('is what the metapackage depends on', () => {
    const text =
      'Package: linux-image-amd64\nVersion: 6.1.192-2\nDepends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)\n';
    expect(parseKernelPackage(text)).toEqual({ name: 'linux-image-6.1.0-56-amd64', version: '6.1.192-2' });
  });
  it('is unknown where apt knows nothing', () => {
    expect(parseKernelPackage('')).toBeUndefined();
    expect(parseKernelPackage('Package: linux-image-amd64\nVersion: 1\n')).toBeUndefined();
  });
});

it('finds the files of modules, in their order, and no built-in ones', () => {
  const text = 'insmod /m/virtio.ko \nbuiltin ext4\ninsmod /m/9p.ko.xz debug=1\n';
  expect(parseDepends(text)).toEqual(['/m/virtio.ko', '/m/9p.ko.xz']);
});

describe('the report of the tests inside', () => {
  const report = (...tests: [string, string, string?][]) => ({
    success: true,
    testResults: [
      {
        name: 'a.test.ts',
        assertionResults: tests.map(([fullName, status, why]) => ({
          fullName,
          status,
          failureMessages: why === undefined ? [] : [why],
        })),
      },
    ],
  });

  it('names what passed', () => {
    expect(judgeReport(report(['x adds', 'passed']))).toEqual({ passed: ['x adds'], wrong: [] });
  });
  it('names what failed and why, and what was skipped', () => {
    expect(judgeReport(report(['x', 'failed', '1 is not 2'], ['y', 'skipped'], ['z', 'passed']))).toEqual({
      passed: ['z'],
      wrong: ['failed: x\n1 is not 2', 'skipped: y'],
    });
  });
  it('does not take for skipped what was not chosen', () => {
    expect(
      judgeReport(report(['with netem x', 'passed'], ['with a line x', 'skipped']), 'with netem'),
    ).toEqual({
      passed: ['with netem x'],
      wrong: [],
    });
  });
  it('never takes for good a file that did not load, or a choice of nothing', () => {
    const broken = {
      success: false,
      testResults: [{ name: 'b.test.ts', message: 'no module', assertionResults: [] }],
    };
    expect(judgeReport(broken).wrong).toEqual(['b.test.ts: no module']);
    expect(judgeReport({ success: true, testResults: [] }).wrong).toEqual(['no test']);
    expect(judgeReport(report(['x', 'skipped']), 'y').wrong).toEqual(['no test is named "y"']);
  });
});
