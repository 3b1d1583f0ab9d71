import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandPort } from '../../../deploy/vm/command-port.ts';

/** A port whose marks are `mark1`, `mark2`, …; `says` is the machine's output. */
function open() {
  const send = new PassThrough();
  const receive = new PassThrough();
  let marks = 0;
  const port = new CommandPort({ send, receive }, () => `mark${++marks}`);
  return {
    port,
    says: (text: string | Uint8Array) => receive.emit('data', Buffer.from(text)),
    sent: () => String(send.read() ?? ''),
  };
}

function openReady() {
  const opened = open();
  opened.says('netfold-vm ready 6.1\n');
  return opened;
}

describe('a machine', () => {
  it('is ready with the release of its kernel, also when the greeting comes in pieces', async () => {
    const { port, says } = open();
    says('netfold-vm rea');
    says('dy 6.1.0-56-amd64\n');
    expect(await port.ready).toBe('6.1.0-56-amd64');
  });

  it('that ends before it is ready says why', async () => {
    const { port } = open();
    port.close(new Error('panic'));
    await expect(port.ready).rejects.toThrow('panic');
    await expect(port.run('true')).rejects.toThrow('panic');
  });

  it('that ends during a command says why, once', async () => {
    const { port } = openReady();
    const running = port.run('true');
    port.close(new Error('panic'));
    port.close(new Error('later'));
    await expect(running).rejects.toThrow('panic');
    await expect(port.run('true')).rejects.toThrow('panic');
  });
});

describe('a command', () => {
  it('is sent in one line, whatever it holds', () => {
    const { port, sent } = openReady();
    void port.run('echo "ä"\nexit 3');
    const [mark, text] = sent().trimEnd().split(' ');
    expect(mark).toBe('mark1');
    expect(Buffer.from(text!, 'base64').toString()).toBe('echo "ä"\nexit 3');
  });

  it('gives its exit code and what it printed', async () => {
    const { port, says } = openReady();
    const running = port.run('a');
    says('one\ntwo\n\nmark1 42\n');
    expect(await running).toEqual({ code: 42, output: 'one\ntwo\n' });
  });

  it('does not get what others printed before it', async () => {
    const { port, says } = openReady();
    const first = port.run('a');
    says('\nmark1 0\nfrom the background');
    await first;
    says('more\n');
    const second = port.run('b');
    says('mine\nmark2 1\n');
    expect(await second).toEqual({ code: 1, output: 'mine' });
  });

  it("does not end at another command's mark, nor at its own within a line", async () => {
    const { port, says } = openReady();
    const running = port.run('a');
    says('x mark1 5\n\nmark10 6\n\nmark1 7\n');
    expect(await running).toEqual({ code: 7, output: 'x mark1 5\n\nmark10 6\n' });
  });

  it('waits for the one before it to end', async () => {
    const { port } = openReady();
    void port.run('a');
    await expect(port.run('b')).rejects.toThrow('running in this machine already');
  });

  it('gives the same output at once and live, however it is cut into pieces', async () => {
    const text = fc.string({ unit: fc.constantFrom('\n', 'm', 'mark1', ' ', 'ä', '7') });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 5 })), async (output, sizes) => {
        fc.pre(!/\nmark1 /.test(`${output}\n`));
        const { port, says } = openReady();
        let live = '';
        const running = port.run('a', (piece) => {
          live += piece;
        });
        const bytes = Buffer.from(`${output}\nmark1 9\n`);
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          says(bytes.subarray(at, at + size));
          at += size;
        }
        expect(await running).toEqual({ code: 9, output });
        expect(live).toBe(output);
      }),
    );
  });

  it('passes lines on as they come', () => {
    const { port, says } = openReady();
    const pieces: string[] = [];
    void port.run('a', (piece) => pieces.push(piece));
    says('one\ntw');
    says('o');
    expect(pieces.join('')).toBe('one\ntwo');
  });
});
