/** `netfold notify NAME` inside of an endpoint: to the agent of its host. Outside, it is a command like others (cli/commands/control.ts). */
import { connect } from 'node:net';
import { NOTIFIED, notifyDoor } from '../proto/control.ts';
import { ControllerError } from './errors.ts';

/** Whose life this process is part of, if it is an application's. */
export const ownLife = (): string | undefined => process.env.NETFOLD_LIFE || undefined;

/** Throws `ControllerError` (`NOTIFY_REFUSED`, `NOTIFY_NOBODY`). */
export async function notifyInside(life: string, name: string): Promise<void> {
  const answer = await ask(notifyDoor(life), name);
  if (answer === NOTIFIED) return;
  throw new ControllerError(
    'NOTIFY_REFUSED',
    `${name} was not taken: ${answer}`,
    'a sequence has to wait for it: write wait for NAME, or after: NAME (docs/sequences.md)',
  );
}

function ask(door: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(door, () => socket.write(`${name}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => {
      text += piece;
    });
    socket.on('end', () => resolve(text.trim()));
    socket.on('error', (cause) =>
      reject(
        new ControllerError(
          'NOTIFY_NOBODY',
          `no agent hears this endpoint: ${cause.message}`,
          'the topology needs sequences: that wait for something; is its agent running?',
          cause,
        ),
      ),
    );
  });
}
