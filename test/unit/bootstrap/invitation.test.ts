import { describe, expect, test } from 'vitest';
import {
  decodeInvitation,
  encodeInvitation,
  invitationOf,
  requireExperiment,
  requireGoing,
  requireRoom,
} from '../../../agent/bootstrap/invitation.ts';
import type { MeshHost } from '../../../agent/mesh/members/model.ts';
import { commandScope, signCommand } from '../../../agent/mesh/trust/command-signature.ts';
import { signingKeyOf } from '../../../agent/mesh/trust/peer-id.ts';
import { type Bootstrap, topologyHash } from '../../../proto/bootstrap.ts';
import type { Command } from '../../../proto/command.ts';

const text = 'services: { a: {}, b: {}, c: {} }';
const script = { file: 'x.tdl', text: 'bye' };
const topology = { file: 'x.yaml', text, script, hash: topologyHash({ text, script }) };

const bootstrap: Bootstrap = {
  experiment: 'wan',
  host: 'here',
  topology,
  endpoints: [],
  mesh: {
    listen: ['/ip4/0.0.0.0/tcp/4646'],
    peers: [],
    key: 'secret-key',
    identity: '/secret/folder',
    allow: [{ peer: 'P2', host: 'there' }],
    assignment: { 'a.0': 'here' },
  },
  tickMs: 40,
  delayBackend: 'netem',
  leaseMs: 3000,
  metadataBudgetBps: 80_000,
  changeThreshold: 0.1,
  seed: 7,
  logFolder: '/logs',
};

const host = (name: string, peer: string, meshAddresses: string[], self = false): MeshHost => ({
  ...{ name, peer, meshAddresses, self },
  ...{
    incarnation: 1,
    sequence: 1,
    lastHeard: 0,
    endpoints: 1,
    flows: 0,
    inStep: true,
    timed: true,
    near: true,
  },
});

const invitation = invitationOf(
  bootstrap,
  {
    hosts: () => [host('here', 'P1', [], true), host('there', 'P2', ['/ip4/10.0.0.2/tcp/4646/p2p/P2'])],
    endpoints: () => [
      { number: 0, name: 'a.0', host: 'here', addresses: [] },
      { number: 1, name: 'b.0', host: 'there', addresses: [] },
    ],
  },
  { addresses: ['/ip4/10.0.0.1/tcp/4646/p2p/P1'], admission: { assignment: { 'a.0': 'here' } } },
);

describe('an invitation', () => {
  test('has what agents of the experiment share, and nothing that is of one agent alone', () => {
    expect(invitation).toEqual({
      experiment: 'wan',
      topology,
      tickMs: 40,
      delayBackend: 'netem',
      metadataBudgetBps: 80_000,
      changeThreshold: 0.1,
      peers: ['/ip4/10.0.0.1/tcp/4646/p2p/P1', '/ip4/10.0.0.2/tcp/4646/p2p/P2'],
      hosts: [
        { name: 'here', peer: 'P1', endpoints: ['a.0'] },
        { name: 'there', peer: 'P2', endpoints: ['b.0'] },
      ],
      allow: [{ peer: 'P2', host: 'there' }],
      assignment: { 'a.0': 'here' },
    });
    const sent = Buffer.from(encodeInvitation(invitation)).toString();
    expect(sent).not.toContain('secret');
  });

  test('comes over as it was', () => {
    expect(decodeInvitation(encodeInvitation(invitation), 'peer')).toEqual(invitation);
  });

  test.each([
    ['text', { ...topology, text: `${text} ` }],
    ['script', { ...topology, script: { ...script, text: 'by' } }],
  ])('with another %s than its hash says is refused', (_, changed) => {
    const bytes = encodeInvitation({ ...invitation, topology: changed });
    expect(() => decodeInvitation(bytes, '/ip4/10.0.0.1/tcp/4646')).toThrow(
      expect.objectContaining({
        code: 'TOPOLOGY_MISMATCH',
        message: expect.stringContaining('/ip4/10.0.0.1/tcp/4646 says'),
      }),
    );
  });

  test.each([
    ['no JSON', 'no'],
    ['an empty answer', ''],
    ['a field too many', JSON.stringify({ ...invitation, more: 1 })],
    ['a tick of 0', JSON.stringify({ ...invitation, tickMs: 0 })],
    ['null', 'null'],
  ])('%s is refused', (_, sent) => {
    expect(() => decodeInvitation(Buffer.from(sent), 'peer')).toThrow(
      expect.objectContaining({ code: 'BOOTSTRAP_INVALID', blame: 'input' }),
    );
  });
});

describe('room for a host that joins', () => {
  const joining = { host: 'new', peer: 'P3', endpoints: ['c.0'] };

  test('is there for names that no host has', () => {
    expect(() => requireRoom(invitation, joining)).not.toThrow();
  });

  test.each([
    ['a host that is here', { host: 'there' }, 'HOST_CLAIMED', /there/],
    [
      'an endpoint that another host has',
      { endpoints: ['c.0', 'b.0'] },
      'ENDPOINT_CLAIMED',
      /b\.0 is on there/,
    ],
  ])('is not there for %s', (_, part, code, message) => {
    expect(() => requireRoom(invitation, { ...joining, ...part })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('is not there for an endpoint that is assigned to a host that is gone', () => {
    const gone = { ...invitation, hosts: [], assignment: { 'c.0': 'later' } };
    expect(() => requireRoom(gone, joining)).toThrow(expect.objectContaining({ code: 'ENDPOINT_CLAIMED' }));
    expect(() => requireRoom(gone, { ...joining, host: 'later' })).not.toThrow();
  });

  test('is there for an agent that comes back as itself', () => {
    const again = { ...joining, host: 'there', peer: 'P2', endpoints: ['b.0'] };
    expect(() => requireRoom(invitation, again)).not.toThrow();
  });
});

test('an invitation to another experiment is not the one that was meant', () => {
  expect(() => requireExperiment(invitation, 'wan')).not.toThrow();
  expect(() => requireExperiment(invitation, 'lan')).toThrow(
    expect.objectContaining({ code: 'JOIN_EXPERIMENT', message: expect.stringMatching(/wan, not lan/) }),
  );
});

describe('an experiment that has ended', () => {
  const key = signingKeyOf(Buffer.alloc(32, 1));
  const other = signingKeyOf(Buffer.alloc(32, 2));
  const commander = { peer: key.peer, name: 'me@here', rights: ['network' as const] };
  const commands = { id: '0'.repeat(32), commanders: [commander] };
  const scope = commandScope(topology.hash, commands);
  const quit = { origin: 'here', incarnation: 1, number: 1, issuedAt: 5, at: 6, text: 'quit' };
  const ended = (command: Command) => ({ ...invitation, commands, ended: [command] });

  test('is joined by nobody who sees the signed end', () => {
    const sent = decodeInvitation(encodeInvitation(ended(signCommand(quit, scope, key))), 'peer');
    expect(() => requireGoing(sent)).toThrow(
      expect.objectContaining({ code: 'EXPERIMENT_ENDED', message: expect.stringContaining('me@here') }),
    );
    expect(() => requireGoing({ ...invitation, commands })).not.toThrow();
  });

  test.each([
    ['nobody has signed', quit],
    ['a stranger has signed', signCommand(quit, scope, other)],
    ['was signed for another start', signCommand(quit, `${scope}x`, key)],
    ['is none', signCommand({ ...quit, text: 'heal' }, scope, key)],
    ['was altered', { ...signCommand(quit, scope, key), at: 7 }],
  ])('goes on for whoever sees an end that %s', (_, command) => {
    expect(() => requireGoing(ended(command))).not.toThrow();
  });

  test('goes on for a user who may not end it', () => {
    const weak = { ...commands, commanders: [{ ...commander, rights: ['run' as const] }] };
    const sent = { ...ended(signCommand(quit, scope, key)), commands: weak };
    expect(() => requireGoing(sent)).not.toThrow();
  });
});
