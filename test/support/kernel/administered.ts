/** An interface that an administrator has configured, in a namespace that is not netfold's. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNamespaces, namespacePath, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import { Journal } from '../../../agent/linux/take-over/journal.ts';
import type { InterfaceAt } from '../../../agent/linux/take-over/take-over.ts';

export const IFINDEX = 20;

/** A kind that this kernel's tc reports as missing. */
export class MissingKind extends Error {}

export class Administered {
  readonly name: string;
  readonly at: InterfaceAt;
  readonly journal: Journal;

  constructor(name: string) {
    this.name = name;
    this.at = { namespace: namespacePath(name), ifindex: IFINDEX };
    this.journal = new Journal(mkdtempSync(join(tmpdir(), 'journal-')));
    createNamespaces([name]);
    const link = `link add eth0 index ${IFINDEX} numtxqueues 2 numrxqueues 2 type veth peer name far0`;
    for (const line of [link, 'link set eth0 up', 'link set far0 up'])
      execFileSync('ip', ['-n', name, ...line.split(' ')]);
  }

  remove(): void {
    removeNamespace(this.name);
    rmSync(this.journal.folder, { recursive: true });
  }

  /** `tc`, with words as typed; `eth0` is the interface. Throws `MissingKind` if the kernel lacks a kind. */
  tc(line: string): string {
    const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);
    const done = spawnSync('tc', ['-n', this.name, ...args], { encoding: 'utf8' });
    if (done.status === 0) return done.stdout;
    const message = `tc ${line}: ${done.stderr.trim()}`;
    if (
      /kind is unknown|qdisc not found|No such file|TC classifier not found|not supported/.test(done.stderr)
    )
      throw new MissingKind(message);
    throw new Error(message);
  }

  /** The output of tc for the interface, without statistics. */
  show(): string {
    const qdiscs = this.tc('qdisc show dev eth0');
    const classes = this.tc('class show dev eth0').split('\n').filter(isMadeClass).sort();
    const parents = [
      ...[...qdiscs.matchAll(/^qdisc \S+ ([0-9a-f]+:)/gm)].map((match) => match[1]!),
      ...classes.map((line) => line.split(' ')[2]!),
    ];
    const filters = parents
      .filter((parent) => !/^(0|ffff):/.test(parent))
      .map((parent) => this.tc(`-j filter show dev eth0 parent ${parent}`));
    const entrances = qdiscs.includes('clsact')
      ? ['ingress', 'egress'].map((side) => this.tc(`-j filter show dev eth0 ${side}`))
      : [];
    return [...qdiscs.split('\n').sort(), ...classes, ...filters, ...entrances, this.gsoSegments()]
      .join('\n')
      .replaceAll(/direct_packets_stat \d+/g, '');
  }

  isShaped(): boolean {
    return this.tc('qdisc show dev eth0').includes('qdisc htb 4e46: root');
  }

  gsoSegments(): string {
    const shown = execFileSync('ip', ['-n', this.name, '-d', 'link', 'show', 'dev', 'eth0'], {
      encoding: 'utf8',
    });
    return /gso_max_segs \d+/.exec(shown)![0];
  }

  ip(line: string): void {
    execFileSync('ip', ['-n', this.name, ...line.split(' ')]);
  }

  /** Shapes the interface as netfold does; what an earlier agent left is adopted. */
  shape(): void {
    if (!this.isShaped()) this.tc('qdisc replace dev eth0 root handle 4e46: htb default 0');
    this.tc('class replace dev eth0 parent 4e46: classid 4e46:7 htb rate 3mbit');
    this.tc('qdisc replace dev eth0 parent 4e46:7 bfifo limit 30000');
    this.ip('link set dev eth0 gso_max_segs 9');
  }
}

/** Flows of fq_codel and sfq come and go. */
const isMadeClass = (line: string): boolean => /^class (htb|hfsc|drr|qfq|prio|tbf)/.test(line);

/** Installs a tree; lines that begin with LINK are for `ip link`. */
export function install(machine: Administered, lines: readonly string[]): void {
  for (const line of lines) {
    if (line.startsWith('LINK ')) machine.ip(`link ${line.slice(5)}`);
    else machine.tc(line);
  }
}

/** Whether this kernel has all the kinds of a tree, found by installing it. */
export function isPossible({ lines }: { readonly lines: readonly string[] }): boolean {
  const machine = new Administered(`possible-${process.pid}`);
  try {
    install(machine, lines);
    return true;
  } catch (error) {
    if (error instanceof MissingKind) return false;
    throw error;
  } finally {
    machine.remove();
  }
}
