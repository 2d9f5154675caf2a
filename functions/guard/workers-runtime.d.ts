/** The parts of the Workers runtime that guards use. Its complete types would replace those of Node and of browsers. */
declare module 'cloudflare:workers' {
  import type { DurableObjectState } from '@cloudflare/workers-types';

  export abstract class DurableObject<Env> {
    protected ctx: DurableObjectState;
    protected env: Env;
    constructor(ctx: DurableObjectState, env: Env);
  }
}

declare const WebSocketPair: new () => Record<0 | 1, import('@cloudflare/workers-types').WebSocket>;
