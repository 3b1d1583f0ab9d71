/** What a member may say of commands. */
import { expect, test } from 'vitest';
import { MeshView } from '../../../../agent/mesh/members/mesh-view.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import { type Command, MAX_CLOCK_AHEAD } from '../../../../proto/command.ts';

const command = (part: Partial<Command> = {}): Command => ({
  ...{ origin: 'other', incarnation: 1, number: 1, issuedAt: 5e6, at: 9e9, text: 'heal' },
  ...part,
});

const NAMES = ['me', 'other', 'third'];

function viewAt(now: number | undefined, isOpen = false): MeshView {
  const allow = NAMES.map((host, at) => ({ peer: `12D3KooWpeer${at + 1}`, ...(isOpen ? {} : { host }) }));
  return new MeshView({
    ...{ topology: 't', endpointNames: ['a.0'], host: 'me', peer: 'p', incarnation: 50, silentAfterMs: 3000 },
    admission: new Admission({ allow }, ['a.0']),
    time: () => now,
  });
}

test('a command from the future is not taken, the others are', () => {
  const view = viewAt(5e6);
  const late = command({ number: 2, issuedAt: 5e6 + MAX_CLOCK_AHEAD + 1 });
  expect(view.door.take([command(), late])).toMatchObject({ rejected: 'COMMAND_TIME' });
  expect(view.commands.all()).toEqual([command()]);
  expect(view.door.take([command({ number: 3 })])).toBeUndefined();
});

test('before the start, and without a clock, commands have times all the same', () => {
  for (const now of [-3600e6, undefined]) {
    const view = viewAt(now);
    expect(view.door.take([command({ issuedAt: 0 })])).toBeUndefined();
    expect(view.commands.size).toBe(1);
  }
});

test('no command is taken in the name of a host that can not be', () => {
  const view = viewAt(5e6);
  const forged = command({ origin: 'nobody' });
  expect(view.door.take([forged, command({ origin: 'third' })])).toMatchObject({
    rejected: 'COMMAND_FOREIGN',
  });
  expect(view.commands.all()).toEqual([command({ origin: 'third' })]);
  const open = viewAt(5e6, true);
  expect(open.door.take([forged])).toBeUndefined();
});
