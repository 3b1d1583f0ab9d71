/**
 * Names of headless services and of their pods, as a cluster's DNS gives them, by the API server's endpoints: Debian has no CoreDNS.
 *
 *   node name-server.ts ADDRESS API-SERVER TOKEN
 */
import { createSocket } from 'node:dgram';
import { get } from 'node:https';
import { json } from 'node:stream/consumers';
import { decode, encode, type Packet } from 'dns-packet';

/** Of a record, in seconds. */
const TTL = 1;
const AUTHORITATIVE = 1 << 10;
const NO_SUCH_NAME = 3;
const NAME = /^(?:([a-z0-9-]+)\.)?([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local$/i;

interface Endpoints {
  readonly subsets?: readonly { readonly addresses?: readonly { ip: string; hostname?: string }[] }[];
}

const [address = '', server = '', token = ''] = process.argv.slice(2);

function endpointsOf(namespace: string, service: string): Promise<Endpoints | undefined> {
  const url = `${server}/api/v1/namespaces/${namespace}/endpoints/${service}`;
  const options = { headers: { authorization: `Bearer ${token}` }, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const request = get(url, options, (answer) => {
      if (answer.statusCode === 200) json(answer).then((found) => resolve(found as Endpoints), reject);
      else resolve(void answer.resume());
    });
    request.once('error', reject);
  });
}

/** Undefined: there is no such name. */
async function addressesOf(name: string): Promise<readonly string[] | undefined> {
  const [, pod, service, namespace] = NAME.exec(name) ?? [];
  if (service === undefined || namespace === undefined) return undefined;
  const found = await endpointsOf(namespace, service);
  const all = (found?.subsets ?? []).flatMap(({ addresses = [] }) => addresses);
  const meant = pod === undefined ? all : all.filter(({ hostname }) => hostname === pod);
  return meant.length === 0 ? undefined : meant.map(({ ip }) => ip);
}

async function answer(query: Packet): Promise<Packet> {
  const [question] = query.questions ?? [];
  const found = question && (await addressesOf(question.name));
  const isWanted = question?.type === 'A';
  return {
    ...{ type: 'response', id: query.id, questions: query.questions },
    flags: AUTHORITATIVE | (found ? 0 : NO_SUCH_NAME),
    answers: isWanted
      ? (found ?? []).map((data) => ({ type: 'A', name: question.name, ttl: TTL, data }))
      : [],
  };
}

const socket = createSocket('udp4');
socket.on('message', (bytes, { address: asker, port }) => {
  answer(decode(bytes)).then(
    (packet) => socket.send(encode(packet), port, asker),
    // Asked again, it may be able to; who waits for the answer asks again.
    (error: Error) => process.stderr.write(`${error.message}\n`),
  );
});
socket.bind(53, address);
