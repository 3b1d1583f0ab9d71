/** `netfold agent`: the daemon of one host. */
import { type Command, Option } from 'commander';

export function addAgentCommand(program: Command): void {
  program
    .command('agent')
    .description("run one host's agent in the foreground (the local lab starts its agents itself)")
    .requiredOption('--controller <address>', 'where to get the experiment: unix:PATH or http://HOST:PORT')
    .requiredOption('--host <name>', "this host's name in the experiment")
    .requiredOption('--socket <path>', "the agent's own unix socket")
    .option('--mesh-key <file>', "the mesh's key (`netfold mesh key`); only its owner may read the file")
    .option('--identity <folder>', "where this agent's identity is kept, e.g. /var/lib/netfold/identity")
    .option('--allow <file>', 'who may join: a line `PEER [HOST]` for each agent')
    .option(
      '--announce <address...>',
      'where others can reach it, if not where it listens (behind NAT), e.g. /ip4/203.0.113.7/tcp/4646',
    )
    .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .action(async (options) => {
      // libp2p takes longer to load than most commands take to run.
      const { runAgent } = await import('../../../agent/main.ts');
      await runAgent(options);
    });
}
