/** A cluster of Kubernetes on this machine: a control plane and two nodes, each apart from all else here. */
import { type Finished, until } from '../../lab/lab.ts';
import { ControlPlane } from './control-plane.ts';
import { builtKubernetes } from './distribution.ts';
import { TestNode } from './node.ts';

const NODES = 2;
/** On a busy machine. */
const JOIN_MS = 300_000;

export class TestCluster {
  readonly control: ControlPlane;
  readonly nodes: readonly TestNode[];

  private constructor(control: ControlPlane, nodes: readonly TestNode[]) {
    this.control = control;
    this.nodes = nodes;
  }

  /** Resolves when all nodes take pods. `images`: files that each node gets. */
  static async start(images: readonly string[]): Promise<TestCluster> {
    const { programs } = await builtKubernetes();
    const control = new ControlPlane(programs);
    const nodes: TestNode[] = [];
    const cluster = new TestCluster(control, nodes);
    try {
      for (let index = 0; index < NODES; index++) nodes.push(new TestNode(index));
      await control.start(nodes.map(({ name }) => name));
      await Promise.all(
        nodes.map((node) => {
          node.connect(control);
          return node.start(programs.kubelet, control.accessOf(`system:node:${node.name}`), images);
        }),
      );
      await until(() => cluster.#allReady(), 'the nodes take pods', JOIN_MS);
      return cluster;
    } catch (error) {
      const words = [control, ...nodes].flatMap((part) => part.lastWords());
      await cluster.remove();
      throw new Error(`${(error as Error).message}\n${words.join('\n')}`, { cause: error });
    }
  }

  async #allReady(): Promise<boolean> {
    for (const part of [this.control, ...this.nodes]) part.requireAll();
    const path = '{.items[*].status.conditions[?(@.type=="Ready")].status}';
    const { out } = await this.control.kubectl('get', 'nodes', '--output', `jsonpath=${path}`);
    return out.split(' ').filter((status) => status === 'True').length === this.nodes.length;
  }

  /** What `kubectl` prints; rejects if it fails. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.tryKubectl(...args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
    return out;
  }

  tryKubectl(...args: readonly string[]): Promise<Finished> {
    return this.control.kubectl(...args);
  }

  async remove(): Promise<void> {
    for (const part of [...this.nodes, this.control]) await part.remove();
  }
}
