import { describe, expect, it, test } from 'vitest';
import {
  type Ability,
  type AbilityId,
  blockers,
  delayBackends,
  judge,
  type Need,
  type Subject,
} from '../../../agent/linux/probe/ability.ts';
import type { Machine, Platform } from '../../../agent/linux/probe/platform.ts';
import { type Probe, runProbes } from '../../../agent/linux/probe/probe-list.ts';
import { everywhere, kernelRemedies, packageRemedies } from '../../../agent/linux/probe/remedies.ts';

function machine(distribution: Platform | undefined, kernel: Platform, container = false): Machine {
  return { name: 'Fixture', kernelRelease: '6.1', distribution, kernel, container };
}

const NETEM: Subject = {
  id: 'netem',
  name: 'netem',
  neededFor: 'latency',
  need: 'one of',
  from: 'kernel',
  remedies: kernelRemedies({ modules: ['sch_netem'], options: ['NET_SCH_NETEM'] }),
};
const LIBBPF: Subject = {
  id: 'libbpf',
  name: 'libbpf',
  neededFor: 'BPF',
  need: 'lab',
  from: 'packages',
  remedies: packageRemedies({ apt: 'libbpf1', dnf: 'libbpf-f', apk: 'libbpf-a', pacman: 'libbpf-p' }),
};
const missing = { reason: 'ENOENT' };

describe('the remedy for a part of the kernel', () => {
  test.each<[Platform, RegExp]>([
    ['debian', /^modprobe -a sch_netem \|\| apt-get install -y linux-image-\$\(dpkg --print-architecture\)/],
    ['ubuntu', /apt-get install -y linux-modules-extra-\$\(uname -r\) && modprobe -a sch_netem; }/],
    ['fedora', /dnf install -y kernel-modules-extra-\$\(uname -r\) && modprobe -a sch_netem; }/],
    ['alpine', /^modprobe -a sch_netem {2}# .*reboot/],
    ['arch', /^modprobe -a sch_netem {2}# .*reboot/],
    ['wsl2', /^modprobe -a sch_netem \|\| wsl\.exe --update {2}# .*6\.6.*wsl\.exe --shutdown/],
    ['minikube', /^minikube start --profile netfold --driver=docker {2}# on the host/],
    ['own-kernel', /^scripts\/config -e NET_SCH_NETEM && make/],
  ])('on the kernel of %s', (kernel, remedy) => {
    // Packages don't matter for it: they are of another distribution.
    const ability = judge(NETEM, missing, machine(kernel === 'fedora' ? 'alpine' : 'fedora', kernel));
    expect(ability.remedy).toMatch(remedy);
    expect(ability.remedies[0]?.platform).toBe(kernel);
    expect(ability.remedies).toHaveLength(8);
  });

  it('is carried out on the host of a container', () => {
    expect(judge(NETEM, missing, machine('debian', 'alpine', true)).remedy).toMatch(
      /^modprobe -a sch_netem {2}# on the host of this container; linux-lts/,
    );
  });

  it('names all modules and options', () => {
    const remedies = kernelRemedies({ modules: ['a', 'b'], options: ['A', 'B'] });
    const command = (wanted: Platform) => remedies.find(({ platform }) => platform === wanted)?.command;
    expect(command('alpine')).toBe('modprobe -a a b');
    expect(command('own-kernel')).toContain('-e A -e B');
  });

  it('says what is different in minikube', () => {
    const remedies = kernelRemedies({ modules: [], options: [], minikubeNote: 'since 1.6' });
    expect(remedies.find(({ platform }) => platform === 'minikube')?.note).toMatch(/since 1\.6$/);
  });
});

describe('the remedy for a package', () => {
  test.each<[Platform, string]>([
    ['debian', 'apt-get install -y libbpf1'],
    ['ubuntu', 'apt-get install -y libbpf1'],
    ['fedora', 'dnf install -y libbpf-f'],
    ['alpine', 'apk add libbpf-a'],
    ['arch', 'pacman -S --needed --noconfirm libbpf-p'],
  ])('of %s', (distribution, remedy) => {
    expect(judge(LIBBPF, missing, machine(distribution, 'own-kernel', true)).remedy).toBe(remedy);
  });

  it('of a distribution that nobody knows: one line for each that somebody knows', () => {
    const lines = judge(LIBBPF, missing, machine(undefined, 'own-kernel')).remedy.split('\n');
    expect(lines).toContain('Alpine: apk add libbpf-a');
    expect(lines).toHaveLength(LIBBPF.remedies.length);
  });

  it('may start a service as well', () => {
    const [debian, , fedora] = packageRemedies(
      { apt: 'a', dnf: 'b', apk: 'c', pacman: 'd' },
      { afterwards: { dnf: 'systemctl start b' } },
    );
    expect(debian?.command).toBe('apt-get install -y a');
    expect(fedora?.command).toBe('dnf install -y b && systemctl start b');
  });
});

test('what no command helps against is a sentence', () => {
  const subject = { ...LIBBPF, remedies: everywhere({ command: '', note: 'take another machine' }) };
  expect(judge(subject, missing, machine('debian', 'debian')).remedy).toBe('take another machine');
});

describe('judging', () => {
  it('keeps what was found, and no reason', () => {
    const ability = judge(LIBBPF, { found: '1.1.0' }, machine('debian', 'debian'));
    expect(ability).toMatchObject({ ok: true, tried: true, found: '1.1.0', reason: '' });
  });

  it('keeps the reason', () => {
    const ability = judge(LIBBPF, missing, machine('debian', 'debian'));
    expect(ability).toMatchObject({ ok: false, tried: true, found: '', reason: 'ENOENT' });
  });
});

function ability(id: AbilityId, need: Need, ok: boolean, tried = true): Ability {
  return {
    id,
    name: id,
    neededFor: '',
    need,
    ok,
    tried,
    found: '',
    reason: '',
    remedy: '',
    remedies: [],
  };
}

describe('what keeps a lab from running', () => {
  const ids = (abilities: Ability[]) => blockers(abilities).map(({ id }) => id);

  it('is what the lab needs', () => {
    expect(ids([ability('htb', 'lab', false), ability('veth', 'lab', true)])).toEqual(['htb']);
  });

  it('is not what only some need', () => {
    expect(ids([ability('docker', 'optional', false), ability('memory', 'advice', false)])).toEqual([]);
  });

  it('is one alternative only when all are missing', () => {
    expect(ids([ability('netem', 'one of', false), ability('nfqueue', 'one of', true)])).toEqual([]);
    expect(ids([ability('netem', 'one of', true), ability('nfqueue', 'one of', false)])).toEqual([]);
    expect(ids([ability('netem', 'one of', false), ability('nfqueue', 'one of', false)])).toEqual([
      'netem',
      'nfqueue',
    ]);
  });

  it('is not what could not be tried', () => {
    expect(ids([ability('root', 'lab', false), ability('htb', 'lab', false, false)])).toEqual(['root']);
  });
});

test.each([
  [true, true, ['netem', 'delay-line']],
  [true, false, ['netem']],
  [false, true, ['delay-line']],
  [false, false, []],
])('with netem %s and NFQUEUE %s, delays come from %j', (netem, nfqueue, backends) => {
  // The order of the abilities is not the order of preference.
  expect(delayBackends([ability('nfqueue', 'one of', nfqueue), ability('netem', 'one of', netem)])).toEqual(
    backends,
  );
});

describe('running probes', () => {
  const probe = (id: AbilityId, attempt: () => string | undefined, needs: AbilityId[] = []): Probe => ({
    ...NETEM,
    id,
    name: `the ${id}`,
    needs,
    attempt,
  });
  const fails = (): never => {
    throw new Error('EPERM');
  };
  const run = (probes: Probe[]) => runProbes(probes, machine('debian', 'debian'));

  it('tells what each found or why it failed', () => {
    expect(
      run([probe('htb', () => 'version 3'), probe('veth', () => undefined), probe('root', fails)]),
    ).toMatchObject([
      { id: 'htb', ok: true, found: 'version 3' },
      { id: 'veth', ok: true, found: '' },
      { id: 'root', ok: false, tried: true, reason: 'EPERM' },
    ]);
  });

  it('does not try what builds on something missing, and names the cause', () => {
    const tried: string[] = [];
    const abilities = run([
      probe('root', fails),
      probe('htb', () => void tried.push('htb') as undefined, ['root']),
      probe('bpf-classifier', () => void tried.push('classifier') as undefined, ['root', 'htb']),
      probe('clsact', () => void tried.push('clsact') as undefined, ['htb']),
      probe('ipv6', () => void tried.push('ipv6') as undefined),
    ]);
    expect(tried).toEqual(['ipv6']);
    expect(abilities.map(({ reason, tried: wasTried }) => [wasTried, reason])).toEqual([
      [true, 'EPERM'],
      [false, 'not tried: it needs the root'],
      [false, 'not tried: it needs the root'],
      [false, 'not tried: it needs the htb'],
      [true, ''],
    ]);
  });
});
