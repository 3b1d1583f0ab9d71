// Times of writes, one after the other on one connection, in milliseconds: a JSON array.
//   http URL BODY COUNT
//   redis HOST COUNT: each waits for one replica
import { once } from 'node:events';
import { connect } from 'node:net';

/** @type {Record<string, (...args: string[]) => Promise<number[]>>} */
const KINDS = {
  http: (url = '', body = '', count = '') =>
    times(Number(count), async () => {
      const answer = await fetch(url, { method: 'POST', body });
      await answer.text();
      if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    }),
  redis: async (host = '', count = '') => {
    const socket = connect({ host, port: 6379, noDelay: true });
    const found = await times(Number(count), async () => {
      socket.write('SET k v\r\nWAIT 1 0\r\n');
      let text = '';
      while (!/:\d+\r\n$/.test(text)) text += String((await once(socket, 'data'))[0]);
      if (!text.startsWith('+OK')) throw new Error(`${host} answers ${text}`);
    });
    socket.destroy();
    return found;
  },
};

/** The first ones make the connection. */
const WARM_UP = 2;

/**
 * @param {number} count
 * @param {() => Promise<void>} write
 */
async function times(count, write) {
  const all = [];
  for (let i = 0; i < count + WARM_UP; i++) {
    const start = performance.now();
    await write();
    all.push(performance.now() - start);
  }
  return all.slice(WARM_UP);
}

const [kind = '', ...args] = process.argv.slice(2);
console.log(JSON.stringify(await KINDS[kind]?.(...args)));
