/** What the name servers of endpoints answer. */
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_DESIRED,
} from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { answer } from '../../../agent/names/answer.ts';
import { NameTable, pointerName } from '../../../agent/names/name-table.ts';

const HOSTS = `127.0.0.1\tlocalhost
10.1.0.1\tclient.0 client
fd6e:6574:666f:1::1\tclient.0 client   # a comment
10.2.0.1\tclient.1 client

10.1.0.2 old.0 old
`;
const TABLE = new NameTable(HOSTS);

type Asked = Omit<Question, 'type'> & { readonly type: string };

function ask(question: Asked, more: Packet = {}, table = TABLE, transport: 'udp' | 'tcp' = 'udp') {
  const questions = [question as Question];
  const query = encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions, ...more });
  const reply = answer(table, query, transport)!;
  return { query, reply, ...(decode(reply) as DecodedPacket & { rcode: string }) };
}

const data = (answers: Answer[] | undefined): unknown[] => answers!.map((one) => 'data' in one && one.data);

test.each<[string, string, string, string[]]>([
  ['client.0', 'A', 'NOERROR', ['10.1.0.1']],
  ['client.0', 'AAAA', 'NOERROR', ['fd6e:6574:666f:1::1']],
  ['client', 'A', 'NOERROR', ['10.1.0.1', '10.2.0.1']],
  ['client', 'ANY', 'NOERROR', ['10.1.0.1', 'fd6e:6574:666f:1::1', '10.2.0.1']],
  ['CliENT.0', 'A', 'NOERROR', ['10.1.0.1']],
  ['localhost', 'A', 'NOERROR', ['127.0.0.1']],
  // Not there in this family, or not of this type.
  ['client.1', 'AAAA', 'NOERROR', []],
  ['client.0', 'MX', 'NOERROR', []],
  // HTTPS, which browsers and curl ask for.
  ['client.0', 'UNKNOWN_65', 'NOERROR', []],
  ['1.0.1.10.in-addr.arpa', 'PTR', 'NOERROR', ['client.0']],
  [pointerName('fd6e:6574:666f:1::1'), 'PTR', 'NOERROR', ['client.0']],
  ['9.0.1.10.in-addr.arpa', 'PTR', 'NXDOMAIN', []],
  ['nobody', 'A', 'NXDOMAIN', []],
  ['client.2', 'A', 'NXDOMAIN', []],
  ['client.0.example.com', 'A', 'NXDOMAIN', []],
  ['.', 'NS', 'NXDOMAIN', []],
  ['xn--bcher-kva.example', 'A', 'NXDOMAIN', []],
  ['bücher.example', 'A', 'NXDOMAIN', []],
])('%s %s: %s %j', (name, type, rcode, expected) => {
  const { answers, questions, query, reply, ...rest } = ask({ name, type });
  expect(rest).toMatchObject({
    id: 7,
    type: 'response',
    rcode,
    flag_aa: true,
    flag_rd: true,
    flag_tc: false,
  });
  expect(data(answers)).toEqual(expected);
  // Resolvers compare the question byte by byte.
  expect(questions).toEqual([{ name, type, class: 'IN' }]);
  const end = query.length;
  expect(reply.subarray(12, end)).toEqual(query.subarray(12, end));
});

test('the address of a pointer name', () => {
  expect(pointerName('10.1.2.3')).toBe('3.2.1.10.in-addr.arpa');
  expect(pointerName('2001:db8::567:89ab')).toBe(
    'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  );
});

describe('what does not fit', () => {
  const many = Array.from({ length: 3000 }, (_, index) => `10.1.${index >> 8}.${index & 255} s.${index} s`);
  const table = new NameTable(many.join('\n'));
  const options = (udpPayloadSize: number): Packet => ({
    additionals: [
      {
        ...{ name: '.', type: 'OPT', udpPayloadSize, extendedRcode: 0, ednsVersion: 0 },
        ...{ flags: 0, flag_do: false, options: [] },
      },
    ],
  });

  it.each([
    ['of a plain resolver', {}, 512, 25],
    ['of one that takes 1,232 bytes', options(1232), 1232, 60],
    ['of one that takes fewer than all have to', options(10), 512, 25],
  ])('is said to one over UDP: %s', (_, more, most, least) => {
    const { reply, answers, flag_tc } = ask({ name: 's', type: 'A' }, more, table);
    expect(flag_tc).toBe(true);
    expect(reply.length).toBeLessThanOrEqual(most);
    expect(answers!.length).toBeGreaterThanOrEqual(least);
    expect(data(answers)[0]).toBe('10.1.0.0');
  });

  it('fits over TCP', () => {
    const { answers, flag_tc } = ask({ name: 's', type: 'A' }, {}, table, 'tcp');
    expect(flag_tc).toBe(false);
    expect(answers).toHaveLength(3000);
    expect(ask({ name: 's', type: 'A' }, options(65_535), table).answers).toHaveLength(3000);
  });
});

describe('what is no question for it', () => {
  const query = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'client.0' }] });
  const changed = (offset: number, byte: number): Buffer => {
    const copy = Buffer.from(query);
    copy[offset] = byte;
    return copy;
  };

  it('gets no answer, if it may be an answer or is too short', () => {
    expect(answer(TABLE, changed(2, 0x80), 'udp')).toBeUndefined();
    expect(answer(TABLE, query.subarray(0, 11), 'udp')).toBeUndefined();
  });

  it.each([
    ['a notification', changed(2, 0x20), 'NOTIMP'],
    ['half a question', query.subarray(0, 18), 'FORMERR'],
    ['no question', changed(5, 0), 'FORMERR'],
    ['another class', changed(query.length - 1, 3), 'REFUSED'],
  ])('%s', (_, sent, rcode) => {
    const reply = decode(answer(TABLE, Buffer.from(sent), 'udp')!) as DecodedPacket & { rcode: string };
    expect(reply).toMatchObject({ id: 7, type: 'response', rcode, answers: [] });
  });

  it('a name of arbitrary bytes is unknown, and its answer has the same bytes', () => {
    const strange = Buffer.from(query);
    strange.set([0xff, 0xc0, 0x2e], 13);
    const reply = answer(TABLE, strange, 'udp')!;
    expect(reply.subarray(12)).toEqual(strange.subarray(12));
    expect(reply[3]! & 0xf).toBe(3);
    expect(reply[2]! & 0x80).toBe(0x80);
  });
});

test('any bytes have an answer with their number, or none, and never an error', () => {
  const head = fc.constantFrom(
    [],
    [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1],
  );
  const bytes = fc.tuple(head, fc.uint8Array({ maxLength: 60 }));
  fc.assert(
    fc.property(bytes, fc.constantFrom('udp' as const, 'tcp' as const), ([start, rest], transport) => {
      const query = Buffer.from([...start, ...rest]);
      const reply = answer(TABLE, query, transport);
      if (query.length < 12 || query[2]! & 0x80) expect(reply).toBeUndefined();
      else {
        expect(reply!.subarray(0, 2)).toEqual(query.subarray(0, 2));
        expect(reply![2]! & 0x80).toBe(0x80);
        expect(reply!.length).toBeLessThan(1000);
      }
    }),
    { numRuns: 3000, seed: 5 },
  );
});

test('authority', () => {
  expect(ask({ name: 'nobody', type: 'A' }).flags! & AUTHORITATIVE_ANSWER).not.toBe(0);
});
