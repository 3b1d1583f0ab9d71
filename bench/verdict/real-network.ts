/** The real network below a lab, made worse: netfold knows nothing of it. Each function returns what ends it. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { MESH_PORT } from '../../controller/names.ts';
import { FABRIC_INTERFACE } from '../../controller/platform/lab/lab-plan.ts';
import type { Lab } from '../lab.ts';

export type Undo = () => unknown;

/** A token bucket drops what is longer than it. */
const SMALL = ['rate', '1mbit', 'burst', '60', 'limit', '1000'];
/** A queue of 40 kB, in which a packet waits for up to 40 ms. */
const QUEUE = ['rate', '8mbit', 'burst', '3000', 'limit', '40000'];

/** Fifteen datagrams of 1,000 bytes on the wire every 10 ms: 12 Mb/s. */
const FILLER = `use Socket; use Time::HiRes "sleep"; socket(my $s, PF_INET, SOCK_DGRAM, 0);
my $to = pack_sockaddr_in(9, inet_aton($ARGV[0]));
while (1) { send($s, "x" x 958, 0, $to) for 1..15; sleep(0.01); }`;

const ip = async (...words: string[]): Promise<string> => (await promisify(execFile)('ip', words)).stdout;

/** Three packets in ten that hosts get from each other are dropped, those of agents as well. */
export async function loseBetweenHosts({ experiment }: Lab): Promise<Undo> {
  const rules = [
    'add table inet lossy',
    'add chain inet lossy arrived { type filter hook prerouting priority -400; }',
    `add rule inet lossy arrived iifname "${FABRIC_INTERFACE.name}" numgen random mod 10 < 3 drop`,
  ];
  const onHosts = async (text: string): Promise<void> => {
    for (const { namespace } of experiment.plan.hosts) await ip('netns', 'exec', namespace, 'nft', text);
  };
  await onHosts(rules.join('; '));
  return () => onHosts('delete table inet lossy');
}

/** Agents reach each other at port 4646, in the namespaces of their hosts: the one of this host reaches nobody. */
export async function cutAgent({ experiment }: Lab, host: number): Promise<Undo> {
  const { namespace } = experiment.plan.hosts[host]!;
  const rules = ['input', 'output'].flatMap((hook) => [
    `add chain inet cut ${hook} { type filter hook ${hook} priority 0; }`,
    `add rule inet cut ${hook} tcp dport ${MESH_PORT} drop`,
    `add rule inet cut ${hook} tcp sport ${MESH_PORT} drop`,
  ]);
  await ip('netns', 'exec', namespace, 'nft', ['add table inet cut', ...rules].join('; '));
  return () => ip('netns', 'exec', namespace, 'nft', 'delete table inet cut');
}

/** Nothing arrives at the endpoint any more but what is shorter than any packet. */
export async function cutTo(lab: Lab, endpoint: string): Promise<Undo> {
  const { undo } = await narrow(lab, endpoint, SMALL);
  return undo;
}

/** What arrives at the endpoint takes 30 to 40 ms longer: packets from the host, past all paths, keep a queue full but for 10 kB. */
export async function queueTo(lab: Lab, endpoint: string): Promise<Undo> {
  const { namespace, undo } = await narrow(lab, endpoint, QUEUE);
  const words = ['netns', 'exec', namespace, 'perl', '-e', FILLER, lab.place(endpoint).address];
  const filler = spawn('ip', words, { stdio: 'ignore' });
  return () => {
    filler.kill('SIGKILL');
    return undo();
  };
}

/** A cable between the two endpoints, which takes their packets past all rules. */
export async function joinByCable({ place }: Lab, one: string, other: string): Promise<Undo> {
  const [from, to] = [place(one), place(other)];
  const [there, back] = [`${to.address}/32`, `${from.address}/32`];
  const port = ['peer', 'name', 'by1', 'netns', to.namespace];
  await ip('-n', from.namespace, 'link', 'add', 'by0', 'type', 'veth', ...port);
  for (const [namespace, ifname, address] of [
    [from.namespace, 'by0', there],
    [to.namespace, 'by1', back],
  ] as const) {
    await ip('-n', namespace, 'link', 'set', ifname, 'up');
    await ip('-n', namespace, 'route', 'replace', address, 'dev', ifname);
  }
  return () => ip('-n', from.namespace, 'link', 'delete', 'by0');
}

/** Puts a token bucket at the end of the endpoint's link, in the namespace of its host. */
async function narrow(lab: Lab, endpoint: string, bucket: readonly string[]) {
  const { namespace } = hostOf(lab, endpoint);
  const port = await portOf(lab, endpoint);
  const behind = (verb: string, ...words: readonly string[]): Promise<string> =>
    ip('netns', 'exec', namespace, 'tc', 'qdisc', verb, 'dev', port, 'root', ...words);
  await behind('add', 'tbf', ...bucket);
  return { namespace, undo: () => behind('delete') };
}

/** The end in the host's namespace of an endpoint's link. */
async function portOf(lab: Lab, endpoint: string): Promise<string> {
  const list = async (
    where: string,
    ...words: string[]
  ): Promise<{ ifindex: number; ifname: string; link_index?: number }[]> =>
    JSON.parse(await ip('-n', where, '-j', 'link', 'show', ...words));
  const [own] = await list(lab.place(endpoint).namespace, 'dev', 'eth0');
  const found = await list(hostOf(lab, endpoint).namespace);
  return found.find(({ ifindex }) => ifindex === own!.link_index)!.ifname;
}

/** The emulated host that has an endpoint. */
export function hostOf({ experiment, place }: Lab, endpoint: string): { name: string; namespace: string } {
  const { name } = place(endpoint);
  return experiment.plan.endpoints.find((one) => one.name === name)!.host;
}
