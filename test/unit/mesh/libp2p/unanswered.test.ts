import { expect, test } from 'vitest';
import { MOST_UNANSWERED, Unanswered } from '../../../../agent/mesh/libp2p/unanswered.ts';

function newConnection() {
  const aborted: string[] = [];
  return { aborted, abort: ({ message }: Error) => void aborted.push(message) };
}

test('a question or two that are not answered end no connection; one more does', () => {
  const unanswered = new Unanswered();
  const [one, other] = [newConnection(), newConnection()];
  expect(MOST_UNANSWERED).toBeGreaterThan(2);
  for (let question = 1; question < MOST_UNANSWERED; question++) unanswered.note(one);
  unanswered.note(other);
  expect([...one.aborted, ...other.aborted]).toEqual([]);
  unanswered.note(one);
  expect(one.aborted).toEqual(['no answers in time']);
  expect(other.aborted).toEqual([]);
});

test('an answer makes up for those before', () => {
  const unanswered = new Unanswered();
  const connection = newConnection();
  for (let question = 1; question < MOST_UNANSWERED; question++) unanswered.note(connection);
  unanswered.noteAnswer(connection);
  for (let question = 1; question < MOST_UNANSWERED; question++) unanswered.note(connection);
  expect(connection.aborted).toEqual([]);
});
