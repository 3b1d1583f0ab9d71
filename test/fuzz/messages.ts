/** What arrives from elsewhere: the mesh, the kernel, name servers' clients, journals, requests of the API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'dns-packet';
import { decodeInvitation } from '../../agent/bootstrap/invitation.ts';
import { CommandJournal } from '../../agent/control/command-journal.ts';
import { type AgentDoor, openApi } from '../../agent/daemon/api.ts';
import { readAttributes, readMessages, readString } from '../../agent/kernel/netlink/netlink-message.ts';
import { Journal } from '../../agent/linux/take-over/journal.ts';
import { parseSigningKey, publicKeyOf } from '../../agent/mesh/trust/peer-id.ts';
import { parseCommanders } from '../../agent/mesh/trust/user-key.ts';
import {
  decodeClockReply,
  decodeClockRequest,
  encodeClockReply,
  encodeClockRequest,
} from '../../agent/mesh/wire/clock-codec.ts';
import {
  type AgentMessage,
  decodeAgentMessage,
  decodeStateReply,
  decodeStateRequest,
  encodeAgentMessage,
  encodeStateReply,
  encodeStateRequest,
} from '../../agent/mesh/wire/codec.ts';
import { answer } from '../../agent/names/answer.ts';
import { NameTable } from '../../agent/names/name-table.ts';
import { readCommand } from '../../agent/timeline/known-command.ts';
import { topologyHash } from '../../proto/bootstrap.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { bytesTarget, type Target, textTarget } from './target.ts';

const COMMANDS = [
  { origin: 'host-3', incarnation: 1_795_293_000_000, number: 4, issuedAt: 2_500_000.5, at: 7_500_000 },
  { origin: 'host-7', incarnation: 12, number: 1, issuedAt: 0, at: 0, until: 9_000_000 },
].map((one, index) => ({ ...one, text: ['set a--s2 latency=50ms', 'flap a--b every 1s'][index]! }));
const SIGNED = {
  ...COMMANDS[0]!,
  author: '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5',
  signature: Buffer.alloc(64, 7).toString('base64'),
};

const MESSAGE: AgentMessage = {
  topology: '0123456789abcdef',
  host: 'host-7',
  incarnation: 1_795_293_506_362,
  sequence: 300,
  digest: { entries: 3, low: 0xffffffff, high: 0x80000001 },
  update: {
    whole: true,
    meshAddresses: ['/ip4/192.0.2.7/tcp/7946'],
    endpoints: [
      { number: 3, addresses: ['10.0.0.3', 'fd00::3'], gone: false },
      { number: 70_000, addresses: [], gone: true },
    ],
    flows: { sources: [3, 3], destinations: [0, 70_000], states: [0, 2001] },
  },
  suspected: [{ host: 'host-3', incarnation: 9, sequence: 4 }],
  leaving: false,
  commands: [...COMMANDS, SIGNED],
  commandDigest: { entries: 2, low: 0x80000002, high: 0xfffffffe },
  timed: true,
};
const KNOWN = { peer: '12D3KooW', addresses: ['/ip4/192.0.2.8/tcp/1'], incarnation: 18 };
const { topology, host, incarnation, commandDigest } = MESSAGE;

/** Commands of the mesh are read as those of users: by the grammar of events. */
function readCommands(decoded: object): void {
  if ('rejected' in decoded)
    throw new NetfoldError({ code: 'REJECTED', blame: 'input', message: 'rejected' });
  const { commands = [] } = decoded as { commands?: AgentMessage['commands'] };
  for (const command of commands) readCommand(command);
}
const isRejected = (error: unknown): boolean => error instanceof NetfoldError;

const NAMES = new NameTable('127.0.0.1\tlocalhost\n10.1.0.1\tclient.0 client\nfd6e::1\tclient.0\n');
const question = (name: string, type: 'A' | 'AAAA' | 'PTR'): Buffer =>
  encode({ type: 'query', id: 7, flags: 256, questions: [{ name, type, class: 'IN' }] });

/** Two messages with attributes in attributes, as the kernel's dumps. */
const NETLINK = Buffer.from(
  '2c000000240002000100000000000000000000000200000001000000ffffffff00000000080001006874620000000000' +
    '140000000300020001000000000000000000000000000000',
  'hex',
);

function readNetlink(datagram: Buffer): void {
  for (const { body } of readMessages(datagram)) {
    for (const payload of readAttributes(body, 20).values()) {
      readString(payload);
      for (const inner of readAttributes(payload).values()) readString(inner);
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'netfold-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const commandFile = join(folder, 'host.commands');
const commandJournal = new CommandJournal(folder, 'host');
const journalFile = join(folder, '4-5-6.json');
const journal = new Journal(folder);
const ENTRY = {
  version: 1,
  identity: { namespaceDevice: 4, namespaceInode: 5, namespaceCookie: '17', bootId: 'a-b-c', ifindex: 6 },
  ...{
    ifname: 'eth7',
    namespacePath: '/run/netns/web',
    takenAt: '2026-11-21T10:00:00.000Z',
    experiment: 'x',
  },
  tree: {
    device: { ifname: 'eth7', mtu: 1500, txQueueLength: 1000, txQueues: 1, gsoMaxSegments: 21 },
    qdiscs: [{ kind: 'bfifo', handle: 0x50000, parent: 0xffffffff, options: 'QJwAAA==' }],
    ...{ classes: [], filters: [] },
  },
};
const TEXT = 'services: {}';
const INVITATION = {
  ...{
    experiment: 'lab',
    topology: { file: 'a.yaml', text: TEXT, hash: topologyHash({ text: TEXT }) },
    tickMs: 50,
  },
  ...{
    delayBackend: 'auto',
    peers: ['/ip4/1.2.3.4/tcp/5'],
    hosts: [{ name: 'h', peer: 'p', endpoints: ['a.0'] }],
  },
};
const REQUESTS = [
  { text: 'heal' },
  { text: 'set a latency=1ms', at: 5, during: 7, alone: true },
  { text: 'x', after: 1 },
];

async function openFuzzedApi(): Promise<(payload: string) => Promise<void>> {
  const door: Partial<AgentDoor> = {
    control: (request) => {
      readCommand({ ...COMMANDS[0]!, text: request.text });
      return { host: 'h', now: 0, inStep: [], behind: [], command: COMMANDS[0]! };
    },
  };
  const server = await openApi(door as AgentDoor, join(folder, 'agent.sock'));
  return async (payload) => {
    const headers = { 'content-type': 'application/json' };
    const { statusCode, body } = await server.inject({ method: 'POST', url: '/control', headers, payload });
    if (statusCode === 200) return;
    if (statusCode >= 500) throw new Error(`${statusCode}: ${body}`);
    throw new NetfoldError(JSON.parse(body));
  };
}
let askApi: ReturnType<typeof openFuzzedApi> | undefined;

const json = (values: readonly object[]): string[] => values.map((value) => JSON.stringify(value));

export const MESSAGES: readonly Target[] = [
  bytesTarget({
    name: 'gossip',
    seeds: [MESSAGE, { ...MESSAGE, update: undefined!, spread: true }].map(encodeAgentMessage),
    read: (bytes) => readCommands(decodeAgentMessage(bytes)),
    isCoded: isRejected,
  }),
  bytesTarget({
    name: 'state request',
    seeds: [encodeStateRequest({ topology, host, incarnation, commandDigest: commandDigest! })],
    read: (bytes) => readCommands(decodeStateRequest(bytes)),
    isCoded: isRejected,
  }),
  bytesTarget({
    name: 'state reply',
    seeds: [
      encodeStateReply({
        ...{ state: MESSAGE, yourIncarnation: 17, commands: COMMANDS },
        known: [{ ...KNOWN, tableSequence: 5, digestLow: 0x80000003 }],
      }),
    ],
    read: (bytes) => readCommands(decodeStateReply(bytes)),
    isCoded: isRejected,
  }),
  bytesTarget({
    name: 'clock',
    seeds: [
      encodeClockRequest({ topology }),
      encodeClockReply({ incarnation: 17, timed: true, received: 1_000_000.25, sent: 1_000_017 }),
    ],
    read: (bytes) => {
      const both = [decodeClockRequest(bytes), decodeClockReply(bytes)];
      readCommands(both.find((one) => !('rejected' in one)) ?? both[0]!);
    },
    isCoded: isRejected,
  }),
  bytesTarget({
    name: 'DNS query',
    seeds: [question('client.0', 'A'), question('client', 'AAAA'), question('1.0.1.10.in-addr.arpa', 'PTR')],
    read: (query) => [answer(NAMES, query, 'udp'), answer(NAMES, query, 'tcp')],
    isCoded: () => false,
  }),
  bytesTarget({ name: 'netlink', seeds: [NETLINK], read: readNetlink, isCoded: () => false }),
  textTarget({
    name: 'journal of commands',
    seeds: [json([...COMMANDS, SIGNED]).join('\n')],
    read: (text) => {
      writeFileSync(commandFile, text);
      for (const command of commandJournal.read()) readCommand(command);
    },
    isCoded: () => false,
  }),
  textTarget({
    name: "users' keys",
    seeds: [`# users\n${SIGNED.author} root@host0 network,run\n`],
    read: (text) => [parseCommanders(text, 'fuzz'), parseSigningKey(text), publicKeyOf(text.trim())],
    isCoded: isRejected,
  }),
  textTarget({
    name: 'journal of interfaces',
    seeds: json([ENTRY]),
    read: (text) => {
      writeFileSync(journalFile, text);
      journal.list();
    },
    isCoded: () => false,
  }),
  textTarget({
    name: 'invitation',
    seeds: json([INVITATION]),
    read: (text) => decodeInvitation(Buffer.from(text), 'fuzz'),
    isCoded: isRejected,
  }),
  textTarget({
    name: 'API',
    seeds: json(REQUESTS),
    read: async (text) => {
      askApi ??= openFuzzedApi();
      return (await askApi)(text);
    },
    isCoded: isRejected,
  }),
];
