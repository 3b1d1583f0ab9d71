import { describe, expect, it, test } from 'vitest';
import { detectMachine, type MachineFacts } from '../../../agent/linux/probe/platform.ts';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n';
const UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n';
const MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n';
const FEDORA = 'NAME="Fedora Linux"\nID=fedora\nPRETTY_NAME="Fedora Linux 42 (Server Edition)"\n';
const ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n';
const ALPINE = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\n';
const ARCH = 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\n';
const MINIKUBE = 'NAME=Buildroot\nVERSION=2025.02\nID=buildroot\nPRETTY_NAME="Buildroot 2025.02"\n';
const UNKNOWN = 'NAME="Void"\nID=void\n';

const WHOLE = { containerMark: false, cgroup: '0::/init.scope\n', isWholeMachine: true };
const CONTAINER = { containerMark: true, cgroup: '0::/\n', isWholeMachine: false };

function detect(osRelease: string, kernelRelease: string, more: Partial<MachineFacts> = WHOLE) {
  return detectMachine({ ...WHOLE, osRelease, kernelRelease, ...more });
}

test.each([
  ['Debian', DEBIAN, '6.1.0-56-amd64', 'debian', 'debian'],
  ['Debian, cloud flavour', DEBIAN, '6.12.43+deb13-cloud-arm64', 'debian', 'debian'],
  ['Ubuntu', UBUNTU, '6.8.0-134-generic', 'ubuntu', 'ubuntu'],
  ['Ubuntu in a cloud', UBUNTU, '5.15.0-1042-azure', 'ubuntu', 'ubuntu'],
  ['a descendant of Ubuntu', MINT, '6.8.0-51-generic', 'ubuntu', 'ubuntu'],
  ['Fedora', FEDORA, '6.15.9-201.fc42.x86_64', 'fedora', 'fedora'],
  ['a descendant of RHEL', ROCKY, '5.14.0-570.12.1.el9_6.x86_64', 'fedora', 'fedora'],
  ['Alpine, linux-lts', ALPINE, '6.12.48-0-lts', 'alpine', 'alpine'],
  ['Alpine, linux-virt', ALPINE, '6.12.48-0-virt', 'alpine', 'alpine'],
  ['Arch', ARCH, '6.16.4-arch1-1', 'arch', 'arch'],
  ['Arch, whose linux-lts is called as that of Alpine', ARCH, '6.12.44-1-lts', 'arch', 'arch'],
  ['WSL2', UBUNTU, '6.6.87.2-microsoft-standard-WSL2', 'ubuntu', 'wsl2'],
  ["minikube's ISO", MINIKUBE, '6.6.95', 'minikube', 'minikube'],
  ['a microVM with a kernel of its own', DEBIAN, '6.18.44-fc-v595', 'debian', 'own-kernel'],
  ['a distribution that nobody knows', UNKNOWN, '6.12.30_1', undefined, 'own-kernel'],
])('%s', (_, osRelease, kernelRelease, distribution, kernel) => {
  expect(detect(osRelease, kernelRelease)).toMatchObject({ distribution, kernel, container: false });
});

describe('a container', () => {
  it('has its own packages on the kernel of its host', () => {
    expect(detect(DEBIAN, '6.8.0-134-generic', CONTAINER)).toMatchObject({
      distribution: 'debian',
      kernel: 'ubuntu',
      container: true,
    });
    expect(detect(ARCH, '6.12.48-0-lts', CONTAINER).kernel).toBe('alpine');
    expect(detect(MINIKUBE, '6.6.87.2-microsoft-standard-WSL2', CONTAINER).kernel).toBe('wsl2');
  });

  it.each([
    '12:pids:/docker/0123456789abcdef\n',
    '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-2.scope\n',
    '0::/machine.slice/libpod-123.scope\n',
  ])('is known by its cgroup %j', (cgroup) => {
    expect(detect(DEBIAN, '6.1.0-56-amd64', { ...WHOLE, cgroup }).container).toBe(true);
  });

  it('is not a machine that was made of an image', () => {
    expect(detect(DEBIAN, '6.1.0-56-amd64', { containerMark: true, isWholeMachine: true }).container).toBe(
      false,
    );
  });

  it('is not a login session with process ids of its own', () => {
    const facts = { containerMark: false, cgroup: '0::/user.slice/user-1000.slice\n', isWholeMachine: false };
    expect(detect(DEBIAN, '6.1.0-56-amd64', facts).container).toBe(false);
  });
});

test('the name is the one that the distribution gives itself', () => {
  expect(detect(UBUNTU, '6.8.0-134-generic').name).toBe('Ubuntu 24.04.1 LTS');
  expect(detect(MINT, '6.8.0-134-generic').name).toBe('Linux Mint');
  expect(detect('', '6.8.0').name).toBe('an unknown Linux');
});
