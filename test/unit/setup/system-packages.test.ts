import { describe, expect, it } from 'vitest';
import { type Machine, parseOsRelease } from '../../../deploy/setup/machine.mjs';
import { NEEDS, needsFor } from '../../../deploy/setup/system-needs.mjs';
import { explainRefusal, findMissing, isThere } from '../../../deploy/setup/system-packages.mjs';

const debian: Machine = {
  platform: 'linux',
  isRoot: true,
  name: 'Debian 12',
  family: 'apt',
  canInstall: true,
};
const fedora: Machine = {
  platform: 'linux',
  isRoot: true,
  name: 'Fedora 43',
  family: 'dnf',
  canInstall: false,
};
const byName = (...names: string[]) => NEEDS.filter((need) => names.includes(need.packages.apt));

describe('what is needed', () => {
  it('npm start needs no compiler', () => {
    const names = needsFor('start').map((need) => need.packages.apt);
    expect(names).toContain('libbpf1');
    expect(names).not.toContain('clang');
    expect(names).not.toContain('qemu-system-x86');
  });
  it('npm test needs all that npm start needs, and more', () => {
    expect(needsFor('test')).toEqual(expect.arrayContaining([...needsFor('start')]));
    const names = needsFor('test').map((need) => need.packages.apt);
    expect(names).toEqual(expect.arrayContaining(['clang', 'qemu-system-x86', 'busybox-static', 'kmod']));
  });
  it('only the browser tests need a browser', () => {
    const names = (purpose: 'test' | 'browser') => needsFor(purpose).map((need) => need.packages.apt);
    expect(names('browser')).toEqual(expect.arrayContaining([...names('test'), 'chromium']));
    expect(names('test')).not.toContain('chromium');
  });
  it('only the tests of Kubernetes unpack its source', () => {
    const names = (purpose: 'test' | 'kubernetes') => needsFor(purpose).map((need) => need.packages.apt);
    expect(names('kubernetes')).toEqual(expect.arrayContaining([...names('test'), 'dpkg-dev patch']));
    expect(names('test')).not.toContain('dpkg-dev patch');
  });
  it('each need has a reason and something to look for', () => {
    for (const need of NEEDS) {
      expect(need.why).not.toBe('');
      expect(need.probes).not.toEqual([]);
    }
  });
});

describe('missing is what a probe does not find, whatever the package database says', () => {
  it('gives a need of which one probe fails', async () => {
    const probe = async (it: object) => !('command' in it && it.command === 'tc');
    expect(await findMissing(NEEDS, probe)).toEqual(byName('iproute2'));
  });
  it('gives nothing where all is there', async () => {
    expect(await findMissing(NEEDS, async () => true)).toEqual([]);
  });
  it('finds commands, libraries and files of this machine', async () => {
    expect(await isThere({ command: 'sh' })).toBe(true);
    expect(await isThere({ command: 'no-such-command' })).toBe(false);
    expect(await isThere({ library: 'libc.so.6' })).toBe(true);
    expect(await isThere({ library: 'libnosuch.so.1' })).toBe(false);
    expect(await isThere({ file: '/etc/passwd' })).toBe(true);
    expect(await isThere({ file: '/no/such/file' })).toBe(false);
  });
  it('does not take a lesser command of the same name', async () => {
    expect(await isThere({ command: 'echo', args: ['ip utility, iproute2-6.1.0'], says: 'iproute2' })).toBe(
      true,
    );
    expect(await isThere({ command: 'echo', args: ['BusyBox v1.36'], says: 'iproute2' })).toBe(false);
  });
});

it('takes no busybox that needs libraries, nor the modprobe of busybox', async () => {
  const dynamic = async (it: object) => !('command' in it && it.command === 'ldd');
  expect(await findMissing(NEEDS, dynamic)).toEqual(byName('busybox-static'));
  const lesser = async (it: object) => !('says' in it && it.says === 'kmod');
  expect(await findMissing(NEEDS, lesser)).toEqual(byName('kmod'));
});

describe('os-release', () => {
  it('is read with and without quotes', () => {
    expect(parseOsRelease('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n')).toEqual({
      name: 'Debian GNU/Linux 12',
      family: 'apt',
    });
  });
  it('knows a derivative by ID_LIKE', () => {
    expect(parseOsRelease('NAME=\'Rocky\'\nID=rocky\nID_LIKE="rhel centos fedora"\n').family).toBe('dnf');
    expect(parseOsRelease('ID=linuxmint\nID_LIKE="ubuntu debian"').family).toBe('apt');
  });
  it('knows none of an unknown one', () => {
    expect(parseOsRelease('ID=nixos')).toEqual({ name: 'an unknown Linux', family: undefined });
  });
});

describe('where set-up can not go on it says what to do', () => {
  const iproute = byName('iproute2', 'libbpf1');

  it('is silent where root has all, on any distribution', () => {
    expect(explainRefusal(debian, [], 'start')).toBeUndefined();
    expect(explainRefusal(fedora, [], 'start')).toBeUndefined();
  });
  it('is silent where root can install', () => {
    expect(explainRefusal(debian, iproute, 'start')).toBeUndefined();
  });
  it('without root names the command for root', () => {
    const user = { ...debian, isRoot: false };
    expect(explainRefusal(user, [], 'start')).toContain('sudo npm start');
    expect(explainRefusal(user, [], 'test')).toContain('sudo npm test');
    expect(explainRefusal(user, iproute, 'start')).toContain('would install iproute2 libbpf1');
  });
  it('elsewhere names what is missing, why, and the command of that distribution alone', () => {
    const text = explainRefusal(fedora, iproute, 'start');
    expect(text).toContain('ip, tc: ip and tc make namespaces and shape packets');
    expect(text).toContain('sudo dnf install iproute iproute-tc libbpf');
    expect(text).not.toContain('apk add');
    expect(text).not.toContain('sudo npm start');
    expect(explainRefusal({ ...fedora, isRoot: false }, iproute, 'start')).toContain('sudo npm start');
  });
  it.each([
    ['apk', 'sudo apk add iproute2 libbpf'],
    ['pacman', 'sudo pacman -S --needed iproute2 libbpf'],
  ] as const)('knows the names of %s', (family, command) => {
    expect(explainRefusal({ ...fedora, family }, iproute, 'start')).toContain(command);
  });
  it('on an unknown distribution names the commands of all', () => {
    const text = explainRefusal({ ...fedora, family: undefined }, iproute, 'start');
    for (const command of ['apt-get install', 'dnf install', 'apk add', 'pacman -S'])
      expect(text).toContain(command);
  });
  it('names each package once', () => {
    const text = explainRefusal({ ...fedora, family: 'pacman' }, byName('libbpf1', 'libbpf-dev'), 'test');
    expect(text).toMatch(/--needed libbpf$/m);
  });
  it('outside of Linux asks for a Linux machine', () => {
    const mac: Machine = { ...debian, platform: 'darwin', name: 'darwin' };
    expect(explainRefusal(mac, [], 'start')).toContain('Linux');
  });
});
