import { lpStream, streamPair } from '@libp2p/utils';
import { expect, test } from 'vitest';
import { QuestionStreams } from '../../../../agent/mesh/libp2p/question-streams.ts';
import type { RequestKind } from '../../../../agent/mesh/wire/transport.ts';

type Stream = Awaited<ReturnType<typeof streamPair>>[0];

/** A connection whose other end answers each request with its first byte plus 1, except 13, and counts streams. */
function answering() {
  const streams: Stream[] = [];
  const newStream = async (): Promise<Stream> => {
    const [own, other] = await streamPair();
    streams.push(own);
    const frames = lpStream(other);
    const serve = async (): Promise<never> => {
      for (;;) {
        const question = (await frames.read()).subarray()[0]!;
        if (question !== 13) await frames.write(Uint8Array.of(question + 1));
      }
    };
    serve().catch(() => {});
    return own;
  };
  return { streams, connection: { id: 'one', newStream } };
}

const ask = async (
  questions: QuestionStreams<Stream>,
  { connection }: ReturnType<typeof answering>,
  kind: RequestKind,
  question: number,
  ms = 1000,
): Promise<number> => {
  const signal = AbortSignal.timeout(ms);
  const answer = await questions.ask(
    connection,
    { kind, protocol: '/x' },
    () => Uint8Array.of(question),
    signal,
  );
  return answer[0]!;
};

test('one question after the other goes over one stream', async () => {
  const other = answering();
  const questions = new QuestionStreams<Stream>();
  for (const question of [1, 2, 3]) expect(await ask(questions, other, 'clock', question)).toBe(question + 1);
  expect(other.streams).toHaveLength(1);
});

test('two at once have two, of which one is kept', async () => {
  const other = answering();
  const questions = new QuestionStreams<Stream>();
  const both = await Promise.all([5, 7].map((question) => ask(questions, other, 'clock', question)));
  expect(both).toEqual([6, 8]);
  expect(await ask(questions, other, 'clock', 9)).toBe(10);
  expect(other.streams).toHaveLength(2);
  expect(other.streams.filter(({ status }) => status === 'open')).toHaveLength(1);
});

test('a stream on which no answer came is not used again', async () => {
  const other = answering();
  const questions = new QuestionStreams<Stream>();
  await expect(ask(questions, other, 'clock', 13, 10)).rejects.toThrow();
  expect(await ask(questions, other, 'clock', 20)).toBe(21);
  expect(other.streams).toHaveLength(2);
});

test('a stream that was closed meanwhile is not used again', async () => {
  const other = answering();
  const questions = new QuestionStreams<Stream>();
  await ask(questions, other, 'clock', 1);
  other.streams[0]!.abort(new Error('gone'));
  expect(await ask(questions, other, 'clock', 2)).toBe(3);
});

test('whole tables have a stream each', async () => {
  const other = answering();
  const questions = new QuestionStreams<Stream>();
  for (const question of [1, 2]) await ask(questions, other, 'state', question);
  expect(other.streams).toHaveLength(2);
});
