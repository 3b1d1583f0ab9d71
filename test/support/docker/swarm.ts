/** Docker engines of the tests' own, joined by a link, as the nodes of a swarm. */
import { execFileSync } from 'node:child_process';
import { TestEngine } from './engine.ts';

const addressOf = (node: number): string => `10.99.0.${node + 1}`;

export class TestSwarm {
  readonly nodes: readonly TestEngine[];

  private constructor(nodes: readonly TestEngine[]) {
    this.nodes = nodes;
  }

  /** Two nodes; the first is the manager. */
  static async start(): Promise<TestSwarm> {
    const nodes: TestEngine[] = [];
    try {
      for (let node = 0; node < 2; node++) nodes.push(await TestEngine.start({ isNode: true }));
      const [first, second] = nodes as [TestEngine, TestEngine];
      const ends = [`${first.name}`, `${second.name}`] as const;
      const pair = [
        'link',
        'add',
        'swarm0',
        'netns',
        ends[0],
        'type',
        'veth',
        'peer',
        'name',
        'swarm0',
        'netns',
        ends[1],
      ];
      execFileSync('ip', pair);
      for (const [node, namespace] of ends.entries()) {
        execFileSync('ip', ['-n', namespace, 'address', 'add', `${addressOf(node)}/24`, 'dev', 'swarm0']);
        execFileSync('ip', ['-n', namespace, 'link', 'set', 'swarm0', 'up']);
      }
      first.docker('swarm', 'init', '--advertise-addr', addressOf(0));
      const token = first.docker('swarm', 'join-token', '--quiet', 'worker');
      second.docker(
        'swarm',
        'join',
        '--advertise-addr',
        addressOf(1),
        '--token',
        token,
        `${addressOf(0)}:2377`,
      );
      return new TestSwarm(nodes);
    } catch (error) {
      await removeAll(nodes);
      throw error;
    }
  }

  get manager(): TestEngine {
    return this.nodes[0]!;
  }

  remove(): Promise<void> {
    return removeAll(this.nodes);
  }
}

async function removeAll(nodes: readonly TestEngine[]): Promise<void> {
  for (const node of nodes) await node.remove();
}
