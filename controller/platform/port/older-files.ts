/** Files of versions that had two places for an experiment, and recorded a flag instead of the platform's name. */

/** Of a parsed experiment.json: with the platform's name. */
export function stateWithPlatform(state: unknown): unknown {
  if (!isObject(state) || 'platform' in state || typeof state.existing !== 'boolean') return state;
  const { existing, ...rest } = state;
  return { ...rest, platform: existing ? 'site' : 'lab' };
}

/** Of a parsed bootstrap: with endpoints whose interfaces do or do not outlive the agent. */
export function bootstrapWithPlatform(bootstrap: unknown): unknown {
  if (!isObject(bootstrap) || 'platform' in bootstrap || !Array.isArray(bootstrap.endpoints))
    return bootstrap;
  const endpoints = (bootstrap.endpoints as unknown[]).map((endpoint) => {
    if (!isObject(endpoint) || !('existing' in endpoint)) return endpoint;
    const { existing, ...rest } = endpoint;
    return { ...rest, outlivesAgent: existing };
  });
  const outlives = endpoints.some((endpoint) => isObject(endpoint) && endpoint.outlivesAgent === true);
  return { ...bootstrap, endpoints, platform: outlives ? 'site' : 'lab' };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
